import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Disk } from '../../../src/lab/cluster/disk.ts'

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
  disk.write([{ key: 'b', value: one }])
  disk.sync()
  disk.restore(['b', 'c'])
  assert.deepEqual(disk.keys(), ['a', 'b'], 'what is kept elsewhere stays')
})

test('a record with a flipped bit is not read, and is known as damaged until it is written again', () => {
  const disk = new Disk()
  disk.write([
    { key: 'a', value: one },
    { key: 'b', value: one },
  ])
  disk.sync()
  assert.equal(disk.isDamaged, false)
  disk.damage('a', 3)
  const error = { name: 'CorruptStore', message: 'record a is damaged' }
  for (const read of [() => disk.get('a'), () => disk.durable('a'), () => [...disk.entries('')]])
    assert.throws(read, error)
  assert.deepEqual(disk.get('b'), one)
  assert.deepEqual([disk.keys(), disk.isDurable('a'), disk.isDamaged], [['a', 'b'], true, true])
  disk.crash()
  assert.throws(() => disk.get('a'), error)
  disk.write([{ key: 'a', value: two }])
  assert.deepEqual([disk.get('a'), disk.isDamaged], [two, true], 'a crash would bring it back')
  disk.sync()
  assert.equal(disk.isDamaged, false)
})

test('every bit of a record can be flipped, counted on from the first after the last', () => {
  for (let bit = 0; bit < 100; bit++) {
    const disk = new Disk()
    disk.write([{ key: 'a', value: one }])
    disk.sync()
    disk.damage('a', bit)
    assert.throws(() => disk.get('a'), { name: 'CorruptStore' })
    disk.damage('a', bit + 40)
    assert.deepEqual(disk.get('a'), one, 'the same bit of five bytes, twice')
  }
  assert.throws(() => new Disk().damage('a', 0), /there is no record a/)
})

test('damage takes nothing from what is on its way, and goes with what is wiped', () => {
  const disk = new Disk()
  disk.write([{ key: 'a', value: one }])
  disk.sync()
  disk.write([{ key: 'a', value: two }])
  disk.damage('a', 0)
  assert.deepEqual(disk.get('a'), two)
  disk.crash()
  assert.throws(() => disk.get('a'), { name: 'CorruptStore' })
  disk.wipe('')
  assert.deepEqual([disk.get('a'), disk.isDamaged], [null, false])
})
