// What the parts of a committee share: the network and the node's place in it, the chain as the step sees it, and the
// effects of the step. Each part is in a file of its own: committee.ts lists them.

import type { BlockId } from '../chain/header.ts'
import type { LogKit, LogTypes } from '../consensus/kit.ts'
import type { Decision, LogInput } from '../consensus/log.ts'
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

/** What the parts of one committee share. */
export class CommitteeContext {
  readonly options: CommitteeOptions
  readonly domain: SigningDomain
  readonly members = new Members()
  /** The chain that the current step was given. */
  chain!: ChainAccess
  /** The peer whose message is being handled; empty for any other input. */
  source: PeerId = ''
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
      readonly speaker: PeerId
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

  /** The bytes of a message that is sent now. */
  envelope(content: Content<ProtocolMessage>): Uint8Array {
    return encodeEnvelope({ clockMs: this.chain.nowMs, content }, this.options.kit.codec)
  }
}
