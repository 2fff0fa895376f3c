// What went wrong in a run, one thing at a time, as data: a run keeps the list of what its seed brought about, and a list
// can be given instead of the seed's, whole or in part (see shrink.ts). A time is in milliseconds of the run.

import type { PeerId } from '../../replica/effects.ts'

/** One fault. */
export type FaultEvent =
  /** These reach no other node, and no other node reaches them. */
  | { readonly type: 'cut'; readonly atMs: number; readonly forMs: number; readonly side: readonly PeerId[] }
  /** The same, but for one node that reaches all, and is reached by all. */
  | {
      readonly type: 'bridge'
      readonly atMs: number
      readonly forMs: number
      readonly side: readonly PeerId[]
      readonly node: PeerId
    }
  /** What these send to any other node is lost; they receive everything. */
  | { readonly type: 'mute'; readonly atMs: number; readonly forMs: number; readonly side: readonly PeerId[] }
  /** Each node reaches only its neighbours in a ring: a majority, but no two reach the same one. */
  | { readonly type: 'ring'; readonly atMs: number; readonly forMs: number; readonly ring: readonly PeerId[] }
  /** What one says to another waits until the link is open again. */
  | {
      readonly type: 'clog'
      readonly atMs: number
      readonly forMs: number
      readonly from: PeerId
      readonly to: PeerId
    }
  /** The node crashes after so many more effects, and stays down for so long. */
  | {
      readonly type: 'crash'
      readonly atMs: number
      readonly node: PeerId
      readonly effects: number
      readonly downMs: number
    }
  /** The same right after the node's so many-th vote, the first being 1. */
  | {
      readonly type: 'vote-crash'
      readonly vote: number
      readonly node: PeerId
      readonly effects: number
      readonly downMs: number
    }
  /** From now on the node's disk loses its votes, the first time at a crash after so many effects. */
  | {
      readonly type: 'amnesia'
      readonly atMs: number
      readonly node: PeerId
      readonly effects: number
      readonly downMs: number
    }
  /** The node does nothing for so long, and then goes on as if nothing had been. */
  | { readonly type: 'pause'; readonly atMs: number; readonly forMs: number; readonly node: PeerId }
  /** The node's clock jumps to so much off the right time. */
  | { readonly type: 'clock'; readonly atMs: number; readonly node: PeerId; readonly offsetMs: number }
  /** The node's clock stands still for so long, and is right again afterwards. */
  | { readonly type: 'clock-stop'; readonly atMs: number; readonly forMs: number; readonly node: PeerId }
  /** For so long every sync of the node's disk fails, and with it the node. */
  | {
      readonly type: 'disk-failure'
      readonly atMs: number
      readonly forMs: number
      readonly node: PeerId
      readonly downMs: number
    }
  /**
   * The node crashes now, and one bit of a record on its disk flips: of the record that stands at this share of all of
   * them, from 0 up to, not including, 1.
   */
  | {
      readonly type: 'bit-rot'
      readonly atMs: number
      readonly node: PeerId
      readonly share: number
      readonly bit: number
      readonly downMs: number
    }
  /** The node crashes now, and its disk is empty, or as it was at its last start. */
  | {
      readonly type: 'disk-loss'
      readonly atMs: number
      readonly node: PeerId
      readonly isEmpty: boolean
      readonly downMs: number
    }

/** Whether a fault can happen where only these nodes are: a ring needs all of its nodes, a side one of them. */
export function isAmong(event: FaultEvent, nodes: ReadonlySet<PeerId>): boolean {
  const isThere = (id: PeerId): boolean => nodes.has(id)
  if ('side' in event && !event.side.some(isThere)) return false
  if ('ring' in event && !event.ring.every(isThere)) return false
  if ('from' in event && !(isThere(event.from) && isThere(event.to))) return false
  return !('node' in event) || isThere(event.node)
}

/** The same fault with other names for the nodes. */
export function renamed(event: FaultEvent, name: (node: PeerId) => PeerId): FaultEvent {
  return {
    ...event,
    ...('side' in event && { side: event.side.map(name) }),
    ...('ring' in event && { ring: event.ring.map(name) }),
    ...('from' in event && { from: name(event.from), to: name(event.to) }),
    ...('node' in event && { node: name(event.node) }),
  }
}

/** A fault in one line. */
export function describeFault(event: FaultEvent): string {
  const when = 'atMs' in event ? `at ${Math.round(event.atMs)} ms` : `at vote ${event.vote}`
  switch (event.type) {
    case 'cut':
    case 'mute':
      return `${when} ${event.type} ${event.side.join(' ')} for ${Math.round(event.forMs)} ms`
    case 'bridge':
      return `${when} cut ${event.side.join(' ')} off but for ${event.node} for ${Math.round(event.forMs)} ms`
    case 'ring':
      return `${when} ring of majorities ${event.ring.join(' ')} for ${Math.round(event.forMs)} ms`
    case 'clog':
      return `${when} clog ${event.from} to ${event.to} for ${Math.round(event.forMs)} ms`
    case 'crash':
    case 'vote-crash':
    case 'amnesia':
      return `${when} ${event.type} ${event.node} after ${event.effects} effects, down ${Math.round(event.downMs)} ms`
    case 'pause':
      return `${when} pause ${event.node} for ${Math.round(event.forMs)} ms`
    case 'clock':
      return `${when} clock of ${event.node} to ${Math.round(event.offsetMs)} ms off`
    case 'clock-stop':
      return `${when} clock of ${event.node} stands still for ${Math.round(event.forMs)} ms`
    case 'disk-failure':
      return `${when} disk of ${event.node} fails for ${Math.round(event.forMs)} ms, down ${Math.round(event.downMs)} ms`
    case 'bit-rot':
      return `${when} a bit of the disk of ${event.node} flips, down ${Math.round(event.downMs)} ms`
    case 'disk-loss':
      return `${when} ${event.isEmpty ? 'empty' : 'old'} disk for ${event.node}, down ${Math.round(event.downMs)} ms`
  }
}
