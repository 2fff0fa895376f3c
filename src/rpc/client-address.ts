// Who a client is: the address at the other end of its connection. What a header says of it is not believed. An IPv6
// address stands for its /64, which is the least that anybody is given.

import { isLoopback } from './access.ts'

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
export function clientOf(remoteAddress: string | undefined): Client {
  const address = (remoteAddress ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '')
  if (isLoopback(address)) return { key: THIS_MACHINE, isLocal: true }
  return { key: address.includes(':') ? networkOf(address) : address, isLocal: false }
}

/** The first 64 bits of an IPv6 address. */
function networkOf(address: string): string {
  const [before = '', after] = address.replace(/%.*$/, '').split('::')
  const groups = (text: string): string[] => text.split(':').filter(group => group !== '')
  const left = groups(before)
  const right = groups(after ?? '')
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`
}
