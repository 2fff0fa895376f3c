// Which nodes of a cluster are connected. A connection that ends is noticed by each end after a while, and made again
// later; between nodes that are cut off from each other none is made.

import type { PeerId } from '../../replica/effects.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { SimNode } from './sim-node.ts'

/** How long things take where a connection ends, in milliseconds. */
export interface LinkTimes {
  /** Until the node that ended it is told so, and until the other end notices. */
  readonly ownNoticeMs: number
  readonly noticeMs: number
  /** Until the two connect again; null for never. */
  readonly reconnectMs: number | null
}

/** The connections of one cluster. */
export class Links {
  readonly #schedule: Schedule
  readonly #times: LinkTimes
  readonly #nodes: ReadonlyMap<PeerId, SimNode>
  /** The pairs that are connected. */
  readonly #pairs = new Set<string>()
  /** The part of each node while the cluster is cut into parts; empty otherwise. */
  #partOf = new Map<PeerId, number>()

  /** `nodes` may grow. */
  constructor(schedule: Schedule, times: LinkTimes, nodes: ReadonlyMap<PeerId, SimNode>) {
    this.#schedule = schedule
    this.#times = times
    this.#nodes = nodes
  }

  has(a: PeerId, b: PeerId): boolean {
    return this.#pairs.has(pairOf(a, b))
  }

  /** The nodes with which a node is connected. */
  of(id: PeerId): PeerId[] {
    return [...this.#nodes.keys()].filter(other => this.has(id, other))
  }

  /** Connects two nodes, if both are up and nothing cuts them off from each other. */
  connect(a: SimNode, b: SimNode): void {
    const isAllowed = this.#partOf.get(a.id) === this.#partOf.get(b.id)
    if (a === b || !a.isUp || !b.isUp || !isAllowed || this.has(a.id, b.id)) return
    this.#pairs.add(pairOf(a.id, b.id))
    a.input({ type: 'peer-connected', peer: b.id })
    b.input({ type: 'peer-connected', peer: a.id })
  }

  /** Ends a connection for the first of the two nodes; they connect again. */
  disconnect(node: SimNode, peer: SimNode): void {
    if (!this.#break(node, peer)) return
    const { reconnectMs } = this.#times
    if (reconnectMs !== null) this.#schedule.after(reconnectMs, () => this.connect(node, peer))
  }

  /** Ends all connections of a node that is down. */
  drop(node: SimNode): void {
    for (const other of this.#nodes.values())
      if (this.#pairs.delete(pairOf(node.id, other.id))) this.#notify(other, node, this.#times.noticeMs)
  }

  /** Ends all connections of a node; it and its peers notice at once. */
  isolate(node: SimNode): void {
    for (const other of this.#nodes.values()) {
      if (!this.#pairs.delete(pairOf(node.id, other.id))) continue
      node.input({ type: 'peer-disconnected', peer: other.id })
      other.input({ type: 'peer-disconnected', peer: node.id })
    }
  }

  /** Cuts the cluster into parts: connections between them end, and none is made until `heal`. */
  cut(parts: readonly (readonly PeerId[])[]): void {
    this.#partOf = new Map(parts.flatMap((part, number) => part.map(id => [id, number] as const)))
    for (const [a, b] of this.#allPairs())
      if (this.#partOf.get(a.id) !== this.#partOf.get(b.id)) this.#break(a, b)
  }

  /** Ends the cut: nodes reconnect. */
  heal(): void {
    this.#partOf = new Map()
    for (const [a, b] of this.#allPairs())
      this.#schedule.after(this.#times.reconnectMs ?? 0, () => this.connect(a, b))
  }

  #break(node: SimNode, peer: SimNode): boolean {
    if (!this.#pairs.delete(pairOf(node.id, peer.id))) return false
    // Never from within the step that asked for it.
    this.#notify(node, peer, this.#times.ownNoticeMs)
    this.#notify(peer, node, this.#times.noticeMs)
    return true
  }

  #notify(node: SimNode, { id: peer }: SimNode, afterMs: number): void {
    this.#schedule.after(afterMs, () => node.input({ type: 'peer-disconnected', peer }))
  }

  #allPairs(): (readonly [SimNode, SimNode])[] {
    const nodes = [...this.#nodes.values()]
    return nodes.flatMap((a, index) => nodes.slice(index + 1).map(b => [a, b] as const))
  }
}

function pairOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`
}
