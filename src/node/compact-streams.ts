// Streams of the multiplexer that pin no more memory than what came on them.
//
// What comes out of Noise is a view of the buffer that the socket filled (64 KiB), and the multiplexer hands on views of
// that. A stream whose reader waits for more would pin a whole buffer for each byte, and the peer chooses what fills the
// rest of it. So the bytes of a stream are copied wherever they are much smaller than the buffers that hold them.

import { yamux } from '@libp2p/yamux'

type YamuxOptions = NonNullable<Parameters<typeof yamux>[0]>
type MuxerFactory = ReturnType<typeof yamux>

/** Buffers may be this many times as large as the bytes of a stream that they hold. */
const BACKING_RATIO_MAX = 2

interface Stream {
  onData(data: Bytes): void
}

/** Bytes in one piece or several, as libp2p hands them on. */
type Bytes = Uint8Array | (Iterable<Uint8Array> & { readonly byteLength: number; subarray(): Uint8Array })

/** The multiplexer of libp2p with such streams. */
export function compactYamux(options: YamuxOptions): MuxerFactory {
  return () => {
    const factory = yamux(options)()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = connection => {
      const muxer = create(connection)
      // Hidden from types only. It makes the streams of both sides, before a byte can come on them.
      const maker = muxer as unknown as { _newStream(...given: readonly unknown[]): Stream }
      if (typeof maker._newStream !== 'function') throw new TypeError('libp2p has muxers of another kind')
      const make = maker._newStream.bind(muxer)
      maker._newStream = (...given) => compacting(make(...given))
      return muxer
    }
    return factory
  }
}

function compacting(stream: Stream): Stream {
  const read = stream.onData.bind(stream)
  stream.onData = data => read(compact(data))
  return stream
}

/** The same bytes, in memory of their own where their buffers are much larger than they. */
function compact(data: Bytes): Bytes {
  const pieces = data instanceof Uint8Array ? [data] : [...data]
  const buffers = new Set(pieces.map(({ buffer }) => buffer))
  const backingBytes = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (backingBytes <= BACKING_RATIO_MAX * data.byteLength) return data
  // Not a slice of Node's pool, where a byte would pin 8 KiB.
  const copy = new Uint8Array(data.byteLength)
  copy.set(data.subarray())
  return copy
}
