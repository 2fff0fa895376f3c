// A validator that lies on purpose: an honest finality layer inside a wrapper that changes what is said. What the layer
// hears and stores is true, so that it always knows where the others are; what it says is decoded, given to the lie of
// its role (roles.ts), and what that says instead is signed and encoded. The layer and its node know nothing of it.

import { type BlockId, NO_BLOCK } from '../../../chain/header.ts'
import type { ChainedHeader } from '../../../chain/header-chain.ts'
import { PBFT_PATTERNS } from '../../../consensus/catalogue.ts'
import { RETRANSMIT, type Value } from '../../../consensus/log.ts'
import { checkpointIntervalFor } from '../../../consensus/pbft/checkpoints.ts'
import { PBFT } from '../../../consensus/pbft/kit.ts'
import type { PbftMessage, Statement } from '../../../consensus/pbft/messages.ts'
import type { MemberIndex } from '../../../consensus/process.ts'
import { Fields } from '../../../encoding/fields.ts'
import type {
  AgreementReport,
  ChainAccess,
  Finality,
  FinalityEffect,
  FinalityInput,
  PeerId,
} from '../../../finality/contract.ts'
import { type Content, decodeEnvelope, encodeEnvelope } from '../../../finality/envelope.ts'
import type { Identity } from '../../../finality/identity.ts'
import { Members } from '../../../finality/members.ts'
import { protocolOf } from '../../../finality/protocol.ts'
import { type CreateFinality, createFinality } from '../../../finality/registry.ts'
import { createSigning } from '../../../finality/signing.ts'
import { protocolTimer } from '../../../finality/timers.ts'
import { readValidators, type ValidatorSet } from '../../../finality/validators.ts'
import { Liar } from './liar.ts'
import type { LieEffect, MemberState, Said } from './lie.ts'
import type { ByzantineRole } from './roles.ts'

/** How a member lies, and the places of others that lie in the same way. */
export interface Byzantine {
  readonly role: ByzantineRole
  readonly accomplices: readonly MemberIndex[]
}

/** What a lying member needs to know of its network. */
export interface LyingOptions extends Byzantine {
  readonly identity: Identity
  readonly validators: ValidatorSet
  readonly chainId: bigint
  readonly genesisId: BlockId
  readonly timeoutMs: number
  /** Blocks between two decided ones at least, where blocks are mined. */
  readonly interval: number
}

/** The timer of the lie. No honest layer has one of this name. */
const TIMER = 'lie'

/** Makes the layer that a genesis file chooses, for a validator that lies. Throws where validators do not agree by PBFT. */
export function lyingFinality(byzantine: Byzantine): CreateFinality {
  return (genesis, identity) => {
    const kit = protocolOf(genesis)
    if (kit === null || ![...PBFT_PATTERNS.values()].includes(kit))
      throw new Error(`liars lie in PBFT's messages: nobody can in a network of ${kit?.name ?? 'miners'}`)
    const settings = new Fields('finality', genesis.finality)
    return new LyingFinality(createFinality(genesis, identity), {
      ...byzantine,
      identity,
      validators: readValidators(settings),
      chainId: genesis.blocks.chainId,
      genesisId: genesis.block.id,
      timeoutMs: genesis.finality.timeoutMs as number,
      interval: (genesis.finality.interval as number | undefined) ?? 1,
    })
  }
}

/** An honest finality layer, controlled by a liar. */
export class LyingFinality implements Finality {
  readonly followsWork: boolean
  readonly #honest: Finality
  readonly #options: LyingOptions
  readonly #liar: Liar
  readonly #members = new Members()
  /** Whether the honest layer votes: else there is nothing to lie about. */
  #isVoting = false
  /** Blocks that came so far: of two that were asked for the first is the liar's. */
  #builtCount = 0
  /** The last block of the liar's own. */
  #built: BlockId | null = null
  #chain!: ChainAccess

  /** Throws when the identity is no validator's: only a member can lie. */
  constructor(honest: Finality, options: LyingOptions) {
    const { identity, validators, chainId, genesisId, timeoutMs, role, accomplices } = options
    const network = { ...identity, validators, chainId, genesisId }
    this.followsWork = honest.followsWork
    this.#honest = honest
    this.#options = options
    this.#liar = new Liar(role, {
      n: validators.size,
      signing: createSigning<Statement>(PBFT.signed!, network),
      timeoutMs,
      accomplices,
      checkpointInterval: checkpointIntervalFor(validators.size),
      elsewhere: [{ chainId: chainId + 1n }, { genesisId: NO_BLOCK }].map(
        other => createSigning<Statement>(PBFT.signed!, { ...network, ...other }).sign,
      ),
      state: () => this.#state(),
      alternative: value => this.#alternative(value as BlockId),
    })
  }

  step(input: FinalityInput, chain: ChainAccess): FinalityEffect[] {
    this.#chain = chain
    switch (input.type) {
      case 'start': {
        const effects = this.#honest.step(input, chain)
        this.#isVoting = (this.#honest.report(chain.nowMs)?.self ?? null) !== null
        return this.#twistAll(effects)
      }
      case 'peer-connected':
        this.#members.connect(input.peer)
        return this.#pass(input)
      case 'peer-disconnected':
        this.#members.disconnect(input.peer)
        return this.#pass(input)
      case 'message':
        return this.#onMessage(input)
      case 'built':
        return this.#onBuilt(input)
      case 'timeout': {
        if (input.name === TIMER) return this.#perform(this.#liar.timeout())
        const said = this.#pass(input)
        return input.name === protocolTimer(RETRANSMIT)
          ? [...said, ...this.#perform(this.#liar.tick())]
          : said
      }
      case 'head':
      case 'block':
      case 'pool':
        return this.#pass(input)
    }
  }

  prefers(candidate: ChainedHeader, head: ChainedHeader): boolean {
    return this.#honest.prefers(candidate, head)
  }

  safeHeight(head: ChainedHeader, finalHeight: number): number | null {
    return this.#honest.safeHeight(head, finalHeight)
  }

  isValidator(peer: PeerId): boolean {
    return this.#honest.isValidator(peer)
  }

  describe(body: Uint8Array): string {
    return this.#honest.describe(body)
  }

  report(nowMs: number): AgreementReport | null {
    return this.#honest.report(nowMs)
  }

  // ---- inputs

  /** Gives the honest layer an input, and twists what it says. */
  #pass(input: FinalityInput): FinalityEffect[] {
    const chain = this.#isVoting ? this.#liar.show(this.#chain) : this.#chain
    return this.#twistAll(this.#honest.step(input, chain))
  }

  #onMessage(input: Extract<FinalityInput, { type: 'message' }>): FinalityEffect[] {
    const content = decodeEnvelope(input.body, PBFT.codec)?.content
    if (content?.type !== 'protocol') {
      const effects = this.#pass(input)
      if (content?.type === 'hello') this.#onHello(input.from, content, effects)
      return effects
    }
    const beside = this.#isVoting ? this.#liar.hear(content.message) : []
    return [...this.#pass(input), ...this.#perform(beside)]
  }

  /** The honest layer has checked the signature of a hello: it binds the peer unless it refused it. */
  #onHello(
    from: PeerId,
    { member }: Extract<Content<PbftMessage>, { type: 'hello' }>,
    effects: readonly FinalityEffect[],
  ): void {
    const isRefused = effects.some(({ type }) => type === 'refuse')
    if (!isRefused && this.#honest.isValidator(from)) this.#members.bind(member, from)
  }

  /** The liar's own block comes before the one that the honest layer asked for. */
  #onBuilt(input: Extract<FinalityInput, { type: 'built' }>): FinalityEffect[] {
    this.#builtCount += 1
    if (!this.#isVoting || this.#builtCount % 2 === 0) return this.#pass(input)
    this.#built = input.id
    return []
  }

  // ---- effects

  #twistAll(effects: readonly FinalityEffect[]): FinalityEffect[] {
    return this.#isVoting ? effects.flatMap(effect => this.#twist(effect)) : [...effects]
  }

  /** What becomes of one effect of the honest layer. It greets its peers as it is. */
  #twist(effect: FinalityEffect): FinalityEffect[] {
    switch (effect.type) {
      case 'build':
        return [effect, effect]
      case 'send':
      case 'broadcast': {
        const content = decodeEnvelope(effect.body, PBFT.codec)?.content
        if (content?.type !== 'protocol') return [effect]
        const { message } = content
        const said: Said =
          effect.type === 'send' ? { type: 'reply', to: effect.to, message } : { type: 'broadcast', message }
        return this.#perform(this.#liar.say(said))
      }
      case 'final':
      case 'persist':
      case 'set-timer':
      case 'clear-timer':
      case 'want':
      case 'hold':
      case 'refuse':
      case 'alarm':
        return [effect]
    }
  }

  #perform(effects: readonly LieEffect[]): FinalityEffect[] {
    return effects.flatMap(effect => this.#performOne(effect))
  }

  #performOne(effect: LieEffect): FinalityEffect[] {
    switch (effect.type) {
      case 'send': {
        const to = this.#members.peerOf(effect.to)
        return to === undefined ? [] : [{ type: 'send', to, ...this.#encode(effect.message) }]
      }
      case 'reply':
        return [{ type: 'send', to: effect.to, ...this.#encode(effect.message) }]
      case 'broadcast':
        return [{ type: 'broadcast', ...this.#encode(effect.message) }]
      case 'broadcast-bytes':
        return [{ type: 'broadcast', body: effect.bytes, block: null }]
      case 'wait':
        return [{ type: 'set-timer', name: TIMER, delayMs: effect.delayMs }]
    }
  }

  /** The bytes of a message, and the block that it proposes to those that may not have it. */
  #encode(message: PbftMessage): { readonly body: Uint8Array; readonly block: BlockId | null } {
    const body = encodeEnvelope(
      { clockMs: this.#chain.nowMs, content: { type: 'protocol', message } },
      PBFT.codec,
    )
    return { body, block: message.type === 'pre-prepare' ? (message.value as BlockId) : null }
  }

  // ---- what a lie may ask

  #state(): MemberState {
    const { view, sequence, proposer } = this.#honest.report(this.#chain.nowMs)!
    return { view, decided: sequence, proposer }
  }

  /** Its own block; or of the mined chain the one below, or above where that is too close to the last final one. */
  #alternative(id: BlockId): Value | null {
    if (this.#built !== null && this.#built !== id) return this.#built
    const { final } = this.#chain
    const height = this.#chain.get(id)?.height ?? 0
    const isTooLow = height - 1 < final.height + this.#options.interval
    return this.#chain.ancestor(isTooLow ? height + 1 : height - 1)
  }
}
