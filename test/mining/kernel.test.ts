import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { createKernel } from '../../src/mining/kernel.ts'
import { NONCE_COUNT, searchSlowly } from '../../src/mining/nonce-search.ts'
import { GENESIS, REAL_HEADERS, workOf } from './headers.ts'

const kernel = createKernel()
const TARGET_MAX = 2n ** 256n - 1n

const headers = fc.uint8Array({ minLength: 80, maxLength: 80 })
const seed = { seed: 20260101 }

function lowestOf(works: readonly bigint[]): bigint {
  return works.toSorted((x, y) => (x < y ? -1 : 1))[0]!
}

test('this machine runs the SIMD kernel', () => {
  assert.equal(kernel.kind, 'simd')
})

test('a machine without SIMD gets the slow search instead', { skip: process.arch !== 'x64' }, async () => {
  const script = `
    import { createKernel } from '${new URL('../../src/mining/kernel.ts', import.meta.url)}'
    const { kind, search } = createKernel()
    const nonce = search({ header: new Uint8Array(80), target: 2n ** 256n - 1n, firstNonce: 5, count: 1 })
    console.log(kind, nonce)`
  const argv = ['--no-enable-ssse3', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, argv)
  assert.equal(stdout, 'scalar 5\n')
})

for (const { name, hex, id, target, nonce } of REAL_HEADERS) {
  test(`the nonce of Bitcoin's ${name} is found from a window around it`, () => {
    const header = Buffer.from(hex, 'hex')
    assert.equal(workOf(header, nonce), BigInt(`0x${id}`))
    assert.equal(header.readUInt32LE(76), nonce)
    assert.equal(kernel.search({ header, target, firstNonce: nonce - 5001, count: 10_000 }), nonce)
    assert.equal(searchSlowly({ header, target, firstNonce: nonce - 501, count: 1000 }), nonce)
  })

  test(`only a target of at least its id lets Bitcoin's ${name} through`, () => {
    const range = { header: Buffer.from(hex, 'hex'), firstNonce: nonce - 1, count: 3 }
    for (const search of [kernel.search, searchSlowly]) {
      assert.equal(search({ ...range, target: BigInt(`0x${id}`) }), nonce)
      assert.equal(search({ ...range, target: BigInt(`0x${id}`) - 1n }), null)
    }
  })
}

test('a nonce is found in each lane and at each end of a call into WebAssembly', () => {
  const { header, target, nonce } = GENESIS
  for (const before of [0, 1, 2, 3, 4, 5, 6, 7, 65531, 65532, 65535, 65536, 65537, 131071, 131072]) {
    const firstNonce = nonce - before
    assert.equal(kernel.search({ header, target, firstNonce, count: before + 1 }), nonce)
    assert.equal(kernel.search({ header, target, firstNonce, count: before }), null)
  }
})

test('the kernel finds what its slow twin finds, for random headers, ranges and targets', () => {
  const targets = fc.oneof(
    fc.bigInt({ min: 0n, max: TARGET_MAX }),
    fc.bigInt({ min: 2n ** 246n, max: 2n ** 252n }),
    fc.constantFrom(0n, 1n, 2n ** 224n - 1n, 2n ** 224n, 2n ** 255n, TARGET_MAX),
  )
  const searches = fc
    .record({ header: headers, target: targets, count: fc.nat(90), start: fc.nat(0xffffffff) })
    .map(({ start, ...search }) => ({ ...search, firstNonce: Math.min(start, NONCE_COUNT - search.count) }))
  fc.assert(
    fc.property(searches, search => assert.equal(kernel.search(search), searchSlowly(search))),
    { ...seed, numRuns: 1000 },
  )
})

test('the lowest hash of a range is met by exactly itself, wherever it lies', () => {
  const searches = fc.record({
    header: headers,
    firstNonce: fc.nat(0xffff0000),
    count: fc.integer({ min: 1, max: 40 }),
  })
  fc.assert(
    fc.property(searches, search => {
      const works = Array.from({ length: search.count }, (_, index) =>
        workOf(search.header, search.firstNonce + index),
      )
      const lowest = lowestOf(works)
      const expected = search.firstNonce + works.indexOf(lowest)
      assert.equal(kernel.search({ ...search, target: lowest }), expected)
      // The same top word, but too high by one: proposed by the lanes and refused by the exact check.
      assert.equal(kernel.search({ ...search, target: lowest - 1n }), null)
    }),
    { ...seed, numRuns: 300 },
  )
})

test('the last nonce of all is searched, and the lanes after it are not', () => {
  const { header } = GENESIS
  for (const count of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const firstNonce = NONCE_COUNT - count
    const works = Array.from({ length: count }, (_, index) => workOf(header, firstNonce + index))
    const lowest = lowestOf(works)
    assert.equal(
      kernel.search({ header, target: lowest, firstNonce, count }),
      firstNonce + works.indexOf(lowest),
    )
    assert.equal(kernel.search({ header, target: lowest - 1n, firstNonce, count }), null)
  }
  // Nonces 0 to 2 stand in the lanes beside the last nonce here, because the counter wraps.
  const wrapped = lowestOf([0, 1, 2].map(nonce => workOf(header, nonce)))
  const last = NONCE_COUNT - 1
  assert.ok(workOf(header, last) > wrapped)
  assert.equal(kernel.search({ header, target: wrapped, firstNonce: last, count: 1 }), null)
})

test('nonces after the range are never reported, even when its count is not a multiple of four', () => {
  const { header, target, nonce } = GENESIS
  for (const after of [1, 2, 3]) {
    assert.equal(kernel.search({ header, target, firstNonce: nonce - 8 - after, count: 8 + after }), null)
  }
})

test('the highest target is met by the first nonce, the target 0 by none, and an empty range has none', () => {
  const { header } = GENESIS
  for (const search of [kernel.search, searchSlowly]) {
    assert.equal(search({ header, target: TARGET_MAX, firstNonce: 7, count: 9 }), 7)
    assert.equal(search({ header, target: 0n, firstNonce: 7, count: 999 }), null)
    assert.equal(search({ header, target: TARGET_MAX, firstNonce: 7, count: 0 }), null)
    assert.equal(search({ header, target: TARGET_MAX, firstNonce: NONCE_COUNT, count: 0 }), null)
  }
})

test('the nonce in the header is ignored, and the header is left as it was', () => {
  const { target, nonce } = GENESIS
  const header = Uint8Array.from(GENESIS.header).fill(0xaa, 76)
  const before = Uint8Array.from(header)
  for (const search of [kernel.search, searchSlowly]) {
    assert.equal(search({ header, target, firstNonce: nonce - 9, count: 20 }), nonce)
    assert.deepEqual(header, before)
  }
})

test('a header that is a view into a larger buffer is searched, not what lies around it', () => {
  const { header, target, nonce } = GENESIS
  const larger = new Uint8Array(200).fill(0x55)
  larger.set(header, 33)
  const search = { header: larger.subarray(33, 113), target, firstNonce: nonce - 9, count: 20 }
  assert.equal(kernel.search(search), nonce)
  assert.equal(searchSlowly(search), nonce)
})

test('one search leaves nothing behind for the next', () => {
  const { header, target, nonce } = GENESIS
  const other = Uint8Array.from(header).fill(1, 0, 4)
  for (let round = 0; round < 3; round++) {
    assert.equal(kernel.search({ header: other, target, firstNonce: nonce - 9, count: 20 }), null)
    assert.equal(kernel.search({ header, target, firstNonce: nonce - 9, count: 20 }), nonce)
    assert.equal(kernel.search({ header, target: 0n, firstNonce: nonce - 9, count: 20 }), null)
  }
})

test('a malformed search is refused with what was given', () => {
  const good = { header: GENESIS.header, target: 1n, firstNonce: 0, count: 1 }
  const bad = [
    { search: { ...good, header: new Uint8Array(79) }, message: /79 bytes, not 80/ },
    { search: { ...good, target: -1n }, message: /target -1/ },
    { search: { ...good, target: 2n ** 256n }, message: /target/ },
    { search: { ...good, firstNonce: -1 }, message: /from -1/ },
    { search: { ...good, firstNonce: 0.5 }, message: /from 0.5/ },
    { search: { ...good, count: -1 }, message: /-1 nonces/ },
    { search: { ...good, firstNonce: 2, count: NONCE_COUNT - 1 }, message: /not within/ },
  ]
  for (const { search, message } of bad) {
    for (const run of [kernel.search, searchSlowly])
      assert.throws(() => run(search), { name: 'RangeError', message })
  }
})
