// The connections of the RPC server: how many there are, of which client, and which makes room for another one.
//
// A new connection is always accepted. If that is one too many, a connection of the largest provider group is closed, and
// within it one of the address that has most: one address or provider evicts its own, and a client with many addresses can't
// keep others from connecting. Among those, the idle connection with the oldest activity is closed; activity costs a client
// at least half a request. Some of the places are for this machine only. It has no
// other limit of its own: behind a local proxy all clients have its address.

import type { Socket } from 'node:net'
import { placeOf } from '../defence/network-group.ts'
import { THIS_MACHINE } from './client-address.ts'
import type { RpcLimits } from './limits.ts'

/** One of so many places is for this machine only. */
const RESERVED_SHARE = 8
/** Milliseconds for which a connection that asks for nothing may be about to ask. */
const FRESH_MS = 1_000

/** Addresses of this machine that are one, as for calls; each of the other loopback addresses is one of its own. */
const LOCAL_HOSTS = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

interface Connected {
  readonly socket: Socket
  readonly address: string
  readonly group: string
  readonly isLimited: boolean
  readonly isAsking: boolean
  /** When it connected, or when its last request began or ended. */
  readonly heardMs: number
}

/** All connections of one server. The map is in the order of their last activity. */
export class Connections {
  readonly #limits: Pick<RpcLimits, 'connectionsMax' | 'connectionsPerAddressMax'>
  readonly #clients = new Map<Socket, Connected>()
  readonly #now: () => number

  /** `now` gives milliseconds of a clock that never steps back. */
  constructor(
    limits: Pick<RpcLimits, 'connectionsMax' | 'connectionsPerAddressMax'>,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits
    this.#now = now
  }

  /** Takes a connection in, and ends another one where that is one too many. */
  add(socket: Socket): void {
    const origin = originOf(socket.remoteAddress)
    const newcomer: Connected = { socket, ...origin, isAsking: false, heardMs: this.#now() }
    const excess = this.#excess(newcomer)
    this.#clients.set(socket, newcomer)
    socket.once('close', () => this.#clients.delete(socket))
    if (excess === null) return
    this.#clients.delete(excess.socket)
    excess.socket.destroy()
  }

  /** A request begins or is over. */
  setAsking(socket: Socket, isAsking: boolean): void {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    this.#clients.delete(socket)
    this.#clients.set(socket, { ...client, isAsking, heardMs: this.#now() })
  }

  /** Which of the others is too many when this one comes. */
  #excess(newcomer: Connected): Connected | null {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits
    const { address, isLimited } = newcomer
    const all = [...this.#clients.values(), newcomer]
    const own = isLimited ? all.filter(other => other.address === address) : []
    if (own.length > connectionsPerAddressMax) return this.#idlest(own, newcomer)
    const strangers = all.filter(({ group }) => group !== THIS_MACHINE)
    const strangersMax = connectionsMax - Math.floor(connectionsMax / RESERVED_SHARE)
    const isCrowded = strangers.length > strangersMax
    if (!isCrowded && all.length <= connectionsMax) return null
    const ofGroups = mostNumerous(isCrowded ? strangers : all, ({ group }) => group)
    return this.#idlest(
      mostNumerous(ofGroups, other => other.address),
      newcomer,
    )
  }

  /**
   * The idle connection with the oldest activity, unless that is so recent that a request may be on its way: then, and if none
   * is idle, the connection with the oldest activity. Never the newcomer.
   */
  #idlest(clients: readonly Connected[], newcomer: Connected): Connected | null {
    const others = clients.filter(client => client !== newcomer)
    const nowMs = this.#now()
    const idle = others.find(({ isAsking, heardMs }) => !isAsking && nowMs - heardMs >= FRESH_MS)
    return idle ?? others[0] ?? null
  }
}

function originOf(host = ''): Pick<Connected, 'address' | 'group' | 'isLimited'> {
  if (LOCAL_HOSTS.has(host)) return { address: THIS_MACHINE, group: THIS_MACHINE, isLimited: false }
  const { address, group, reach } = placeOf({ kind: host.includes(':') ? 'ip6' : 'ip4', host })
  return { address, group, isLimited: reach !== 'loopback' }
}

/** The members of the key that has most, of one key or of several, in their order. */
function mostNumerous(clients: readonly Connected[], keyOf: (client: Connected) => string): Connected[] {
  const counts = new Map<string, number>()
  for (const client of clients) counts.set(keyOf(client), (counts.get(keyOf(client)) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return clients.filter(client => counts.get(keyOf(client)) === most)
}
