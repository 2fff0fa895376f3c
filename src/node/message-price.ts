// What a peer's messages cost this node, and how the peer pays: its requests wait for their turn (request-queue.ts), and
// useless bytes delay the next read from it. A validator pays only for the headers and blocks that it requests, since
// agreement waits for all else that it sends; the handshake is free, since links have a rate of their own (peer-links.ts).

import { HEADER_BYTES } from '../chain/header.ts'
import { placeOf } from '../defence/network-group.ts'
import type { TokenRate } from '../defence/token-bucket.ts'
import { TokenBuckets } from '../defence/token-buckets.ts'
import type { Finality } from '../finality/contract.ts'
import { isHello } from '../finality/envelope.ts'
import type { Effect, PeerId } from '../replica/effects.ts'
import type { Message } from '../replica/messages.ts'
import type { PeerAddress } from './peer-address.ts'
import { RequestQueue } from './request-queue.ts'

/**
 * What a useless byte costs, in bytes of answers: it was decrypted, copied and cut into a message, for which no answer
 * paid. With the price of request-queue.ts, 1.5 MiB a second are read from a peer that sends nothing else.
 */
const USELESS_BYTES_FACTOR = 10
/**
 * Hellos of one peer that are served before other requests. The bucket outlives the link, so that reconnecting does not
 * refill it; a validator that reconnects a few times in a minute stays within it.
 */
const PROMPT_HELLOS: TokenRate = { burst: 4, perSecond: 0.1 }

/** What the peers of one node pay. */
export class MessagePrices {
  readonly #finality: Pick<Finality, 'isValidator'>
  readonly #addressOf: (peer: PeerId) => PeerAddress | null
  readonly #requests = new RequestQueue()
  /** How often a peer's hello was served before other requests. */
  readonly #hellos = new TokenBuckets(PROMPT_HELLOS)

  /** `addressOf` gives the address of a linked peer; null if it is unknown. */
  constructor(finality: Pick<Finality, 'isValidator'>, addressOf: (peer: PeerId) => PeerAddress | null) {
    this.#finality = finality
    this.#addressOf = addressOf
  }

  /** Whether a message makes work for its sender alone: requests, and announcements and statements by no validator. */
  isPriced(from: PeerId, { type }: Message): boolean {
    if (type === 'get-headers' || type === 'get-blocks') return true
    const isPriced =
      type === 'status' || type === 'finality' || type === 'announce' || type === 'get-transactions'
    return isPriced && !this.#finality.isValidator(from)
  }

  /**
   * Charges a peer for useless bytes and for the time that their decoding took. Resolves when that is paid off: until then
   * nothing more is read from the peer.
   */
  async charge(from: PeerId, bytes: number, spentMs = 0): Promise<void> {
    if (this.#finality.isValidator(from)) return
    await this.#requests.charge(from, this.#groupOf(from), bytes * USELESS_BYTES_FACTOR, spentMs)
  }

  /** Does the work for a priced message when its turn comes; `work` returns the bytes of the answer. */
  async serve(from: PeerId, message: Message, work: () => number): Promise<void> {
    const group = this.#groupOf(from)
    // A validator is a stranger until its hello is processed, so that is served first, also after a reconnect or two.
    const isPrompt =
      message.type === 'finality' && isHello(message.body) && this.#hellos.take(from, performance.now())
    await (isPrompt ? this.#requests.serveHello(from, group, work) : this.#requests.serve(from, group, work))
  }

  /** Drops the requests that wait. */
  close(): void {
    this.#requests.close()
  }

  /** The IPv4 address or IPv6 /64 of a peer: what all peers there cost together is limited. */
  #groupOf(peer: PeerId): string {
    const address = this.#addressOf(peer)
    return address === null ? 'unknown' : placeOf(address).address
  }
}

/** Bytes of the answers among these effects: headers, bodies and finality messages, without a few bytes of overhead each. */
export function answerBytes(effects: readonly Effect[]): number {
  return effects.reduce((sum, effect) => {
    if (effect.type !== 'send') return sum
    const { message } = effect
    switch (message.type) {
      case 'headers':
        return sum + message.headers.length * HEADER_BYTES
      case 'blocks':
        return sum + message.blocks.reduce((bytes, { raw }) => bytes + raw.length, 0)
      case 'transactions':
        return sum + message.transactions.reduce((bytes, { raw }) => bytes + raw.length, 0)
      case 'finality':
        return sum + message.body.length + (message.block?.raw.length ?? 0)
      default:
        return sum
    }
  }, 0)
}
