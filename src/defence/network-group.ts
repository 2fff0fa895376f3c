// The owner of an address, as far as the address tells it: connections and the address book are limited per owner, since
// keys are free and addresses are not.
//
// One site has an IPv4 address or an IPv6 /64; one provider has an IPv4 /16 or an IPv6 /32, as in Bitcoin Core's
// netgroup.cpp. IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4, Teredo) count as what they are. In private
// networks, which outsiders can not use, a group is a /24 or a /64. All host names are one group, since anyone can have
// any number of them.

import { BlockList, isIPv6 } from 'node:net'
import type { Multiaddr } from '@multiformats/multiaddr'

/** An IP address, or a name. */
export interface HostAddress {
  readonly kind: string
  readonly host: string
}

/** From where an address can be reached: this machine, its local network, or everywhere. */
export type Reach = 'loopback' | 'private' | 'public'

/** Where in the network an address is. */
export interface Place {
  /** What one site has: an IPv4 address, or an IPv6 /64. */
  readonly address: string
  /** What one provider has. */
  readonly group: string
  readonly reach: Reach
}

/** Names the group of an address. */
export type GroupOf = (address: HostAddress & { readonly port: number }) => string

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** RFC 1918, RFC 3927, RFC 6598, and of IPv6 RFC 4193 and RFC 4291. */
const PRIVATE = new BlockList()
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, prefix, 'ipv4')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/** Where an address is. */
export function placeOf({ kind, host }: HostAddress): Place {
  if (kind === 'ip4') return placeOfIPv4(host)
  if (kind === 'ip6') return placeOfIPv6(host)
  const isLocal = host === 'localhost' || host.endsWith('.localhost')
  return { address: `name ${host}`, group: 'names', reach: isLocal ? 'loopback' : 'public' }
}

/** Where the other end of a connection is. */
export function placeOfMultiaddr(multiaddr: Multiaddr): Place {
  const ip = multiaddr.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')
  const host = ip?.value ?? ''
  if (ip?.name === 'ip4') return placeOfIPv4(host)
  return isIPv6(host) ? placeOfIPv6(host) : { address: 'unknown', group: 'names', reach: 'public' }
}

/** Groups for what we choose ourselves; each loopback address and port is its own unless loopback is limited too. */
export function groupWith(limitLoopback: boolean): GroupOf {
  return address => {
    const { group, reach } = placeOf(address)
    return reach === 'loopback' && !limitLoopback ? `${address.host} ${address.port}` : group
  }
}

function placeOfIPv4(host: string): Place {
  const bytes = host.split('.')
  const reach = LOOPBACK.check(host, 'ipv4') ? 'loopback' : PRIVATE.check(host, 'ipv4') ? 'private' : 'public'
  return { address: host, group: bytes.slice(0, reach === 'private' ? 3 : 2).join('.'), reach }
}

function placeOfIPv6(host: string): Place {
  const words = wordsOf(host)
  const inner = innerIPv4(words)
  if (inner !== null) return placeOfIPv4(inner)
  const reach = LOOPBACK.check(host, 'ipv6') ? 'loopback' : PRIVATE.check(host, 'ipv6') ? 'private' : 'public'
  const prefix = (count: number): string => `${words.slice(0, count).map(hex).join(':')}::`
  return { address: prefix(4), group: prefix(reach === 'private' ? 4 : 2), reach }
}

/** The eight words of an IPv6 address. */
function wordsOf(host: string): number[] {
  // As RFC 5952 writes it: no dots are left.
  const text = new URL(`http://[${host.split('%')[0]}]`).hostname.slice(1, -1)
  const [head = '', tail = ''] = text.split('::')
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map(word => parseInt(word, 16))
  const [first, last] = [read(head), read(tail)]
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
}

/** The IPv4 address that an IPv6 one stands for: mapped (RFC 4291), NAT64 (6052), 6to4 (3056) or Teredo (4380). */
function innerIPv4(words: readonly number[]): string | null {
  const startsWith = (...prefix: number[]): boolean => prefix.every((word, index) => words[index] === word)
  const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.')
  if (startsWith(0, 0, 0, 0, 0, 0xffff)) return dotted(words[6], words[7])
  if (startsWith(0x64, 0xff9b, 0, 0, 0, 0)) return dotted(words[6], words[7])
  if (startsWith(0x2002)) return dotted(words[1], words[2])
  if (startsWith(0x2001, 0)) return dotted((words[6] ?? 0) ^ 0xffff, (words[7] ?? 0) ^ 0xffff)
  return null
}

function hex(word: number): string {
  return word.toString(16)
}
