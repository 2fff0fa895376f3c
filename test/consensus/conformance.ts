// What every agreement protocol must do, as one suite: agree and go on without faults, with all of them, and with a
// crash at every single place; do nothing wrong where too many are silent; and show that the oracle can find what is
// wrong where too many lie.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MemberIndex } from '../../src/consensus/process.ts'
import { silent } from './liars.ts'
import { FAIR, type LiarMaker, type Maker, Network, type NetworkOptions, type Weather } from './network.ts'
import { Random } from './random.ts'

export interface ConformanceOptions<Message, Statement> {
  /** How many of n members may fail in any way. */
  readonly faults: (n: number) => number
  readonly sizes: readonly number[]
  readonly seeds: number
  /** Ways to lie, by name, that are borne. */
  readonly liars: ReadonlyMap<string, LiarMaker<Message, Statement>>
  /** f + 1 of these at n = 4 can make two honest members decide differently. */
  readonly colluding: LiarMaker<Message, Statement>
}

const TIMEOUT_MS = 1000
const GOAL = 6

/** How long decisions may take once all is well: each takes at most f failed views before an honest one. */
function patienceMs(f: number, decisions: number, timeoutMs: number): number {
  return (f + 2) * decisions * 2 * timeoutMs + 12 * timeoutMs
}

/** Runs the suite. */
export function describeProtocol<Message extends { readonly type: string }, Record, Statement>(
  name: string,
  maker: Maker<Message, Record, Statement>,
  { faults, sizes, seeds, liars, colluding }: ConformanceOptions<Message, Statement>,
): void {
  type Options = NetworkOptions<Message, Record, Statement>
  const network = (options: Partial<Options> & Pick<Options, 'n'>) =>
    new Network<Message, Record, Statement>({ maker, seed: 1, goal: GOAL, timeoutMs: TIMEOUT_MS, ...options })

  /** A bad network for a while, then a good one: everything wanted must be decided, in few views. */
  const runSeed = (seed: number): { network: Network<Message, Record, Statement>; liar: string } => {
    const random = new Random(seed)
    const n = sizes[seed % sizes.length]!
    const f = faults(n)
    const liar = random.pick([...liars.keys()])
    const lying = new Map<MemberIndex, LiarMaker<Message, Statement>>()
    if (f > 0 && random.chance(0.8))
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
    const run = network({ n, seed, weather, liars: lying, pipeline, followers: seed % 3 === 0 ? 1 : 0 })
    run.runUntil(() => false, random.pick([4, 10, 25]) * TIMEOUT_MS)
    run.heal()
    const healedMs = run.nowMs
    const view = Math.max(...run.honest.map(({ index }) => run.view(index)))
    const slowest = Math.max(TIMEOUT_MS, ...run.honest.map(({ copies }) => timeoutOf(copies[0]!.protocol)))
    run.want(GOAL + 3)
    const isDone = run.runUntil(() => run.haveDecided(GOAL + 3), healedMs + patienceMs(f, GOAL + 3, slowest))
    assert.ok(isDone, `seed ${seed}: n ${n} ${liar} ${[...lying.keys()]} does not decide after it healed`)
    const last = Math.max(...run.honest.map(({ index }) => run.view(index)))
    const views = (f + 2) * (GOAL + 3) + 4
    assert.ok(last - view <= views, `seed ${seed}: ${last - view} views after it healed`)
    return { network: run, liar }
  }

  describe(name, () => {
    for (const n of sizes)
      test(`${n} members agree on all that is wanted when nothing fails`, () => {
        const run = network({ n, followers: 1 })
        assert.ok(run.runUntil(() => run.haveDecided(), 20 * TIMEOUT_MS))
        for (const { index } of run.nodes) assert.equal(run.view(index), 0)
      })

    test(`agreement, and progress after all has healed, for ${seeds} seeds`, () => {
      let decisions = 0
      let views = 0
      const seen = new Set<string>()
      for (let seed = 1; seed <= seeds; seed++) {
        const { network: run } = runSeed(seed)
        decisions += run.oracle.decided.size
        views += Math.max(...run.honest.map(({ index }) => run.view(index)))
        for (const type of run.seen.keys()) seen.add(type)
      }
      assert.ok(decisions >= seeds * GOAL)
      // The runs are worth something only if all of this happened in some of them.
      assert.ok(views > seeds)
      for (const type of ['behind', 'missing', 'evidence', 'refuse', 'reply', 'clear-timer'])
        assert.ok(seen.has(type), `never seen: ${type}`)
    })

    test('a seed names a run', () => {
      const [first, second] = [runSeed(7), runSeed(7)]
      assert.deepEqual([...first.network.decidedAtMs], [...second.network.decidedAtMs])
      assert.deepEqual([...first.network.counts], [...second.network.counts])
    })

    for (const [liar, make] of liars)
      test(`f members who lie in this way do no harm: ${liar}`, () => {
        for (const n of sizes.filter(size => faults(size) > 0)) {
          const lying = Array.from({ length: faults(n) }, (_, index) => [(index * 2 + 1) % n, make] as const)
          const run = network({ n, seed: n, liars: new Map(lying), goal: 2 * n })
          const untilMs = patienceMs(faults(n), 2 * n, TIMEOUT_MS)
          assert.ok(
            run.runUntil(() => run.haveDecided(), untilMs),
            `n ${n}`,
          )
        }
      })

    test('a crash between any two effects contradicts nothing and stops nothing', () => {
      // Once with all well, and once with a first proposer who is silent, so that views change.
      for (const [pipeline, lying] of [
        [1, []],
        [2, []],
        [1, [1]],
        [2, [1]],
      ] as const)
        for (const node of [0, 2]) {
          const liars = new Map(lying.map(member => [member, silent] as const))
          const goal = lying.length > 0 ? 3 : 4
          const whole = network({ n: 4, pipeline, liars, goal, crashAt: { node, effect: -1 } })
          assert.ok(whole.runUntil(() => whole.haveDecided(), 30 * TIMEOUT_MS))
          assert.ok(whole.effects > 30)
          for (let effect = 0; effect < whole.effects; effect++) {
            const run = network({ n: 4, pipeline, liars, goal, crashAt: { node, effect } })
            assert.ok(
              run.runUntil(() => run.haveDecided(), 60 * TIMEOUT_MS),
              `crash of ${node} at ${effect}, pipeline ${pipeline}, silent ${lying}`,
            )
          }
        }
    })

    test('all crash at once, at any time, and go on from what they have on disk', () => {
      for (let atMs = 5; atMs < 400; atMs += 10) {
        const run = network({ n: 4, seed: atMs, weather: { ...FAIR, delayMs: [1, 40] } })
        run.runUntil(() => false, atMs)
        for (const { index } of run.nodes) run.crash(index)
        for (const { index } of run.nodes) run.restart(index)
        assert.ok(
          run.runUntil(() => run.haveDecided(), atMs + 30 * TIMEOUT_MS),
          `${atMs}`,
        )
      }
    })

    test('f + 1 silent members: nothing new is decided, and nothing is wrong', () => {
      for (const n of sizes) {
        const lying = Array.from({ length: faults(n) + 1 }, (_, member) => [member, silent] as const)
        const run = network({ n, liars: new Map(lying) })
        run.runUntil(() => false, 100 * TIMEOUT_MS)
        assert.equal(run.oracle.decided.size, 0)
      }
    })

    test('cut in halves nobody decides; healed all do', () => {
      const run = network({ n: 6 })
      run.cut([0, 1, 2])
      run.runUntil(() => false, 20 * TIMEOUT_MS)
      assert.equal(run.oracle.decided.size, 0)
      run.heal()
      assert.ok(run.runUntil(() => run.haveDecided(), run.nowMs + patienceMs(1, GOAL, 16 * TIMEOUT_MS)))
    })

    test('f + 1 colluding members make the oracle find two decisions, and can be named', () => {
      const violations: string[] = []
      const found = Array.from({ length: 20 }, (_, index) => {
        const members: MemberIndex[] = [0, 1]
        const run = network({
          n: 4,
          seed: index + 1,
          goal: 1,
          isBlind: true,
          liars: new Map(members.map(member => [member, colluding] as const)),
        })
        run.runUntil(() => run.conflicts.length > 0, 30 * TIMEOUT_MS)
        violations.push(...run.violations.map(({ rule }) => rule))
        const twice = run.conflicts.map(({ first, second }) => {
          const signers = new Set(first.signatures.map(({ member }) => member))
          return second.signatures.filter(({ member }) => signers.has(member)).map(({ member }) => member)
        })
        return new Set([...twice.flat(), ...run.evidence.map(({ member }) => member)])
      })
      const named = found.filter(members => members.has(0) && members.has(1))
      assert.ok(violations.includes('S1'))
      assert.ok(named.length > 0)
      for (const members of found) assert.ok([...members].every(member => member < 2))
    })
  })
}

/** How long a protocol waits now, where it tells. */
function timeoutOf(protocol: unknown): number {
  const { state } = (protocol ?? {}) as { state?: { timeoutMs?: number } }
  return state?.timeoutMs ?? 0
}
