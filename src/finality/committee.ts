// A committee: the validators of the genesis file agree, by a protocol of src/consensus, on one block after the other,
// and what they decide is final. Here its inputs are routed to its parts:
//
//   protocol-driver.ts  joins the protocol, which knows nothing of blocks, to the chain
//   decisions.ts        applies what is decided, in order      proposals.ts    what is proposed, and voted for
//   vote-memory.ts      votes that must not be contradicted    greeting.ts     which peer is which validator
//   accusations.ts      what can be proved of validators that lie
//
// Which blocks may be decided, and when, is a policy's (policy.ts). The parts share a context (committee-context.ts).

import type { ChainedHeader } from '../chain/header-chain.ts'
import { type Decision, RETRANSMIT } from '../consensus/log.ts'
import type { PeerId } from '../consensus/process.ts'
import { Accusations } from './accusations.ts'
import { describeAgreement } from './agreement-report.ts'
import { isAuthentic } from './authentication.ts'
import { CommitteeContext, type CommitteeOptions } from './committee-context.ts'
import { readCommitteeRecords } from './committee-records.ts'
import type {
  AgreementReport,
  ChainAccess,
  Finality,
  FinalityEffect,
  FinalityInput,
  FinalityTimer,
} from './contract.ts'
import { Decisions } from './decisions.ts'
import { decodeEnvelope, describeContent } from './envelope.ts'
import { Greeting } from './greeting.ts'
import type { Policy } from './policy.ts'
import { PACE, Proposals } from './proposals.ts'
import { ProtocolDriver } from './protocol-driver.ts'
import { VoteMemory } from './vote-memory.ts'

/** Finality by agreement. */
export class Committee implements Finality {
  readonly followsWork: boolean
  readonly #policy: Policy
  readonly #context: CommitteeContext
  readonly #votes: VoteMemory
  readonly #accusations: Accusations
  readonly #greeting: Greeting
  readonly #decisions: Decisions
  readonly #proposals: Proposals
  readonly #protocol: ProtocolDriver

  constructor(options: CommitteeOptions, policy: Policy) {
    const context = new CommitteeContext(options)
    const votes = new VoteMemory(context)
    const accusations = new Accusations(context)
    const decisions = new Decisions(context, {
      drive: input => this.#protocol.drive(input),
      onApplied: decision => this.#onApplied(decision),
    })
    const proposals = new Proposals(context, {
      policy,
      decisions,
      votes,
      protocol: () => this.#protocol,
    })
    this.followsWork = policy.followsWork
    this.#policy = policy
    this.#context = context
    this.#votes = votes
    this.#accusations = accusations
    this.#greeting = new Greeting(context, votes)
    this.#decisions = decisions
    this.#proposals = proposals
    this.#protocol = new ProtocolDriver(context, { votes, decisions, proposals, accusations })
  }

  prefers(candidate: ChainedHeader, head: ChainedHeader): boolean {
    return this.followsWork && candidate.work > head.work
  }

  safeHeight(head: ChainedHeader, finalHeight: number): number | null {
    return this.#policy.safeHeight(head, finalHeight)
  }

  step(input: FinalityInput, chain: ChainAccess): FinalityEffect[] {
    this.#context.chain = chain
    if (input.type === 'start') this.#start(input.records, input.isFresh)
    else {
      this.#considerAbsence()
      this.#route(input)
    }
    this.#decisions.recoverDropped()
    this.#proposals.consider()
    return this.#context.take()
  }

  #route(input: Exclude<FinalityInput, { type: 'start' }>): void {
    switch (input.type) {
      case 'head':
        // The node may now follow what was decided, on another branch than before.
        return this.#protocol.drive({ type: 'revalidate' })
      case 'pool':
        return
      case 'block':
        // What waited for it can go on.
        this.#decisions.apply()
        return this.#protocol.drive({ type: 'revalidate' })
      case 'built':
        return this.#proposals.onBuilt(input.id)
      case 'peer-connected':
        this.#context.members.connect(input.peer)
        this.#greeting.greet(input.peer)
        return this.#protocol.drive({ type: 'reachable', from: input.peer })
      case 'peer-disconnected':
        this.#context.members.disconnect(input.peer)
        return this.#greeting.forget(input.peer)
      case 'message':
        return this.#onMessage(input.from, input.body)
      case 'timeout':
        return this.#onTimeout(input.name)
    }
  }

  isValidator(peer: PeerId): boolean {
    return this.#context.members.isValidator(peer)
  }

  describe(body: Uint8Array): string {
    const { kit } = this.#context.options
    const envelope = decodeEnvelope(body, kit.codec)
    return envelope === null ? 'malformed' : describeContent(envelope.content, kit.describe)
  }

  report(nowMs: number): AgreementReport {
    const { options, members, halted } = this.#context
    const { validators, pattern, kit } = options
    const { state } = this.#protocol
    return describeAgreement({
      validators,
      pattern,
      kit,
      self: this.#votes.self,
      state,
      members,
      muted: this.#votes.whyMuted(state),
      halted,
      sequence: this.#decisions.sequence,
      isWaiting: this.#proposals.isWaiting,
      decidedMs: this.#decisions.last.atMs,
      nowMs,
      evidence: this.#accusations.describe(),
    })
  }

  /** How much state messages of others take: it has a bound, however many validators are faulty (see the tests). */
  get size(): number {
    return this.#protocol.size + this.#decisions.size
  }

  #start(records: ReadonlyMap<string, Uint8Array>, isFresh: boolean): void {
    const found = readCommitteeRecords(records, this.#context.options.kit)
    this.#accusations.start(found.evidence)
    if (found.conflict !== null) this.#context.halt(found.conflict)
    this.#decisions.start(found.empty)
    this.#votes.start(found, { isFresh, decided: this.#decisions.sequence })
    this.#protocol.start(found.votes)
  }

  #considerAbsence(): void {
    const awayMs = this.#votes.noteInput()
    if (!this.#votes.isAway(awayMs, this.#protocol)) return
    this.#votes.noteAbsence(this.#protocol.state)
    const challenge = this.#votes.nextChallenge()
    if (challenge !== null) this.#protocol.drive({ type: 'recall', challenge })
  }

  #onMessage(from: PeerId, body: Uint8Array): void {
    const context = this.#context
    const { kit } = context.options
    const envelope = decodeEnvelope(body, kit.codec)
    if (envelope === null) return context.emit({ type: 'refuse', from, reason: 'malformed' })
    const { content, clockMs } = envelope
    if (content.type === 'hello') return this.#greeting.onHello(from, content)
    // Not refused: the hello of an honest peer may be lost, or still on its way.
    if (!isAuthentic(content.message, from, { kit, members: context.members })) return
    const status = kit.anatomy.status(content.message)
    if (status !== null) context.members.note(status, from, { clockMs, chain: context.chain })
    context.source = from
    this.#protocol.drive({ type: 'message', from, message: content.message })
    context.source = ''
  }

  #onTimeout(name: FinalityTimer): void {
    if (name === PACE) return this.#proposals.onPace()
    if (name === RETRANSMIT) {
      this.#greeting.greetAgain()
      this.#decisions.apply()
    }
    this.#protocol.drive({ type: 'timeout', name })
  }

  #onApplied(decision: Decision): void {
    if (this.#votes.showsLostVotes(decision, this.#protocol)) {
      this.#votes.abstain()
      this.#protocol.drive({ type: 'abstain' })
    }
    this.#proposals.onApplied()
    this.#protocol.tellFollowers(decision)
  }
}
