import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, readOrNull } from '../../src/encoding/bytes.ts'
import type { Account } from '../../src/execution/state.ts'
import { encodeUndo, readUndo } from '../../src/replica/undo.ts'
import { addressNumber } from '../chain/examples.ts'

const read = (bytes: Uint8Array) => readOrNull(() => readUndo(new ByteReader(bytes)))

const arbitraryAccounts = fc.array(
  fc.record({
    number: fc.nat({ max: 200 }),
    nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    balance: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  }),
  { maxLength: 60 },
)

test('what a block took is found by address, and nothing else is', () => {
  fc.assert(
    fc.property(arbitraryAccounts, accounts => {
      const before = new Map<`0x${string}`, Account>(
        accounts.map(({ number, ...account }) => [addressNumber(number), account]),
      )
      const undo = read(encodeUndo({ changes: before, before }))!
      for (let number = 0; number <= 201; number++) {
        const address = addressNumber(number)
        assert.deepEqual(undo.get(address), before.get(address) ?? null)
      }
      assert.deepEqual(new Map(undo.entries()), before)
      assert.equal(undo.size, before.size * 60)
    }),
  )
})

test('only accounts that were changed are kept', () => {
  const account = { nonce: 1n, balance: 2n }
  const before = new Map([1, 2, 3].map(number => [addressNumber(number), account]))
  const undo = read(encodeUndo({ changes: new Map([[addressNumber(2), account]]), before }))!
  assert.deepEqual([...undo.entries()], [[addressNumber(2), account]])
})

test('bytes that are no whole accounts, or not in order, are no record', () => {
  const before = new Map([1, 2].map(number => [addressNumber(number), { nonce: 1n, balance: 2n }]))
  const bytes = encodeUndo({ changes: before, before })
  assert.ok(read(bytes) !== null)
  const swapped = new Uint8Array([...bytes.subarray(60), ...bytes.subarray(0, 60)])
  const twice = new Uint8Array([...bytes.subarray(60), ...bytes.subarray(60)])
  for (const wrong of [bytes.slice(1), bytes.slice(0, 61), swapped, twice]) assert.equal(read(wrong), null)
})
