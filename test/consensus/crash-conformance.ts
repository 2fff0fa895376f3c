// What a log protocol must do whose members only crash, besides what every one must: n = 2f + 1 of them go on without f,
// whichever those are and whenever they stop, and no member is accused.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogTypes } from '../../src/consensus/kit.ts'
import type { Maker } from './network.ts'
import { GOAL, networkOf, patienceMs, runSeeds, TIMEOUT_MS } from './seeded-run.ts'

export interface CrashOptions {
  readonly faults: readonly number[]
  readonly seeds: number
}

/** Runs the suite for protocols that tolerate crashes only. */
export function describeCrash<T extends LogTypes>(maker: Maker<T>, { faults, seeds }: CrashOptions): void {
  const { name, model, signed } = maker.kit

  describe(`${name}: crashes`, () => {
    test('n = 2f + 1 members tolerate f crashes, and sign nothing', () => {
      assert.equal(model.faults, 'crash')
      for (const f of [1, 2, 3]) assert.equal(model.tolerated(2 * f + 1), f)
      for (let n = 1; n <= 10; n++) assert.ok(2 * model.quorum(n) > n)
      assert.equal(signed, null)
    })

    for (const f of faults)
      test(`${2 * f + 1} members go on when ${f} of them stop for good, whichever and whenever`, () => {
        const n = 2 * f + 1
        for (let first = 0; first < n; first++)
          for (const atMs of [0, 15, 45, 400]) {
            const run = networkOf(maker, { n, seed: 1 + first })
            run.runUntil(() => false, atMs)
            const stopped = Array.from({ length: f }, (_, index) => (first + index) % n)
            for (const index of stopped) run.crash(index)
            const others = run.nodes.filter(({ index }) => !stopped.includes(index))
            const isDone = (): boolean => others.every(({ copies }) => copies[0]!.decisions.length >= GOAL)
            const untilMs = atMs + patienceMs(f, GOAL, TIMEOUT_MS)
            assert.ok(run.runUntil(isDone, untilMs), `without ${stopped} from ${atMs} ms`)
          }
      })

    test('a member that knows of votes that it forgot counts for no majority: it only follows', () => {
      const run = networkOf(maker, { n: 3, seed: 1 })
      for (const index of [0, 2]) run.crash(index)
      run.restart(0, { forgotten: { sequence: 1, view: 1 } })
      assert.ok(!run.runUntil(() => run.nodes.some(({ copies }) => copies[0]!.decisions.length > 0), 20_000))
      run.restart(2)
      assert.ok(run.runUntil(() => run.haveDecided(), run.nowMs + patienceMs(1, GOAL, TIMEOUT_MS)))
    })

    test(`no member is accused and no message is refused, for ${seeds} seeds`, () => {
      const { seen } = runSeeds(maker, { sizes: [2, 3, 4, 5, 7], liars: new Map(), seeds })
      for (const type of ['evidence', 'refuse', 'conflict', 'diverged'])
        assert.ok(!seen.has(type), `seen: ${type}`)
    })
  })
}
