// Checks that a transaction is in a block, for a client that trusts the block's id and not the node that answers
// (`quorate_getInclusionProof`): the coinbase record is leaf 0 of the block's Merkle tree, transaction i leaf i + 1, and the
// tree's root stands in the header.
//
// The coinbase record says how many leaves there are, so the branches have one length only and an inner node can't pass for a
// transaction (CVE-2017-12842), nor the repeated last leaf of a level for one more (CVE-2012-2459).

import {
  ByteReader,
  equalBytes,
  fromHex,
  fromReversedHex,
  type Hex,
  isHex,
  readOrNull,
} from '../encoding/bytes.ts'
import { Fields, InvalidField, type Json, readBytes } from '../encoding/fields.ts'
import { COINBASE_BYTES_MAX, type CoinbaseRecord, readCoinbase } from './coinbase.ts'
import { sha256d } from './hash.ts'
import { type BlockHeader, type BlockId, blockId, decodeHeader, HEADER_BYTES } from './header.ts'
import { rootOfBranch } from './merkle.ts'
import { decodeTransaction, TRANSACTION_BYTES_MAX, type Transaction } from './transaction.ts'

/** What an inclusion proof proves. */
export interface ProvenTransaction {
  readonly transaction: Transaction
  /** The place of the transaction in its block, from 0. */
  readonly index: number
  readonly header: BlockHeader
  /** What the block claims, its height among it. That the claims are true takes an execution, or trust in the miners. */
  readonly coinbase: CoinbaseRecord
}

/** Why an answer proves nothing. */
export type InclusionRejection =
  | 'proof-malformed'
  /** It is about another block than the one that is trusted. */
  | 'proof-block-wrong'
  /** The coinbase record is not under the header. */
  | 'proof-coinbase-wrong'
  /** The transaction is not under the header, at this place. */
  | 'proof-transaction-wrong'

/** Siblings in a branch at most: a block has fewer than 2^32 transactions. */
const BRANCH_MAX = 33

/**
 * What an answer of `quorate_getInclusionProof` proves in the block with this id, or why it proves nothing. That the block is
 * on the chain, and final, is not a part of it: the id must come from headers that `chainHeader` accepted, or from
 * `verifyFinalityProof`. Fields that are not needed are not looked at.
 */
export function verifyInclusionProof(
  block: BlockId,
  answer: unknown,
): ProvenTransaction | InclusionRejection {
  const proof = readProof(answer)
  if (proof === null) return 'proof-malformed'
  const { header, coinbase, transaction, index } = proof
  if (blockId(header) !== block) return 'proof-block-wrong'
  const root = fromReversedHex(header.merkleRoot)
  const isUnderRoot = (leaf: Uint8Array, place: number, branch: readonly Uint8Array[]): boolean =>
    branch.length === depthOf(coinbase.record) && equalBytes(rootOfBranch(sha256d(leaf), place, branch), root)
  if (!isUnderRoot(coinbase.bytes, 0, proof.coinbaseBranch)) return 'proof-coinbase-wrong'
  if (
    index >= coinbase.record.transactionCount ||
    !isUnderRoot(transaction.raw, index + 1, proof.merkleBranch)
  )
    return 'proof-transaction-wrong'
  return { transaction, index, header, coinbase: coinbase.record }
}

/** Levels of the tree under its root. */
function depthOf({ transactionCount }: CoinbaseRecord): number {
  return Math.ceil(Math.log2(transactionCount + 1))
}

function readProof(answer: unknown) {
  try {
    const fields = new Fields('', answer)
    const header = fields.parse('headerHex', 'a header', value => {
      const hex = readBytes(value, HEADER_BYTES)
      return hex === null ? null : decodeHeader(fromHex(hex))
    })
    const coinbase = fields.parse('coinbase', 'a coinbase record', readCoinbaseHex)
    const transaction = fields.parse('raw', 'a transaction', readTransactionHex)
    const index = fields.parse('transactionIndex', 'a quantity', readIndex)
    const coinbaseBranch = fields.parse('coinbaseBranch', 'hashes', readBranch)
    const merkleBranch = fields.parse('merkleBranch', 'hashes', readBranch)
    return { header, coinbase, transaction, index, coinbaseBranch, merkleBranch }
  } catch (error) {
    if (error instanceof InvalidField) return null
    throw error
  }
}

function readCoinbaseHex(value: Json): { record: CoinbaseRecord; bytes: Uint8Array } | null {
  const bytes = bytesOf(value, COINBASE_BYTES_MAX)
  if (bytes === null) return null
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const record = readCoinbase(reader)
    reader.end()
    return { record, bytes }
  })
}

function readTransactionHex(value: Json): Transaction | null {
  const bytes = bytesOf(value, TRANSACTION_BYTES_MAX)
  const transaction = bytes === null ? 'tx-malformed' : decodeTransaction(bytes)
  return typeof transaction === 'string' ? null : transaction
}

function readIndex(value: Json): number | null {
  return typeof value === 'string' && /^0x(?:0|[1-9a-f][0-9a-f]{0,7})$/.test(value) ? Number(value) : null
}

function readBranch(value: Json): Uint8Array[] | null {
  if (!Array.isArray(value) || value.length > BRANCH_MAX) return null
  const hashes: (Hex | null)[] = value.map((hash: Json) => readBytes(hash, 32))
  return hashes.every(hash => hash !== null) ? hashes.map(hash => fromHex(hash!)) : null
}

function bytesOf(value: Json, max: number): Uint8Array | null {
  return typeof value === 'string' && value.length <= 2 + 2 * max && isHex(value) ? fromHex(value) : null
}
