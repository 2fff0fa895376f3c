// What the protocol decides, applied in order: the decided block becomes final with its certificate, or a decision on
// nothing is kept. The protocol decides block ids, and a certificate may come before its block does: then the block is
// asked for, and the decision waits. Where this node is behind by more than one decision it catches up with the last one,
// which makes all blocks before it final as well.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { type Decision, JUMP_MAX, NO_VALUE } from '../consensus/log.ts'
import type { PeerId } from '../consensus/process.ts'
import { descends } from './ancestry.ts'
import type { CommitteeContext } from './committee-context.ts'
import { COMMITTEE_KEYS, readStoredDecision } from './committee-records.ts'
import { describeOtherBranch } from './halt-reasons.ts'
import type { LastDecision } from './policy.ts'

/** A decision that is applied: just now, or before with a later one. */
export interface Applied {
  readonly decision: Decision
  readonly isNew: boolean
}

/** A decision that waits for its block, and the peer whose message told it; null where none did. */
interface Awaited {
  readonly decision: Decision
  readonly from: PeerId | null
}

/** Decisions that wait for their blocks. */
const AWAITED_MAX = 256

/** The decisions of one node. */
export class Decisions {
  readonly #context: CommitteeContext
  /** Decisions on nothing, by sequence number. */
  #empty = new Map<number, Decision>()
  /** Decisions whose blocks are not here yet, in order. */
  readonly #awaited: Awaited[] = []
  /** The furthest decision within reach that we are behind, or else the nearest. */
  #target: Awaited | null = null
  /** Whether a decision was dropped because too many waited. */
  #hasDropped = false
  #sequence = 0
  #last!: LastDecision

  constructor(context: CommitteeContext) {
    this.#context = context
  }

  /** Begins after the last decision that was persisted. `empty` are the decisions on nothing, by sequence number. */
  start(empty: Map<number, Decision>): void {
    const { chain, options } = this.#context
    const { final } = chain
    this.#empty = empty
    this.#last = { block: final, atMs: final.header.time * 1000 }
    const last = chain.certificateAt(final.height)
    const name = `certificate of block ${final.height}`
    this.#sequence = last === null ? 0 : readStoredDecision(name, last, options.kit.codec).sequence
    while (empty.has(this.#sequence + 1)) this.#sequence += 1
  }

  /** The sequence number of the last decision that is applied. */
  get sequence(): number {
    return this.#sequence
  }

  /** The last block that was decided, of those that are applied. */
  get last(): LastDecision {
    return this.#last
  }

  /** Whether every decision that this node knows of is applied. */
  get isCurrent(): boolean {
    return this.#awaited.length === 0 && this.#target === null
  }

  /** How many decisions wait for their blocks. */
  get size(): number {
    return this.#awaited.length
  }

  /** An earlier decision, or null when it is not kept. */
  decision(sequence: number): Decision | null {
    const empty = this.#empty.get(sequence)
    if (empty !== undefined) return empty
    const { chain, options } = this.#context
    const bytes = chain.certificateOf(sequence)
    const name = `certificate of decision ${sequence}`
    return bytes === null ? null : readStoredDecision(name, bytes, options.kit.codec)
  }

  /** Takes the decision for the next sequence number; false, and it is dropped, where too many wait for their blocks. */
  add(decision: Decision, from: PeerId | null): boolean {
    if (this.#awaited.length >= AWAITED_MAX) {
      this.#hasDropped = true
      return false
    }
    this.#awaited.push({ decision, from })
    return true
  }

  /** Peers are ahead by more than one decision: whether this is the one to catch up with from now on. */
  aimAt(decision: Decision, from: PeerId): boolean {
    const { isDecision } = this.#context.options.kit.anatomy.decision(decision)
    if (!isDecision || decision.value === NO_VALUE) return false
    const known = this.#target?.decision.sequence ?? Number.POSITIVE_INFINITY
    if (!isBetterTarget(decision.sequence, known, this.#sequence + JUMP_MAX)) return false
    this.#target = { decision, from }
    return true
  }

  /** Applies the first decision that waits. Null where none does, or its block is not here: then that is asked for. */
  applyNext(): Applied | null {
    const [next] = this.#awaited
    if (next === undefined || this.#context.halted !== null) return null
    const isNew = next.decision.sequence > this.#sequence
    if (isNew && !this.#apply(next)) return null
    this.#awaited.shift()
    return { decision: next.decision, isNew }
  }

  /** Applies the decision to catch up with, if its block is here: all before it are applied with it. */
  applyTarget(): Applied | null {
    const target = this.#target
    if (target === null || this.#context.halted !== null) return null
    const isNew = target.decision.sequence > this.#sequence
    if (isNew && !this.#apply(target)) return null
    this.#target = null
    return { decision: target.decision, isNew }
  }

  /** Whether decisions were dropped and must be fetched again, now that nothing waits any more. Says so once. */
  takeDropped(): boolean {
    if (!this.#hasDropped || this.#awaited.length > 0 || this.#context.halted !== null) return false
    this.#hasDropped = false
    return true
  }

  /** Where the clock was set back, it is not known how long ago the last decision came: that counts from now. */
  considerClock(): void {
    const { nowMs } = this.#context.chain
    if (nowMs < this.#last.atMs) this.#last = { ...this.#last, atMs: nowMs }
  }

  /**
   * Makes the decided block final; false, and the block is asked for, while it is not here. One that does not lie above the
   * last one stops the node: no honest member votes for it.
   */
  #apply({ decision, from }: Awaited): boolean {
    const { chain, options } = this.#context
    const { sequence, value } = decision
    const { codec, anatomy } = options.kit
    if (value === NO_VALUE) {
      this.#empty.set(sequence, decision)
      const value = codec.encodeDecision(decision)
      this.#context.emit({ type: 'persist', key: COMMITTEE_KEYS.empty(sequence), value })
    } else {
      const block = chain.get(value as BlockId)
      if (block === null) {
        const { voters } = anatomy.decision(decision)
        this.#context.want(value as BlockId, { voters, speaker: from, isDecided: true })
        return false
      }
      if (!this.#isAboveLast(block)) {
        this.#context.halt(describeOtherBranch(decision, this.#last.block.id, options))
        return false
      }
      this.#last = { block, atMs: chain.nowMs }
      const proof = { sequence, bytes: codec.encodeDecision(decision) }
      this.#context.emit({ type: 'final', id: block.id, certificate: proof })
    }
    this.#sequence = sequence
    return true
  }

  #isAboveLast(block: ChainedHeader): boolean {
    const last = this.#last.block
    return block.height > last.height && descends(block, last, this.#context.chain)
  }
}

/** Whether to catch up to this decision rather than that: the furthest that is in reach, or else the nearest. */
function isBetterTarget(sequence: number, known: number, reach: number): boolean {
  if (sequence > reach) return sequence < known
  return known > reach || sequence > known
}
