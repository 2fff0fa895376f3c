import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCompact, encodeCompact, HASH_MAX, workOfTarget } from '../../src/chain/compact.ts'

const hex = (bits: number): string => `0x${bits.toString(16).padStart(8, '0')}`

// Bitcoin Core, src/test/arith_uint256_tests.cpp, bignum_SetCompact: every case. Core's value stands where its own
// encoding gives the same bits back, is not negative, not zero and does not overflow; the others are refused here.
const CORE_CASES: readonly [bits: number, target: bigint | null, why: string][] = [
  [0x00000000, null, 'zero'],
  [0x00123456, null, 'zero: no bytes'],
  [0x01003456, null, 'zero: the byte that counts is 0'],
  [0x02000056, null, 'zero: the bytes that count are 0'],
  [0x03000000, null, 'zero'],
  [0x04000000, null, 'zero'],
  [0x00923456, null, 'zero with a sign'],
  [0x01803456, null, 'zero with a sign'],
  [0x02800056, null, 'zero with a sign'],
  [0x03800000, null, 'zero with a sign'],
  [0x04800000, null, 'zero with a sign'],
  [0x01123456, null, 'not canonical: Core writes 0x01120000'],
  [0x01120000, 0x12n, ''],
  [0x02008000, 0x80n, ''],
  [0x01fedcba, null, 'negative'],
  [0x01fe0000, null, 'negative'],
  [0x02123456, null, 'not canonical: Core writes 0x02123400'],
  [0x02123400, 0x1234n, ''],
  [0x03123456, 0x123456n, ''],
  [0x04123456, 0x12345600n, ''],
  [0x04923456, null, 'negative'],
  [0x05009234, 0x92340000n, ''],
  [0x20123456, 0x123456n << 232n, ''],
  [0xff123456, null, 'overflows'],
]
for (const [bits, target, why] of CORE_CASES) {
  const says = target === null ? `${hex(bits)} is refused: ${why}` : `${hex(bits)} is ${target}`
  test(says, () => {
    assert.equal(decodeCompact(bits), target)
    if (target !== null) assert.equal(encodeCompact(target), bits)
  })
}

const EDGES: readonly [bits: number, target: bigint | null, why: string][] = [
  [0x01010000, 1n, 'the least target'],
  [0x1d00ffff, 0xffffn << 208n, "Bitcoin's easiest"],
  [0x207fffff, 0x7fffffn << 232n, "Bitcoin's easiest on regtest"],
  [0x2100ffff, 0xffffn << 240n, 'the greatest of all'],
  [0x21010000, null, 'overflows by one bit'],
  [0x220000ff, null, 'not canonical: 0x2100ff00 is'],
  [0x2100ff00, 0xff00n << 240n, 'a byte of mantissa'],
  [0x22000100, null, 'overflows'],
  [0x23000001, null, 'overflows'],
  [0x1e0000ff, null, 'not canonical: a leading zero byte that no sign asks for'],
  [0x1d007fff, null, 'not canonical: 0x1c7fff00 is'],
]
for (const [bits, target, why] of EDGES) {
  test(`${hex(bits)} is ${target === null ? 'refused' : target}: ${why}`, () => {
    assert.equal(decodeCompact(bits), target)
    if (target !== null) assert.equal(encodeCompact(target), bits)
  })
}

test('a target that a compact form gives has that form and no other', () => {
  const bits = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc
      .tuple(fc.integer({ min: 0, max: 36 }), fc.integer({ min: 0, max: 0xffffff }))
      .map(([size, mantissa]) => size * 2 ** 24 + mantissa),
  )
  fc.assert(
    fc.property(bits, compact => {
      const target = decodeCompact(compact)
      if (target === null) return
      assert.ok(target > 0n && target <= HASH_MAX)
      assert.equal(encodeCompact(target), compact)
    }),
    { numRuns: 500 },
  )
})

test('a target keeps its first 15 bits at least, and never grows, by being made compact', () => {
  const target = fc.tuple(fc.integer({ min: 1, max: 256 }), fc.bigInt({ min: 0n, max: HASH_MAX }))
  fc.assert(
    fc.property(target, ([bits, noise]) => {
      const exact = (noise & (2n ** BigInt(bits) - 1n)) | (2n ** BigInt(bits - 1))
      const rounded = decodeCompact(encodeCompact(exact))
      assert.ok(rounded !== null && rounded <= exact)
      assert.ok((exact - rounded) * 2n ** 15n < exact)
    }),
  )
})

/** Core's own way to the work, chosen there because 2^256 does not fit (`GetBlockProof`). */
function proofByCore(target: bigint): bigint {
  return (HASH_MAX - target) / (target + 1n) + 1n
}

test('work is 2^256 / (target + 1), as Core computes it', () => {
  assert.equal(workOfTarget(0xffffn << 208n), 0x100010001n)
  assert.equal(workOfTarget(0x7fffffn << 232n), 2n)
  assert.equal(workOfTarget(1n), 2n ** 255n)
  assert.equal(workOfTarget(HASH_MAX), 1n)
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: HASH_MAX }), target => {
      assert.equal(workOfTarget(target), proofByCore(target))
    }),
  )
})

/** Bitcoin's retarget (`CalculateNextWorkRequired`): a fortnight planned, a factor of 4 allowed. */
function retarget(bits: number, seconds: number): number {
  const fortnight = 14 * 24 * 3600
  const span = Math.min(Math.max(seconds, fortnight / 4), fortnight * 4)
  const target = (decodeCompact(bits)! * BigInt(span)) / BigInt(fortnight)
  const limit = 2n ** 224n - 1n
  return encodeCompact(target > limit ? limit : target)
}

// Bitcoin Core, src/test/pow_tests.cpp.
const RETARGETS: readonly [name: string, first: number, last: number, bits: number, next: number][] = [
  ['get_next_work', 1261130161, 1262152739, 0x1d00ffff, 0x1d00d86a],
  ['get_next_work_pow_limit', 1231006505, 1233061996, 0x1d00ffff, 0x1d00ffff],
  ['get_next_work_lower_limit_actual', 1279008237, 1279297671, 0x1c05a3f4, 0x1c0168fd],
  ['get_next_work_upper_limit_actual', 1263163443, 1269211443, 0x1c387f6f, 0x1d00e1fd],
]
for (const [name, first, last, bits, next] of RETARGETS) {
  test(`${name}: ${hex(bits)} becomes ${hex(next)}`, () => assert.equal(retarget(bits, last - first), next))
}
