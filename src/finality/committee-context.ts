// What the parts of a committee share: the network and the node's place in it, the chain as the step sees it, and the
// effects of the step. Each part is in a file of its own: committee.ts lists them.

import type { BlockId } from '../chain/header.ts'
import type { LogKit, LogTypes } from '../consensus/kit.ts'
import type { Decision, LogEffect, LogInput } from '../consensus/log.ts'
import type { MemberIndex, PeerId } from '../consensus/process.ts'
import { COMMITTEE_KEYS } from './committee-records.ts'
import type { ChainAccess, FinalityEffect } from './contract.ts'
import { type Content, encodeEnvelope } from './envelope.ts'
import type { Identity } from './identity.ts'
import { Members } from './members.ts'
import type { SigningDomain } from './signing.ts'
import type { ValidatorSet } from './validators.ts'

/** What the genesis file says of a committee, and what this node is in it. */
export interface CommitteeOptions {
  readonly validators: ValidatorSet
  /** The protocol by which the validators agree, and the genesis file's name for it. */
  readonly kit: LogKit
  readonly pattern: string
  readonly timeoutMs: number
  /** Whether blocks carry work: then branches are followed for it until one is decided. */
  readonly isMined: boolean
  readonly chainId: bigint
  readonly genesisId: BlockId
  /** Seconds that a block may be ahead of the clock of a validator that votes for it. */
  readonly futureLimitSeconds: number
  readonly identity: Identity
}

/** A message of the protocol: only its kit reads and writes it. */
export type ProtocolMessage = LogTypes['message']

/** An input of the protocol. */
export type ProtocolInput = LogInput<ProtocolMessage, unknown, Decision>

/** An effect of the protocol. */
export type ProtocolEffect = LogEffect<ProtocolMessage, unknown, Decision, LogTypes['evidence']>

/** What the parts of one committee share. */
export class CommitteeContext {
  readonly options: CommitteeOptions
  readonly domain: SigningDomain
  readonly members = new Members()
  /**
   * The chain that the current step was given. It is kept, and not handed on with each call, because the protocol's
   * questions (`Application`) come without it.
   */
  chain!: ChainAccess
  #halted: string | null = null
  #effects: FinalityEffect[] = []

  constructor(options: CommitteeOptions) {
    const { validators, chainId, genesisId } = options
    this.options = options
    this.domain = { chainId, genesisId, validatorSetId: validators.id }
  }

  emit(effect: FinalityEffect): void {
    this.#effects.push(effect)
  }

  /** The effects of the step, in order; there are none afterwards. */
  take(): FinalityEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** Asks for a block that is needed, unless it is here. */
  want(
    id: BlockId,
    {
      voters,
      speaker,
      isDecided,
    }: {
      readonly voters: readonly MemberIndex[]
      /** Null where no peer speaks of it. */
      readonly speaker: PeerId | null
      readonly isDecided: boolean
    },
  ): void {
    if (this.chain.get(id) !== null) return
    this.emit({ type: 'want', id, holders: this.members.holders(voters, speaker), isDecided })
  }

  alarm(text: string): void {
    this.emit({ type: 'alarm', text })
  }

  /** Why this node takes part in nothing any more; null while it does. */
  get halted(): string | null {
    return this.#halted
  }

  /** Stops for good: the reason is persisted. */
  halt(reason: string): void {
    this.#halted = reason
    this.emit({ type: 'persist', key: COMMITTEE_KEYS.conflict, value: new TextEncoder().encode(reason) })
    this.alarm(`finality has stopped: ${reason}`)
  }

  nameOf(member: MemberIndex): string {
    return this.options.validators.validators[member]?.name ?? `#${member}`
  }

  /** Sends a message of the protocol, unless its member is bound to no peer, or no message is there to reply to. */
  send(peer: PeerId | undefined, message: ProtocolMessage): void {
    if (peer !== undefined && peer !== '') this.emit({ type: 'send', to: peer, ...this.#sealed(message) })
  }

  /** Sends a message of the protocol to all peers. */
  broadcast(message: ProtocolMessage): void {
    this.emit({ type: 'broadcast', ...this.#sealed(message) })
  }

  /** Tells a decision to the peers that speak for no validator but its source: they may not have heard the votes. */
  tellFollowers(decision: Decision, source: PeerId | null): void {
    const followers = this.members.followers().filter(peer => peer !== source)
    if (followers.length === 0) return
    // A certificate is large: it is encoded once for all.
    const sealed = this.#sealed(this.options.kit.anatomy.tell(decision))
    for (const to of followers) this.emit({ type: 'send', to, ...sealed })
  }

  /** A message in its envelope, with the block of which it tells peers that may not have it: only a proposal does. */
  #sealed(message: ProtocolMessage): { readonly body: Uint8Array; readonly block: BlockId | null } {
    const { role, value } = this.options.kit.anatomy.message(message)
    const block = role === 'proposal' ? (value as BlockId) : null
    return { body: this.envelope({ type: 'protocol', message }), block }
  }

  /** The bytes of a message that is sent now. */
  envelope(content: Content<ProtocolMessage>): Uint8Array {
    return encodeEnvelope({ clockMs: this.chain.nowMs, content }, this.options.kit.codec)
  }
}
