// Frames of the multiplexer and lines of multistream-select, as a peer could send them.

export const TYPE = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const
export const FLAG = { syn: 1, ack: 2, fin: 4, rst: 8 } as const

/** The header of a frame. */
export function frame(type: number, flags: number, id: number, length: number): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt8(type, 1)
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(id, 4)
  header.writeUInt32BE(length, 8)
  return header
}

/** A frame that carries this on a stream. */
export function dataFrame(id: number, body: Uint8Array): Buffer {
  return Buffer.concat([frame(TYPE.data, 0, id, body.length), body])
}

/** A line that names a protocol. */
export function line(protocol: string): Buffer {
  return Buffer.concat([Buffer.of(protocol.length + 1), Buffer.from(`${protocol}\n`)])
}
