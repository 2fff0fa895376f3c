import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactReversal, nakamotoReversal } from '../../../src/finality/reversal.ts'
import { runRaces } from '../../../src/lab/attack/double-spend.ts'
import { FORGONE, hopelessGap, type RaceField, runRace } from '../../../src/lab/attack/double-spend-race.ts'
import { signDoubleSpend } from '../../../src/lab/attack/double-spend-replicas.ts'
import { wilsonInterval } from '../../../src/lab/compare/interval.ts'
import { Random } from '../../../src/lab/virtual/random.ts'

/** The race without a single block: two counters. */
class CountedRace implements RaceField {
  open = 0
  secret = 0

  mineSecret(): void {
    this.secret += 1
  }

  mineOpen(): void {
    this.open += 1
  }

  isHeavier(): boolean {
    return this.secret > this.open
  }

  release(): boolean {
    return true
  }
}

/** Reversals among so many counted races, from the seed of the real ones. */
function count(setting: { share: number; confirmations: number }, races: number, seed: number): number {
  const { share, confirmations } = setting
  let reversed = 0
  for (let race = 0; race < races; race++) {
    const name = `quorate attack/double-spend/${seed}/${share}/${confirmations}/${race}`
    if (runRace(new CountedRace(), setting, new Random(name), hopelessGap(share, races))) reversed += 1
  }
  return reversed
}

const settings = [
  { share: 0.1, confirmations: 1 },
  { share: 0.3, confirmations: 2 },
  { share: 0.45, confirmations: 3 },
]

test('races of headers end as those of two counters, and races of whole replicas as those of headers', () => {
  const { rows } = runRaces({ settings, races: 200, replayed: 10, seed: 5 })
  for (const row of rows) {
    assert.equal(row.reversed, count(row, 200, 5))
    assert.deepEqual([row.replayed, row.agreed], [10, 10])
  }
})

test('the exact formula is inside the interval of 10,000 races, for q = 0.1 and 0.3 and one to ten blocks', () => {
  // Counted, which gives the same figures: `quorate attack double-spend --seed 3` runs them with headers.
  for (const share of [0.1, 0.3]) {
    for (let confirmations = 1; confirmations <= 10; confirmations++) {
      const { low, high } = wilsonInterval(count({ share, confirmations }, 10_000, 3), 10_000)
      const exact = exactReversal(share, confirmations)
      assert.ok(low <= exact && exact <= high, `${share} ${confirmations}: ${low} ${exact} ${high}`)
    }
  }
})

test("Nakamoto's formula is refuted by 10,000 races where it errs most", () => {
  const { low } = wilsonInterval(count({ share: 0.3, confirmations: 8 }, 10_000, 3), 10_000)
  assert.ok(nakamotoReversal(0.3, 8) < low)
})

test('the same seed gives the same table, another seed another', () => {
  const run = (seed: number) => runRaces({ settings, races: 60, replayed: 0, seed })
  assert.deepEqual(run(1), run(1))
  assert.notDeepEqual(run(1).rows, run(2).rows)
})

test('an attacker gives up where all races together forgo next to nothing', () => {
  for (const [share, races] of [
    [0.1, 10_000],
    [0.3, 10_000],
    [0.45, 100],
  ] as const) {
    const gap = hopelessGap(share, races)
    const catchUp = (blocks: number): number => (share / (1 - share)) ** blocks * races
    assert.ok(catchUp(gap) <= FORGONE && catchUp(gap - 1) > FORGONE)
  }
})

test('the two transfers of a double spend have one nonce and nothing else in common', () => {
  const { payment, rival } = signDoubleSpend(1)
  assert.notEqual(payment.id, rival.id)
  assert.deepEqual(signDoubleSpend(1).payment, payment)
})
