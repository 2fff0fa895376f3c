// Where a peer can be reached: a host, a TCP port and, where it is known, the id of the peer that is expected there.
//
// Addresses come from strangers (identify, multicast DNS) and from files that may be damaged. libp2p's multiaddr is
// wider than what is dialled here, and its text does not say what its bytes say: the one component dns4 of the name
// `a/foo` is printed as two, which can't be parsed again. So an address is taken apart once, where it comes in, into a
// form that has one spelling: parsing what is printed gives the same address (peer-address.test.ts). All that can't
// be taken apart so is refused: relays, other transports, and names that are no host names (RFC 1123, 2.1).

import { isIPv4, isIPv6 } from 'node:net'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../replica/effects.ts'

/** The kinds of host: an IP address, or a name that is looked up for addresses of either or of one family. */
const HOST_KINDS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6'] as const
/** The kinds of address at which a node can listen. */
const IP_KINDS = ['ip4', 'ip6'] as const
type HostKind = (typeof HOST_KINDS)[number]

/** A place at which a peer may be dialled, or at which this node listens. */
export interface PeerAddress {
  readonly kind: HostKind
  /** In its one spelling: lower case, and IPv6 as RFC 5952 writes it. */
  readonly host: string
  /** A TCP port; 0 only where a node listens, for any that is free. */
  readonly port: number
  /** The id of the peer that is expected there; null for any. */
  readonly peer: PeerId | null
}

/** What a person gave as an address is none. */
export class InvalidAddress extends Error {
  override name = 'InvalidAddress'

  constructor(text: string, reason: string) {
    super(`${JSON.stringify(text.slice(0, 100))} is not an address such as ${EXAMPLE}: ${reason}`)
  }
}

const EXAMPLE = '/ip4/192.0.2.1/tcp/30303'
/** Characters of an address at most: more than the longest host name and peer id take. */
const TEXT_LENGTH_MAX = 512
const HOST_NAME_LENGTH_MAX = 253
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** Letters, digits and inner hyphens. What ends in a number would be taken for an IP address, as 127.1 and 0x7f are. */
const HOST_NAME = new RegExp(`^(?:${LABEL}\\.)*(?!(?:\\d+|0x[0-9a-f]*)$)${LABEL}$`)
const PORT = /^(?:0|[1-9][0-9]{0,4})$/
const PORT_MAX = 65_535
/** What an address may be at which a peer is dialled. */
const DIALLED = { kinds: HOST_KINDS, portMin: 1 } as const

/** The address of a peer that this text is; null when it is none. */
export function parsePeerAddress(text: string): PeerAddress | null {
  const address = readParts(splitText(text))
  return typeof address === 'string' ? null : address
}

/** The address that a multiaddr stands for, component by component; null when it is more or less than one. */
export function peerAddressOf(multiaddr: Multiaddr): PeerAddress | null {
  const address = readParts(multiaddr.getComponents().flatMap(({ name, value = '' }) => [name, value]))
  return typeof address === 'string' ? null : address
}

/** The address of a peer that a person gave. Throws `InvalidAddress`. */
export function readPeerAddress(text: string): PeerAddress {
  const address = readParts(splitText(text))
  if (typeof address === 'string') throw new InvalidAddress(text, address)
  return address
}

/** The address that a person wants this node to listen at: of an interface of this machine. Throws `InvalidAddress`. */
export function readListenAddress(text: string): PeerAddress {
  const address = readParts(splitText(text), { kinds: IP_KINDS, portMin: 0 })
  if (typeof address === 'string') throw new InvalidAddress(text, address)
  if (address.peer !== null)
    throw new InvalidAddress(text, 'a node listens under its own id, which is not given')
  return address
}

/** The one spelling of an address, as a multiaddr. */
export function printPeerAddress({ kind, host, port, peer }: PeerAddress): string {
  return `/${kind}/${host}/tcp/${port}${peer === null ? '' : `/p2p/${peer}`}`
}

/** A peer id in its one spelling; null when the text is none. */
export function parsePeerId(text: string): PeerId | null {
  try {
    return peerIdFromString(text).toString()
  } catch {
    return null
  }
}

function splitText(text: string): readonly string[] {
  return text.length <= TEXT_LENGTH_MAX && text.startsWith('/') ? text.slice(1).split('/') : []
}

/** The address in names of protocols and their values, by turns, or why there is none. */
function readParts(
  parts: readonly string[],
  { kinds, portMin }: { readonly kinds: readonly HostKind[]; readonly portMin: number } = DIALLED,
): PeerAddress | string {
  const [given = '', name = '', tcp = '', portText = '', ...rest] = parts
  const kind = kinds.find(known => known === given)
  if (kind === undefined) return `it must begin with one of ${kinds.map(known => `/${known}`).join(', ')}`
  const host = readHost(kind, name)
  if (host === null)
    return kind.startsWith('dns') ? 'its name is not a host name' : `its host is not an ${kind} address`
  if (tcp !== 'tcp') return 'after the host come /tcp and a port, for only TCP is spoken'
  const port = PORT.test(portText) ? Number(portText) : Number.NaN
  if (!(port >= portMin && port <= PORT_MAX)) return `its port is not from ${portMin} to ${PORT_MAX}`
  if (rest.length === 0) return { kind, host, port, peer: null }
  const [p2p, id = '', ...more] = rest
  if (p2p !== 'p2p' || more.length > 0) return 'nothing but /p2p and a peer id may come after the port'
  const peer = parsePeerId(id)
  return peer === null ? 'its peer id is none' : { kind, host, port, peer }
}

/** The host in its one spelling, or null. */
function readHost(kind: HostKind, text: string): string | null {
  if (kind === 'ip4') return isIPv4(text) ? text : null
  // A zone names an interface of one machine, and means nothing on another.
  if (kind === 'ip6') return isIPv6(text) && !text.includes('%') ? shortestIPv6(text) : null
  const name = text.toLowerCase()
  return name.length <= HOST_NAME_LENGTH_MAX && HOST_NAME.test(name) ? name : null
}

/** As RFC 5952 writes it, which is how hosts of URLs are written. */
function shortestIPv6(text: string): string {
  const { hostname } = new URL(`http://[${text}]`)
  return hostname.slice(1, -1)
}
