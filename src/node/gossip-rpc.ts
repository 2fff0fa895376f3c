// What is in the RPCs of gossip, read beside gossipsub and before it (libp2p's pubsub specification, rpc.proto).
//
// gossipsub decodes an RPC whole and then does something for each of its entries, all in one turn of the event loop, so an
// RPC costs what is in it. This walks through the fields as they arrive, holds none of their content, and reports each, so
// that they can be priced. It must never be laxer than gossipsub's own decoder, which reads known fields by their expected
// type and ignores the wire type that they name; so other wire types are refused here.

/** Entries of each kind in one RPC; gossipsub refuses those that hold more. Honest nodes gossip blocks, and one topic. */
export const RPC_LIMITS = {
  maxSubscriptions: 8,
  maxMessages: 32,
  maxControlMessages: 16,
  maxIhaveMessageIDs: 1_000,
  maxIwantMessageIDs: 1_000,
  maxIdontwantMessageIDs: 100,
  maxPeerInfos: 16,
} as const

/** What an RPC is made of: itself, its messages, what gossipsub says for itself, and the fields of all of them. */
export type RpcPart = 'rpc' | 'message' | 'control' | 'field'

/** Why a stream of RPCs is refused. */
export type RpcFault = 'rpc-empty' | 'rpc-malformed' | 'rpc-too-large' | 'rpc-signed' | 'too-many-rpcs'

/** Takes what comes: each part as it begins, and answers with a fault when there are too many. */
export type OnRpcPart = (part: RpcPart) => RpcFault | null

/** Bytes of a varint at most. Four hold 256 MiB, more than any RPC has; another reader may leave out what is beyond 32 bits. */
const VARINT_BYTES_MAX = { length: 4, tag: 5, number: 10, 'field-length': 5 } as const
const UINT32_MAX = 0xffff_ffff
const WIRE = { varint: 0, bytes: 2 } as const

/** A field: what it counts as, and the fields in it. */
interface Field {
  readonly wire: 0 | 2
  readonly part: RpcPart | RpcFault
  readonly fields?: ReadonlyMap<number, Field>
}

const BYTES: Field = { wire: WIRE.bytes, part: 'field' }
const NUMBER: Field = { wire: WIRE.varint, part: 'field' }
/** Messages are unsigned, and do not name their author. */
const SIGNED: Field = { wire: WIRE.bytes, part: 'rpc-signed' }
const fieldsOf = (...fields: readonly Field[]) => new Map(fields.map((field, index) => [index + 1, field]))
const nested = (part: RpcPart, ...fields: readonly Field[]): Field => ({
  wire: WIRE.bytes,
  part,
  fields: fieldsOf(...fields),
})

const RPC = fieldsOf(
  nested('control', NUMBER, BYTES),
  nested('message', SIGNED, BYTES, SIGNED, BYTES, SIGNED, SIGNED),
  nested(
    'field',
    nested('control', BYTES, BYTES),
    nested('control', BYTES),
    nested('control', BYTES),
    nested('control', BYTES, nested('control', BYTES, BYTES), NUMBER),
    nested('control', BYTES),
  ),
)

/** What is being read: the fields of something, of which so many bytes are still to come. */
interface Level {
  readonly fields: ReadonlyMap<number, Field>
  bytesLeft: number
}

/** Reads the RPCs of one stream. */
export class RpcReader {
  readonly #bytesMax: number
  /** The RPC and what is nested in it; empty between RPCs. */
  readonly #levels: Level[] = []
  /** What the next bytes are: a varint, or content to skip. */
  #state: keyof typeof VARINT_BYTES_MAX = 'length'
  #field: Field = BYTES
  #varint = 0
  #varintBytes = 0
  #skipBytes = 0

  /** `bytesMax` is for one RPC. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether an RPC has begun that is not whole yet. */
  get isInside(): boolean {
    return this.#levels.length > 0 || this.#varintBytes > 0
  }

  /** Reads what came. Not to be called again once it has named a fault. */
  push(bytes: Uint8Array, onPart: OnRpcPart): RpcFault | null {
    let at = 0
    while (at < bytes.length) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at)
        this.#skipBytes -= skipped
        at += skipped
      } else {
        const fault = this.#readByte(bytes[at++]!, onPart)
        if (fault !== null) return fault
      }
      // What a field holds was taken from all levels when it began, so what is left of one is left for its fields.
      if (this.#skipBytes === 0) this.#leave()
    }
    return null
  }

  #readByte(byte: number, onPart: OnRpcPart): RpcFault | null {
    const level = this.#levels.at(-1)
    if (level !== undefined && --level.bytesLeft < 0) return 'rpc-malformed'
    this.#varint += (byte & 0x7f) * 128 ** this.#varintBytes++
    if (byte >= 0x80) return this.#varintBytes < VARINT_BYTES_MAX[this.#state] ? null : 'rpc-malformed'
    const value = this.#varint
    this.#varint = 0
    this.#varintBytes = 0
    switch (this.#state) {
      case 'length':
        return this.#onLength(value, onPart)
      case 'tag':
        return this.#onTag(value, onPart)
      case 'number':
        this.#state = 'tag'
        return null
      case 'field-length':
        return this.#onFieldLength(value)
    }
  }

  #onLength(length: number, onPart: OnRpcPart): RpcFault | null {
    if (length === 0) return 'rpc-empty'
    if (length > this.#bytesMax) return 'rpc-too-large'
    this.#levels.push({ fields: RPC, bytesLeft: length })
    this.#state = 'tag'
    return onPart('rpc')
  }

  #onTag(tag: number, onPart: OnRpcPart): RpcFault | null {
    if (tag > UINT32_MAX) return 'rpc-malformed'
    const wire = tag % 8
    const known = this.#levels.at(-1)!.fields.get(Math.floor(tag / 8))
    if (known === undefined && wire !== WIRE.varint && wire !== WIRE.bytes) return 'rpc-malformed'
    if (known !== undefined && known.wire !== wire) return 'rpc-malformed'
    this.#field = known ?? (wire === WIRE.varint ? NUMBER : BYTES)
    this.#state = this.#field.wire === WIRE.varint ? 'number' : 'field-length'
    const { part } = this.#field
    return part === 'rpc' || part === 'message' || part === 'control' || part === 'field'
      ? onPart(part)
      : part
  }

  #onFieldLength(length: number): RpcFault | null {
    const level = this.#levels.at(-1)!
    if (length > level.bytesLeft) return 'rpc-malformed'
    level.bytesLeft -= length
    const { fields } = this.#field
    if (fields === undefined) this.#skipBytes = length
    else this.#levels.push({ fields, bytesLeft: length })
    this.#state = 'tag'
    return null
  }

  /** Leaves what is whole. */
  #leave(): void {
    while (this.#state === 'tag' && this.#varintBytes === 0 && this.#levels.at(-1)?.bytesLeft === 0)
      this.#levels.pop()
    if (this.#levels.length === 0) this.#state = 'length'
  }
}
