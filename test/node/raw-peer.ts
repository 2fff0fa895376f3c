// A peer that does only what a test tells it: libp2p without a node behind it.

import type { TestContext } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type TCPSocketOptions, tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Transaction, TransactionId } from '../../src/chain/transaction.ts'
import { FrameReader, frameMessage } from '../../src/node/frames.ts'
import type { Node } from '../../src/node/node.ts'
import { PROTOCOL } from '../../src/node/peer-links.ts'
import { decodeMessage, encodeMessage } from '../../src/replica/message-codec.ts'
import { MESSAGE_LIMITS, type Message } from '../../src/replica/messages.ts'
import { cleanUp } from '../cleanup.ts'
import { withLength } from './identify-message.ts'

const IDENTIFY = '/ipfs/id/1.0.0'

/** A key whose peer id stands before or after another one, so that it opens the stream or waits for it. */
export async function keyBeside(place: 'before' | 'after', id: string): Promise<PrivateKey> {
  for (;;) {
    const key = await generateKeyPair('Ed25519')
    const isBefore = peerIdFromPrivateKey(key).toString() < id
    if (isBefore === (place === 'before')) return key
  }
}

/** Rejects when the connection ends. */
function refusal(connection: Connection): Promise<never> {
  const refused = new Promise<never>((_, reject) => {
    const refuse = () => reject(new Error('the connection ended before it had its stream'))
    connection.addEventListener('close', refuse)
    if (connection.status !== 'open') refuse()
  })
  refused.catch(() => {})
  return refused
}

/** Options of a socket that leaves from this address; libp2p passes on what Node's sockets take, and names less of it. */
export function dialFrom(localAddress: string): TCPSocketOptions {
  const options: TCPSocketOptions & { readonly localAddress: string } = { localAddress }
  return options
}

/** The peer id at the end of a multiaddr. */
export function peerIdIn(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1)
}

/**
 * libp2p that listens nowhere and speaks no protocol but what a test adds; its id stands where a key is given for it. `from`
 * is the address of this machine from which it dials.
 */
export function rawNetwork(key?: PrivateKey, from?: string): Promise<Libp2p> {
  return createLibp2p({
    ...(key === undefined ? {} : { privateKey: key }),
    addresses: { listen: [] },
    transports: [tcp(from === undefined ? {} : { dialOpts: dialFrom(from) })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
}

/** Answers identify requests with these bytes. */
export async function answerIdentify(network: Libp2p, answer: () => Uint8Array): Promise<void> {
  await network.handle(IDENTIFY, stream => {
    stream.send(withLength(answer()))
    stream.close().catch(error => stream.abort(error))
  })
}

/** A connection to a node and the stream on it that carries messages. */
export class RawPeer {
  readonly id: string
  readonly network: Libp2p
  readonly connection: Connection
  readonly stream: Stream
  /** What came, as long as it could be decoded. */
  readonly received: Message[] = []
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>
  readonly #reader = new FrameReader()
  readonly #offered = new Map<TransactionId, Transaction>()
  readonly #listeners = new Set<() => void>()

  constructor(network: Libp2p, connection: Connection, stream: Stream) {
    this.id = network.peerId.toString()
    this.network = network
    this.connection = connection
    this.stream = stream
    this.closed = new Promise(resolve => connection.addEventListener('close', () => resolve()))
    stream.addEventListener('message', ({ data }) => this.#onData(data.subarray()))
  }

  /**
   * Connects to the node at this address; its id stands where a key is given for it, or anywhere. `identify` makes what
   * it answers to identify; it is silent unless given. `from` is the address of this machine from which
   * it comes.
   */
  static async connect(
    t: TestContext,
    address: string,
    key?: PrivateKey,
    identify?: (network: Libp2p) => Uint8Array,
    from?: string,
  ): Promise<RawPeer> {
    const network = await rawNetwork(key, from)
    cleanUp(t, () => network.stop())
    const opened = new Promise<Stream>(resolve => {
      void network.handle(PROTOCOL, stream => resolve(stream))
    })
    if (identify !== undefined) await answerIdentify(network, () => identify(network))
    const connection = await network.dial(multiaddr(address))
    const isOpener = network.peerId.toString() < peerIdIn(address)
    const stream = isOpener ? connection.newStream(PROTOCOL) : opened
    return new RawPeer(network, connection, await Promise.race([stream, refusal(connection)]))
  }

  /** Says that it follows the node's network and has its genesis block. */
  greet({ replica: { genesis } }: { readonly replica: Pick<Node['replica'], 'genesis'> }): void {
    const { id } = genesis.block
    const chainId = BigInt(genesis.blocks.chainId)
    this.send({ type: 'status', status: { genesisId: id, chainId, headId: id, height: 0, work: 0n } })
  }

  send(message: Message): void {
    this.stream.send(frameMessage(encodeMessage(message)))
  }

  /** Announces these transactions, and gives those of them that it is asked for, now and later. */
  offer(...transactions: readonly Transaction[]): void {
    for (const tx of transactions) this.#offered.set(tx.id, tx)
    const ids = transactions.map(({ id }) => id)
    const { transactionsMax } = MESSAGE_LIMITS
    for (let start = 0; start < ids.length; start += transactionsMax)
      this.send({ type: 'announce', ids: ids.slice(start, start + transactionsMax) })
  }

  #give({ requestId, ids }: Extract<Message, { type: 'get-transactions' }>): void {
    const transactions = ids.map(id => this.#offered.get(id)).filter(tx => tx !== undefined)
    if (transactions.length > 0) this.send({ type: 'transactions', requestId, transactions })
  }

  /** Resolves to the first message of this kind that came or comes. */
  async receive<T extends Message['type']>(type: T): Promise<Extract<Message, { type: T }>> {
    for (;;) {
      const found = this.received.find(message => message.type === type)
      if (found !== undefined) return found as Extract<Message, { type: T }>
      await new Promise<void>(resolve => this.#listeners.add(resolve))
    }
  }

  #onData(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    for (let next = this.#reader.next(); next !== null; next = this.#reader.next()) {
      const message = typeof next === 'string' ? next : decodeMessage(next)
      if (typeof message === 'string') throw new Error(`a node sent something bad: ${message}`)
      this.received.push(message)
      if (message.type === 'get-transactions') this.#give(message)
    }
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }
}
