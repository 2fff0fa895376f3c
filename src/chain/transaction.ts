// Transactions are Ethereum's: legacy with EIP-155 replay protection and EIP-1559 (EIP-2718 type 2), so that
// any Ethereum wallet can sign for this chain.
//
// Decoding is strict (Yellow Paper 4.2, EIP-2, EIP-155, EIP-1559, EIP-2681): what Ethereum's own decoder
// tests call invalid is refused, so that one transaction has exactly one encoding and one id.

import { bigintFromBytes, concatBytes, fromHex, type Hex, toHex } from '../encoding/bytes.ts'
import { ADDRESS_BYTES, type Address, addressBytes } from './address.ts'
import { keccak256 } from './hash.ts'
import { decodeRlp, encodeRlp, type RlpItem, rlpInteger, rlpItemSize } from './rlp.ts'

/** A transaction's id: the Keccak-256 of its bytes. */
export type TransactionId = Hex

/** An account and the storage slots of it that a transaction says it will touch (EIP-2930). */
export interface AccessListEntry {
  readonly address: Address
  readonly storageKeys: readonly Hex[]
}

/** What a sender signs. A legacy transaction's gas price stands in both fee fields. */
export interface TransactionFields {
  readonly type: 'legacy' | 'eip1559'
  readonly chainId: bigint
  readonly nonce: bigint
  /** Wei per gas, base fee included. */
  readonly maxFeePerGas: bigint
  /** Wei per gas for the block's beneficiary. */
  readonly maxPriorityFeePerGas: bigint
  readonly gasLimit: bigint
  /** Null creates a contract. */
  readonly to: Address | null
  /** Wei. */
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
}

/** An ECDSA signature over secp256k1 with the parity of the y coordinate of its point R. */
export interface Signature {
  readonly yParity: 0 | 1
  readonly r: bigint
  readonly s: bigint
}

/** A signed transaction together with the bytes it was read from. */
export interface Transaction extends TransactionFields, Signature {
  readonly id: TransactionId
  /** The bytes that were decoded, not a copy; `data` is a view on them too. */
  readonly raw: Uint8Array
}

/** Why bytes are not a transaction, in any state of any chain. */
export type DecodeRejection =
  | 'tx-too-large'
  | 'tx-type-unknown'
  | 'tx-malformed'
  | 'tx-nonce-too-large'
  | 'tx-fee-overflow'
  | 'tx-tip-above-fee'
  | 'tx-unprotected'
  | 'tx-signature-out-of-range'
  | 'tx-signature-high-s'

/** Bytes in the largest transaction that is accepted (geth's limit). */
export const TRANSACTION_BYTES_MAX = 128 * 1024

/** The order of secp256k1's group (SEC 2, section 2.4.1). */
export const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const EIP1559_TYPE = 0x02
const U64_MAX = 2n ** 64n - 1n
const U256_MAX = 2n ** 256n - 1n
// A transaction is a list, the access list in it a list of lists with a list of keys: four levels.
const DEPTH_MAX = 4

/** The transaction in these bytes, or why there is none. */
export function decodeTransaction(raw: Uint8Array): Transaction | DecodeRejection {
  if (raw.length > TRANSACTION_BYTES_MAX) return 'tx-too-large'
  // Two hashes have 64 bytes: such a transaction could be taken for an inner node of the Merkle tree, and a branch
  // would lead from its halves to the root as if they were leaves (CVE-2017-12842; BIP 54 refuses them as well).
  if (raw.length === 64) return 'tx-malformed'
  const first = raw[0]
  if (first === undefined) return 'tx-malformed'
  if (first < 0xc0 && first !== EIP1559_TYPE) return first < 0x80 ? 'tx-type-unknown' : 'tx-malformed'
  const isLegacy = first >= 0xc0
  const items = decodeRlp(isLegacy ? raw : raw.subarray(1), DEPTH_MAX)
  if (items === null || items instanceof Uint8Array) return 'tx-malformed'
  const signed = isLegacy ? readLegacy(items) : readEip1559(items)
  if (typeof signed === 'string') return signed
  return checkRanges(signed) ?? { ...signed, id: toHex(keccak256(raw)), raw }
}

/** The bytes of a signed transaction. */
export function encodeTransaction(fields: TransactionFields, signature: Signature): Uint8Array {
  const { yParity, r, s } = signature
  const v = fields.type === 'legacy' ? fields.chainId * 2n + 35n + BigInt(yParity) : BigInt(yParity)
  return envelope(fields.type, [...signedItems(fields), rlpInteger(v), rlpInteger(r), rlpInteger(s)])
}

/** The 32 bytes that the sender signs (EIP-155 for legacy transactions, EIP-1559). */
export function signingHash(fields: TransactionFields): Uint8Array {
  const items = signedItems(fields)
  // EIP-155 puts (chainId, 0, 0) where the signature will stand.
  const suffix = fields.type === 'legacy' ? [rlpInteger(fields.chainId), rlpInteger(0n), rlpInteger(0n)] : []
  return keccak256(envelope(fields.type, [...items, ...suffix]))
}

/** How many bytes the transaction that starts at `start` takes, or null where none starts. */
export function transactionSize(bytes: Uint8Array, start: number): number | null {
  if (bytes[start] !== EIP1559_TYPE) return (bytes[start] ?? 0) < 0xc0 ? null : rlpItemSize(bytes, start)
  const size = (bytes[start + 1] ?? 0) < 0xc0 ? null : rlpItemSize(bytes, start + 1)
  return size === null ? null : size + 1
}

type SignedFields = TransactionFields & Signature

function readLegacy(items: readonly RlpItem[]): SignedFields | DecodeRejection {
  if (items.length !== 9) return 'tx-malformed'
  const [nonce, gasPrice, gasLimit, to, value, data, v, r, s] = items
  const fee = readInteger(gasPrice)
  const vNumber = readInteger(v)
  if (vNumber === null) return 'tx-malformed'
  if (vNumber === 27n || vNumber === 28n) return 'tx-unprotected'
  if (vNumber < 35n) return 'tx-signature-out-of-range'
  const common = readCommon({ nonce, fee, tip: fee, gasLimit, to, value, data, r, s })
  if (common === null) return 'tx-malformed'
  const yParity = (vNumber - 35n) % 2n === 0n ? 0 : 1
  return { ...common, type: 'legacy', chainId: (vNumber - 35n) / 2n, accessList: [], yParity }
}

function readEip1559(items: readonly RlpItem[]): SignedFields | DecodeRejection {
  if (items.length !== 12) return 'tx-malformed'
  const [chainId, nonce, tip, fee, gasLimit, to, value, data, accessList, yParity, r, s] = items
  const chainNumber = readInteger(chainId)
  const parity = readInteger(yParity)
  const entries = readAccessList(accessList)
  const common = readCommon({
    nonce,
    fee: readInteger(fee),
    tip: readInteger(tip),
    gasLimit,
    to,
    value,
    data,
    r,
    s,
  })
  if (chainNumber === null || parity === null || entries === null || common === null) return 'tx-malformed'
  if (parity > 1n) return 'tx-signature-out-of-range'
  return {
    ...common,
    type: 'eip1559',
    chainId: chainNumber,
    accessList: entries,
    yParity: parity === 0n ? 0 : 1,
  }
}

interface CommonItems {
  readonly fee: bigint | null
  readonly tip: bigint | null
  readonly nonce: RlpItem | undefined
  readonly gasLimit: RlpItem | undefined
  readonly to: RlpItem | undefined
  readonly value: RlpItem | undefined
  readonly data: RlpItem | undefined
  readonly r: RlpItem | undefined
  readonly s: RlpItem | undefined
}

function readCommon(items: CommonItems) {
  const nonce = readInteger(items.nonce)
  const gasLimit = readInteger(items.gasLimit)
  const value = readInteger(items.value)
  const r = readInteger(items.r)
  const s = readInteger(items.s)
  const { fee, tip, to, data } = items
  if (nonce === null || gasLimit === null || value === null || r === null || s === null) return null
  if (fee === null || tip === null || !(data instanceof Uint8Array)) return null
  if (!(to instanceof Uint8Array) || (to.length !== 0 && to.length !== ADDRESS_BYTES)) return null
  const recipient = to.length === 0 ? null : toHex(to)
  return { nonce, maxFeePerGas: fee, maxPriorityFeePerGas: tip, gasLimit, to: recipient, value, data, r, s }
}

/** An unsigned integer of at most 256 bits without leading zeros. */
function readInteger(item: RlpItem | undefined): bigint | null {
  if (!(item instanceof Uint8Array) || item.length > 32 || item[0] === 0) return null
  return bigintFromBytes(item)
}

function readAccessList(item: RlpItem | undefined): AccessListEntry[] | null {
  if (item === undefined || item instanceof Uint8Array) return null
  const entries: AccessListEntry[] = []
  for (const entry of item) {
    if (entry instanceof Uint8Array || entry.length !== 2) return null
    const [address, keys] = entry
    if (!(address instanceof Uint8Array) || address.length !== ADDRESS_BYTES) return null
    if (keys === undefined || keys instanceof Uint8Array) return null
    const storageKeys: Hex[] = []
    for (const key of keys) {
      if (!(key instanceof Uint8Array) || key.length !== 32) return null
      storageKeys.push(toHex(key))
    }
    entries.push({ address: toHex(address), storageKeys })
  }
  return entries
}

function checkRanges(tx: SignedFields): DecodeRejection | null {
  if (tx.nonce >= U64_MAX) return 'tx-nonce-too-large'
  if (tx.gasLimit > U64_MAX || tx.gasLimit * tx.maxFeePerGas > U256_MAX) return 'tx-fee-overflow'
  if (tx.maxPriorityFeePerGas > tx.maxFeePerGas) return 'tx-tip-above-fee'
  if (tx.r === 0n || tx.r >= SECP256K1_N || tx.s === 0n || tx.s >= SECP256K1_N)
    return 'tx-signature-out-of-range'
  // EIP-2: the twin (r, n - s) with the other parity would be valid too, under another id.
  if (tx.s > SECP256K1_N / 2n) return 'tx-signature-high-s'
  return null
}

function signedItems(fields: TransactionFields): RlpItem[] {
  const { nonce, maxFeePerGas, maxPriorityFeePerGas, gasLimit, to, value, data } = fields
  const recipient = to === null ? new Uint8Array() : addressBytes(to)
  const tail = [rlpInteger(gasLimit), recipient, rlpInteger(value), data]
  if (fields.type === 'legacy') return [rlpInteger(nonce), rlpInteger(maxFeePerGas), ...tail]
  const accessList = fields.accessList.map(entry => [
    addressBytes(entry.address),
    entry.storageKeys.map(fromHex),
  ])
  const fees = [rlpInteger(maxPriorityFeePerGas), rlpInteger(maxFeePerGas)]
  return [rlpInteger(fields.chainId), rlpInteger(nonce), ...fees, ...tail, accessList]
}

function envelope(type: TransactionFields['type'], items: readonly RlpItem[]): Uint8Array {
  const list = encodeRlp(items)
  return type === 'legacy' ? list : concatBytes(Uint8Array.of(EIP1559_TYPE), list)
}
