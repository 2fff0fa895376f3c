// Forgery: statements that their member never signed. With each vote of its own it sends one in another member's name, one
// with a broken signature, and certificates that prove nothing.

import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import type { Certificate } from '../../../consensus/pbft/votes.ts'
import { tell } from './audience.ts'
import type { Lie, LieContext } from './lie.ts'

/** Sends unsigned messages before those that it signed itself. */
export function forge({ n, self, audience }: LieContext): Lie {
  return {
    say: said => [...tell(audience.others, ...forgeries(said.message, n, self)), said],
  }
}

function forgeries(message: PbftMessage, n: number, self: number): PbftMessage[] {
  if (message.type !== 'prepare' && message.type !== 'commit') return []
  const { sequence, view, value } = message
  const signature = message.signature.map((byte, index) => (index === 7 ? byte ^ 1 : byte))
  const signatures = Array.from({ length: n }, (_, member) => ({ member, signature: message.signature }))
  const certificate: Certificate = { phase: 'commit', sequence, view, value, signatures }
  return [
    { ...message, from: (self + 1) % n },
    { ...message, signature },
    { type: 'proof', certificate },
    { type: 'proof', certificate: { ...certificate, signatures: signatures.slice(0, 1) } },
  ]
}
