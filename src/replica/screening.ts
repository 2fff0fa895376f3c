// What the first bytes of a message tell, so that nothing is decoded that has no use: an answer that nobody asked for, a
// block that is too large, has no work, is here already, can't be followed or stands on none that is here, and what a
// stranger attaches to the words of the finality layer. To decode a block costs a hundred times what it costs to send one.

import { type BlockLimits, blockTransactionsMax, isBlockTooLarge } from '../chain/block-size.ts'
import { type BlockHeader, type BlockId, blockId } from '../chain/header.ts'
import { type BlockPeek, MESSAGE_LIMITS, type MessagePeek, peekMessage } from './messages.ts'
import type { Rejection } from './verdict.ts'

/** What is known before a message is decoded. */
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
 * Why a message is not decoded. Null where it is to be decoded. A block that is `known` is no fault; nor is an `orphan`, a
 * block on one that is not here: it tells that its sender follows another branch, and its body is of no use.
 */
export type Screened = Rejection | 'known' | 'orphan' | null

/** What is to become of a message. */
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
      // Proposals alone bring a block along, over the links between validators.
      if (!host.isValidator) return 'block-uncertified'
      return peek.attached === 'malformed' ? 'block-malformed' : checkSize(peek.attached, host)
    case 'block': {
      if (!host.followsWork) return 'block-uncertified'
      const { header, height } = peek.block
      const tooLarge = checkSize(peek.block, host)
      if (tooLarge !== null) return tooLarge
      const id = blockId(header)
      const knownBytes = host.bytesOf(id)
      // Of one header there is one body: another is no block, and each would be news to gossip.
      if (knownBytes !== null) return knownBytes === peek.block.bytes ? 'known' : 'block-malformed'
      if (!host.hasWork(header)) return 'header-work-insufficient'
      if (host.bytesOf(header.previous) !== null) return null
      return height !== null && host.isAt(id, height) ? 'known' : 'orphan'
    }
  }
}

/** An answer of blocks none of which is decoded before the beginning of each is seen. */
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
