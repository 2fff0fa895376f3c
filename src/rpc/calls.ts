// Dry runs. Without contracts a call returns nothing and a transaction uses exactly its intrinsic gas, so
// both are known without running anything. What would create a contract is refused in plain words.

import type { Address } from '../chain/address.ts'
import { intrinsicGas } from '../chain/gas.ts'
import type { AccessListEntry } from '../chain/transaction.ts'
import { equalBytes, type Hex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { requireAccounts, requireBlock } from './block-choice.ts'
import { rejectionError } from './errors.ts'
import {
  ADDRESS,
  BLOCK,
  type BlockParameter,
  DATA,
  HASH,
  invalidParams,
  isObject,
  type Kind,
  LATEST,
  member,
  optional,
  type Params,
  QUANTITY,
  required,
} from './parameters.ts'
import { quantity } from './quantity.ts'

/** `eth_call`: `0x` for every account, since no account has code. */
export function call({ replica }: RpcBackend, params: Params): Json {
  const request = required(params, 0, REQUEST)
  requireBlock(replica, optional(params, 1, BLOCK, LATEST))
  if (request.to === null) throw rejectionError('tx-creates-contract')
  return '0x'
}

/** `eth_estimateGas`: the intrinsic gas, or why no gas would be enough. */
export function estimateGas({ replica }: RpcBackend, params: Params): Json {
  const request = required(params, 0, REQUEST)
  const block = optional(params, 1, BLOCK, LATEST)
  if (request.to === null) throw rejectionError('tx-creates-contract')
  const gas = intrinsicGas(request)
  if (request.gasLimit !== null && request.gasLimit < gas) throw rejectionError('tx-gas-below-intrinsic')
  if (gas > replica.genesis.blocks.gasLimit) throw rejectionError('tx-gas-above-block')
  assertAffordable(replica, block, request, gas)
  return quantity(gas)
}

/** The known fields of an unsigned transaction. */
interface CallRequest {
  readonly from: Address | null
  readonly to: Address | null
  readonly value: bigint
  readonly data: Uint8Array
  readonly gasLimit: bigint | null
  /** Wei per gas; 0 when none is given. */
  readonly gasPrice: bigint
  readonly accessList: readonly AccessListEntry[]
}

/** Rejects a call that its sender can't pay, before it is signed; without `from` no balance is checked. */
function assertAffordable(replica: Replica, block: BlockParameter, request: CallRequest, gas: bigint): void {
  const { from, value, gasPrice } = request
  const cost = value + gas * gasPrice
  const { accounts } = requireAccounts(replica, block)
  if (from !== null && cost > accounts.get(from).balance) throw rejectionError('tx-insufficient-funds')
}

const REQUEST: Kind<CallRequest> = {
  expected: 'an object such as {"from", "to", "value", "input"}',
  read: value => (isObject(value) ? readRequest(value) : null),
}

function readRequest(fields: { readonly [key: string]: Json }): CallRequest {
  return {
    from: member(fields, 'from', ADDRESS) ?? null,
    to: member(fields, 'to', ADDRESS) ?? null,
    value: member(fields, 'value', QUANTITY) ?? 0n,
    data: readInput(fields),
    gasLimit: member(fields, 'gas', QUANTITY) ?? null,
    gasPrice: member(fields, 'maxFeePerGas', QUANTITY) ?? member(fields, 'gasPrice', QUANTITY) ?? 0n,
    accessList: member(fields, 'accessList', ACCESS_LIST) ?? [],
  }
}

/** Older clients write `data`, newer ones `input`, some both. */
function readInput(fields: { readonly [key: string]: Json }): Uint8Array {
  const input = member(fields, 'input', DATA)
  const data = member(fields, 'data', DATA)
  if (input !== undefined && data !== undefined && !equalBytes(input, data)) {
    throw invalidParams('input and data are both given and differ: give one')
  }
  return input ?? data ?? new Uint8Array()
}

const ACCESS_LIST: Kind<readonly AccessListEntry[]> = {
  expected: 'a list of {"address", "storageKeys"}',
  read: value => (Array.isArray(value) ? allOrNull(value.map(readAccessListEntry)) : null),
}

function readAccessListEntry(value: Json): AccessListEntry | null {
  if (!isObject(value)) return null
  const address = member(value, 'address', ADDRESS)
  const storageKeys = member(value, 'storageKeys', STORAGE_KEYS)
  return address === undefined || storageKeys === undefined ? null : { address, storageKeys }
}

const STORAGE_KEYS: Kind<readonly Hex[]> = {
  expected: 'a list of hashes',
  read: value => (Array.isArray(value) ? allOrNull(value.map(HASH.read)) : null),
}

function allOrNull<T>(items: readonly (T | null)[]): readonly T[] | null {
  return items.includes(null) ? null : (items as readonly T[])
}
