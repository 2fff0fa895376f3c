// What is proposed next, and which proposals a validator votes for. Both are the policy's (policy.ts) as far as blocks go;
// what is the same for all policies is here: proposals follow the last decision, only in our turn, and not from the future.

import type { BlockId } from '../chain/header.ts'
import type { ProposalOrigin, Validity, Value } from '../consensus/log.ts'
import type { CommitteeContext } from './committee-context.ts'
import type { Decisions } from './decisions.ts'
import type { Policy } from './policy.ts'
import { isProposalEarly } from './proposal-time.ts'
import type { ProtocolDriver } from './protocol-driver.ts'
import type { VoteMemory } from './vote-memory.ts'

/** What the proposals need of their committee. */
export interface ProposalsHost {
  readonly policy: Policy
  readonly decisions: Decisions
  readonly votes: VoteMemory
  protocol(): ProtocolDriver
}

/** The timer that fires when there may be something to propose. */
export const PACE = 'pace'

/** The proposals of one node. */
export class Proposals {
  readonly #context: CommitteeContext
  readonly #host: ProposalsHost
  /** Whether there is anything to decide, as the protocol was told. */
  #isWaiting = false
  /** The sequence number and view for which a block is being built. */
  #building: string | null = null
  /** When the pace timer fires, in milliseconds since 1970; null when it does not run. */
  #nextLookMs: number | null = null

  constructor(context: CommitteeContext, host: ProposalsHost) {
    this.#context = context
    this.#host = host
  }

  /** Whether there is anything to decide. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Whether a value may be decided for a sequence number: a vote for a valid one may follow. */
  validate(sequence: number, value: Value, origin: ProposalOrigin): Validity {
    const { chain, options } = this.#context
    const { policy, decisions } = this.#host
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

  /** Tells the protocol whether there is anything to decide, and proposes if it is our turn. */
  consider(): void {
    if (this.#context.halted !== null) return
    const { chain } = this.#context
    const { policy, decisions } = this.#host
    decisions.considerClock()
    // A node that lacks a decided block can't tell whether the next proposer is slow.
    const { isCurrent } = decisions
    const proposal = isCurrent ? policy.nextProposal(decisions.last, chain) : null
    const isWaiting = proposal !== null
    if (isWaiting !== this.#isWaiting) {
      this.#isWaiting = isWaiting
      this.#host.protocol().drive({ type: 'demand', isWaiting })
    }
    if (!isCurrent) return
    if (proposal === null) return this.#lookAgainLater()
    if (!this.#mayPropose()) return
    if (proposal !== 'build') return this.#host.protocol().drive({ type: 'propose', value: proposal })
    this.#build()
  }

  #build(): void {
    const { decisions, votes } = this.#host
    const place = `${decisions.sequence + 1}/${this.#host.protocol().state.view}`
    if (this.#building === place) return
    this.#building = place
    const beneficiary = this.#context.options.validators.validators[votes.self!]!.address
    this.#context.emit({ type: 'build', beneficiary })
  }

  #mayPropose(): boolean {
    const { turn } = this.#host.protocol()
    return turn === 'any' || turn === this.#host.decisions.sequence + 1
  }

  #lookAgainLater(): void {
    const { chain } = this.#context
    const atMs = this.#host.policy.nextLookMs(this.#host.decisions.last, chain)
    if (atMs === null || atMs === this.#nextLookMs) return
    this.#nextLookMs = atMs
    this.#context.emit({ type: 'set-timer', name: PACE, delayMs: Math.max(1, atMs - chain.nowMs) })
  }

  /** The pace timer has fired. */
  onPace(): void {
    this.#nextLookMs = null
  }

  /** The block that was asked for is built, or (null) could not be. */
  onBuilt(id: BlockId | null): void {
    if (id === null || !this.#mayPropose()) return
    const validity = this.validate(this.#host.decisions.sequence + 1, id, { isReproposed: false })
    if (validity === 'valid') this.#host.protocol().drive({ type: 'propose', value: id })
  }

  /** A decision is applied: another block is built for the next. */
  onApplied(): void {
    this.#building = null
  }
}
