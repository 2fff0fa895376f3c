import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '../../src/chain/amount.ts'

const COIN = 10n ** 18n

const AMOUNTS: readonly [text: string, wei: bigint | null][] = [
  ['0', 0n],
  ['1', COIN],
  ['1.5', (COIN * 3n) / 2n],
  ['1.5coin', (COIN * 3n) / 2n],
  ['1.5 coin', (COIN * 3n) / 2n],
  ['0.000000000000000001', 1n],
  ['0.0000000000000000001', null],
  ['10gwei', 10_000_000_000n],
  ['10 gwei', 10_000_000_000n],
  ['1.000000001gwei', 1_000_000_001n],
  ['1.0000000001gwei', null],
  ['100wei', 100n],
  ['100.0wei', null],
  ['007', 7n * COIN],
  ['9'.repeat(60), BigInt('9'.repeat(60)) * COIN],
  ['9'.repeat(61), null],
  ['', null],
  [' ', null],
  ['.5', null],
  ['1.', null],
  ['1.2.3', null],
  ['-1', null],
  ['+1', null],
  ['1e18', null],
  ['0x10', null],
  ['1_000', null],
  ['1,000', null],
  ['1  coin', null],
  [' 1', null],
  ['1 ', null],
  ['1\n', null],
  ['1Coin', null],
  ['1 ether', null],
  ['coin', null],
  ['1constructor', null],
  ['١', null],
  ['NaN', null],
  ['Infinity', null],
]
for (const [text, wei] of AMOUNTS) {
  const says = wei === null ? 'no amount' : `${wei} wei`
  test(`${JSON.stringify(text)} is ${says}`, () => assert.equal(parseAmount(text), wei))
}

const FORMATTED: readonly [wei: bigint, text: string][] = [
  [0n, '0'],
  [1n, '0.000000000000000001'],
  [COIN - 1n, '0.999999999999999999'],
  [COIN, '1'],
  [COIN + 1n, '1.000000000000000001'],
  [(COIN * 3n) / 2n, '1.5'],
  [1_000n * COIN, '1000'],
  [-(COIN / 4n), '-0.25'],
]
for (const [wei, text] of FORMATTED) {
  test(`${wei} wei are shown as ${text}`, () => assert.equal(formatAmount(wei), text))
}

test('what is shown reads back as the same amount', () => {
  const wei = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
  fc.assert(fc.property(wei, amount => assert.equal(parseAmount(formatAmount(amount)), amount)))
})
