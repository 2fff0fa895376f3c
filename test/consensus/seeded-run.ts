// A run that a seed names: a bad network for a while, with or without liars, then a good one, in which everything that
// is wanted must be decided in few views. What the suites of conformance share.

import assert from 'node:assert/strict'
import type { LogTypes } from '../../src/consensus/kit.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import { type LiarMaker, type Maker, Network, type NetworkOptions, type Weather } from './network.ts'
import { Random } from './random.ts'

export const TIMEOUT_MS = 1000
export const GOAL = 6

/** Ways to lie, by name. */
export type Liars<T extends LogTypes> = ReadonlyMap<string, LiarMaker<T['message'], T['statement']>>

/** How long decisions may take once all is well: each takes at most f failed views before a good one. */
export function patienceMs(f: number, decisions: number, timeoutMs: number): number {
  return (f + 2) * decisions * 2 * timeoutMs + 12 * timeoutMs
}

/** A network of these members, with the goal and the timeout of the suites. */
export function networkOf<T extends LogTypes>(
  maker: Maker<T>,
  options: Partial<NetworkOptions<T>> & Pick<NetworkOptions<T>, 'n'>,
): Network<T> {
  return new Network<T>({ maker, seed: 1, goal: GOAL, timeoutMs: TIMEOUT_MS, ...options })
}

/** Runs a seed; in most runs with liars, where there are ways to lie, up to f members do. */
export function runSeed<T extends LogTypes>(
  maker: Maker<T>,
  {
    sizes,
    liars,
    seed,
  }: { readonly sizes: readonly number[]; readonly liars: Liars<T>; readonly seed: number },
): Network<T> {
  const random = new Random(seed)
  const n = sizes[seed % sizes.length]!
  const f = maker.kit.model.tolerated(n)
  const names = [...liars.keys()]
  const liar = names.length === 0 ? null : random.pick(names)
  const lying = new Map<MemberIndex, LiarMaker<T['message'], T['statement']>>()
  if (liar !== null && f > 0 && random.chance(0.8))
    for (let count = 1 + random.below(f); count > 0; count--) lying.set(random.below(n), liars.get(liar)!)
  const weather: Weather = {
    drop: random.pick([0, 0.05, 0.3]),
    double: random.pick([0, 0.2]),
    delayMs: random.pick([
      [1, 30],
      [1, 400],
      [1, 3000],
    ]),
    crash: random.pick([0, 0.02, 0.1]),
    cut: random.pick([0, 0.1, 0.3]),
    lag: random.pick([0, 0, 0.3]),
  }
  const pipeline = random.pick([1, 1, 2, 3])
  const followers = seed % 3 === 0 ? 1 : 0
  const run = networkOf(maker, { n, seed, weather, liars: lying, pipeline, followers })
  run.runUntil(() => false, random.pick([4, 10, 25]) * TIMEOUT_MS)
  run.heal()
  const healedMs = run.nowMs
  const view = highestView(run)
  const slowest = Math.max(
    TIMEOUT_MS,
    ...run.honest.map(({ copies }) => copies[0]!.protocol?.state.timeoutMs ?? 0),
  )
  run.want(GOAL + 3)
  const isDone = run.runUntil(() => run.haveDecided(GOAL + 3), healedMs + patienceMs(f, GOAL + 3, slowest))
  assert.ok(isDone, `seed ${seed}: n ${n} ${liar} ${[...lying.keys()]} does not decide after it healed`)
  const views = highestView(run) - view
  assert.ok(views <= (f + 2) * (GOAL + 3) + 4, `seed ${seed}: ${views} views after it healed`)
  return run
}

/** What happened in the runs of several seeds. */
export function runSeeds<T extends LogTypes>(
  maker: Maker<T>,
  {
    seeds,
    ...options
  }: { readonly sizes: readonly number[]; readonly liars: Liars<T>; readonly seeds: number },
): { readonly decisions: number; readonly views: number; readonly seen: ReadonlySet<string> } {
  let decisions = 0
  let views = 0
  const seen = new Set<string>()
  for (let seed = 1; seed <= seeds; seed++) {
    const run = runSeed(maker, { ...options, seed })
    decisions += run.oracle.decided.size
    views += highestView(run)
    for (const type of run.seen.keys()) seen.add(type)
  }
  return { decisions, views, seen }
}

function highestView<T extends LogTypes>(run: Network<T>): number {
  return Math.max(...run.honest.map(({ index }) => run.view(index)))
}
