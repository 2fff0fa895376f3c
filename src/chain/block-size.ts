// How large a block may be: its bytes, and how many transactions its gas can pay for. The byte limit covers the whole
// block, so what it leaves for transactions is less by everything else that a block holds.

import { COINBASE_BYTES_MAX } from './coinbase.ts'
import { TRANSACTION_GAS_MIN } from './gas.ts'
import { HEADER_BYTES } from './header.ts'

/** The limits on the size of the blocks of one network. */
export interface BlockLimits {
  /** Gas that the transactions of a block may reserve together. */
  readonly gasLimit: bigint
  /** Bytes of a whole block at most. */
  readonly blockBytesMax: number
}

/** Bytes of a block besides its transactions at most: header, count (a CompactSize of up to 5), coinbase record. */
export const BLOCK_OVERHEAD_BYTES = HEADER_BYTES + 5 + COINBASE_BYTES_MAX

/** Whether a block of so many bytes is too large. */
export function isBlockTooLarge(
  { blockBytesMax }: Pick<BlockLimits, 'blockBytesMax'>,
  bytes: number,
): boolean {
  return bytes > blockBytesMax
}

/** Bytes that the transactions of one block may have together. */
export function transactionBytesMax({ blockBytesMax }: Pick<BlockLimits, 'blockBytesMax'>): number {
  return blockBytesMax - BLOCK_OVERHEAD_BYTES
}

/** Transactions that one block may hold: its gas allows for no more. */
export function blockTransactionsMax({ gasLimit }: Pick<BlockLimits, 'gasLimit'>): number {
  return Number(gasLimit / BigInt(TRANSACTION_GAS_MIN))
}
