// What every log protocol must do, whatever it tolerates, as one suite: agree on what was proposed, and go on without
// faults, after a bad network has healed, and after a crash at every single place; and do nothing wrong where too many
// are silent. The suites for liars and for crashes alone are byzantine-conformance.ts and crash-conformance.ts.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogTypes } from '../../src/consensus/kit.ts'
import { silent } from './liars.ts'
import { FAIR, type Maker } from './network.ts'
import { GOAL, networkOf, patienceMs, runSeed, runSeeds, TIMEOUT_MS } from './seeded-run.ts'

export interface ConformanceOptions {
  readonly sizes: readonly number[]
  readonly seeds: number
  /** The highest view, ballot or epoch that a run without faults may come to. */
  readonly calmView: number
  /** What one member does for three or four decisions, in effects: a run that crashes at each says less otherwise. */
  readonly effectsMin: number
}

/** Runs the suite for every log protocol. */
export function describeProtocol<T extends LogTypes>(
  maker: Maker<T>,
  { sizes, seeds, calmView, effectsMin }: ConformanceOptions,
): void {
  const { name, model } = maker.kit
  const network = (options: Parameters<typeof networkOf<T>>[1]) => networkOf(maker, options)
  /** The least committee that goes on without one of its members. */
  const smallest = sizes.find(n => model.tolerated(n) === 1)!

  describe(`${name}: every protocol`, () => {
    for (const n of sizes)
      test(`${n} members agree on all that is wanted when nothing fails`, () => {
        const run = network({ n, followers: 1 })
        assert.ok(run.runUntil(() => run.haveDecided(), 20 * TIMEOUT_MS))
        for (const { index } of run.nodes) assert.ok(run.view(index) <= calmView)
      })

    test(`agreement on what was proposed, and progress after all has healed, for ${seeds} seeds`, () => {
      const { decisions, views, seen } = runSeeds(maker, { sizes, liars: new Map(), seeds })
      assert.ok(decisions >= seeds * GOAL)
      // The runs are worth something only if all of this happened in some of them.
      assert.ok(views > seeds / 2, `${views} views`)
      for (const type of ['behind', 'missing', 'set-timer', 'clear-timer'])
        assert.ok(seen.has(type), `never seen: ${type}`)
    })

    test('a seed names a run', () => {
      const [first, second] = [1, 2].map(() => runSeed(maker, { sizes, liars: new Map(), seed: 7 }))
      assert.deepEqual([...first!.decidedAtMs], [...second!.decidedAtMs])
      assert.deepEqual([...first!.counts], [...second!.counts])
      const snapshots = [first!, second!].map(({ nodes }) =>
        nodes.map(node => node.copies[0]!.protocol?.snapshot),
      )
      assert.deepEqual(snapshots[0], snapshots[1])
    })

    test('a crash between any two effects contradicts nothing and stops nothing', () => {
      // Once with all well, and once with a first proposer that is silent, so that views change.
      for (const [pipeline, lying] of [
        [1, []],
        [2, []],
        [1, [1]],
        [2, [1]],
      ] as const)
        for (const node of [0, 2]) {
          const liars = new Map(lying.map(member => [member, silent] as const))
          const goal = lying.length > 0 ? 3 : 4
          const options = { n: smallest, pipeline, liars, goal }
          const whole = network({ ...options, crashAt: { node, effect: -1 } })
          assert.ok(whole.runUntil(() => whole.haveDecided(), 30 * TIMEOUT_MS))
          assert.ok(whole.effects > effectsMin)
          for (let effect = 0; effect < whole.effects; effect++) {
            const run = network({ ...options, crashAt: { node, effect } })
            assert.ok(
              run.runUntil(() => run.haveDecided(), 60 * TIMEOUT_MS),
              `crash of ${node} at ${effect}, pipeline ${pipeline}, silent ${lying}`,
            )
          }
        }
    })

    test('all crash at once, at any time, and go on from what they have on disk', () => {
      for (let atMs = 5; atMs < 400; atMs += 10) {
        const run = network({ n: smallest, seed: atMs, weather: { ...FAIR, delayMs: [1, 40] } })
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
        const count = model.tolerated(n) + 1
        const run = network({
          n,
          liars: new Map(Array.from({ length: count }, (_, member) => [member, silent])),
        })
        run.runUntil(() => false, 100 * TIMEOUT_MS)
        assert.equal(run.oracle.decided.size, 0)
      }
    })

    test('cut in halves no member decides; healed all do', () => {
      const run = network({ n: 6 })
      run.cut([0, 1, 2])
      run.runUntil(() => false, 20 * TIMEOUT_MS)
      assert.equal(run.oracle.decided.size, 0)
      run.heal()
      const f = model.tolerated(6)
      assert.ok(run.runUntil(() => run.haveDecided(), run.nowMs + patienceMs(f, GOAL, 16 * TIMEOUT_MS)))
    })
  })
}
