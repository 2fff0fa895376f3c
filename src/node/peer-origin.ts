// How a peer came to be connected, for the part of the replica that remembers failures: by whom the connection was opened,
// and what other identities of the same owner would share. Keys are free and addresses are not: an owner has an IPv4 address
// or the /64 of an IPv6 one. On this machine everybody has the same, so there each peer stands for itself.

import type { PeerOrigin } from '../replica/claims.ts'
import type { PeerInfo } from './host.ts'
import { parsePeerAddress } from './peer-address.ts'

/** Bits of an IPv6 address that name a network, as groups of 16. */
const NETWORK_WORDS = 4

/** Where a connected peer comes from. */
export function originOf({ id, address, direction }: PeerInfo): PeerOrigin {
  return { isOutbound: direction === 'outbound', group: networkOf(address) ?? id }
}

/** The network of an address; null where it says nothing of its owner. */
function networkOf(address: string): string | null {
  const parsed = parsePeerAddress(address)
  if (parsed === null) return null
  const { kind, host } = parsed
  if (kind === 'ip4') return host.startsWith('127.') ? null : host
  if (kind !== 'ip6' || host === '::1') return null
  const [head = '', tail = ''] = host.split('::')
  const [first, last] = [head, tail].map(part => (part === '' ? [] : part.split(':')))
  const zeros = host.includes('::') ? new Array<string>(8 - first!.length - last!.length).fill('0') : []
  return [...first!, ...zeros, ...last!].slice(0, NETWORK_WORDS).join(':')
}
