// The messages between replicas, and their bounds. Their form on the wire is in message-codec.ts; what is read of a message
// before it is decoded, in message-peek.ts.

import type { Block } from '../chain/block.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import { TRANSACTION_BYTES_MAX, type Transaction, type TransactionId } from '../chain/transaction.ts'

/** What a node follows, sent when a connection opens and from time to time. */
export interface Status {
  readonly genesisId: BlockId
  readonly chainId: bigint
  readonly headId: BlockId
  readonly height: number
  /** Cumulative work of the head. */
  readonly work: bigint
}

/** Every message between replicas. A request's id is repeated in its answer. */
export type Message =
  | { readonly type: 'status'; readonly status: Status }
  /** Headers after the first id of the locator that is on the asked peer's chain. */
  | { readonly type: 'get-headers'; readonly requestId: number; readonly locator: readonly BlockId[] }
  | { readonly type: 'headers'; readonly requestId: number; readonly headers: readonly BlockHeader[] }
  | { readonly type: 'get-blocks'; readonly requestId: number; readonly ids: readonly BlockId[] }
  | { readonly type: 'blocks'; readonly requestId: number; readonly blocks: readonly Block[] }
  /** A new block, relayed to all. */
  | { readonly type: 'block'; readonly block: Block }
  /** A message of the finality layer, and the block it is about for peers that don't have it. */
  | { readonly type: 'finality'; readonly body: Uint8Array; readonly block: Block | null }
  /** Ids of transactions that wait in the sender's pool. A peer that lacks them asks for them. */
  | { readonly type: 'announce'; readonly ids: readonly TransactionId[] }
  | { readonly type: 'get-transactions'; readonly requestId: number; readonly ids: readonly TransactionId[] }
  /** Those of the transactions that are still there, in the order of the request, from the first that fits. */
  | {
      readonly type: 'transactions'
      readonly requestId: number
      readonly transactions: readonly Transaction[]
    }

/** A header, or its 80 bytes. */
export type OutgoingHeader = BlockHeader | { readonly raw: Uint8Array }

/** What a replica sends: headers and blocks that are only passed on need not be decoded for it. */
export type OutgoingMessage =
  | Message
  | { readonly type: 'headers'; readonly requestId: number; readonly headers: readonly OutgoingHeader[] }
  | { readonly type: 'blocks'; readonly requestId: number; readonly blocks: readonly Pick<Block, 'raw'>[] }

/** The kinds of message. */
export type MessageType = Message['type']

/** Bounds of one message. */
export const MESSAGE_LIMITS = {
  /** Bytes on the wire; a batch of blocks stops below it. */
  bytesMax: 9 * 1024 * 1024,
  locatorIdsMax: 64,
  headersMax: 2_000,
  blocksMax: 16,
  /** Bytes of blocks in one answer, unless the first alone is larger. */
  blocksBytesMax: 4 * 1024 * 1024,
  /** Bytes of a message of the finality layer. */
  finalityBytesMax: 4 * 1024 * 1024 + 64,
  /** Transactions in one announcement, request or answer. */
  transactionsMax: 256,
  /** Bytes of transactions in one answer, unless the first alone is larger. */
  transactionsBytesMax: 128 * 1024,
  /** Bytes of such an answer: the largest transaction fits, and four bytes of length for each. */
  transactionsAnswerBytesMax: TRANSACTION_BYTES_MAX + 4 * 256 + 16,
} as const

/** The kinds of message, in the order of their first bytes. A change of any layout is another PROTOCOL (src/node/peer-links.ts). */
export const MESSAGE_TYPES: readonly MessageType[] = [
  'status',
  'get-headers',
  'headers',
  'get-blocks',
  'blocks',
  'block',
  'transactions',
  'finality',
  'announce',
  'get-transactions',
]

/** The transactions of a message: their senders will be recovered. */
export function transactionsIn(message: Message): readonly Transaction[] {
  switch (message.type) {
    case 'transactions':
      return message.transactions
    case 'block':
      return message.block.transactions
    case 'finality':
      return message.block?.transactions ?? []
    case 'blocks':
      return message.blocks.flatMap(block => block.transactions)
    case 'status':
    case 'get-headers':
    case 'headers':
    case 'get-blocks':
    case 'announce':
    case 'get-transactions':
      return []
  }
}

/** Those of the transactions, from the first on, that fit in one answer. */
export function fittingTransactions(transactions: readonly Transaction[]): readonly Transaction[] {
  let bytes = 0
  const end = transactions.findIndex((tx, index) => {
    bytes += tx.raw.length
    return index > 0 && bytes > MESSAGE_LIMITS.transactionsBytesMax
  })
  return end === -1 ? transactions : transactions.slice(0, end)
}
