// A peer without a key of a validator: it speaks the wire and does what an attack tells it. It waits where the node makes
// it wait, so that what it has sent is what it could send, and counts bytes both ways.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { BlockId } from '../../src/chain/header.ts'
import { FrameReader, frameMessage } from '../../src/node/frames.ts'
import { PROTOCOL } from '../../src/node/peer-links.ts'
import { decodeMessage, encodeMessage } from '../../src/replica/message-codec.ts'
import type { Message, Status } from '../../src/replica/messages.ts'
import { answerIdentify, peerIdIn, rawNetwork } from '../node/raw-peer.ts'

/** What anybody may know of a node and its network. */
export interface Target {
  /** Its multiaddr with its peer id. */
  readonly address: string
  /** Where it answers JSON-RPC; null where it does not. */
  readonly rpc: string | null
  readonly genesisId: BlockId
  readonly chainId: bigint
  /** Bytes of a block at most. */
  readonly blockBytesMax: number
}

/** How a stranger connects. */
export interface StrangerOptions {
  /** What it says when it is asked who it is; nothing unless given. */
  readonly identify?: (network: Libp2p) => Uint8Array
  /** What it says of its chain; that it has the genesis block unless given. */
  readonly claim?: Partial<Status>
  /** What it speaks libp2p with; something bare unless given. */
  readonly network?: (target: Target) => Promise<Libp2p>
}

/** Bytes that may wait for the node to take them, and milliseconds between looks at them. */
const QUEUE_BYTES_MAX = 64 * 1024
const QUEUE_POLL_MS = 2

/** Where strangers come from: another address of this machine than honest peers have. */
export const STRANGERS_ADDRESS = '127.66.0.1'

const rawNetworkOf = (): Promise<Libp2p> => rawNetwork(undefined, STRANGERS_ADDRESS)

/** Milliseconds in which a connection must be there, or is given up. */
const CONNECT_TIMEOUT_MS = 5_000

/** A stranger with a connection and the stream that carries messages. */
export class Stranger {
  readonly network: Libp2p
  readonly connection: Connection
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>
  /** Hears every message that can be decoded; nobody unless set. */
  onMessage: (message: Message) => void = () => {}
  receivedBytes = 0
  #queuedBytes = 0
  readonly #target: Target
  readonly #stream: Stream
  readonly #reader = new FrameReader()

  private constructor(target: Target, network: Libp2p, connection: Connection, stream: Stream) {
    this.#target = target
    this.network = network
    this.connection = connection
    this.#stream = stream
    this.closed = new Promise(resolve => {
      connection.addEventListener('close', () => resolve())
      stream.addEventListener('close', () => resolve())
      if (connection.status !== 'open') resolve()
    })
    stream.addEventListener('message', ({ data }) => this.#onData(data.subarray()))
  }

  /** Connects with an identity of its own. Rejects when the node does not let it in. */
  static async connect(target: Target, options: StrangerOptions = {}): Promise<Stranger> {
    const { identify } = options
    const network = await (options.network ?? rawNetworkOf)(target)
    try {
      const opened = new Promise<Stream>(resolve => {
        void network.handle(PROTOCOL, stream => resolve(stream))
      })
      if (identify !== undefined) await answerIdentify(network, () => identify(network))
      const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS)
      const connection = await network.dial(multiaddr(target.address), { signal })
      const isOpener = network.peerId.toString() < peerIdIn(target.address)
      const gone = new Promise<never>((_, reject) => {
        connection.addEventListener('close', () => reject(new Error('the node closed the connection')))
        signal.addEventListener('abort', () => reject(new Error('the node opened no stream')))
      })
      const stream = await Promise.race([isOpener ? connection.newStream(PROTOCOL) : opened, gone])
      return new Stranger(target, network, connection, stream)
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  /** Bytes that went out: what the node does not take is not sent. */
  get sentBytes(): number {
    return this.#queuedBytes - this.#stream.writeBufferLength
  }

  /** Says that it follows the node's network and has its genesis block, unless it claims something else. */
  greet(claim: Partial<Status> = {}): Promise<void> {
    const { genesisId, chainId } = this.#target
    return this.say({
      type: 'status',
      status: { genesisId, chainId, headId: genesisId, height: 0, work: 0n, ...claim },
    })
  }

  /** Sends a message; resolves when the next may be sent. */
  say(message: Message): Promise<void> {
    return this.send(frameMessage(encodeMessage(message)))
  }

  /** Sends bytes as they are. Rejects when the stream is closed. */
  async send(bytes: Uint8Array): Promise<void> {
    this.#stream.send(bytes)
    this.#queuedBytes += bytes.length
    // The answer of `send` says little: it is yes too where all is queued.
    while (this.#stream.writeBufferLength > QUEUE_BYTES_MAX) {
      if (this.#stream.status !== 'open') throw new Error('the stream is closed')
      await sleep(QUEUE_POLL_MS)
    }
  }

  async close(): Promise<void> {
    await this.network.stop()
  }

  #onData(bytes: Uint8Array): void {
    this.receivedBytes += bytes.length
    this.#reader.push(bytes)
    for (let next = this.#reader.next(); next !== null; next = this.#reader.next()) {
      if (next === 'message-too-large') return
      const message = decodeMessage(next)
      if (typeof message !== 'string') this.onMessage(message)
    }
  }
}
