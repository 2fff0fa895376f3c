// What an adversary has to know to starve an agreement: which message would give its receiver the last of n − f votes of
// one kind. It sees all that is sent, at once, and lies about nothing; it only decides how late each message is.

import type { MessageFacts } from '../../consensus/kit.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { Packet } from './packet.ts'

/** How many times the timeout of a view a message is held back: longer than any member waits. */
const HOLD_TIMEOUTS = 3
/** Doublings of patience that the adversary keeps up with: after these it is at the longest wait. */
const DOUBLINGS_MAX = 6

/** What is on its way to each receiver. */
export class QuorumWatch {
  readonly #quorum: number
  readonly #timeoutMs: number
  /** The voters, by receiver, kind, view and sequence number: the messages that are not held back. */
  readonly #voters = new Map<string, Set<PeerId>>()
  /** Messages that were held back. */
  starved = 0

  /** `quorum` is n − f. */
  constructor(quorum: number, timeoutMs: number) {
    this.#quorum = quorum
    this.#timeoutMs = timeoutMs
  }

  /** Milliseconds by which this message is held back. */
  holdMs({ from, to, tag }: Packet): number {
    const vote = voteIn(tag?.facts ?? null)
    if (vote === null) return 0
    const { kind, view, slot, isComplete } = vote
    const key = `${to} ${kind} ${view} ${slot}`
    const voters = this.#voters.get(key) ?? new Set()
    this.#voters.set(key, voters)
    // The receiver's own vote is one of them.
    const isLast = !voters.has(from) && voters.size + 1 >= this.#quorum - 1
    if (!isComplete && !isLast) {
      voters.add(from)
      return 0
    }
    this.starved += 1
    return HOLD_TIMEOUTS * this.#timeoutMs * 2 ** Math.min(view, DOUBLINGS_MAX)
  }
}

interface Vote {
  readonly kind: string
  readonly view: number
  readonly slot: number
  /** Whether it is a whole quorum already. */
  readonly isComplete: boolean
}

/** The vote that a message is; null for any other. A proposal is its sender's vote too. */
function voteIn(facts: MessageFacts | null): Vote | null {
  if (facts === null) return null
  const { role, phase, view, sequence } = facts
  if (role !== 'proposal' && role !== 'vote' && role !== 'certificate') return null
  if (phase === null || view === null || sequence === null) return null
  return { kind: phase, view, slot: sequence, isComplete: role === 'certificate' }
}
