// What every node showed and when: its chain as it was seen, and for each transfer the moment at which it came into a
// block there and the moment at which it was final there. The observer feeds it (observer.ts), with the time.
//
// A moment is noted once. So a transfer that a reorganisation takes back keeps the moment at which it had been final,
// and comparing with the chain at the end tells what was reversed.

import type { Hex } from '../../encoding/bytes.ts'
import type { FinalRule } from './variant.ts'

/** A block, as far as it is watched. */
export interface SeenBlock {
  readonly id: Hex
  readonly parent: Hex
  readonly height: number
  /** Ids of its transfers. */
  readonly transfers: readonly Hex[]
}

/** What a node says that it follows. */
export interface SeenHead {
  readonly id: Hex
  /** Height of the last block that the node calls final, null for none. */
  readonly finalHeight: number | null
}

/** When one node first showed a transfer in a block, and as final. */
export interface Sighting {
  readonly includedMs: number
  readonly finalMs: number | null
}

interface NodeView {
  /** Ids by height. */
  chain: Hex[]
  finalHeight: number
  readonly sightings: Map<Hex, { includedMs: number; finalMs: number | null }>
  readonly newBlockMs: number[]
  readonly newFinalMs: number[]
}

/** The timeline of one network. */
export class Timeline {
  readonly #rule: FinalRule
  readonly #blocks = new Map<Hex, SeenBlock>()
  readonly #views: readonly NodeView[]
  readonly #takenBack = new Set<Hex>()
  #deepestReorganisation = 0

  constructor(nodes: number, rule: FinalRule) {
    this.#rule = rule
    this.#views = Array.from({ length: nodes }, () => ({
      chain: [],
      finalHeight: 0,
      sightings: new Map(),
      newBlockMs: [],
      newFinalMs: [],
    }))
  }

  /** Whether this block is known. */
  has(id: Hex): boolean {
    return this.#blocks.has(id)
  }

  /** Makes a block known; its parent comes before the first head above it is seen. */
  add(block: SeenBlock): void {
    this.#blocks.set(block.id, block)
  }

  /** Notes what a node followed at this moment. All blocks down to its chain as it was must be known. */
  see(node: number, head: SeenHead, timeMs: number): void {
    const view = this.#views[node]!
    const fresh = this.#freshBlocks(view, head.id)
    const height = this.#blocks.get(head.id)!.height
    const forkHeight = height - fresh.length
    const left = view.chain.length - 1 - forkHeight
    // A node that was started again may show less of the same chain: nothing is left behind then.
    if (view.chain.length > 0 && fresh.length > 0)
      this.#deepestReorganisation = Math.max(this.#deepestReorganisation, left)
    if (fresh.length > 0) view.newBlockMs.push(timeMs)
    const broken = fresh.length > 0 ? view.chain.slice(forkHeight + 1, view.finalHeight + 1) : []
    for (const id of broken)
      for (const transfer of this.#blocks.get(id)!.transfers) this.#takenBack.add(transfer)
    view.chain = [...view.chain.slice(0, forkHeight + 1), ...fresh.map(({ id }) => id)]
    for (const { transfers } of fresh) {
      for (const id of transfers)
        if (!view.sightings.has(id)) view.sightings.set(id, { includedMs: timeMs, finalMs: null })
    }
    this.#noteFinal(
      view,
      Math.max(0, Math.min(view.finalHeight, forkHeight)),
      this.#finalHeight(head, height),
      timeMs,
    )
  }

  /** When a node first showed a transfer; null when it never did. */
  sighting(node: number, id: Hex): Sighting | null {
    return this.#views[node]!.sightings.get(id) ?? null
  }

  /** When the first of these nodes showed a transfer in a block, and as final; null when none did. */
  earliest(nodes: readonly number[], id: Hex): Sighting | null {
    const seen = nodes.map(node => this.sighting(node, id)).filter(sighting => sighting !== null)
    if (seen.length === 0) return null
    const finals = seen.map(({ finalMs }) => finalMs).filter(time => time !== null)
    return {
      includedMs: Math.min(...seen.map(({ includedMs }) => includedMs)),
      finalMs: finals.length === 0 ? null : Math.min(...finals),
    }
  }

  /** The moments at which one of these nodes showed a new block, and one that was final now. */
  progress(nodes: readonly number[]): { readonly newBlockMs: number[]; readonly newFinalMs: number[] } {
    const views = nodes.map(node => this.#views[node]!)
    return {
      newBlockMs: views.flatMap(({ newBlockMs }) => newBlockMs),
      newFinalMs: views.flatMap(({ newFinalMs }) => newFinalMs),
    }
  }

  /** The transfers that some node once showed as final. */
  everFinal(): Set<Hex> {
    const all = this.#views.flatMap(({ sightings }) => [...sightings])
    return new Set(all.filter(([, { finalMs }]) => finalMs !== null).map(([id]) => id))
  }

  /** The transfers of blocks that a node called final and left all the same; other blocks may have them again. */
  takenBack(): ReadonlySet<Hex> {
    return this.#takenBack
  }

  /** Height of the head that a node showed last; -1 when nothing was seen of it. */
  height(node: number): number {
    return this.#views[node]!.chain.length - 1
  }

  /** The transfers on the chain that a node showed last. */
  transfersOn(node: number): Set<Hex> {
    return new Set(this.#views[node]!.chain.flatMap(id => this.#blocks.get(id)?.transfers ?? []))
  }

  /** Whether the heads that these nodes showed last are all on one chain. */
  isOneChain(nodes: readonly number[]): boolean {
    const chains = nodes.map(node => this.#views[node]!.chain)
    const longest = chains.reduce((best, chain) => (chain.length > best.length ? chain : best))
    return chains.every(chain => chain.length > 0 && longest[chain.length - 1] === chain.at(-1))
  }

  /** Blocks seen that none of these nodes has on its chain. */
  staleBlocks(nodes: readonly number[]): number {
    const kept = new Set(nodes.flatMap(node => this.#views[node]!.chain))
    return [...this.#blocks.keys()].filter(id => !kept.has(id)).length
  }

  /** The most blocks that a node left behind at once, since this was asked last. */
  takeDeepestReorganisation(): number {
    const deepest = this.#deepestReorganisation
    this.#deepestReorganisation = 0
    return deepest
  }

  /** The blocks from the head down to the node's chain as it was, lowest first. */
  #freshBlocks(view: NodeView, head: Hex): SeenBlock[] {
    const fresh: SeenBlock[] = []
    for (let block = this.#blocks.get(head); block !== undefined; block = this.#blocks.get(block.parent)) {
      if (view.chain[block.height] === block.id) break
      fresh.push(block)
    }
    const lowest = fresh.at(-1)
    const isJoined =
      lowest === undefined || lowest.height === 0 || view.chain[lowest.height - 1] === lowest.parent
    if (!isJoined || !this.#blocks.has(head)) throw new Error(`a block below ${head} is not known`)
    return fresh.reverse()
  }

  #finalHeight({ finalHeight }: SeenHead, height: number): number {
    return this.#rule.type === 'depth' ? height - this.#rule.blocks + 1 : (finalHeight ?? 0)
  }

  #noteFinal(view: NodeView, from: number, to: number, timeMs: number): void {
    for (let height = from + 1; height <= Math.min(to, view.chain.length - 1); height++) {
      for (const id of this.#blocks.get(view.chain[height]!)!.transfers) {
        const sighting = view.sightings.get(id)!
        sighting.finalMs ??= timeMs
      }
    }
    if (to > from) view.newFinalMs.push(timeMs)
    view.finalHeight = Math.max(from, to)
  }
}
