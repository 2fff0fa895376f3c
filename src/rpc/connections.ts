// The connections of the RPC server: how many there are, of which client, and which makes room for another one.
//
// It is one of the address that has most, so that an address can crowd out itself and no other: one that asks for nothing,
// or, where all of them are asking, the one heard of longest ago; to ask costs a client at least half a request. This machine
// is an address like another, but has no limit of its own: behind a local proxy all clients have that one.

import type { Socket } from 'node:net'
import { placeOf } from '../node/network-group.ts'
import type { RpcLimits } from './limits.ts'

/** A client as a connection has it: of this machine each loopback address is one of its own, unlike for its calls. */
interface Connected {
  readonly address: string
  readonly isLimited: boolean
  readonly isAsking: boolean
}

/** All connections of one server. The order of the map is that in which they were last heard of. */
export class Connections {
  readonly #limits: Pick<RpcLimits, 'connectionsMax' | 'connectionsPerAddressMax'>
  readonly #clients = new Map<Socket, Connected>()

  constructor(limits: Pick<RpcLimits, 'connectionsMax' | 'connectionsPerAddressMax'>) {
    this.#limits = limits
  }

  /** Takes a connection in, or ends it or another one. */
  add(socket: Socket): void {
    const host = socket.remoteAddress ?? ''
    const { address, reach } = placeOf({ kind: host.includes(':') ? 'ip6' : 'ip4', host })
    const client = { address, isLimited: reach !== 'loopback', isAsking: false }
    this.#clients.set(socket, client)
    const excess = this.#excess(client)
    if (excess !== null) {
      this.#clients.delete(excess)
      excess.destroy()
    }
    if (excess !== socket) socket.once('close', () => this.#clients.delete(socket))
  }

  /** A request begins or is over. */
  setAsking(socket: Socket, isAsking: boolean): void {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    this.#clients.delete(socket)
    this.#clients.set(socket, { ...client, isAsking })
  }

  /** Which one is too many now that this client came. */
  #excess(newcomer: Connected): Socket | null {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits
    const all = [...this.#clients]
    const own = all.filter(([, { address }]) => address === newcomer.address)
    // The newcomer is the last of them: where all others ask it is the one that asks for nothing.
    if (newcomer.isLimited && own.length > connectionsPerAddressMax) return idlest(own)
    if (all.length <= connectionsMax) return null
    const groups = [...Map.groupBy(all, ([, { address }]) => address).values()]
    return idlest(groups.reduce((most, group) => (group.length > most.length ? group : most), own))
  }
}

/** The one that asks for nothing and was heard of longest ago; where all ask, the one heard of longest ago. */
function idlest(clients: readonly (readonly [Socket, Connected])[]): Socket | null {
  const [socket] = clients.find(([, { isAsking }]) => !isAsking) ?? clients[0] ?? [null]
  return socket
}
