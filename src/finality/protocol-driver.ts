// Joins a log protocol (consensus/log.ts), which knows nothing of blocks and peers, to the committee: gives it inputs one
// after the other, performs its effects as effects of the finality layer, and answers what it asks of the application.

import { sha256 } from '../chain/hash.ts'
import type { BlockId } from '../chain/header.ts'
import { InputQueue } from '../collections/input-queue.ts'
import type { LogKit } from '../consensus/kit.ts'
import type { Application, Decision, LogEffect, LogProtocol, LogState } from '../consensus/log.ts'
import type { PeerId } from '../consensus/process.ts'
import type { Accusations } from './accusations.ts'
import type { CommitteeContext, ProtocolInput, ProtocolMessage } from './committee-context.ts'
import type { Decisions } from './decisions.ts'
import type { Evidence } from './evidence-log.ts'
import type { Proposals } from './proposals.ts'
import { createSigning } from './signing.ts'
import type { VoteMemory } from './vote-memory.ts'

/** The parts of a committee that the effects of its protocol concern. */
export interface ProtocolHost {
  readonly votes: VoteMemory
  readonly decisions: Decisions
  readonly proposals: Proposals
  readonly accusations: Accusations
}

/** The protocol of one node. */
export class ProtocolDriver {
  readonly #context: CommitteeContext
  readonly #host: ProtocolHost
  readonly #inputs = new InputQueue<ProtocolInput>(input => {
    if (this.#context.halted === null) this.#perform(this.#protocol.step(input))
  })
  #protocol!: ReturnType<LogKit['create']>
  #draws = 0

  constructor(context: CommitteeContext, host: ProtocolHost) {
    this.#context = context
    this.#host = host
  }

  /** Creates the protocol, once it is known whether this node votes, and starts it on the records of its votes. */
  start(records: ReadonlyMap<string, unknown>): void {
    const { votes, decisions, accusations } = this.#host
    this.#protocol = this.#create()
    this.drive({
      type: 'start',
      records,
      decided: decisions.sequence,
      challenge: votes.nextChallenge(),
      forgotten: votes.forgotten,
      convicted: accusations.proofs.map(({ member }) => member),
    })
  }

  get state(): LogState {
    return this.#protocol.state
  }

  get turn(): LogProtocol<unknown, unknown, never>['turn'] {
    return this.#protocol.turn
  }

  get size(): number {
    return this.#protocol.size
  }

  /** Gives the protocol an input, and performs its effects; an input that results from these is queued. */
  drive(input: ProtocolInput): void {
    this.#inputs.add(input)
  }

  /** Tells a decision to the peers that speak for no validator: they may not have heard the votes. */
  tellFollowers(decision: Decision): void {
    const { options, members, source } = this.#context
    const message = options.kit.anatomy.tell(decision)
    for (const peer of members.followers()) if (peer !== source) this.#send(peer, message)
  }

  #create(): ReturnType<LogKit['create']> {
    const { options, domain } = this.#context
    const { validators, kit, timeoutMs, identity } = options
    const { self } = this.#host.votes
    const keys = { ...identity, ...domain, validators, secretKey: self === null ? null : identity.secretKey }
    const application: Application<Decision> = {
      validate: (sequence, value, origin) => this.#host.proposals.validate(sequence, value, origin),
      decision: sequence => this.#host.decisions.decision(sequence),
    }
    return kit.create({
      n: validators.size,
      self,
      signing: kit.signed === null ? null : createSigning(kit.signed, keys),
      application,
      timeoutMs,
      retransmitMs: Math.ceil(timeoutMs / 2),
      pipeline: 1,
      random: () => this.#draw(),
    })
  }

  /** A number from 0 to below 1 that no other member draws, nor this one again in the same life. */
  #draw(): number {
    const seed = `${this.#context.options.identity.life} ${this.#host.votes.self} ${this.#draws++}`
    const bytes = sha256(new TextEncoder().encode(seed))
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
  }

  #perform(effects: readonly LogEffect<ProtocolMessage, unknown, Decision, Evidence>[]): void {
    for (const effect of effects) this.#performOne(effect)
  }

  #performOne(effect: LogEffect<ProtocolMessage, unknown, Decision, Evidence>): void {
    const context = this.#context
    const { votes, decisions, accusations } = this.#host
    switch (effect.type) {
      case 'persist':
        return votes.keep(effect.key, effect.record, this.#protocol)
      case 'send':
        return this.#send(context.members.peerOf(effect.to), effect.message)
      case 'reply':
        return this.#send(effect.to, effect.message)
      case 'broadcast':
        return context.emit({ type: 'broadcast', ...this.#sealed(effect.message) })
      case 'set-timer':
      case 'clear-timer':
        return context.emit(effect)
      case 'decide':
        return decisions.onDecided(effect.decision)
      case 'behind':
        return decisions.onBehind(effect.decision, effect.from)
      case 'missing':
        return context.want(effect.value as BlockId, { voters: [], speaker: effect.from, isDecided: false })
      case 'evidence':
        return accusations.onEvidence(effect.evidence)
      case 'conflict':
        return accusations.onConflict(effect.first, effect.second)
      case 'diverged': {
        const { sequence } = effect.decision
        return context.halt(`n − f validators attest another state than ours at decision ${sequence}`)
      }
      case 'exhausted':
        return context.halt(`no view is left after view ${effect.view}: more than f validators are faulty`)
      case 'refuse':
        return context.emit({ type: 'refuse', from: effect.from, reason: effect.reason })
    }
  }

  #send(peer: PeerId | undefined, message: ProtocolMessage): void {
    if (peer === undefined || peer === '') return
    this.#context.emit({ type: 'send', to: peer, ...this.#sealed(message) })
  }

  /** A message in its envelope, with the block of which it tells peers that may not have it: only a proposal does. */
  #sealed(message: ProtocolMessage): { readonly body: Uint8Array; readonly block: BlockId | null } {
    const { role, value } = this.#context.options.kit.anatomy.message(message)
    const block = role === 'proposal' ? (value as BlockId) : null
    return { body: this.#context.envelope({ type: 'protocol', message }), block }
  }
}
