import assert from 'node:assert/strict'
import { test } from 'node:test'
import { confirmationsBelow, exactReversal, nakamotoReversal } from '../../src/finality/reversal.ts'

// S. Nakamoto, "Bitcoin" (2008), section 11: the two tables as printed.
const NAKAMOTO_TABLES: readonly {
  readonly q: number
  readonly rows: readonly (readonly [number, string])[]
}[] = [
  {
    q: 0.1,
    rows: [
      [0, '1.0000000'],
      [1, '0.2045873'],
      [2, '0.0509779'],
      [3, '0.0131722'],
      [4, '0.0034552'],
      [5, '0.0009137'],
      [6, '0.0002428'],
      [7, '0.0000647'],
      [8, '0.0000173'],
      [9, '0.0000046'],
      [10, '0.0000012'],
    ],
  },
  {
    q: 0.3,
    rows: [
      [0, '1.0000000'],
      [5, '0.1773523'],
      [10, '0.0416605'],
      [15, '0.0101008'],
      [20, '0.0024804'],
      [25, '0.0006132'],
      [30, '0.0001522'],
      [35, '0.0000379'],
      [40, '0.0000095'],
      [45, '0.0000024'],
      [50, '0.0000006'],
    ],
  },
]

for (const { q, rows } of NAKAMOTO_TABLES) {
  test(`Nakamoto's formula gives the table of his section 11 for q = ${q}`, () => {
    assert.deepEqual(
      rows.map(([z]) => [z, nakamotoReversal(q, z).toFixed(7)]),
      rows,
    )
  })
}

// Blocks to wait for until the probability is below 0.1 %: Nakamoto's last table, and the exact numbers.
const LESS_THAN_A_THOUSANDTH = [
  { q: 0.1, nakamoto: 5, exact: 6 },
  { q: 0.15, nakamoto: 8, exact: 9 },
  { q: 0.2, nakamoto: 11, exact: 13 },
  { q: 0.25, nakamoto: 15, exact: 20 },
  { q: 0.3, nakamoto: 24, exact: 32 },
  { q: 0.35, nakamoto: 41, exact: 58 },
  { q: 0.4, nakamoto: 89, exact: 133 },
  { q: 0.45, nakamoto: 340, exact: 539 },
]

function blocksUntil(reversal: (z: number) => number): number {
  for (let z = 0; ; z++) if (reversal(z) < 0.001) return z
}

for (const { q, nakamoto, exact } of LESS_THAN_A_THOUSANDTH) {
  test(`against ${q} of all hashes one waits for ${exact} blocks, where Nakamoto's formula says ${nakamoto}`, () => {
    assert.equal(
      blocksUntil(z => nakamotoReversal(q, z)),
      nakamoto,
    )
    assert.equal(
      blocksUntil(z => exactReversal(q, z)),
      exact,
    )
  })
}

test('against 0.45 of all hashes it is 539 blocks, not 516 as is sometimes said: whole numbers leave no doubt', () => {
  assert.ok(rationalReversal(45n, 539) < 0.001)
  assert.ok(rationalReversal(45n, 538) >= 0.001)
  assert.ok(rationalReversal(45n, 516) > 0.00115)
})

test('the confirmations below a risk are found as by counting', () => {
  for (const [reversal, list] of [
    [exactReversal, 'exact'],
    [nakamotoReversal, 'nakamoto'],
  ] as const)
    for (const row of LESS_THAN_A_THOUSANDTH)
      assert.equal(confirmationsBelow(reversal, row.q, { risk: 0.001, max: 10_000 }), row[list])
  for (const risk of [0.5, 0.2, 0.05, 1e-6, 1e-12]) {
    let counted = 1
    while (exactReversal(0.2, counted) >= risk) counted += 1
    assert.equal(confirmationsBelow(exactReversal, 0.2, { risk, max: 10_000 }), counted)
  }
})

test('where no number of confirmations is enough, or too many would be, there is none', () => {
  const risk = 0.001
  for (const q of [0.5, 0.9, 1])
    assert.equal(confirmationsBelow(exactReversal, q, { risk, max: 10_000 }), null)
  assert.equal(confirmationsBelow(exactReversal, 0.45, { risk, max: 538 }), null)
  assert.equal(confirmationsBelow(exactReversal, 0.45, { risk, max: 539 }), 539)
  assert.equal(confirmationsBelow(exactReversal, 0, { risk, max: 10 }), 1)
  for (const risk of [0, -1, Number.NaN])
    assert.throws(() => confirmationsBelow(exactReversal, 0.1, { risk, max: 10 }), RangeError)
})

/** The finite sum 1 - sum over k < z of (p^z q^k - q^z p^k) C(k + z - 1, k), in whole numbers. */
function rationalReversal(percent: bigint, z: number): number {
  const [q, p] = [percent, 100n - percent]
  const n = BigInt(z)
  let sum = 0n
  let binomial = 1n
  for (let k = 0n; k < n; k++) {
    const scale = 100n ** (n - k)
    sum += (p ** n * q ** k - q ** n * p ** k) * binomial * scale
    binomial = (binomial * (k + n)) / (k + 1n)
  }
  const whole = 100n ** (2n * n)
  // 40 decimals first, so that the small ones keep their digits.
  return Number(((whole - sum) * 10n ** 40n) / whole) / 1e40
}

test('the exact formula is the finite sum, in whole numbers, to twelve digits', () => {
  for (const percent of [1n, 5n, 10n, 25n, 30n, 40n, 45n, 49n]) {
    for (const z of [1, 2, 3, 6, 10, 25, 60]) {
      const expected = rationalReversal(percent, z)
      const actual = exactReversal(Number(percent) / 100, z)
      if (expected < 1e-25) continue
      assert.ok(Math.abs(actual - expected) <= expected * 1e-12, `${percent} % ${z}: ${actual} ${expected}`)
    }
  }
})

for (const [name, reversal] of [
  ['the exact formula', exactReversal],
  ["Nakamoto's formula", nakamotoReversal],
] as const) {
  test(`${name}: nothing is certain before the first block, nor against half of all hashes`, () => {
    assert.equal(reversal(0.1, 0), 1)
    for (const q of [0.5, 0.7, 1]) for (const z of [0, 1, 100]) assert.equal(reversal(q, z), 1)
  })

  test(`${name}: an attacker without hashes never succeeds`, () => {
    for (const z of [1, 2, 1000]) assert.equal(reversal(0, z), 0)
  })

  test(`${name}: more blocks are safer, and more hashes are more dangerous`, () => {
    const shares = [0.01, 0.1, 0.2, 0.3, 0.4, 0.49, 0.499]
    for (const [index, q] of shares.entries()) {
      for (let z = 1; z <= 60; z++) {
        const here = reversal(q, z)
        assert.ok(here >= 0 && here <= 1)
        assert.ok(here <= reversal(q, z - 1))
        const lower = shares[index - 1]
        if (lower !== undefined) assert.ok(here >= reversal(lower, z))
      }
    }
  })

  test(`${name}: what is too small for a number is zero, and is answered at once`, () => {
    assert.equal(reversal(0.1, 5_000), 0)
    assert.equal(reversal(0.45, 1_000_000), 0)
    assert.equal(reversal(1e-300, 3), 0)
  })

  test(`${name}: a share or a count that is none is refused`, () => {
    for (const q of [-0.1, 1.1, Number.NaN]) assert.throws(() => reversal(q, 1), RangeError)
    for (const z of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => reversal(0.1, z), RangeError)
  })
}
