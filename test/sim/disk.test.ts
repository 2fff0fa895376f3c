import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Disk } from '../../src/sim/disk.ts'

const one = Uint8Array.of(1)
const two = Uint8Array.of(2)

test('a write is seen at once, and durable after its sync', () => {
  const disk = new Disk()
  disk.write([{ key: 'a', value: one }])
  assert.deepEqual(disk.get('a'), one)
  assert.ok(!disk.isDurable('a'))
  disk.sync()
  assert.ok(disk.isDurable('a'))
})

test('a crash takes back every batch that was not synced, as a whole, and no other', () => {
  const disk = new Disk()
  disk.write([
    { key: 'a', value: one },
    { key: 'b', value: one },
  ])
  disk.write([
    { key: 'a', value: two },
    { key: 'b', value: null },
    { key: 'c', value: two },
  ])
  disk.sync()
  disk.crash()
  assert.deepEqual(
    ['a', 'b', 'c'].map(key => disk.get(key)),
    [one, one, null],
  )
  // What was lost stays lost.
  disk.sync()
  assert.deepEqual(disk.get('a'), one)
  assert.ok(!disk.isDurable('c'))
})

test('batches become durable in their order, one at a time', () => {
  const disk = new Disk()
  disk.write([{ key: 'a', value: one }])
  disk.write([{ key: 'a', value: null }])
  disk.sync()
  disk.crash()
  assert.deepEqual(disk.get('a'), one)
})

test('entries come in the order of their keys, with the prefix only', () => {
  const disk = new Disk()
  for (const key of ['b/2', 'a', 'b/10', 'c', 'b/1']) disk.write([{ key, value: one }])
  assert.deepEqual(
    [...disk.entries('b/')].map(([key]) => key),
    ['b/1', 'b/10', 'b/2'],
  )
})

test('a crash may leave some of what was not synced, from the oldest on', () => {
  const disk = new Disk()
  for (const key of ['a', 'b', 'c']) disk.write([{ key, value: one }])
  assert.equal(disk.unsynced, 3)
  disk.crash(2)
  assert.deepEqual(
    ['a', 'b', 'c'].map(key => disk.isDurable(key)),
    [true, true, false],
  )
  assert.deepEqual([disk.get('c'), disk.durable('b'), disk.durable('c'), disk.unsynced], [null, one, null, 0])
})

test('what is wiped is gone, durable or not, and nothing else is', () => {
  const disk = new Disk()
  for (const key of ['a/1', 'b/1']) disk.write([{ key, value: one }])
  disk.sync()
  disk.sync()
  disk.write([{ key: 'a/2', value: one }])
  disk.wipe('a/')
  assert.deepEqual([...disk.entries('')], [['b/1', one]])
  assert.deepEqual([disk.isDurable('a/1'), disk.isDurable('b/1')], [false, true])
})

test('a disk that is restored is as it was when it was copied, and what was on its way is lost', () => {
  const disk = new Disk()
  disk.write([{ key: 'a', value: one }])
  disk.sync()
  disk.backUp()
  disk.write([{ key: 'b', value: one }])
  disk.sync()
  disk.write([{ key: 'c', value: one }])
  disk.restore()
  assert.deepEqual([...disk.entries('')], [['a', one]])
  assert.deepEqual([disk.isDurable('b'), disk.unsynced], [false, 0])
})
