// What a log protocol must do whose members may lie, besides what every one must: agree and go on whatever f of them do,
// accuse liars only, and show that the oracle can find what is wrong where more of them lie together.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogTypes } from '../../src/consensus/kit.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import type { LiarMaker, Maker } from './network.ts'
import { GOAL, type Liars, networkOf, patienceMs, runSeed, runSeeds, TIMEOUT_MS } from './seeded-run.ts'

export interface ByzantineOptions<T extends LogTypes> {
  readonly sizes: readonly number[]
  readonly seeds: number
  /** Ways to lie, by name, that f members may lie in. */
  readonly liars: Liars<T>
  /** f + 1 of these at n = 4 can make two honest members decide differently. */
  readonly colluding: LiarMaker<T['message'], T['statement']>
}

/** Runs the suite for protocols that tolerate liars. */
export function describeByzantine<T extends LogTypes>(
  maker: Maker<T>,
  { sizes, seeds, liars, colluding }: ByzantineOptions<T>,
): void {
  const { name, model, signed } = maker.kit

  describe(`${name}: liars`, () => {
    test('n = 3f + 1 members tolerate f liars, and sign what they say', () => {
      assert.equal(model.faults, 'byzantine')
      for (const f of [1, 2, 3]) assert.equal(model.tolerated(3 * f + 1), f)
      assert.notEqual(signed, null)
    })

    test(`agreement, and progress after all has healed, for ${seeds} seeds with liars in most`, () => {
      const { decisions, views, seen } = runSeeds(maker, { sizes, liars, seeds })
      assert.ok(decisions >= seeds * GOAL)
      // The runs are worth something only if all of this happened in some of them.
      assert.ok(views > seeds)
      for (const type of ['behind', 'missing', 'evidence', 'refuse', 'reply', 'clear-timer'])
        assert.ok(seen.has(type), `never seen: ${type}`)
    })

    test('a seed names a run with liars too', () => {
      const [first, second] = [1, 2].map(() => runSeed(maker, { sizes, liars, seed: 7 }))
      assert.deepEqual([...first!.decidedAtMs], [...second!.decidedAtMs])
      assert.deepEqual([...first!.counts], [...second!.counts])
    })

    for (const [liar, make] of liars)
      test(`f members that lie in this way do no harm: ${liar}`, () => {
        for (const n of sizes.filter(size => model.tolerated(size) > 0)) {
          const f = model.tolerated(n)
          const lying = Array.from({ length: f }, (_, index) => [(index * 2 + 1) % n, make] as const)
          const run = networkOf(maker, { n, seed: n, liars: new Map(lying), goal: 2 * n })
          const untilMs = patienceMs(f, 2 * n, TIMEOUT_MS)
          assert.ok(
            run.runUntil(() => run.haveDecided(), untilMs),
            `n ${n}`,
          )
        }
      })

    test('f + 1 colluding members make the oracle find two decisions, and can be named', () => {
      const violations: string[] = []
      const found = Array.from({ length: 20 }, (_, index) => {
        const members: MemberIndex[] = [0, 1]
        const run = networkOf(maker, {
          n: 4,
          seed: index + 1,
          goal: 1,
          isBlind: true,
          liars: new Map(members.map(member => [member, colluding] as const)),
        })
        run.runUntil(() => run.conflicts.length > 0, 30 * TIMEOUT_MS)
        violations.push(...run.violations.map(({ rule }) => rule))
        const twice = run.conflicts.map(({ first, second }) => {
          const [one, other] = [first, second].map(decision => maker.kit.anatomy.decision(decision).voters)
          return other!.filter(member => one!.includes(member))
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
