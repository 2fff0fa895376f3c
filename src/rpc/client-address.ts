// What identifies a client: the address at the other end of its connection. Headers that claim another address are
// ignored. An IPv6 address stands for its /64, the smallest block that one customer gets.

import { isIPv4, isIPv6 } from 'node:net'
import { placeOf } from '../defence/network-group.ts'

/** A client, as far as its limits go. */
export interface Client {
  /** Names the address. */
  readonly key: string
  /** Whether it is a program on this machine. */
  readonly isLocal: boolean
}

/** Names all programs on this machine. */
export const THIS_MACHINE = 'this machine'

/** The client at the address that a socket names. */
export function clientOf(remoteAddress = ''): Client {
  if (!isIPv4(remoteAddress) && !isIPv6(remoteAddress)) return { key: remoteAddress, isLocal: false }
  const { address, reach } = placeOf({ kind: isIPv4(remoteAddress) ? 'ip4' : 'ip6', host: remoteAddress })
  return reach === 'loopback' ? { key: THIS_MACHINE, isLocal: true } : { key: address, isLocal: false }
}
