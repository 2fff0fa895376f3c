// What a peer may send below its messages: the frames of the multiplexer (yamux) and the lines that open streams.
//
// libp2p answers pings, opens streams, reads lines and empty RPCs of gossip as fast as they come, all that came in one piece in
// one turn of the event loop, and holds a data frame until it is whole, however long it says that it is. This is a pure state
// machine beside it: it is fed with the same decrypted bytes first, reads the headers of frames, the first lines of each stream
// and the fields of gossip's RPCs, counts bytes without a reader, and says when a bound is exceeded. It skips all other bodies.
//
// Bounds are far above what honest nodes do, also after a pause: the busiest link of a committee of sixteen has some 70 small
// frames a second. They end what is absurd; what comes within them has a price, and wire-budget.ts says what all may cost.

import { MS_PER_BYTE } from '../defence/debt.ts'
import { TokenBucket, type TokenRate } from '../defence/token-bucket.ts'
import type { RpcPart } from './gossip-rpc.ts'
import { ProtocolLines } from './protocol-lines.ts'
import { type StreamFault, type WireProtocols, WireStream } from './wire-stream.ts'

/** Streams that a peer opens: an honest one opens three on a connection. */
export const STREAMS: TokenRate = { burst: 40, perSecond: 20 }
/** Pings and farewells: an honest peer pings twice a minute. */
export const PINGS: TokenRate = { burst: 50, perSecond: 10 }
/**
 * Window updates and resets. Each data frame that we send is answered by a window update, so what we send pays for them;
 * this is for those that answer what is very small.
 */
export const WINDOW_UPDATES: TokenRate = { burst: 2_000, perSecond: 500 }
/**
 * Data frames and pieces of them, as far as their bytes do not pay for them. More than wire-budget.ts lets through, so that a
 * peer that only sends fast is slowed down and not ended.
 */
export const SMALL_FRAMES: TokenRate = { burst: 4_000, perSecond: 1_000 }
/** RPCs of gossip: an honest peer sends one in each second, and two for each new block. */
export const RPCS: TokenRate = { burst: 500, perSecond: 100 }
/**
 * Bytes without a reader: for streams that are not open, or whose reader has ended. Some windows may be on their way when we
 * reset a stream, and an honest peer sends nothing more.
 */
export const STRAY_BYTES: TokenRate = { burst: 4 * 1024 * 1024, perSecond: 64 * 1024 }
/** Milliseconds in which an RPC of gossip that has begun must be whole: meanwhile it is held. */
export const RPC_TIMEOUT_MS = 10_000
/** Streams that a peer has open; libp2p resets those beyond 16. */
export const OPEN_STREAMS_MAX = 256

/** Milliseconds that libp2p takes for each; it answers all of them but window updates, by an encryption and a write. */
const PRICE_MS = { stream: 0.5, ping: 0.05, update: 0.01, small: 0.05 } as const
/** And gossipsub: for an RPC, an entry, or any field of them, and for a byte, which is hashed too. */
const RPC_PRICE_MS: Readonly<Record<RpcPart, number>> = {
  rpc: 0.1,
  message: 0.1,
  control: 0.03,
  field: 0.002,
}
const GOSSIP_MS_PER_BYTE = 2 * MS_PER_BYTE

/** Bytes of content with which a frame costs nothing; a smaller one costs the share that is missing. */
const FRAME_BYTES = 1_024
/** Bytes of ours that pay for one window update. */
const SENT_BYTES_PER_UPDATE = 128
const HEADER_BYTES = 12
const MUXER = '/yamux/1.0.0'

const TYPE = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const
const FLAG = { syn: 1, fin: 4, rst: 8 } as const

/** Why a connection must end. */
export type FrameFault =
  | 'frame-malformed'
  | 'frame-too-large'
  | 'too-many-streams'
  | 'too-many-pings'
  | 'too-many-window-updates'
  | 'too-many-small-frames'
  | StreamFault
  | 'too-many-stray-bytes'

/** What the guard must know of its connection. */
export interface FrameGuardOptions extends WireProtocols {
  /** Whether the multiplexer was agreed on while shaking hands, so that frames come at once. */
  readonly isMultiplexed: boolean
  /** Bytes of a data frame at most. */
  readonly frameBytesMax: number
}

/** What is counted, each in a bucket of its own. */
type Counted = 'streams' | 'pings' | 'updates' | 'small' | 'rpcs' | 'strays'

/** Looks at what a peer sends on one connection. */
export class FrameGuard {
  readonly #options: FrameGuardOptions
  readonly #buckets: Record<Counted, TokenBucket>
  /** The lines before the multiplexer is agreed on. */
  #lines: ProtocolLines | null
  readonly #header = new DataView(new ArrayBuffer(HEADER_BYTES))
  #headerBytes = 0
  #bodyBytesLeft = 0
  /** The stream of the body; null if it is not open. */
  #bodyOf: WireStream | null = null
  /** The streams that are open. */
  readonly #streams = new Map<number, WireStream>()
  /** Milliseconds that libp2p will take for what was pushed and not asked for yet. */
  #priceMs = 0

  constructor(options: FrameGuardOptions, nowMs: number) {
    this.#options = options
    this.#lines = options.isMultiplexed ? null : new ProtocolLines(protocol => protocol === MUXER)
    this.#buckets = {
      streams: new TokenBucket(STREAMS, nowMs),
      pings: new TokenBucket(PINGS, nowMs),
      updates: new TokenBucket(WINDOW_UPDATES, nowMs),
      small: new TokenBucket(SMALL_FRAMES, nowMs),
      rpcs: new TokenBucket(RPCS, nowMs),
      strays: new TokenBucket(STRAY_BYTES, nowMs),
    }
  }

  /**
   * We sent so many bytes, which begin with this: frames, each of which the peer may answer with a window update. Lines before
   * the multiplexer is agreed on begin with their length.
   */
  onSent(header: Uint8Array, bytes: number): void {
    this.#buckets.updates.give(Math.min(1, bytes / SENT_BYTES_PER_UPDATE))
    if (header.length < HEADER_BYTES || header[0] !== 0) return
    const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES)
    if (view.getUint8(1) !== TYPE.data && view.getUint8(1) !== TYPE.windowUpdate) return
    const [flags, id] = [view.getUint16(2), view.getUint32(4)]
    if ((flags & FLAG.syn) !== 0) this.#streams.set(id, new WireStream(true, this.#options))
    if ((flags & FLAG.rst) !== 0) this.#streams.delete(id)
    if ((flags & FLAG.fin) !== 0) this.#end(id, 'ours')
  }

  /** Milliseconds that libp2p will take for what was pushed since this was asked for last. */
  takePrice(): number {
    const priceMs = this.#priceMs
    this.#priceMs = 0
    return priceMs
  }

  /** When the RPCs of gossip that have begun must be whole; null where none has. */
  rpcDeadlineMs(): number | null {
    const since = [...this.#streams.values()].map(({ rpcSinceMs }) => rpcSinceMs).filter(ms => ms !== null)
    return since.length === 0 ? null : Math.min(...since) + RPC_TIMEOUT_MS
  }

  /** Looks at a piece as it was decrypted. Not to be called again once it has named a fault. */
  push(bytes: Uint8Array, nowMs: number): FrameFault | null {
    let at = 0
    let isStart = false
    while (at < bytes.length) {
      if (this.#lines !== null) {
        const result = this.#lines.read(bytes[at++]!)
        if (result === 'agreed') this.#lines = null
        else if (result !== 'more') return result
        isStart = true
      } else if (this.#bodyBytesLeft > 0) {
        const end = Math.min(bytes.length, at + this.#bodyBytesLeft)
        const fault = this.#look(bytes.subarray(at, end), nowMs)
        if (fault !== null) return fault
        this.#bodyBytesLeft -= end - at
        at = end
      } else {
        this.#header.setUint8(this.#headerBytes++, bytes[at++]!)
        if (this.#headerBytes < HEADER_BYTES) continue
        this.#headerBytes = 0
        isStart = true
        const fault = this.#onHeader(nowMs)
        if (fault !== null) return fault
      }
    }
    // A piece in which a frame's header ends is paid for by the frame.
    return isStart ? null : this.#paySmall(bytes.length, nowMs)
  }

  #onHeader(nowMs: number): FrameFault | null {
    const [version, type] = [this.#header.getUint8(0), this.#header.getUint8(1)]
    const length = this.#header.getUint32(8)
    if (version !== 0) return 'frame-malformed'
    switch (type) {
      case TYPE.data:
        if (length > this.#options.frameBytesMax) return 'frame-too-large'
        return this.#paySmall(length, nowMs) ?? this.#onStreamFrame(length, nowMs)
      case TYPE.windowUpdate:
        if (!this.#take('updates', PRICE_MS.update, nowMs)) return 'too-many-window-updates'
        return this.#onStreamFrame(0, nowMs)
      case TYPE.ping:
      case TYPE.goAway:
        return this.#take('pings', PRICE_MS.ping, nowMs) ? null : 'too-many-pings'
      default:
        return 'frame-malformed'
    }
  }

  #onStreamFrame(bodyBytes: number, nowMs: number): FrameFault | null {
    const flags = this.#header.getUint16(2)
    const id = this.#header.getUint32(4)
    if ((flags & FLAG.syn) !== 0) {
      if (!this.#take('streams', PRICE_MS.stream, nowMs)) return 'too-many-streams'
      // libp2p does not open a stream again that is open.
      if (!this.#streams.has(id)) this.#streams.set(id, new WireStream(false, this.#options))
      if (this.#countOfPeer() > OPEN_STREAMS_MAX) return 'too-many-streams'
    }
    this.#bodyBytesLeft = bodyBytes
    this.#bodyOf = this.#streams.get(id) ?? null
    // libp2p may read what comes after an end of writing, if it has not read all that came before.
    if ((flags & FLAG.fin) !== 0) this.#end(id, 'peer')
    if ((flags & FLAG.rst) === 0) return null
    // Nothing can follow a reset, and libp2p still takes what comes in the same frame.
    this.#streams.delete(id)
    return bodyBytes > 0 ? 'frame-malformed' : null
  }

  #end(id: number, side: 'ours' | 'peer'): void {
    if (this.#streams.get(id)?.end(side) === true) this.#streams.delete(id)
  }

  #countOfPeer(): number {
    return [...this.#streams.values()].filter(({ isOurs }) => !isOurs).length
  }

  #look(bytes: Uint8Array, nowMs: number): FrameFault | null {
    const stream = this.#bodyOf
    const fault = stream?.push(bytes, nowMs, part => this.#onRpcPart(part, nowMs)) ?? null
    if (fault !== null) return fault
    if (stream?.isGossip === true) this.#priceMs += bytes.length * GOSSIP_MS_PER_BYTE
    if (stream?.isUnread === false) return null
    this.#priceMs += bytes.length * MS_PER_BYTE
    return this.#buckets.strays.take(bytes.length, nowMs) ? null : 'too-many-stray-bytes'
  }

  #onRpcPart(part: RpcPart, nowMs: number): 'too-many-rpcs' | null {
    this.#priceMs += RPC_PRICE_MS[part]
    return part !== 'rpc' || this.#buckets.rpcs.take(1, nowMs) ? null : 'too-many-rpcs'
  }

  #paySmall(bytes: number, nowMs: number): FrameFault | null {
    const missing = Math.max(0, 1 - bytes / FRAME_BYTES)
    this.#priceMs += missing * PRICE_MS.small
    return this.#buckets.small.take(missing, nowMs) ? null : 'too-many-small-frames'
  }

  #take(kind: Counted, priceMs: number, nowMs: number): boolean {
    this.#priceMs += priceMs
    return this.#buckets[kind].take(1, nowMs)
  }
}
