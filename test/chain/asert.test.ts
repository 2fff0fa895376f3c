import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AsertParams, asertTarget } from '../../src/chain/asert.ts'
import { decodeCompact, encodeCompact } from '../../src/chain/compact.ts'

/** Bitcoin Cash, main net. */
const CASH: AsertParams = { blockTimeSeconds: 600, halfLifeSeconds: 172_800, targetMax: 2n ** 224n - 1n }

interface Run {
  readonly says: string
  readonly anchorHeight: bigint
  readonly parentTime: number
  readonly bits: number
  /** Height, time and required bits of the next block. */
  readonly rows: readonly (readonly [height: bigint, time: number, bits: number])[]
}

const row = (height: bigint, time: number, bits: number) => [height, time, bits] as const

// The specification's vectors (2020-11-15-asert, "Test vectors": aserti3-2d/test_vectors/run01 … run10 of Bitcoin
// Cash Node's qa-assets); of the long runs, some rows.
const RUNS: readonly Run[] = [
  {
    says: 'run01: steady blocks at the limit stay there',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x1d00ffff,
    rows: [row(2n, 1200, 0x1d00ffff), row(6n, 3600, 0x1d00ffff), row(11n, 6600, 0x1d00ffff)],
  },
  {
    says: 'run02: steady blocks keep an arbitrary target',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x1a2b3c4d,
    rows: [row(2n, 1200, 0x1a2b3c4d), row(6n, 3600, 0x1a2b3c4d), row(11n, 6600, 0x1a2b3c4d)],
  },
  {
    says: 'run03: steady blocks at the least target stay there',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x01010000,
    rows: [row(2n, 1200, 0x01010000), row(11n, 6600, 0x01010000)],
  },
  {
    says: 'run04: every half-life behind schedule doubles the target, from the least to the limit',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x01010000,
    rows: [
      row(2n, 174_000, 0x01020000),
      row(3n, 347_400, 0x01040000),
      row(7n, 1_041_000, 0x01400000),
      row(8n, 1_214_400, 0x02008000),
      row(9n, 1_387_800, 0x02010000),
      row(16n, 2_601_600, 0x03008000),
      row(101n, 17_340_600, 0x0d100000),
      row(223n, 38_495_400, 0x1c400000),
      row(224n, 38_668_800, 0x1d008000),
      row(225n, 38_842_200, 0x1d00ffff),
      row(226n, 39_015_600, 0x1d00ffff),
    ],
  },
  {
    says: 'run05: every half-life ahead of schedule halves the target, from the limit to the least',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x1d00ffff,
    rows: [
      row(2n, 0, 0x1d00fec5),
      row(290n, 0, 0x1c7f62c0),
      row(578n, 0, 0x1c3fb160),
      row(2306n, 0, 0x1c00fec5),
      row(57_890n, 0, 0x037f62c0),
      row(60_194n, 0, 0x027f6200),
      row(61_922n, 0, 0x0201fd00),
      row(62_210n, 0, 0x0200fe00),
      row(62_498n, 0, 0x017f0000),
      row(63_650n, 0, 0x01070000),
      row(63_938n, 0, 0x01030000),
      row(64_226n, 0, 0x01010000),
      row(64_514n, 0, 0x01010000),
    ],
  },
  {
    says: 'run06: random solve times around a real target',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x1802aee8,
    rows: [
      row(2n, 1200, 0x1802aee8),
      row(3n, 1310, 0x1802ad91),
      row(4n, 1327, 0x1802abf8),
      row(9n, 7099, 0x1802b39c),
      row(10n, 7099, 0x1802b1f2),
      row(22n, 18_902, 0x1802bed6),
      row(75n, 46_234, 0x1802b252),
      row(101n, 63_201, 0x1802b620),
      row(258n, 163_796, 0x1802c832),
      row(314n, 201_905, 0x1802d537),
      row(500n, 299_790, 0x1802ae55),
      row(575n, 358_636, 0x1802d597),
      row(620n, 378_438, 0x1802c0ec),
    ],
  },
  {
    says: 'run07: random solve times of a hash rate that rises without end',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x1802aee8,
    rows: [
      row(840n, 32_511, 0x1767a46c),
      row(864n, 32_619, 0x1761dffa),
      row(902n, 32_793, 0x1759623a),
      row(941n, 32_999, 0x17517159),
      row(1001n, 33_365, 0x17469789),
    ],
  },
  {
    says: 'run08: random solve times of a hash rate that falls without end, to the limit',
    anchorHeight: 1n,
    parentTime: 0,
    bits: 0x1802aee8,
    rows: [
      row(379n, 4_395_332, 0x1b02ea8b),
      row(388n, 4_691_875, 0x1b096030),
      row(425n, 5_352_914, 0x1b79926b),
      row(426n, 5_430_357, 0x1c00a57c),
      row(463n, 6_331_686, 0x1c15fae5),
      row(480n, 6_774_168, 0x1c7c75fc),
      row(481n, 6_842_136, 0x1d00a31a),
      row(484n, 6_930_238, 0x1d00e688),
      row(485n, 6_993_399, 0x1d00ffff),
      row(501n, 7_462_933, 0x1d00ffff),
    ],
  },
  {
    says: 'run09: fast blocks across the greatest signed 32-bit height',
    anchorHeight: 2_147_483_642n,
    parentTime: 1_234_567_290,
    bits: 0x1802aee8,
    rows: [
      row(2_147_483_643n, 1_234_568_190, 0x1802ae16),
      row(2_147_483_644n, 1_234_568_490, 0x1802ad44),
      row(2_147_483_645n, 1_234_568_790, 0x1802ac71),
      row(2_147_483_646n, 1_234_569_090, 0x1802ab9e),
      row(2_147_483_647n, 1_234_569_390, 0x1802aacd),
      row(2_147_483_648n, 1_234_569_690, 0x1802a9fa),
      row(2_147_483_652n, 1_234_570_890, 0x1802a6b7),
    ],
  },
  {
    says: 'run10: slow blocks across the greatest signed 32-bit time',
    anchorHeight: 9_223_372_036_854_775_802n,
    parentTime: 2_147_483_047,
    bits: 0x1802aee8,
    rows: [
      row(9_223_372_036_854_775_803n, 2_147_484_547, 0x1802afbb),
      row(9_223_372_036_854_775_804n, 2_147_485_447, 0x1802b08f),
      row(9_223_372_036_854_775_807n, 2_147_488_147, 0x1802b30e),
      row(9_223_372_036_854_775_808n, 2_147_489_047, 0x1802b3e5),
      row(9_223_372_036_854_775_812n, 2_147_492_647, 0x1802b73d),
    ],
  },
]
for (const { says, anchorHeight, parentTime, bits, rows } of RUNS) {
  test(says, () => {
    // The rule depends on differences of height only; so heights beyond a double's precision can be moved down.
    const base = anchorHeight > 2n ** 53n ? anchorHeight : 0n
    const anchor = { target: decodeCompact(bits)!, parentTime, height: Number(anchorHeight - base) }
    for (const [height, time, expected] of rows) {
      const target = asertTarget(CASH, anchor, { height: Number(height - base), time })
      assert.equal(encodeCompact(target).toString(16), expected.toString(16), `height ${height}`)
    }
  })
}

/** Bitcoin Cash Node calls it with differences from the anchor, the time's counted from the anchor's parent. */
function calculateAsert(target: bigint, timeDiff: number, heightDiff: number): bigint {
  return asertTarget(CASH, { target, parentTime: 0, height: 0 }, { time: timeDiff, height: heightDiff })
}

const LIMIT = CASH.targetMax
const PARENT_TIME_DIFF = 600
const SINGLE_300_TARGET = 0x00000000ffb1ffffffffffffffffffffffffffffffffffffffffffffffffffffn
const FUNNY_REF_TARGET = 0x000000008000000000000000000fffffffffffffffffffffffffffffffffffffn

// Bitcoin Cash Node, src/test/pow_tests.cpp, calculate_asert_test: the table, exact to the last bit.
const CALCULATIONS: readonly [
  reference: bigint,
  time: number,
  height: number,
  target: bigint,
  bits: number,
][] = [
  [LIMIT, 0, 2 * 144, LIMIT >> 1n, 0x1c7fffff],
  [LIMIT, 0, 4 * 144, LIMIT >> 2n, 0x1c3fffff],
  [LIMIT >> 1n, 0, 2 * 144, LIMIT >> 2n, 0x1c3fffff],
  [LIMIT >> 2n, 0, 2 * 144, LIMIT >> 3n, 0x1c1fffff],
  [LIMIT >> 3n, 0, 2 * 144, LIMIT >> 4n, 0x1c0fffff],
  [LIMIT, 0, 2 * (256 - 34) * 144, 3n, 0x01030000],
  [LIMIT, 0, 2 * (256 - 34) * 144 + 119, 3n, 0x01030000],
  [LIMIT, 0, 2 * (256 - 34) * 144 + 120, 2n, 0x01020000],
  [LIMIT, 0, 2 * (256 - 33) * 144 - 1, 2n, 0x01020000],
  [LIMIT, 0, 2 * (256 - 33) * 144, 1n, 0x01010000],
  [LIMIT, 0, 2 * (256 - 32) * 144, 1n, 0x01010000],
  [1n, 0, 2 * (256 - 32) * 144, 1n, 0x01010000],
  [LIMIT, 2 * (512 - 32) * 144, 0, LIMIT, 0x1d00ffff],
  [1n, (512 - 64) * 144 * 600, 0, LIMIT, 0x1d00ffff],
  [LIMIT, 300, 1, SINGLE_300_TARGET, 0x1d00ffb1],
  [FUNNY_REF_TARGET, 600 * 2 * 33 * 144, 0, LIMIT, 0x1d00ffff],
  [1n, 600 * 2 * 256 * 144, 0, LIMIT, 0x1d00ffff],
  [1n, 600 * 2 * 224 * 144 - 1, 0, 0xffff8n << 204n, 0x1d00ffff],
]
for (const [index, [reference, timeDiff, heightDiff, target, bits]] of CALCULATIONS.entries()) {
  test(`calculate_asert_test ${index}: ${heightDiff} blocks in ${timeDiff} s`, () => {
    const result = calculateAsert(reference, PARENT_TIME_DIFF + timeDiff, heightDiff)
    assert.equal(result, target)
    assert.equal(encodeCompact(result), bits)
  })
}

test('a late block undoes what an early one did, and two days off schedule double or halve the target', () => {
  const initial = LIMIT >> 4n
  assert.equal(calculateAsert(initial, 600 + 600, 1), initial)
  const early = calculateAsert(initial, 600 + 600 + 300, 2)
  assert.ok(early < initial)
  assert.equal(calculateAsert(initial, 600 + 600 + 300 + 900, 3), initial)
  const doubled = calculateAsert(initial, 600 + 288 * 1200, 288)
  assert.equal(doubled, initial * 2n)
  assert.equal(calculateAsert(doubled, 600, 288), initial)
})

const someChain = fc.record({
  target: fc.bigInt({ min: 2n ** 60n, max: LIMIT }),
  time: fc.integer({ min: -(10 ** 8), max: 10 ** 8 }),
  height: fc.integer({ min: 0, max: 100_000 }),
})

test('the target is that of the exact exponential within 0.013 %', () => {
  fc.assert(
    fc.property(someChain, ({ target, time, height }) => {
      const halfLives = (time - 600 * (height + 1)) / CASH.halfLifeSeconds
      const exact = Number(target) * 2 ** halfLives
      const result = Number(calculateAsert(target, time, height))
      // Below 2^20 the integer division weighs; above the limit there is nothing to compare.
      if (exact < 2 ** 20) assert.ok(result < 2 ** 21)
      else if (exact > Number(LIMIT)) assert.ok(result > Number(LIMIT) * 0.999)
      else assert.ok(Math.abs(result / exact - 1) < 0.00014, `${result / exact}`)
    }),
  )
})

test('a later parent never makes the next block harder, a higher one never easier', () => {
  fc.assert(
    fc.property(someChain, fc.nat(100_000), ({ target, time, height }, more) => {
      const here = calculateAsert(target, time, height)
      assert.ok(calculateAsert(target, time + more, height) >= here)
      assert.ok(calculateAsert(target, time, height + more) <= here)
    }),
  )
})

test('the target stays between 1 and the limit however far off schedule a chain is', () => {
  for (const time of [-(2 ** 32), 0, 2 ** 32 - 1]) {
    for (const height of [0, 1, 2 ** 32, 2 ** 48]) {
      for (const target of [1n, 2n ** 200n, LIMIT]) {
        const result = calculateAsert(target, time, height)
        assert.ok(result >= 1n && result <= LIMIT)
      }
    }
  }
})

test("all 65,536 fractions of a half-life have the specification's factor, within 0.013 % of the power of two", () => {
  // With these figures a second is 1/65536 of a half-life, and the target shows the factor itself.
  const params: AsertParams = { blockTimeSeconds: 0, halfLifeSeconds: 65_536, targetMax: 2n ** 255n }
  for (let fraction = 0; fraction < 65_536; fraction++) {
    const anchor = { target: 65_536n, parentTime: 0, height: 0 }
    const factor = asertTarget(params, anchor, { height: 0, time: fraction })
    const f = BigInt(fraction)
    const cubic = ((5_127n * f + 971_821_376n) * f + 195_766_423_245_049n) * f
    assert.equal(factor, 65_536n + (cubic + (1n << 47n)) / (1n << 48n))
    assert.ok(Math.abs(Number(factor) / 65_536 / 2 ** (fraction / 65_536) - 1) < 0.00013 + 1 / 65_536)
  }
})
