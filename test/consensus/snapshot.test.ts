import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snapshotOf } from '../../src/consensus/snapshot.ts'

test('a snapshot has one form: keys in order, maps and sets in theirs, bytes as hex', () => {
  const state = { b: new Map([[2, new Set(['x'])]]), a: Uint8Array.of(1, 255), c: null }
  const expected = '{"a":"0x01ff","b":[[2,["x"]]],"c":null}'
  assert.equal(JSON.stringify(snapshotOf(state)), expected)
  assert.equal(JSON.stringify(snapshotOf({ c: null, a: state.a, b: state.b })), expected)
})

test('an object with a snapshot of its own is that, and what has no form is refused', () => {
  assert.deepEqual(snapshotOf([{ snapshot: { y: 1, x: true }, hidden: 2 }]), [{ x: true, y: 1 }])
  assert.throws(() => snapshotOf({ a: undefined }), TypeError)
  assert.throws(() => snapshotOf(() => 1), TypeError)
})
