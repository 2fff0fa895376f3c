// Simulated networks for measuring theory: nodes that mine in virtual time, watched from inside. When a block was found
// and when each other node had it is seen as it happens, so that a delay is measured and not assumed.

import type { Hex } from '../../encoding/bytes.ts'
import { HYBRID } from '../../finality/modes/hybrid.ts'
import { LONGEST_CHAIN } from '../../finality/modes/longest-chain.ts'
import { chooseBackend } from '../../signatures/choose-backend.ts'
import { SimulatedNetwork } from '../stage/simulated-network.ts'
import { BLOCK_MS, variantNamed } from '../stage/variant.ts'
import { Schedule } from '../virtual/schedule.ts'

/** Nodes of each network; all mine. */
export const NODES = 4
/** Heights in one network: its chain is kept in memory. */
const HEIGHTS_MAX = 500
/** Heights at the end of a network that some node may not know of yet. */
const UNSETTLED = 10

/** What was seen of heights at one delay. */
export interface Forks {
  readonly latencyMs: number
  readonly heights: number
  /** Heights at which two nodes found a block. */
  readonly contested: number
  /** Blocks that were found beside the first of their height. */
  readonly stale: number
  /** Milliseconds from the finding of a block until another node had it, on average. */
  readonly delayMs: number
}

/** A block as it spreads. */
interface Spread {
  readonly height: number
  readonly foundMs: number
  readonly known: Set<number>
}

/** Mines so many heights, in networks of a few hundred each. */
export async function measureForks({
  latencyMs,
  heights,
  seed,
}: {
  readonly latencyMs: number
  readonly heights: number
  readonly seed: number
}): Promise<Forks> {
  const spreads: Spread[][] = []
  const delays = { sumMs: 0, count: 0 }
  for (let left = heights; left > 0; left -= HEIGHTS_MAX) {
    const options = { latencyMs, heights: Math.min(left, HEIGHTS_MAX), seed: seed + spreads.length }
    spreads.push(
      await mine(options, delayMs => {
        delays.sumMs += delayMs
        delays.count += 1
      }),
    )
  }
  let [seen, contested, stale] = [0, 0, 0]
  for (const blocks of spreads) {
    const counts = new Map<number, number>()
    for (const { height } of blocks) counts.set(height, (counts.get(height) ?? 0) + 1)
    const settled = [...counts].filter(([height]) => height <= counts.size - UNSETTLED)
    seen += settled.length
    contested += settled.filter(([, count]) => count > 1).length
    stale += settled.reduce((sum, [, count]) => sum + count - 1, 0)
  }
  return { latencyMs, heights: seen, contested, stale, delayMs: delays.sumMs / delays.count }
}

/** One network, and every block that was found in it. */
async function mine(
  { latencyMs, heights, seed }: { latencyMs: number; heights: number; seed: number },
  onArrival: (delayMs: number) => void,
): Promise<Spread[]> {
  const schedule = new Schedule()
  const blocks = new Map<Hex, Spread>()
  const spreading = new Map<Hex, Spread>()
  const network = new SimulatedNetwork({
    variant: variantNamed(LONGEST_CHAIN.name),
    nodes: NODES,
    seed,
    funded: [],
    latencyMs,
    backend: await chooseBackend(),
    schedule,
    afterStep: node => {
      const { head } = network.replica(node)!.tree
      const { id, height } = head.chained
      // A node that finds a block follows it in the same step, so its finder is the first node that has it.
      if (height > 0 && !blocks.has(id)) {
        const spread = { height, foundMs: schedule.nowMs, known: new Set([node]) }
        blocks.set(id, spread)
        spreading.set(id, spread)
      }
      for (const [id, { foundMs, known }] of spreading) {
        if (known.has(node) || !network.replica(node)!.tree.has(id)) continue
        onArrival(schedule.nowMs - foundMs)
        if (known.add(node).size === NODES) spreading.delete(id)
      }
    },
    onEffect: () => {},
  })
  network.start()
  while (Math.max(0, ...[...blocks.values()].slice(-NODES).map(({ height }) => height)) < heights + UNSETTLED)
    if (!schedule.advance()) throw new Error('nothing is left to happen')
  return [...blocks.values()]
}

/** How far finality was behind the head in one network of the hybrid mode. */
export interface Lags {
  readonly depth: number
  readonly interval: number
  /** Blocks between head and last final one whenever a block became final: with all up, and with f of them dead. */
  readonly allUp: readonly number[]
  readonly someDead: readonly number[]
  /** With one dead more: by how much the head and the last final block rose. */
  readonly tooManyDead: { readonly mined: number; readonly final: number }
}

/** Milliseconds until a network has settled after what was done to it. */
const SETTLE_MS = 5_000
const LAN_MS = 3

/** Runs the hybrid mode with all nodes up, then with f, then with f + 1 of its four nodes dead, for so long each. */
export async function measureLags({
  seed,
  partMs,
}: {
  readonly seed: number
  readonly partMs: number
}): Promise<Lags> {
  const variant = variantNamed(HYBRID.name)
  const { depth, interval } = variant.finality([])
  const schedule = new Schedule()
  let lags: number[] = []
  const network = new SimulatedNetwork({
    variant,
    nodes: NODES,
    seed,
    funded: [],
    latencyMs: LAN_MS,
    backend: await chooseBackend(),
    schedule,
    afterStep: () => {},
    onEffect: (node, effect) => {
      if (effect.type === 'final') lags.push(network.replica(node)!.tree.head.chained.height - effect.height)
    },
  })
  const runFor = (ms: number): number[] => {
    const endMs = schedule.nowMs + ms
    lags = []
    while (schedule.nowMs < endMs) schedule.advance()
    return lags
  }
  const heights = (): { head: number; final: number } => {
    const { head, base } = network.replica(0)!.tree
    return { head: head.chained.height, final: base.chained.height }
  }
  network.start()
  runFor(SETTLE_MS)
  const allUp = runFor(partMs)
  network.kill(NODES - 1)
  runFor(SETTLE_MS)
  const someDead = runFor(partMs)
  network.kill(NODES - 2)
  runFor(SETTLE_MS)
  const before = heights()
  runFor(partMs)
  const after = heights()
  const tooManyDead = { mined: after.head - before.head, final: after.final - before.final }
  return { depth: Number(depth), interval: Number(interval), allUp, someDead, tooManyDead }
}

/** The part of the interval between two blocks that a block takes to another node. */
export function ratioOf({ delayMs }: Forks): number {
  return delayMs / BLOCK_MS
}
