// The bytes that the server holds for its clients: incomplete bodies, and answers that are being made or are not read
// yet. They cost their senders little and this node memory.
//
// When there are too many, the oldest of the address that holds most is dropped. So an address evicts its own bytes
// first. Programs on this machine have room of their own, which remote clients can not take.

import type { Socket } from 'node:net'
import type { Client } from './client-address.ts'

/** How much is held at most. Each is more than the largest request and its answer have together. */
export interface HeldLimits {
  /** Bytes for one address of another machine. */
  readonly addressBytesMax: number
  /** Bytes for all other machines together. */
  readonly strangersBytesMax: number
  /** Bytes for all programs on this machine. */
  readonly localBytesMax: number
}

interface Held {
  readonly socket: Pick<Socket, 'destroy' | 'destroyed'>
  readonly client: Client
  readonly bytes: number
}

/** What one server holds. */
export class HeldBytes {
  readonly #limits: HeldLimits
  /** In the order in which they began to be held. */
  readonly #held = new Map<Held['socket'], Held>()

  constructor(limits: HeldLimits) {
    this.#limits = limits
  }

  /** So many bytes are held for a connection now. Cuts off connections, maybe this one, where that is too many. */
  hold(socket: Held['socket'], client: Client, bytes: number): void {
    if (socket.destroyed) return
    this.#held.set(socket, { socket, client, bytes })
    const { addressBytesMax, strangersBytesMax, localBytesMax } = this.#limits
    this.#bound(({ key }) => key === client.key, client.isLocal ? localBytesMax : addressBytesMax)
    if (!client.isLocal) this.#bound(({ isLocal }) => !isLocal, strangersBytesMax)
  }

  /** Nothing is held for a connection any more. */
  release(socket: Held['socket']): void {
    this.#held.delete(socket)
  }

  #bound(isCounted: (client: Client) => boolean, bytesMax: number): void {
    for (;;) {
      const counted = [...this.#held.values()].filter(({ client }) => isCounted(client))
      if (bytesOf(counted) <= bytesMax) return
      const addresses = [...Map.groupBy(counted, ({ client }) => client.key).values()]
      const most = addresses.reduce((most, held) => (bytesOf(held) > bytesOf(most) ? held : most))
      const { socket } = most.find(({ bytes }) => bytes > 0)!
      this.#held.delete(socket)
      socket.destroy()
    }
  }
}

function bytesOf(held: readonly Held[]): number {
  return held.reduce((sum, { bytes }) => sum + bytes, 0)
}
