// A peer that lies about what it has: it claims work that was never done, and answers a node that catches up with nothing,
// with too little, or with something else. Its own blocks and votes are honest; a node that asks it must get the chain
// from other peers.

import type { PeerId } from '../../replica/effects.ts'
import type { OutgoingMessage } from '../../replica/messages.ts'
import type { Random } from '../virtual/random.ts'

/** Share of its answers and claims that are lies. */
const LYING_RATE = 0.5
/** How many times the work of its head it claims at most, and how many blocks more. */
const CLAIMED_TIMES = 1_000
const CLAIMED_BLOCKS = 1_000_000

/** The one peer of a run that lies. */
export class LyingPeer {
  readonly id: PeerId
  /** Lies that were told, by name. */
  readonly told = new Map<string, number>()
  readonly #random: Random

  constructor(id: PeerId, random: Random) {
    this.id = id
    this.#random = random
  }

  /** What becomes of a message: the same, a lie, or nothing at all. */
  twist(message: OutgoingMessage): OutgoingMessage | null {
    switch (message.type) {
      case 'status':
      case 'headers':
      case 'blocks':
      case 'transactions': {
        const lies = this.#liesAbout(message)
        const [isLie, lie] = [this.#random.chance(LYING_RATE), this.#random.pick(lies)]
        if (!isLie) return message
        this.told.set(lie.name, (this.told.get(lie.name) ?? 0) + 1)
        return lie.message
      }
      case 'get-headers':
      case 'get-blocks':
      case 'block':
      case 'finality':
      case 'announce':
      case 'get-transactions':
        return message
    }
  }

  #liesAbout(message: Extract<OutgoingMessage, { type: 'status' | 'headers' | 'blocks' | 'transactions' }>) {
    switch (message.type) {
      case 'status': {
        const { status } = message
        const work = status.work * BigInt(this.#random.integer(2, CLAIMED_TIMES))
        const height = status.height + this.#random.integer(1, CLAIMED_BLOCKS)
        return [lie('claim', { ...message, status: { ...status, work, height } }), lie('no claim', null)]
      }
      case 'headers': {
        const { headers } = message
        const gap = this.#random.integer(0, Math.max(0, headers.length - 2))
        return [
          lie('no headers', null),
          lie('headers that are none', { ...message, headers: [] }),
          lie('few headers', { ...message, headers: headers.slice(0, 1) }),
          lie('headers with a gap', { ...message, headers: headers.filter((_, index) => index !== gap) }),
          lie('headers backwards', { ...message, headers: headers.toReversed() }),
        ]
      }
      case 'blocks': {
        const { blocks } = message
        return [
          lie('no blocks', null),
          lie('blocks that are none', { ...message, blocks: [] }),
          lie('one block', { ...message, blocks: blocks.slice(0, 1) }),
          lie('one block many times', { ...message, blocks: blocks.map(() => blocks[0]!) }),
          lie('blocks backwards', { ...message, blocks: blocks.toReversed() }),
        ]
      }
      case 'transactions': {
        const { transactions } = message
        return [
          lie('no transactions', null),
          lie('transactions that are none', { ...message, transactions: [] }),
          lie('the last transaction', { ...message, transactions: transactions.slice(-1) }),
          lie('transactions backwards', { ...message, transactions: transactions.toReversed() }),
        ]
      }
    }
  }
}

/** What is sent instead of the truth; null for nothing. */
function lie(
  name: string,
  message: OutgoingMessage | null,
): { name: string; message: OutgoingMessage | null } {
  return { name, message }
}
