// A transfer from the wish to the signed bytes: an EIP-1559 transaction (type 2) whose nonce, fees and chain id come
// from a node unless they are given.
//
// The node is not trusted with money: it must serve the chain that was meant (a signature for another chain with the
// same key would be good there), and it can't talk a wallet into a fee that nobody agreed to.

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

/** What a person wants to be done, and may leave to the node. Amounts are wei; prices are wei per gas. */
export interface TransferWish {
  readonly from: Address
  readonly to: Address
  readonly value: bigint
  readonly data?: Uint8Array
  /** The chain that is meant; whichever the node serves when absent. */
  readonly chainId?: bigint
  /** The next one of the account, those that wait in the node's pool counted, when absent. */
  readonly nonce?: bigint
  /** The gas that the transaction uses before any contract runs when absent. */
  readonly gasLimit?: bigint
  /** Twice the base fee and the tip when absent: room for the base fee to double. */
  readonly maxFeePerGas?: bigint
  /** The node's suggestion when absent. */
  readonly maxPriorityFeePerGas?: bigint
  /** The most that prices suggested by the node may make the whole transaction cost: one coin when absent. */
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

/** A wish that can't be made a transaction: an amount, nonce or price out of range. */
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
 * The transaction that does what is wished, unsigned. Asks the node once. Throws `WrongChain`, `FeeTooHigh`,
 * `InvalidTransfer`, and what `RpcClient.batch` throws.
 */
export async function prepareTransfer(
  client: RpcClient,
  wish: TransferWish,
  signal?: AbortSignal,
): Promise<TransactionFields> {
  const { from, to, value, data = new Uint8Array() } = wish
  const advice = await askNode(client, from, signal)
  const chainId = advice.chainId()
  if (wish.chainId !== undefined && wish.chainId !== chainId) {
    throw new WrongChain(client.url, chainId, wish.chainId)
  }
  const accessList: TransactionFields['accessList'] = []
  const gasLimit = wish.gasLimit ?? intrinsicGas({ to, data, accessList })
  const prices = choosePrices(wish, advice)
  const fee = gasLimit * prices.maxFeePerGas
  const feeMax = wish.feeMax ?? FEE_MAX_DEFAULT
  if (wish.maxFeePerGas === undefined && fee > feeMax) throw new FeeTooHigh(fee, feeMax)
  const nonce = wish.nonce ?? advice.nonce()
  return { type: 'eip1559', chainId, nonce, ...prices, gasLimit, to, value, data, accessList }
}

/** Signs with a 32-byte secret key, which the caller clears. Throws `InvalidTransfer`. */
export function signTransfer(fields: TransactionFields, secretKey: Uint8Array): SignedTransfer {
  const { value, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = fields
  for (const amount of [value, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas]) {
    if (amount < 0n) throw new InvalidTransfer(`${amount} is negative`)
  }
  const raw = encodeTransaction(fields, signDigest(signingHash(fields), secretKey))
  // Every node reads the bytes by these rules: what it would refuse for ever is better refused here.
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

function choosePrices(wish: TransferWish, advice: Advice) {
  const { maxFeePerGas: fee, maxPriorityFeePerGas: tip } = wish
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
