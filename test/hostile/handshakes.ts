// Strangers that never come as far as a place: they connect and leave, or begin a handshake of Noise and leave.

import { once } from 'node:events'
import { connect } from 'node:net'
import { line } from '../node/wire-frames.ts'
import type { Attack } from './attack.ts'
import type { Attacker } from './attacker.ts'
import { STRANGERS_ADDRESS } from './stranger.ts'

/** Connections at once: each is followed by another one soon, and so there are more each second than a node shakes hands. */
const AT_ONCE = 8
/** The address of all honest peers of a test. */
const HONEST_ADDRESS = '127.0.0.1'
/** Asks for Noise, and begins with a key. */
const FIRST_BYTES = Buffer.concat([
  line('/multistream/1.0.0'),
  line('/noise'),
  Buffer.from([0, 32]),
  Buffer.alloc(32, 9),
])

/** What they do. */
export const handshakes: readonly Attack[] = [
  {
    name: 'connects from the address of honest peers and leaves at once, without end',
    covers: ['handshake'],
    run: attacker => knocking(attacker, { from: HONEST_ADDRESS, bytes: null }),
  },
  {
    name: 'begins handshakes without end',
    covers: ['handshake'],
    run: attacker => knocking(attacker, { from: STRANGERS_ADDRESS, bytes: FIRST_BYTES }),
  },
]

async function knocking(
  attacker: Attacker,
  { from, bytes }: { readonly from: string; readonly bytes: Uint8Array | null },
): Promise<void> {
  const [, , host, , port] = attacker.target.address.split('/')
  const one = async () => {
    while (!attacker.isOver) {
      const socket = connect({ port: Number(port), host: host!, localAddress: from })
      const end = () => socket.destroy()
      attacker.signal.addEventListener('abort', end, { once: true })
      const closed = once(socket, 'close').catch(() => {})
      socket.on('error', () => {})
      socket.on('connect', () => {
        attacker.spend({ connections: 1, bytesSent: bytes?.length ?? 0 })
        if (bytes === null) socket.destroy()
        else socket.resume().write(bytes)
      })
      await closed
      attacker.signal.removeEventListener('abort', end)
      await attacker.pause(50)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}
