// A transfer from the request to the signed bytes: an EIP-1559 transaction (type 2) whose nonce, fees and chain id come from
// a node unless they are given.
//
// The node is not trusted with money: it must serve the expected chain (a signature for another chain would be valid there),
// and it can't raise the fee above the limit that the user accepts.

import type { Address } from '../chain/address.ts'
import { formatAmount } from '../chain/amount.ts'
import { intrinsicGas } from '../chain/gas.ts'
import { signDigest } from '../chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type TransactionFields,
  type TransactionId,
} from '../chain/transaction.ts'
import { type Hex, toHex } from '../encoding/bytes.ts'
import { InvalidAnswer, listField, parseQuantity, readObject } from './rpc-answer.ts'
import { type RpcClient, RpcError } from './rpc-client.ts'

/** A transfer that a user asks for; absent fields are left to the node. Amounts are wei; prices are wei per gas. */
export interface TransferRequest {
  readonly from: Address
  readonly to: Address
  readonly value: bigint
  readonly data?: Uint8Array
  /** The expected chain (EIP-155); by default the one that the node serves. */
  readonly chainId?: bigint
  /** By default the account's next one, its transactions in the node's pool counted. */
  readonly nonce?: bigint
  /** By default the intrinsic gas. */
  readonly gasLimit?: bigint
  /** By default twice the base fee plus the tip: room for the base fee to double. */
  readonly maxFeePerGas?: bigint
  /** By default the node's suggestion. */
  readonly maxPriorityFeePerGas?: bigint
  /** Limit of the whole fee at prices that the node suggests; one coin by default. */
  readonly feeMax?: bigint
}

/** A transfer that can be submitted, any number of times: it can only be mined once. */
export interface SignedTransfer {
  readonly id: TransactionId
  readonly raw: Hex
}

/** The node serves another chain than the one that was meant. Nothing was signed. */
export class WrongChain extends Error {
  override name = 'WrongChain'

  constructor(url: string, actual: bigint, expected: bigint) {
    super(`the node at ${url} serves chain ${actual}, not ${expected}: nothing was signed; ask another node`)
  }
}

/** The fees that the node suggests are higher than the limit. Nothing was signed. */
export class FeeTooHigh extends Error {
  override name = 'FeeTooHigh'

  constructor(fee: bigint, feeMax: bigint) {
    const [most, limit] = [formatAmount(fee), formatAmount(feeMax)]
    super(
      `at the node's prices the fee may reach ${most} coins, above the limit of ${limit}: give prices or a limit`,
    )
  }
}

/** A request that can't become a transaction: an amount, nonce or price is out of range. */
export class InvalidTransfer extends Error {
  override name = 'InvalidTransfer'

  constructor(problem: string) {
    super(`this can't be a transaction: ${problem}`)
  }
}

/** Wei per gas for the miner where the node suggests nothing. */
const TIP_DEFAULT = 1_000_000_000n
const FEE_MAX_DEFAULT = 10n ** 18n

/**
 * The unsigned transaction of a request. Asks the node once, in one batch. Throws `WrongChain`, `FeeTooHigh`,
 * `InvalidTransfer`, and what `RpcClient.batch` throws.
 */
export async function prepareTransfer(
  client: RpcClient,
  request: TransferRequest,
  signal?: AbortSignal,
): Promise<TransactionFields> {
  const { from, to, value, data = new Uint8Array() } = request
  const advice = await askNode(client, from, signal)
  const chainId = advice.chainId()
  if (request.chainId !== undefined && request.chainId !== chainId) {
    throw new WrongChain(client.url, chainId, request.chainId)
  }
  const accessList: TransactionFields['accessList'] = []
  const gasLimit = request.gasLimit ?? intrinsicGas({ to, data, accessList })
  const prices = choosePrices(request, advice)
  const fee = gasLimit * prices.maxFeePerGas
  const feeMax = request.feeMax ?? FEE_MAX_DEFAULT
  if (request.maxFeePerGas === undefined && fee > feeMax) throw new FeeTooHigh(fee, feeMax)
  const nonce = request.nonce ?? advice.nonce()
  return { type: 'eip1559', chainId, nonce, ...prices, gasLimit, to, value, data, accessList }
}

/** Signs with a 32-byte secret key, which the caller clears. Throws `InvalidTransfer`. */
export function signTransfer(fields: TransactionFields, secretKey: Uint8Array): SignedTransfer {
  const { value, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = fields
  for (const amount of [value, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas]) {
    if (amount < 0n) throw new InvalidTransfer(`${amount} is negative`)
  }
  const raw = encodeTransaction(fields, signDigest(signingHash(fields), secretKey))
  // Every node decodes the bytes by these rules: a transaction that none would accept is rejected here.
  const transaction = decodeTransaction(raw)
  if (typeof transaction === 'string') throw new InvalidTransfer(transaction)
  return { id: transaction.id, raw: toHex(raw) }
}

/** What a node says about the chain and an account, each part read only when it is needed. */
interface Advice {
  readonly chainId: () => bigint
  readonly nonce: () => bigint
  readonly baseFee: () => bigint
  readonly tip: () => bigint
}

async function askNode(client: RpcClient, from: Address, signal: AbortSignal | undefined): Promise<Advice> {
  const calls = [
    { method: 'eth_chainId', params: [] },
    { method: 'eth_getTransactionCount', params: [from, 'pending'] },
    { method: 'eth_feeHistory', params: ['0x1', 'latest', []] },
    { method: 'eth_maxPriorityFeePerGas', params: [] },
  ]
  const [chainId, nonce, feeHistory, tip] = await client.batch(calls, signal)
  return {
    chainId: () => readQuantity('eth_chainId', chainId),
    nonce: () => readQuantity('eth_getTransactionCount', nonce),
    baseFee: () => readNextBaseFee('eth_feeHistory', feeHistory),
    tip: () => (isUnknownMethod(tip) ? TIP_DEFAULT : readQuantity('eth_maxPriorityFeePerGas', tip)),
  }
}

function choosePrices(request: TransferRequest, advice: Advice) {
  const { maxFeePerGas: fee, maxPriorityFeePerGas: tip } = request
  if (fee !== undefined && tip !== undefined && tip > fee) {
    throw new InvalidTransfer(`the tip, ${tip} wei per gas, is above the whole price, ${fee}`)
  }
  const maxPriorityFeePerGas = tip ?? atMost(advice.tip(), fee)
  const maxFeePerGas = fee ?? 2n * advice.baseFee() + maxPriorityFeePerGas
  return { maxFeePerGas, maxPriorityFeePerGas }
}

function atMost(value: bigint, limit: bigint | undefined): bigint {
  return limit !== undefined && limit < value ? limit : value
}

/** The base fee of the next block: the last of the history, one longer than the blocks that were asked for. */
function readNextBaseFee(method: string, outcome: unknown): bigint {
  const fees = readObject(method, resultOf(outcome), answer =>
    listField(answer, 'baseFeePerGas', parseQuantity),
  )
  const next = fees.at(-1)
  if (next === undefined) throw new InvalidAnswer(method, 'expected a base fee: give the price yourself')
  return next
}

function readQuantity(method: string, outcome: unknown): bigint {
  const value = parseQuantity(resultOf(outcome))
  if (value === null) throw new InvalidAnswer(method, 'expected a quantity such as 0x1f')
  return value
}

function resultOf(outcome: unknown): unknown {
  if (outcome instanceof RpcError) throw outcome
  return outcome
}

function isUnknownMethod(outcome: unknown): boolean {
  return outcome instanceof RpcError && outcome.code === -32601
}
