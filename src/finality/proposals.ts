// What is proposed next, and which proposals a validator votes for. Both are the policy's (policy.ts) as far as blocks go;
// what is the same for all policies is here: proposals follow the last decision, only in our turn, and not from the future.

import type { BlockId } from '../chain/header.ts'
import type { LogState, ProposalOrigin, Validity, Value } from '../consensus/log.ts'
import type { CommitteeContext, ProtocolInput } from './committee-context.ts'
import type { Decisions } from './decisions.ts'
import type { Policy } from './policy.ts'
import { isProposalEarly } from './proposal-time.ts'
import { PACE } from './timers.ts'
import type { VoteMemory } from './vote-memory.ts'

/** The parts of a committee on which proposals depend. */
export interface ProposalsParts {
  readonly policy: Policy
  readonly decisions: Decisions
  readonly votes: VoteMemory
}

/** What of the protocol says whether we may propose. */
export interface Turn {
  /** The sequence number for which we may propose a value now; null when it is not our turn. */
  readonly turn: number | null
  readonly state: LogState
}

/** What is to be decided next. */
export interface Next {
  /** A block, one that is still to be built, or nothing yet. */
  readonly proposal: BlockId | 'build' | null
  /** Whether every decision that this node knows of is applied: else it can't tell what comes next. */
  readonly isCurrent: boolean
  /** What the protocol must be told of it first; null where it knows. */
  readonly demand: ProtocolInput | null
}

/** The proposals of one node. */
export class Proposals {
  readonly #context: CommitteeContext
  readonly #parts: ProposalsParts
  /** Whether there is anything to decide, as the protocol was told. */
  #isWaiting = false
  /** The sequence number and view for which a block is being built. */
  #building: string | null = null
  /** When the pace timer fires, in milliseconds since 1970; null when it does not run. */
  #nextLookMs: number | null = null

  constructor(context: CommitteeContext, parts: ProposalsParts) {
    this.#context = context
    this.#parts = parts
  }

  /** Whether there is anything to decide. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Whether a value may be decided for a sequence number: a vote for a valid one may follow. */
  validate(sequence: number, value: Value, origin: ProposalOrigin): Validity {
    const { chain, options } = this.#context
    const { policy, decisions } = this.#parts
    if (sequence !== decisions.sequence + 1) return 'unknown'
    const block = chain.get(value as BlockId)
    if (block === null) return 'unknown'
    const { nowMs } = chain
    const { futureLimitSeconds } = options
    // It may be valid later, and is looked at again. What is proposed again an honest validator has found valid.
    if (!origin.isReproposed && isProposalEarly(block, decisions.last.block, { nowMs, futureLimitSeconds }))
      return 'unknown'
    const validity = policy.validate(block, decisions.last, chain, origin)
    // Our vote is a promise that the block can be had: should it be decided, some node must have it.
    if (validity === 'valid') this.#context.emit({ type: 'hold', id: block.id })
    return validity
  }

  /** Looks for what is to be decided next. */
  look(): Next {
    const { policy, decisions } = this.#parts
    decisions.considerClock()
    // A node that lacks a decided block can't tell whether the next proposer is slow.
    const { isCurrent } = decisions
    const proposal = isCurrent ? policy.nextProposal(decisions.last, this.#context.chain) : null
    const isWaiting = proposal !== null
    const isNews = isWaiting !== this.#isWaiting
    this.#isWaiting = isWaiting
    return { proposal, isCurrent, demand: isNews ? { type: 'demand', isWaiting } : null }
  }

  /** Proposes what is to be decided next if it is our turn: what the protocol must be told, or null. */
  propose({ proposal, isCurrent }: Next, protocol: Turn): ProtocolInput | null {
    if (proposal === null) {
      if (isCurrent) this.#lookAgainLater()
      return null
    }
    if (!this.#mayPropose(protocol)) return null
    if (proposal !== 'build') return { type: 'propose', value: proposal }
    this.#build(protocol.state)
    return null
  }

  #build({ view }: LogState): void {
    const { decisions, votes } = this.#parts
    const place = `${decisions.sequence + 1}/${view}`
    if (this.#building === place) return
    this.#building = place
    const beneficiary = this.#context.options.validators.validators[votes.self!]!.address
    this.#context.emit({ type: 'build', beneficiary })
  }

  #mayPropose({ turn }: Turn): boolean {
    return turn === this.#parts.decisions.sequence + 1
  }

  #lookAgainLater(): void {
    const { chain } = this.#context
    const atMs = this.#parts.policy.nextLookMs(this.#parts.decisions.last, chain)
    if (atMs === null || atMs === this.#nextLookMs) return
    this.#nextLookMs = atMs
    this.#context.emit({ type: 'set-timer', name: PACE, delayMs: Math.max(1, atMs - chain.nowMs) })
  }

  /** The pace timer has fired. */
  onPace(): void {
    this.#nextLookMs = null
  }

  /** The block that was asked for is built, or (null) could not be: what the protocol must be told, or null. */
  onBuilt(id: BlockId | null, protocol: Turn): ProtocolInput | null {
    if (id === null || !this.#mayPropose(protocol)) return null
    const validity = this.validate(this.#parts.decisions.sequence + 1, id, { isReproposed: false })
    return validity === 'valid' ? { type: 'propose', value: id } : null
  }

  /** A decision is applied: another block is built for the next. */
  onApplied(): void {
    this.#building = null
  }
}
