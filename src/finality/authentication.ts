// Which messages of a protocol are believed to come from their sender. Where members sign what they say, the protocol
// checks that itself, whichever peer carries a message. Where nothing is signed only the connection can tell: a peer
// speaks for the validator that it proved to be by its hello (greeting.ts), and for no other.

import type { LogKit, LogTypes } from '../consensus/kit.ts'
import type { PeerId } from './contract.ts'
import type { Members } from './members.ts'

/**
 * Whether a protocol may be given this message of a peer. What names its sender must come from the peer that is bound to
 * that member. What names none, such as a decision that is told, is believed of any validator; only a status is taken from
 * all peers, for it asserts nothing and asks for decisions.
 */
export function isAuthentic(
  message: LogTypes['message'],
  from: PeerId,
  { kit, members }: { readonly kit: LogKit; readonly members: Members },
): boolean {
  if (kit.signed !== null) return true
  const { from: sender, role } = kit.anatomy.message(message)
  if (sender !== null) return members.peerOf(sender) === from
  return role === 'status' || members.isValidator(from)
}
