// What peers send, on its way into the replica: screened and decoded (large messages in steps), the senders of its
// transactions recovered in threads, priced (message-price.ts), stepped, and judged for gossip.
//
// A peer's first status is the handshake: until it arrives all else on the link is ignored. Useless messages are charged to
// the peer, and a peer that breaks a rule is refused by the host.

import type { BlockId } from '../chain/header.ts'
import type { FaultLog } from '../defence/guarded.ts'
import type { Effect, Input, PeerId } from '../replica/effects.ts'
import { decodeMessageInSteps } from '../replica/message-codec.ts'
import { typeOfMessage } from '../replica/message-peek.ts'
import type { Message } from '../replica/messages.ts'
import type { Replica } from '../replica/replica.ts'
import { verdictOn } from '../replica/verdict.ts'
import type { GossipType, GossipVerdict } from './gossip.ts'
import type { Host } from './host.ts'
import { answerBytes, MessagePrices } from './message-price.ts'
import { originOf } from './peer-origin.ts'
import type { SenderRecovery } from './sender-recovery.ts'
import { StepScheduler } from './step-scheduler.ts'

/** A step of the replica: its effects, and whether all of them were performed, once that is known. */
export interface PerformedStep {
  readonly effects: readonly Effect[]
  readonly performed: Promise<boolean>
}

/** What the intake needs of its node. */
export interface IntakeOptions {
  readonly replica: Replica
  readonly recovery: SenderRecovery
  /** The host; null until it has started. */
  host(): Host | null
  /** Steps the replica and performs the effects; `relay` passes on the message of the step. */
  step(input: Input, relay?: () => void): PerformedStep
  readonly log: FaultLog
}

/** The head that a peer follows, as it said last. */
export interface PeerHead {
  readonly id: BlockId
  readonly height: number
}

/** The messages of all peers of one node. */
export class MessageIntake {
  readonly #options: IntakeOptions
  readonly #replica: Replica
  readonly #prices: MessagePrices
  readonly #decoding = new StepScheduler()
  /** The linked peers, each with the head that it said last; null until its handshake. */
  readonly #heads = new Map<PeerId, PeerHead | null>()

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#replica = options.replica
    const addressOf = (peer: PeerId) => this.#host?.addressOf(peer) ?? null
    this.#prices = new MessagePrices(options.replica.finality, addressOf)
  }

  /** The head that a linked peer said last; null until its handshake. */
  headOf(peer: PeerId): PeerHead | null {
    return this.#heads.get(peer) ?? null
  }

  /** A link to a peer is up. */
  onPeerConnected(peer: PeerId): void {
    this.#heads.set(peer, null)
    const info = this.#host?.peers().find(({ id }) => id === peer)
    this.#step({ type: 'peer-connected', peer, ...(info === undefined ? {} : { origin: originOf(info) }) })
  }

  /** The link to a peer is down. */
  onPeerDisconnected(peer: PeerId): void {
    this.#heads.delete(peer)
    this.#step({ type: 'peer-disconnected', peer })
  }

  /** A message came over a link. Resolves when the next one of this peer may be read. */
  async onMessage(from: PeerId, bytes: Uint8Array): Promise<void> {
    const { message, spentMs } = await this.#decode(from, bytes)
    if (typeof message === 'string') return this.#prices.charge(from, bytes.length, spentMs)
    // The link may have ended while the message waited, here and below.
    if (!this.#heads.has(from)) return
    const isFirst = this.headOf(from) === null
    if (message.type === 'status') this.#onStatus(from, message)
    // A message before the handshake is ignored. It is no offence: a status may be lost with a link that another replaces.
    else if (isFirst) return
    await this.#recoverSenders(from, message)
    if (!this.#heads.has(from)) return
    // The handshake is free, since links have a rate (peer-links.ts).
    if (!isFirst && this.#prices.isPriced(from, message)) return this.#serve(from, message)
    const given = message.type === 'transactions' ? message.transactions : []
    const unaskedBytes = message.type === 'transactions' ? this.#unaskedBytes(from, message) : 0
    const news = given.filter(({ id }) => this.#replica.pool.get(id) === undefined)
    const relay = () => this.#host?.broadcast(message)
    const { effects, performed } = this.#step({ type: 'message', from, message }, relay)
    if (movesHead(effects)) this.#host?.admission.credit(from, 'block')
    if (news.some(({ id }) => this.#replica.pool.get(id) !== undefined))
      this.#host?.admission.credit(from, 'transactions')
    await performed
    // An orphan, one too many or one that is here by now: in any case it must not be decoded again for nothing.
    if (message.type === 'block' && !effects.some(({ type }) => type === 'relay'))
      await this.#prices.charge(from, bytes.length, spentMs)
    if (unaskedBytes > 0) await this.#prices.charge(from, unaskedBytes, spentMs)
  }

  /** A message came by gossip. Resolves to what gossipsub does with it, when the next one of this peer may be taken. */
  async onGossip(from: PeerId, type: GossipType, bytes: Uint8Array): Promise<GossipVerdict> {
    if (typeOfMessage(bytes) !== type) {
      this.#host?.admission.refuse(from, 'message-malformed')
      return 'reject'
    }
    const { message, spentMs } = await this.#decode(from, bytes)
    if (message === 'ignore') await this.#prices.charge(from, bytes.length, spentMs)
    if (typeof message === 'string') return message
    await this.#recoverSenders(from, message)
    let isGood = false
    const { effects, performed } = this.#step({ type: 'message', from, message }, () => {
      isGood = true
      this.#host?.passOn(message, type, from)
    })
    if (movesHead(effects)) this.#host?.admission.credit(from, 'block')
    await performed
    const isBad = effects.some(effect => effect.type === 'reject' && verdictOn(effect.reason) === 'punish')
    if (isGood) return 'accept'
    if (isBad) return 'reject'
    // An honest peer passes on only what it has accepted, so that little of what it sends is ignored.
    await this.#prices.charge(from, bytes.length, spentMs)
    return 'ignore'
  }

  /** Drops the requests that wait. */
  close(): void {
    this.#prices.close()
  }

  get #host(): Host | null {
    return this.#options.host()
  }

  #step(input: Input, relay?: () => void): PerformedStep {
    return this.#options.step(input, relay)
  }

  /** Bytes of the transactions of an answer that its request did not ask for. */
  #unaskedBytes(
    from: PeerId,
    { requestId, transactions }: Extract<Message, { type: 'transactions' }>,
  ): number {
    const asked = this.#replica.relay.asked(from, requestId)
    return transactions.reduce((sum, { id, raw }) => (asked.has(id) ? sum : sum + raw.length), 0)
  }

  async #serve(from: PeerId, message: Message): Promise<void> {
    let performed = Promise.resolve(false)
    await this.#prices.serve(from, message, () => {
      if (!this.#heads.has(from)) return 0
      const step = this.#step({ type: 'message', from, message })
      performed = step.performed
      return answerBytes(step.effects)
    })
    await performed
  }

  #onStatus(from: PeerId, { status }: Extract<Message, { type: 'status' }>): void {
    const isFirst = this.headOf(from) === null
    this.#heads.set(from, { id: status.headId, height: status.height })
    if (isFirst && status.genesisId === this.#replica.genesis.block.id) this.#host?.confirm(from)
  }

  /** The message in these bytes; or whether its sender is to blame for it. And the time that decoding took. */
  async #decode(
    from: PeerId,
    bytes: Uint8Array,
  ): Promise<{ readonly message: Message | 'ignore' | 'reject'; readonly spentMs: number }> {
    const screened = this.#replica.screen(from, bytes)
    const { value: message, spentMs } =
      screened === null
        ? await this.#decoding.run(from, decodeMessageInSteps(bytes))
        : { value: screened, spentMs: 0 }
    if (typeof message !== 'string') return { message, spentMs }
    if (message === 'known') return { message: 'ignore', spentMs }
    if (message === 'orphan') {
      if (this.headOf(from) !== null) await this.#step({ type: 'orphan', from }).performed
      return { message: 'ignore', spentMs }
    }
    this.#host?.admission.refuse(from, message)
    return { message: verdictOn(message) === 'punish' ? 'reject' : 'ignore', spentMs }
  }

  async #recoverSenders(from: PeerId, message: Message): Promise<void> {
    try {
      await this.#options.recovery.recover(from, message, Date.now())
    } catch (error) {
      // The replica recovers the missing ones itself.
      this.#options.log.error({ err: error }, 'senders could not be recovered ahead')
    }
  }
}

/** Whether a step accepted a block that the node follows now. */
function movesHead(effects: readonly Effect[]): boolean {
  return effects.some(({ type }) => type === 'head')
}
