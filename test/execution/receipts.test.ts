import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Receipt, receiptsRoot } from '../../src/execution/receipts.ts'

const hash = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

/** RFC 6962, section 2.1, over status, cumulative gas and price, little-endian. */
function plainRoot(receipts: readonly Receipt[]): Buffer {
  if (receipts.length === 0) return hash()
  if (receipts.length > 1) {
    let half = 1
    while (half * 2 < receipts.length) half *= 2
    return hash(Buffer.of(1), plainRoot(receipts.slice(0, half)), plainRoot(receipts.slice(half)))
  }
  const [{ cumulativeGasUsed, effectiveGasPrice }] = receipts as [Receipt]
  const gas = Buffer.alloc(8)
  gas.writeBigUInt64LE(cumulativeGasUsed)
  const price = Buffer.from(effectiveGasPrice.toString(16).padStart(64, '0'), 'hex').reverse()
  return hash(Buffer.of(0), Buffer.of(1), gas, price)
}

function receipts(count: number): Receipt[] {
  return Array.from({ length: count }, (_, index) => ({
    gasUsed: 21_000n,
    cumulativeGasUsed: 21_000n * BigInt(index + 1),
    effectiveGasPrice: BigInt(index + 1) ** 20n,
  }))
}

test('the root of a block without transactions is the hash of nothing', () => {
  assert.equal(receiptsRoot([]), '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('the root is that of RFC 6962 for every count about the powers of two', () => {
  for (const count of [...Array(34).keys(), 63, 64, 65, 127, 128, 129]) {
    assert.equal(receiptsRoot(receipts(count)), `0x${plainRoot(receipts(count)).toString('hex')}`, `${count}`)
  }
})

test('a change of gas, price, order or count changes the root', () => {
  const list = receipts(5)
  const root = receiptsRoot(list)
  const changes: readonly (readonly Receipt[])[] = [
    list.slice(1),
    list.slice(0, 4),
    [...list, list[4]!],
    list.toReversed(),
    list.with(2, { ...list[2]!, cumulativeGasUsed: 1n }),
    list.with(2, { ...list[2]!, effectiveGasPrice: 1n }),
  ]
  for (const changed of changes) assert.notEqual(receiptsRoot(changed), root)
})

test('a list whose end is repeated has another root (no CVE-2012-2459 here)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (count, repeated) => {
      const list = receipts(count)
      assert.notEqual(receiptsRoot([...list, ...list.slice(-repeated)]), receiptsRoot(list))
    }),
  )
})
