// One stream of a connection, as the wire guard follows it beside the multiplexer: which side opened it, whether it is still
// open, which protocol it carries, and so whether the peer's bytes on it have a reader.
//
// A link reads what comes, and its window holds the peer back. Gossip is read as fast as it comes, on streams that the peer
// opened; bytes on the streams that we opened have no reader. All other protocols have a message of a few kilobytes.

import { type OnRpcPart, type RpcFault, RpcReader } from './gossip-rpc.ts'
import { type LinesResult, ProtocolLines } from './protocol-lines.ts'

const NEGOTIATION = '/multistream/1.0.0'
const GOSSIP = /^\/(meshsub|floodsub)\//

/** What a stream must know of protocols. */
export interface WireProtocols {
  /** Bytes of an RPC of gossip at most. */
  readonly rpcBytesMax: number
  /** Whether we speak this protocol on streams. */
  isSpoken(protocol: string): boolean
  /** Whether it is that of a link to a peer, which holds the peer back. */
  isLink(protocol: string): boolean
}

/** Why what came on a stream is refused. */
export type StreamFault = Exclude<LinesResult, 'more' | 'agreed'> | RpcFault

/** The reader of the peer's bytes: lines until a protocol is negotiated, and then a link, gossip, or a protocol with one small message. */
type Reader = 'lines' | 'link' | 'gossip' | 'none'

/** A stream that is open. */
export class WireStream {
  readonly isOurs: boolean
  #reader: Reader = 'lines'
  #isEndedByUs = false
  #isEndedByPeer = false
  #rpcSinceMs = 0
  readonly #lines: ProtocolLines
  readonly #rpcs: RpcReader
  readonly #protocols: WireProtocols

  constructor(isOurs: boolean, protocols: WireProtocols) {
    this.isOurs = isOurs
    this.#protocols = protocols
    // On ours the peer names the protocol that we asked for, or libp2p resets the stream.
    this.#lines = new ProtocolLines(line => (isOurs ? isProtocol(line) : protocols.isSpoken(line)))
    this.#rpcs = new RpcReader(protocols.rpcBytesMax)
  }

  /** One side writes no more; true when neither does, and the stream is closed. */
  end(side: 'ours' | 'peer'): boolean {
    if (side === 'ours') this.#isEndedByUs = true
    else this.#isEndedByPeer = true
    return this.#isEndedByUs && this.#isEndedByPeer
  }

  /** Whether little of what arrives from now on will be read: once our writing side is closed, we have left the stream. */
  get isUnread(): boolean {
    return this.#reader === 'none' || this.#isEndedByPeer || (this.#reader !== 'lines' && this.#isEndedByUs)
  }

  /** Whether gossip reads what comes. */
  get isGossip(): boolean {
    return this.#reader === 'gossip'
  }

  /** When the RPC of gossip began that is not whole yet; null where there is none. */
  get rpcSinceMs(): number | null {
    return this.#rpcs.isInside ? this.#rpcSinceMs : null
  }

  /** Follows what the peer sent. Not to be called again once it has named a fault. */
  push(bytes: Uint8Array, nowMs: number, onPart: OnRpcPart): StreamFault | null {
    let at = 0
    if (!this.#rpcs.isInside) this.#rpcSinceMs = nowMs
    while (this.#reader === 'lines' && at < bytes.length) {
      const result = this.#lines.read(bytes[at++]!)
      if (result === 'agreed') this.#reader = this.#readerOf(this.#lines.protocol)
      else if (result !== 'more') return result
    }
    if (this.#reader !== 'gossip') return null
    return this.#rpcs.push(bytes.subarray(at), part => {
      if (part === 'rpc') this.#rpcSinceMs = nowMs
      return onPart(part)
    })
  }

  #readerOf(protocol: string): Reader {
    if (this.#protocols.isLink(protocol)) return 'link'
    return GOSSIP.test(protocol) && !this.isOurs ? 'gossip' : 'none'
  }
}

/** Whether a line that answers us agrees on a protocol. */
function isProtocol(line: string): boolean {
  return line.startsWith('/') && line !== NEGOTIATION
}
