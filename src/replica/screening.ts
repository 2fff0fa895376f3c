// Screening: refuses messages by their first bytes, before anything is decoded. Refused are unrequested answers; blocks that
// are too large, lack work, are known, can't be followed or have no known parent; and blocks that a peer other than a
// validator attaches to a message of the finality layer. To decode a block costs a hundred times what it costs to send one.

import { type BlockLimits, blockTransactionsMax, isBlockTooLarge } from '../chain/block-size.ts'
import { type BlockHeader, type BlockId, blockId } from '../chain/header.ts'
import { type BlockPeek, type MessagePeek, peekMessage } from './message-peek.ts'
import { MESSAGE_LIMITS } from './messages.ts'
import type { Rejection } from './verdict.ts'

/** What screening asks its replica. */
export interface ScreenHost {
  readonly limits: BlockLimits
  /** Whether blocks are followed for their work. */
  readonly followsWork: boolean
  /** Bytes of a block that is here; null for one that is not. */
  bytesOf(id: BlockId): number | null
  /** Whether a block is the one of our chain at this height. */
  isAt(id: BlockId, height: number): boolean
  hasWork(header: BlockHeader): boolean
  /** Whether this peer was asked for this answer. */
  isAsked(type: 'headers' | 'blocks' | 'transactions', requestId: number): boolean
  /** Whether this request is for this block. */
  asksFor(requestId: number, id: BlockId): boolean
  /** How many transactions this request is for. */
  askedTransactions(requestId: number): number
  /** Whether the peer speaks for a validator. */
  readonly isValidator: boolean
}

/**
 * Why a message is not decoded; null when it is to be decoded. A `known` block is no fault, nor is an `orphan`, whose parent is
 * unknown: it shows that its sender follows another branch, and its body is of no use yet.
 */
export type Screened = Rejection | 'known' | 'orphan' | null

/** Why a message is not to be decoded, or null. */
export function screen(bytes: Uint8Array, host: ScreenHost): Screened {
  const peek = peekMessage(bytes)
  return peek === null ? null : screenPeek(peek, host)
}

function screenPeek(peek: MessagePeek, host: ScreenHost): Screened {
  switch (peek.type) {
    case 'headers':
      return host.isAsked(peek.type, peek.requestId) ? null : 'peer-answer-unasked'
    case 'blocks':
      if (!host.isAsked(peek.type, peek.requestId)) return 'peer-answer-unasked'
      return screenBlocks(peek, host)
    case 'transactions':
      if (!host.isAsked(peek.type, peek.requestId)) return 'peer-answer-unasked'
      if (peek.count === null) return 'message-malformed'
      if (peek.count > host.askedTransactions(peek.requestId)) return 'peer-answer-unasked'
      return peek.answerBytes > MESSAGE_LIMITS.transactionsAnswerBytesMax ? 'message-too-large' : null
    case 'finality':
      if (peek.attached === null) return null
      // Only proposals carry a block, on links between validators.
      if (!host.isValidator) return 'block-uncertified'
      return peek.attached === 'malformed' ? 'block-malformed' : checkSize(peek.attached, host)
    case 'block': {
      if (!host.followsWork) return 'block-uncertified'
      const { header, height } = peek.block
      const tooLarge = checkSize(peek.block, host)
      if (tooLarge !== null) return tooLarge
      const id = blockId(header)
      const knownBytes = host.bytesOf(id)
      // One header has one body. Another body is no block, and gossip would relay each as new.
      if (knownBytes !== null) return knownBytes === peek.block.bytes ? 'known' : 'block-malformed'
      if (!host.hasWork(header)) return 'header-work-insufficient'
      if (host.bytesOf(header.previous) !== null) return null
      return height !== null && host.isAt(id, height) ? 'known' : 'orphan'
    }
  }
}

/** Screens an answer of blocks: none is decoded before the beginning of each was checked. */
function screenBlocks(
  { requestId, blocks }: Extract<MessagePeek, { type: 'blocks' }>,
  host: ScreenHost,
): Rejection | null {
  if (blocks === null) return 'message-malformed'
  for (const block of blocks) {
    if (!host.asksFor(requestId, blockId(block.header))) return 'peer-answer-unasked'
    const tooLarge = checkSize(block, host)
    if (tooLarge !== null) return tooLarge
  }
  return null
}

function checkSize({ bytes, transactionCount }: BlockPeek, { limits }: ScreenHost): Rejection | null {
  const isTooLarge = isBlockTooLarge(limits, bytes) || transactionCount > blockTransactionsMax(limits)
  return isTooLarge ? 'block-too-large' : null
}
