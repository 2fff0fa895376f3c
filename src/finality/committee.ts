// A committee: the validators of the genesis file agree, by a protocol of src/consensus, on one block after the other,
// and what they decide is final. Here inputs and the protocol's effects are routed to the parts, and the protocol is driven:
//   decisions.ts    applies what is decided, in order           proposals.ts    what is proposed, and voted for
//   vote-memory.ts  votes that must not be contradicted         greeting.ts     which peer is which validator
//   accusations.ts  what can be proved of validators that lie
//
// Which blocks may be decided, and when, is a policy's (policy.ts). The parts share a context (committee-context.ts).

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { InputQueue } from '../collections/input-queue.ts'
import { RETRANSMIT } from '../consensus/log.ts'
import type { PeerId } from '../consensus/process.ts'
import { Accusations } from './accusations.ts'
import { describeAgreement } from './agreement-report.ts'
import { isAuthentic } from './authentication.ts'
import {
  CommitteeContext,
  type CommitteeOptions,
  type ProtocolEffect,
  type ProtocolInput,
} from './committee-context.ts'
import { readCommitteeRecords } from './committee-records.ts'
import type {
  AgreementReport,
  ChainAccess,
  Finality,
  FinalityEffect,
  FinalityInput,
  FinalityTimer,
} from './contract.ts'
import { type CommitteeProtocol, createProtocol } from './create-protocol.ts'
import { type Applied, Decisions } from './decisions.ts'
import { decodeEnvelope, describeContent } from './envelope.ts'
import { Greeting } from './greeting.ts'
import { describeDiverged, describeExhausted } from './halt-reasons.ts'
import type { Policy } from './policy.ts'
import { Proposals } from './proposals.ts'
import { nameInProtocol, PACE, protocolTimer } from './timers.ts'
import { VoteMemory } from './vote-memory.ts'

/** An input of the protocol, and the peer whose message led to it; null where none did. */
interface Driven {
  readonly input: ProtocolInput
  readonly source: PeerId | null
}

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
  readonly #inputs = new InputQueue<Driven>(({ input, source }) => {
    if (this.#context.halted !== null) return
    for (const effect of this.#protocol.step(input)) this.#perform(effect, source)
  })
  #isApplying = false
  /** Made by `start`: only the records tell whether this node votes. */
  #protocol!: CommitteeProtocol

  constructor(options: CommitteeOptions, policy: Policy) {
    const context = new CommitteeContext(options)
    const votes = new VoteMemory(context)
    const decisions = new Decisions(context)
    this.followsWork = options.isMined
    this.#policy = policy
    this.#context = context
    this.#votes = votes
    this.#accusations = new Accusations(context)
    this.#greeting = new Greeting(context, votes)
    this.#decisions = decisions
    this.#proposals = new Proposals(context, { policy, decisions, votes })
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
    if (this.#decisions.takeDropped()) this.#drive({ type: 'lost', decided: this.#decisions.sequence })
    this.#considerProposing()
    return this.#context.take()
  }

  #route(input: Exclude<FinalityInput, { type: 'start' }>): void {
    switch (input.type) {
      case 'head':
        // The node may now follow what was decided, on another branch than before.
        return this.#drive({ type: 'revalidate' })
      case 'pool':
        return
      case 'block':
        // What waited for it can go on.
        this.#applyAll()
        return this.#drive({ type: 'revalidate' })
      case 'built':
        return this.#drive(this.#proposals.onBuilt(input.id, this.#protocol))
      case 'peer-connected':
        this.#context.members.connect(input.peer)
        this.#greeting.greet(input.peer)
        return this.#drive({ type: 'reachable', from: input.peer })
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
    this.#protocol = createProtocol(this.#context, this.#votes.self, this.#proposals, this.#decisions)
    this.#drive({
      type: 'start',
      records: found.votes,
      decided: this.#decisions.sequence,
      challenge: this.#votes.nextChallenge(),
      forgotten: this.#votes.forgotten,
      convicted: this.#accusations.proofs.map(({ member }) => member),
    })
  }

  #considerAbsence(): void {
    if (!this.#votes.isAway(this.#votes.noteInput(), this.#protocol)) return
    this.#votes.noteAbsence(this.#protocol.state)
    const challenge = this.#votes.nextChallenge()
    if (challenge !== null) this.#drive({ type: 'recall', challenge })
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
    this.#drive({ type: 'message', from, message: content.message }, from)
  }

  #onTimeout(timer: FinalityTimer): void {
    if (timer === PACE) return this.#proposals.onPace()
    const name = nameInProtocol(timer)
    if (name === null) return
    if (name === RETRANSMIT) {
      this.#greeting.greetAgain()
      this.#applyAll()
    }
    this.#drive({ type: 'timeout', name })
  }

  #considerProposing(): void {
    if (this.#context.halted !== null) return
    const next = this.#proposals.look()
    this.#drive(next.demand)
    this.#drive(this.#proposals.propose(next, this.#protocol))
  }

  // ---- the protocol

  /** Gives the protocol an input, if there is one, and performs its effects; an input that results from these is queued. */
  #drive(input: ProtocolInput | null, source: PeerId | null = null): void {
    if (input !== null) this.#inputs.add({ input, source })
  }

  #perform(effect: ProtocolEffect, source: PeerId | null): void {
    const context = this.#context
    switch (effect.type) {
      case 'persist':
        return this.#votes.keep(effect.key, effect.record, this.#protocol)
      case 'send':
        return context.send(context.members.peerOf(effect.to), effect.message)
      case 'reply':
        return context.send(effect.to, effect.message)
      case 'broadcast':
        return context.broadcast(effect.message)
      case 'set-timer':
      case 'clear-timer':
        return context.emit({ ...effect, name: protocolTimer(effect.name) })
      case 'decide':
        if (this.#decisions.add(effect.decision, source)) this.#applyAwaited(source)
        return
      case 'behind':
        if (this.#decisions.aimAt(effect.decision, effect.from)) this.#catchUp(source)
        return
      case 'missing':
        return context.want(effect.value as BlockId, { voters: [], speaker: effect.from, isDecided: false })
      case 'evidence':
        return this.#accusations.onEvidence(effect.evidence)
      case 'conflict':
        return this.#accusations.onConflict(effect.first, effect.second)
      case 'diverged':
        return context.halt(describeDiverged(effect.decision, context.options))
      case 'exhausted':
        return context.halt(describeExhausted(effect.view, context.options))
      case 'refuse':
        return context.emit({ type: 'refuse', from: effect.from, reason: effect.reason })
    }
  }

  // ---- decisions

  /** Applies all that can be applied, and asks again for the blocks that are missing. */
  #applyAll(): void {
    this.#applyAwaited(null)
    this.#catchUp(null)
  }

  /** Applies the decisions whose blocks are here, in order; those that come meanwhile after them. */
  #applyAwaited(source: PeerId | null): void {
    if (this.#isApplying) return
    this.#isApplying = true
    for (let next = this.#decisions.applyNext(); next !== null; next = this.#decisions.applyNext()) {
      const { sequence, value } = next.decision
      this.#onApplied(next, source)
      this.#drive({ type: 'executed', sequence, digest: value }, source)
    }
    this.#isApplying = false
    if (this.#decisions.size === 0) this.#drive({ type: 'revalidate' }, source)
  }

  #catchUp(source: PeerId | null): void {
    const applied = this.#decisions.applyTarget()
    if (applied === null) return
    this.#onApplied(applied, source)
    this.#drive({ type: 'caught-up', decision: applied.decision }, source)
    this.#applyAwaited(source)
  }

  #onApplied({ decision, isNew }: Applied, source: PeerId | null): void {
    if (!isNew) return
    if (this.#votes.showsLostVotes(decision, this.#protocol)) {
      this.#votes.abstain()
      this.#drive({ type: 'abstain' }, source)
    }
    this.#proposals.onApplied()
    this.#context.tellFollowers(decision, source)
  }
}
