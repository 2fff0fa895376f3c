// Noise with a bound on what it holds for the other end, and with a guard over what comes out of it.
//
// Streams stop handing bytes down when a connection is full, but a peer may grant them ever more window without
// reading a byte; what they then hand down waits in the encrypted connection, which has no bound of its own.

import { noise } from '@libp2p/noise'
import type { WireGuard } from './wire-guard.ts'

type NoiseFactory = ReturnType<typeof noise>
type Noise = ReturnType<NoiseFactory>
type Connection = Parameters<Noise['secureInbound']>[0]

/**
 * A connection that passes `bytesMax` of unsent bytes is ended, and so is one that the guard finds fault with. One that
 * others opened shakes hands only if it may.
 */
export function boundedNoise(
  bytesMax: number,
  guard: WireGuard,
  mayShakeHands: (raw: Connection) => boolean,
): NoiseFactory {
  return components => {
    const encrypter = noise()(components)
    const bound = async (raw: Connection, securing: ReturnType<Noise['secureInbound']>) => {
      const secured = await securing
      secured.connection.maxWriteBufferLength = bytesMax
      guard.afterNoise(raw, { ...secured, isMultiplexed: secured.streamMuxer !== undefined })
      return secured
    }
    return {
      protocol: encrypter.protocol,
      secureInbound: async (raw, options) => {
        if (!mayShakeHands(raw)) throw new Error('too many handshakes')
        return bound(raw, encrypter.secureInbound(raw, options))
      },
      secureOutbound: (raw, options) => bound(raw, encrypter.secureOutbound(raw, options)),
    }
  }
}
