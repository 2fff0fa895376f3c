// Noise with a bound on what it holds for the other end.
//
// Streams stop handing bytes down when a connection is full, but a peer may grant them ever more window without
// reading a byte; what they then hand down waits in the encrypted connection, which has no bound of its own.

import { noise } from '@libp2p/noise'

type NoiseFactory = ReturnType<typeof noise>
type Noise = ReturnType<NoiseFactory>

/** A connection that passes `bytesMax` of unsent bytes is ended. */
export function boundedNoise(bytesMax: number): NoiseFactory {
  return components => {
    const encrypter = noise()(components)
    const bound = async (securing: ReturnType<Noise['secureInbound']>) => {
      const secured = await securing
      secured.connection.maxWriteBufferLength = bytesMax
      return secured
    }
    return {
      protocol: encrypter.protocol,
      secureInbound: (connection, options) => bound(encrypter.secureInbound(connection, options)),
      secureOutbound: (connection, options) => bound(encrypter.secureOutbound(connection, options)),
    }
  }
}
