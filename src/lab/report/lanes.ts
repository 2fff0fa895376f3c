// Lanes for drawing a tree of blocks over time: the branch that survives in lane 0, every fork in a lane of its own beside
// it, and as few lanes as that takes.
//
// A branch is a path of blocks. Where several stale blocks stand on one, the branch goes on with the one whose
// descendants last longest, so that what forks from it ends while it still holds its lane. Then branches are intervals of
// time, and giving each the lowest lane that is free, by when they begin, needs no more lanes than there are branches at
// the busiest moment (J. Kleinberg and É. Tardos, "Algorithm Design", 2005, section 4.1).

/** What has to be known of a block to give it a lane. */
export interface LaneBlock {
  readonly id: string
  /** Null for the first block of all. */
  readonly parent: string | null
  readonly firstSeenMs: number
  /** Whether it is on no chain in the end. */
  readonly isStale: boolean
}

/** Blocks one after the other in one lane. */
interface Branch {
  readonly ids: readonly string[]
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The lane of each block, by its id; 0 for the branch that survives. Blocks come in any order, each parent among them,
 * none seen before its parent. Where several branches survive the one that was seen last has lane 0.
 */
export function assignLanes(blocks: readonly LaneBlock[]): ReadonlyMap<string, number> {
  const tree = new Tree(blocks)
  const lanes = new Map<string, number>()
  /** When each lane from 1 up was last used. */
  const usedUntilMs: number[] = []
  const [trunk, ...forks] = tree.branches()
  for (const id of trunk?.ids ?? []) lanes.set(id, 0)
  for (const { ids, fromMs, toMs } of forks.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const free = usedUntilMs.findIndex(untilMs => untilMs < fromMs)
    const index = free === -1 ? usedUntilMs.length : free
    usedUntilMs[index] = toMs
    for (const id of ids) lanes.set(id, index + 1)
  }
  return lanes
}

class Tree {
  readonly #roots: readonly LaneBlock[]
  readonly #children = new Map<string, LaneBlock[]>()
  /** When the last block that survives, and the last of all, was seen among each block and its descendants. */
  readonly #ends = new Map<string, { survivesMs: number; lastMs: number }>()

  constructor(blocks: readonly LaneBlock[]) {
    const ordered = blocks.toSorted((a, b) => a.firstSeenMs - b.firstSeenMs)
    this.#roots = ordered.filter(({ parent }) => parent === null)
    for (const block of ordered) {
      if (block.parent === null) continue
      this.#children.set(block.parent, [...(this.#children.get(block.parent) ?? []), block])
    }
    for (const root of this.#roots) this.#measure(root)
  }

  /** All branches, the one that survives first. */
  branches(): Branch[] {
    const branches: Branch[] = []
    const beginnings = [...this.#roots]
    for (let first = beginnings.shift(); first !== undefined; first = beginnings.shift()) {
      const path: LaneBlock[] = []
      for (let block: LaneBlock | undefined = first; block !== undefined; ) {
        path.push(block)
        const [next, ...others]: LaneBlock[] = this.#childrenOf(block)
        beginnings.push(...others)
        block = next
      }
      branches.push({
        ids: path.map(({ id }) => id),
        fromMs: first.firstSeenMs,
        toMs: path.at(-1)!.firstSeenMs,
      })
    }
    return branches
  }

  /** The one with which the branch goes on comes first: what survives before what does not, then what lasts longest. */
  #childrenOf({ id }: LaneBlock): LaneBlock[] {
    const ends = ({ id }: LaneBlock) => this.#ends.get(id)!
    return (this.#children.get(id) ?? []).toSorted(
      (a, b) => compare(ends(b).survivesMs, ends(a).survivesMs) || compare(ends(b).lastMs, ends(a).lastMs),
    )
  }

  #measure(root: LaneBlock): void {
    const downward = [root]
    for (const block of downward) downward.push(...(this.#children.get(block.id) ?? []))
    for (const block of downward.toReversed()) {
      const below = (this.#children.get(block.id) ?? []).map(({ id }) => this.#ends.get(id)!)
      const own = block.isStale ? Number.NEGATIVE_INFINITY : block.firstSeenMs
      this.#ends.set(block.id, {
        survivesMs: Math.max(own, ...below.map(({ survivesMs }) => survivesMs)),
        lastMs: Math.max(block.firstSeenMs, ...below.map(({ lastMs }) => lastMs)),
      })
    }
  }
}

/** Negative, zero or positive, of infinities too, whose difference is no number. */
function compare(a: number, b: number): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
