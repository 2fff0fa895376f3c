// Gossip: new blocks, sent to all peers by gossipsub (Vyzovitis et al. 2020; libp2p's gossipsub v1.2). Transactions are
// not gossiped: they are announced over the links, and fetched (src/replica/transaction-relay.ts).
//
// A message is validated before it is relayed: the replica says whether it is valid, and an invalid one is not relayed.
// Messages are unsigned, since blocks prove themselves; their id is the SHA-256 of topic and content, so that equal
// content has one id. Each network has topics of its own.

import { createHash } from 'node:crypto'
import {
  type Message as GossipMessage,
  type GossipSub,
  type GossipsubOpts,
  StrictNoSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub'
import type { PeerId as Libp2pPeerId } from '@libp2p/interface'
import type { BlockId } from '../chain/header.ts'
import type { PeerId } from '../replica/effects.ts'
import { MESSAGE_LIMITS, type MessageType } from '../replica/messages.ts'
import type { Counters } from './counters.ts'
import { RPC_LIMITS } from './gossip-rpc.ts'

/** The kinds of message that are gossiped. */
export type GossipType = Extract<MessageType, 'block'>

const GOSSIP_TYPES: readonly GossipType[] = ['block']

/** The verdict on a gossiped message; `reject` only for a fault of its sender. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/** Processes a gossiped message; the peer's next one follows when this resolves. */
export type OnGossip = (from: PeerId, type: GossipType, bytes: Uint8Array) => Promise<GossipVerdict>

/** Largest blocks that fit into one RPC, for peers that requested several. */
const BLOCKS_PER_RPC = 4
/** Overhead and control messages of gossipsub. */
const RPC_OVERHEAD_BYTES = 64 * 1024
/** Bytes that may wait for a peer to take them. */
const OUTBOUND_BYTES_MAX = MESSAGE_LIMITS.bytesMax + 3 * 1024 * 1024
/**
 * Milliseconds for which a seen message is ignored. It travels for five seconds at most, the history of gossipsub; the list
 * of seen messages is bounded only by this time and the rate of peers.
 */
const SEEN_TTL_MS = 15_000
/** Cost of a waiting message besides its content, so that empty ones count too. */
const MESSAGE_OVERHEAD_BYTES = 512
/** Protocol of gossipsub's streams. */
const STREAM_PROTOCOLS = /^\/meshsub\//
const RESULTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const

/** What gossip needs to know of a network. */
export interface GossipNetwork {
  readonly genesisId: BlockId
  readonly blockBytesMax: number
}

/** The topic of one kind of message in one network. */
export function gossipTopic(genesisId: BlockId, type: GossipType): string {
  return `/quorate/${genesisId}/${type}s`
}

/**
 * Bytes of an RPC at most, and of one peer's waiting messages, in a network with blocks of this size. Messages beyond the
 * latter are ignored.
 */
export function gossipBytesMax(blockBytesMax: number): number {
  return BLOCKS_PER_RPC * blockBytesMax + RPC_OVERHEAD_BYTES
}

/** How gossipsub is set up for a network. */
export function gossipOptions({ genesisId, blockBytesMax }: GossipNetwork): Partial<GossipsubOpts> {
  return {
    allowedTopics: GOSSIP_TYPES.map(type => gossipTopic(genesisId, type)),
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: ({ topic, data }) => createHash('sha256').update(topic).update(data).digest(),
    seenTTL: SEEN_TTL_MS,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    tagMeshPeers: false,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxInboundDataLength: gossipBytesMax(blockBytesMax),
    maxOutboundBufferSize: OUTBOUND_BYTES_MAX,
    maxTopicBytesPerPeer: 16 * 1024,
    decodeRpcLimits: RPC_LIMITS,
    // Many honest nodes may share one address (one machine, one home); what is punished is punished elsewhere.
    scoreParams: { IPColocationFactorWeight: 0 },
  }
}

/** The gossip of one node. */
export class Gossip {
  readonly #service: GossipSub
  readonly #genesisId: BlockId
  readonly #waitingBytesMax: number
  readonly #onGossip: OnGossip
  readonly #counters: Counters
  /** For each peer whose messages wait: how many bytes, and the end of the last one's handling. */
  readonly #waiting = new Map<PeerId, { bytes: number; tail: Promise<unknown> }>()

  constructor(
    service: GossipSub,
    options: GossipNetwork & { readonly onGossip: OnGossip; readonly counters: Counters },
  ) {
    this.#service = service
    this.#genesisId = options.genesisId
    this.#waitingBytesMax = gossipBytesMax(options.blockBytesMax)
    this.#onGossip = options.onGossip
    this.#counters = options.counters
  }

  /** Subscribes to the topics. */
  join(): void {
    for (const type of GOSSIP_TYPES) {
      const topic = gossipTopic(this.#genesisId, type)
      this.#service.topicValidators.set(topic, (from, message) => this.#validate(from, type, message))
      this.#service.subscribe(topic)
    }
  }

  /** Publishes an encoded message. */
  async publish(type: GossipType, bytes: Uint8Array): Promise<void> {
    const { recipients } = await this.#service.publish(gossipTopic(this.#genesisId, type), bytes)
    this.#counters.countSent(type, bytes.length, recipients.length)
  }

  /** The subscribers to one kind of message. */
  listeners(type: GossipType): Set<PeerId> {
    const peers = this.#service.getSubscribers(gossipTopic(this.#genesisId, type))
    return new Set(peers.map(peer => peer.toString()))
  }

  /** One message of a peer after the other, in the order in which they came. */
  async #validate(from: Libp2pPeerId, type: GossipType, message: GossipMessage) {
    const peer = from.toString()
    const queue = this.#waiting.get(peer) ?? { bytes: 0, tail: Promise.resolve() }
    const size = message.data.length + MESSAGE_OVERHEAD_BYTES
    if (queue.bytes + size > this.#waitingBytesMax) return TopicValidatorResult.Ignore
    this.#waiting.set(peer, queue)
    queue.bytes += size
    // In memory of its own: a block may be kept long after what it came in.
    const bytes = new Uint8Array(message.data)
    const verdict = queue.tail.then(() => this.#onGossip(peer, type, bytes))
    queue.tail = verdict
    try {
      if ((await verdict) === 'accept') this.#countRelay(peer, type, bytes.length)
      return RESULTS[await verdict]
    } finally {
      queue.bytes -= size
      if (queue.bytes === 0) this.#waiting.delete(peer)
    }
  }

  #countRelay(from: PeerId, type: GossipType, bytes: number): void {
    const others = [...this.listeners(type)].filter(peer => peer !== from)
    this.#counters.countSent(type, bytes, others.length)
  }
}

/** Whether messages of this kind are gossiped. */
export function isGossipType(type: MessageType): type is GossipType {
  return type === 'block'
}

/** Whether our gossip reaches the other end of a connection with these streams. */
export function carriesGossip(
  streams: readonly { readonly direction: string; readonly protocol: string }[],
): boolean {
  return streams.some(
    ({ direction, protocol }) => direction === 'outbound' && STREAM_PROTOCOLS.test(protocol),
  )
}
