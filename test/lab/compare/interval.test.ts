import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchError, chiSquareTail, judgeCounts, wilsonInterval } from '../../../src/lab/compare/interval.ts'
import { Random } from '../../../src/lab/virtual/random.ts'

const near = (actual: number, expected: number, tolerance = 5e-5): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`)

// R: prop.test(x, n, correct = FALSE)$conf.int
for (const [count, trials, low, high] of [
  [0, 10, 0, 0.27753],
  [1, 10, 0.01788, 0.40415],
  [5, 10, 0.23659, 0.76341],
  [10, 10, 0.72247, 1],
  [15, 148, 0.06237, 0.16048],
] as const) {
  test(`Wilson's interval for ${count} of ${trials} is the textbook's`, () => {
    const interval = wilsonInterval(count, trials)
    near(interval.low, low, 1e-4)
    near(interval.high, high, 1e-4)
  })
}

test('nineteen of twenty Wilson intervals hold the truth', () => {
  const random = new Random('intervals')
  for (const share of [0.02, 0.3]) {
    let held = 0
    for (let table = 0; table < 1_000; table++) {
      let count = 0
      for (let trial = 0; trial < 500; trial++) if (random.chance(share)) count += 1
      const { low, high } = wilsonInterval(count, 500)
      if (low <= share && share <= high) held += 1
    }
    assert.ok(held > 925 && held < 975, `${held} of 1000`)
  }
})

// The critical values of every table of chi-square.
for (const [freedom, x, tail] of [
  [1, 3.841, 0.05],
  [1, 10.828, 0.001],
  [2, 5.991, 0.05],
  [5, 11.07, 0.05],
  [10, 18.307, 0.05],
  [17, 27.587, 0.05],
  [20, 45.315, 0.001],
] as const) {
  test(`chi-square with ${freedom} degrees of freedom exceeds ${x} with probability ${tail}`, () =>
    near(chiSquareTail(x, freedom), tail, tail * 2e-3))
}

test('a table that is far off has no chance at all', () => {
  for (const x of [400, 10_554, 1e6]) assert.ok(chiSquareTail(x, 15) < 1e-50)
})

test('chi-square of nothing says nothing', () => {
  assert.equal(chiSquareTail(0, 3), 1)
  assert.equal(chiSquareTail(5, 0), 1)
  assert.equal(judgeCounts([]).probability, 1)
})

test('a table that agrees is not doubted, and one row that does not condemns it', () => {
  const row = (count: number, expected: number) => ({ count, trials: 10_000, expected })
  const good = [row(2010, 0.2), row(555, 0.056), row(170, 0.01712)]
  assert.ok(judgeCounts(good).probability > 0.3)
  assert.ok(judgeCounts([...good, row(950, 0.1321)]).probability < 1e-6)
})

test('rows that expect next to nothing are one cell together, or none', () => {
  const rare = (count: number) => ({ count, trials: 10_000, expected: 0.0001 })
  assert.equal(judgeCounts([rare(1), rare(0), rare(2)]).cells, 1)
  assert.equal(judgeCounts([{ count: 1, trials: 100, expected: 0.0001 }]).cells, 0)
})

test('twenty batches say how far their mean can be off', () => {
  const means = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 1 : 3))
  const { standardError, halfWidth } = batchError(means)
  near(standardError, Math.sqrt(20 / 19 / 20), 1e-12)
  near(halfWidth, 2.0930240544 * standardError, 1e-9)
  assert.throws(() => batchError([1, 2]), RangeError)
})
