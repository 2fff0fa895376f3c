// Read access to the whole chain: its unfinal part is in the tree in memory, its final part in the database.
// Commands, RPC and peers are all served from here.

import type { Address } from '../chain/address.ts'
import { type Block, peekCoinbase } from '../chain/block.ts'
import { type BlockHeader, type BlockId, HEADER_BYTES } from '../chain/header.ts'
import type { TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { BlockTree } from './block-tree.ts'
import { EarlierStates } from './earlier-states.ts'
import type { Store } from './effects.ts'
import {
  CorruptStore,
  KEYS,
  readBlockRecord,
  readCertificatePlace,
  readFinal,
  readFinalHeaderBytes,
  readHeight,
  readPosition,
  readRecord,
  readSenders,
} from './records.ts'

/** A block of the chain, or of a branch beside it. */
export interface ViewedBlock {
  readonly block: Block
  readonly height: number
  /** Whether it is on the way from the genesis block to the head. */
  readonly isMain: boolean
}

/** Blocks of the database that stay decoded: clients ask for one block's transactions one by one. */
const DECODED_MAX = 16

/** Read access to everything a node has. */
export class ChainView {
  /** The states after final blocks. */
  readonly states: EarlierStates
  readonly #tree: BlockTree
  readonly #store: Store
  readonly #decoded = new BoundedMap<BlockId, Block>(DECODED_MAX)

  constructor(tree: BlockTree, store: Store) {
    this.#tree = tree
    this.#store = store
    this.states = new EarlierStates(tree, store)
  }

  /** Whether a block is here: in the tree, or final. */
  has(id: BlockId): boolean {
    return this.#tree.has(id) || this.mainHeight(id) !== null
  }

  /** The id and header of the main chain at this height, or null beyond its ends. */
  headerAt(height: number): { readonly id: BlockId; readonly header: BlockHeader } | null {
    const entry = this.#tree.atHeight(height)
    if (entry !== undefined) return entry.chained
    if (height < 0 || height >= this.#tree.base.chained.height) return null
    const key = KEYS.final(height)
    return readRecord(key, this.#store.get(key), readFinal)
  }

  /** The 80 bytes of the header of the main chain at this height, as peers want them; null beyond its ends. */
  headerBytesAt(height: number): Uint8Array | null {
    const entry = this.#tree.atHeight(height)
    if (entry !== undefined) return entry.block.raw.subarray(0, HEADER_BYTES)
    if (height < 0 || height >= this.#tree.base.chained.height) return null
    const key = KEYS.final(height)
    return readRecord(key, this.#store.get(key), readFinalHeaderBytes)
  }

  /** The block of the main chain at this height, or null beyond its ends. */
  blockAt(height: number): Block | null {
    const entry = this.#tree.atHeight(height)
    if (entry !== undefined) return entry.block
    const final = this.headerAt(height)
    return final === null ? null : this.#stored(final.id, this.#store.get(KEYS.block(final.id)))
  }

  /** A block by its id, on the main chain or beside it; null when this node does not have it. */
  block(id: BlockId): ViewedBlock | null {
    const entry = this.#tree.get(id)
    if (entry !== undefined) {
      return { block: entry.block, height: entry.chained.height, isMain: this.#tree.isOnMainChain(entry) }
    }
    const raw = this.#store.get(KEYS.block(id))
    if (raw === null) return null
    const block = this.#stored(id, raw)
    const { height } = block.coinbase
    return { block, height, isMain: this.headerAt(height)?.id === id }
  }

  /** The bytes of the block of the main chain at this height; null beyond its ends. */
  rawBlockAt(height: number): Uint8Array | null {
    const entry = this.#tree.atHeight(height)
    if (entry !== undefined) return entry.block.raw
    const final = this.headerAt(height)
    if (final === null) return null
    const key = KEYS.block(final.id)
    const raw = this.#store.get(key)
    if (raw === null) throw new CorruptStore(`record ${key} is missing`)
    return raw
  }

  /** The height of a block of the main chain, or null when the id is not on it. */
  mainHeight(id: BlockId): number | null {
    const entry = this.#tree.get(id)
    if (entry !== undefined) return this.#tree.isOnMainChain(entry) ? entry.chained.height : null
    const raw = this.#store.get(KEYS.block(id))
    const height = raw === null ? null : (peekCoinbase(raw)?.height ?? null)
    return height !== null && this.headerAt(height)?.id === id ? height : null
  }

  /** The bytes of a block, as peers want them; null when this node does not have it. */
  rawBlock(id: BlockId): Uint8Array | null {
    return this.#tree.get(id)?.block.raw ?? this.#store.get(KEYS.block(id))
  }

  /** The block of the main chain that holds a transaction, and the transaction's place in it. */
  locate(id: TransactionId): { readonly block: Block; readonly index: number } | null {
    const open = this.#tree.including(id)
    if (open !== undefined) return { block: open.block.block, index: open.index }
    const key = KEYS.transaction(id)
    const record = this.#store.get(key)
    if (record === null) return null
    const { height, index } = readRecord(key, record, readPosition)
    const block = this.blockAt(height)
    if (block?.transactions[index]?.id !== id) throw new CorruptStore(`record ${key} is damaged`)
    return { block, index }
  }

  /**
   * The certificate that proves a final block, and the height of the block that it names: this one, or one above it.
   * Null where there is none.
   */
  certificateAt(height: number): { readonly height: number; readonly bytes: Uint8Array } | null {
    const key = KEYS.certificate(height)
    const record = this.#store.get(key)
    if (record === null) return null
    const place = readRecord(key, record, readCertificatePlace)
    return place.type === 'here' ? { height, bytes: place.bytes } : this.certificateAt(place.height)
  }

  /** The certificate of a decision by its sequence number; null when it is not known here. */
  certificateOf(sequence: number): Uint8Array | null {
    const key = KEYS.decision(sequence)
    const record = this.#store.get(key)
    return record === null ? null : (this.certificateAt(readRecord(key, record, readHeight))?.bytes ?? null)
  }

  /**
   * The senders of a block's transactions, in order. Null for final blocks that an older version stored without them.
   */
  sendersOf({ id, coinbase, transactions }: Block): readonly Address[] | null {
    const known = this.#tree.get(id)?.execution.senders ?? []
    if (known.length === transactions.length) return known
    const key = KEYS.senders(coinbase.height)
    const record = this.#store.get(key)
    if (record === null) return null
    const senders = readRecord(key, record, readSenders)
    if (senders.length !== transactions.length) throw new CorruptStore(`record ${key} is damaged`)
    return senders
  }

  #stored(id: BlockId, raw: Uint8Array | null): Block {
    const block = this.#decoded.get(id) ?? readBlockRecord(id, raw)
    this.#decoded.set(id, block)
    return block
  }
}
