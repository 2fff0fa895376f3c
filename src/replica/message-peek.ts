// What the first bytes of a message say, without decoding it: decoding a block costs a hundred times what it costs its
// sender, so a message of no use is refused before (screening.ts).

import { peekBlock, peekCoinbase } from '../chain/block.ts'
import type { BlockHeader } from '../chain/header.ts'
import { ByteReader, MalformedBytes, readOrNull } from '../encoding/bytes.ts'
import { listOf } from './message-codec.ts'
import { MESSAGE_LIMITS, MESSAGE_TYPES, type MessageType } from './messages.ts'

/** The kind that a message says it is; null when there is no such kind. */
export function typeOfMessage(bytes: Uint8Array): MessageType | null {
  return MESSAGE_TYPES[bytes[0] ?? MESSAGE_TYPES.length] ?? null
}

/** What the first bytes of a message say, for the kinds that may be large. */
export type MessagePeek =
  | { readonly type: 'headers'; readonly requestId: number }
  /** Null where the blocks do not even begin as blocks do. */
  | { readonly type: 'blocks'; readonly requestId: number; readonly blocks: readonly BlockPeek[] | null }
  | {
      readonly type: 'transactions'
      readonly requestId: number
      /** Null where the answer does not say it. */
      readonly count: number | null
      readonly answerBytes: number
    }
  | { readonly type: 'block'; readonly block: BlockPeek }
  | { readonly type: 'finality'; readonly attached: BlockPeek | 'malformed' | null }

/** What the beginning of a block says, and its size. */
export interface BlockPeek {
  readonly header: BlockHeader
  readonly transactionCount: number
  /** The height that it claims, without proof; null where it has no coinbase record. */
  readonly height: number | null
  readonly bytes: number
}

/** Looks at a message without decoding it; null where it is small, or none. */
export function peekMessage(bytes: Uint8Array): MessagePeek | null {
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const type = MESSAGE_TYPES[reader.u8()]
    switch (type) {
      case 'headers':
        return { type, requestId: reader.u32() }
      case 'blocks':
        return { type, requestId: reader.u32(), blocks: readOrNull(() => peekBlocks(reader)) }
      case 'transactions':
        return {
          type,
          requestId: reader.u32(),
          count: readOrNull(() => reader.compactSize(MESSAGE_LIMITS.transactionsMax)),
          answerBytes: bytes.length,
        }
      case 'block':
        return { type, block: readBlockPeek(reader.rest()) }
      case 'finality':
        reader.sizedBytes(MESSAGE_LIMITS.finalityBytesMax)
        return { type, attached: reader.remaining === 0 ? null : (peekOf(reader.rest()) ?? 'malformed') }
      case 'status':
      case 'get-headers':
      case 'get-blocks':
      case 'announce':
      case 'get-transactions':
      case undefined:
    }
    return null
  })
}

function peekBlocks(reader: ByteReader): BlockPeek[] {
  const blocks = listOf(reader, MESSAGE_LIMITS.blocksMax, () =>
    readBlockPeek(reader.sizedBytes(MESSAGE_LIMITS.bytesMax)),
  )
  reader.end()
  return blocks
}

function readBlockPeek(raw: Uint8Array): BlockPeek {
  const peek = peekOf(raw)
  if (peek === null) throw new MalformedBytes('no block')
  return peek
}

function peekOf(raw: Uint8Array): BlockPeek | null {
  const peek = peekBlock(raw)
  return peek === null ? null : { ...peek, height: peekCoinbase(raw)?.height ?? null, bytes: raw.length }
}
