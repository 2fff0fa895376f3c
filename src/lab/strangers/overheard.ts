// What the strangers of a run have heard, and use against others: headers, blocks, transactions and words of the finality
// layer, the last of each, from whichever node they came. It is all that they have: none of them has a key, or work.

import type { Block } from '../../chain/block.ts'
import type { BlockHeader } from '../../chain/header.ts'
import type { Transaction } from '../../chain/transaction.ts'
import type { Message, Status } from '../../replica/messages.ts'
import type { Random } from '../virtual/random.ts'

/** How many of each are remembered: old ones are the better ammunition, so that some stay for long. */
const REMEMBERED_MAX = 64

/** A list that replaces any of its items once it is full. */
class Sample<T> {
  readonly items: T[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  add(item: T): void {
    if (this.items.length < REMEMBERED_MAX) this.items.push(item)
    else this.items[this.#random.integer(0, REMEMBERED_MAX - 1)] = item
  }
}

/** The memory that the strangers of one run share. */
export class Overheard {
  readonly #statuses: Sample<Status>
  readonly #headers: Sample<BlockHeader>
  readonly #blocks: Sample<Block>
  readonly #transactions: Sample<Transaction>
  readonly #bodies: Sample<Uint8Array>

  constructor(random: Random) {
    this.#statuses = new Sample(random.stream('statuses'))
    this.#headers = new Sample(random.stream('headers'))
    this.#blocks = new Sample(random.stream('blocks'))
    this.#transactions = new Sample(random.stream('transactions'))
    this.#bodies = new Sample(random.stream('bodies'))
  }

  get statuses(): readonly Status[] {
    return this.#statuses.items
  }

  get headers(): readonly BlockHeader[] {
    return this.#headers.items
  }

  get blocks(): readonly Block[] {
    return this.#blocks.items
  }

  get transactions(): readonly Transaction[] {
    return this.#transactions.items
  }

  /** What validators said, as it came. */
  get bodies(): readonly Uint8Array[] {
    return this.#bodies.items
  }

  /** Remembers what a node said. */
  note(message: Message): void {
    switch (message.type) {
      case 'status':
        return this.#statuses.add(message.status)
      case 'headers':
        for (const header of message.headers) this.#headers.add(header)
        return
      case 'blocks':
        for (const block of message.blocks) this.#noteBlock(block)
        return
      case 'block':
        return this.#noteBlock(message.block)
      case 'transactions':
        for (const tx of message.transactions) this.#transactions.add(tx)
        return
      case 'finality':
        this.#bodies.add(message.body)
        if (message.block !== null) this.#noteBlock(message.block)
        return
      case 'get-headers':
      case 'get-blocks':
      case 'announce':
      case 'get-transactions':
    }
  }

  #noteBlock(block: Block): void {
    this.#blocks.add(block)
    this.#headers.add(block.header)
    for (const tx of block.transactions) this.#transactions.add(tx)
  }
}
