// What the protocol decides, applied in order: the decided block becomes final with its certificate, or a decision on
// nothing is kept. The protocol decides block ids, and a certificate may come before its block does: then the block is
// asked for, and the decision waits. Where this node is behind by more than one decision it catches up with the last one,
// which makes all blocks before it final as well.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { type Decision, JUMP_MAX, NO_VALUE } from '../consensus/log.ts'
import type { PeerId } from '../consensus/process.ts'
import { descends } from './ancestry.ts'
import type { CommitteeContext, ProtocolInput } from './committee-context.ts'
import { COMMITTEE_KEYS, readStoredDecision } from './committee-records.ts'
import type { LastDecision } from './policy.ts'

/** What the decisions need of their committee. */
export interface DecisionsHost {
  /** Gives the protocol an input. */
  drive(input: ProtocolInput): void
  /** A decision is applied. */
  onApplied(decision: Decision): void
}

/** A decision that waits for its block, and the peer that told it. */
interface Awaited {
  readonly decision: Decision
  readonly from: PeerId
}

/** Decisions that wait for their blocks. */
const AWAITED_MAX = 256

/** The decisions of one node. */
export class Decisions {
  readonly #context: CommitteeContext
  readonly #host: DecisionsHost
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

  constructor(context: CommitteeContext, host: DecisionsHost) {
    this.#context = context
    this.#host = host
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

  /** The protocol has decided the next sequence number. */
  onDecided(decision: Decision): void {
    if (this.#awaited.length >= AWAITED_MAX) {
      this.#hasDropped = true
      return
    }
    this.#awaited.push({ decision, from: this.#context.source })
    this.#applyAwaited()
  }

  /** Peers are ahead by more than one decision. */
  onBehind(decision: Decision, from: PeerId): void {
    const { isDecision } = this.#context.options.kit.anatomy.decision(decision)
    if (!isDecision || decision.value === NO_VALUE) return
    const known = this.#target?.decision.sequence ?? Number.POSITIVE_INFINITY
    if (!isBetterTarget(decision.sequence, known, this.#sequence + JUMP_MAX)) return
    this.#target = { decision, from }
    this.#applyTarget()
  }

  /** Applies what can be applied, and asks again for the blocks that are missing. */
  apply(): void {
    this.#applyAwaited()
    this.#applyTarget()
  }

  /** Fetches again what was dropped, once nothing waits any more. */
  recoverDropped(): void {
    if (!this.#hasDropped || this.#awaited.length > 0 || this.#context.halted !== null) return
    this.#hasDropped = false
    this.#host.drive({ type: 'lost', decided: this.#sequence })
  }

  /** Where the clock was set back, it is not known how long ago the last decision came: that counts from now. */
  considerClock(): void {
    const { nowMs } = this.#context.chain
    if (nowMs < this.#last.atMs) this.#last = { ...this.#last, atMs: nowMs }
  }

  #applyAwaited(): void {
    if (this.#context.halted !== null) return
    for (let next = this.#awaited[0]; next !== undefined; next = this.#awaited[0]) {
      const { decision, from } = next
      if (decision.sequence > this.#sequence && !this.#apply(decision, from)) return
      this.#awaited.shift()
      this.#host.drive({ type: 'executed', sequence: decision.sequence, digest: decision.value })
    }
    this.#host.drive({ type: 'revalidate' })
  }

  #applyTarget(): void {
    const target = this.#target
    if (target === null || this.#context.halted !== null) return
    const { decision, from } = target
    if (decision.sequence > this.#sequence && !this.#apply(decision, from)) return
    this.#target = null
    this.#host.drive({ type: 'caught-up', decision })
    this.#applyAwaited()
  }

  /**
   * Makes the decided block final; false, and the block is asked for, while it is not here. One that does not lie above the
   * last one stops the node: no honest member votes for it.
   */
  #apply(decision: Decision, from: PeerId): boolean {
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
        this.#haltAt(decision)
        return false
      }
      this.#last = { block, atMs: chain.nowMs }
      const proof = { sequence, bytes: codec.encodeDecision(decision) }
      this.#context.emit({ type: 'final', id: block.id, certificate: proof })
    }
    this.#sequence = sequence
    this.#host.onApplied(decision)
    return true
  }

  #isAboveLast(block: ChainedHeader): boolean {
    const last = this.#last.block
    return block.height > last.height && descends(block, last, this.#context.chain)
  }

  #haltAt({ sequence, value }: Decision): void {
    const { kit, validators } = this.#context.options
    const tolerated = kit.model.tolerated(validators.size)
    const { id } = this.#last.block
    this.#context.halt(
      `decision ${sequence} is block ${value}, which does not lie above the last final block, ${id}: more than the ${tolerated} faulty validators that are tolerated`,
    )
  }
}

/** Whether to catch up to this decision rather than that: the furthest that is in reach, or else the nearest. */
function isBetterTarget(sequence: number, known: number, reach: number): boolean {
  if (sequence > reach) return sequence < known
  return known > reach || sequence > known
}
