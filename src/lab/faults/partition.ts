// Which nodes can't reach which while a network is partitioned: each kind of partition as a relation between two nodes.
// Several may hold at a time, and then a message has to pass them all.

import type { PeerId } from '../../replica/effects.ts'
import type { FaultEvent } from './fault-events.ts'

/** Whether messages from one do not reach the other. */
export type Apart = (from: PeerId, to: PeerId) => boolean

/** A fault that parts the network. */
export type Partition = Extract<FaultEvent, { type: 'cut' | 'bridge' | 'mute' | 'ring' }>

/** The relation that holds while such a fault lasts. */
export function apartIn(partition: Partition): Apart {
  switch (partition.type) {
    case 'cut':
      return (from, to) => partition.side.includes(from) !== partition.side.includes(to)
    case 'bridge': {
      const { side, node } = partition
      return (from, to) => from !== node && to !== node && side.includes(from) !== side.includes(to)
    }
    case 'mute':
      return (from, to) => partition.side.includes(from) && !partition.side.includes(to)
    case 'ring':
      return apartInRing(partition.ring)
  }
}

/** Each node reaches its nearest in the ring, on both sides so many that they form a majority with it (Jepsen's majorities-ring). */
function apartInRing(ring: readonly PeerId[]): Apart {
  const reach = Math.floor((Math.floor(ring.length / 2) + 1) / 2)
  const places = new Map(ring.map((id, place) => [id, place]))
  return (from, to) => {
    const [a, b] = [places.get(from), places.get(to)]
    if (a === undefined || b === undefined) return false
    const steps = Math.abs(a - b)
    return Math.min(steps, ring.length - steps) > reach
  }
}
