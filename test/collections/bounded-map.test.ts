import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedMap } from '../../src/collections/bounded-map.ts'

test('a full map forgets its oldest entry and no other', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('c', 3)
  assert.deepEqual(
    ['a', 'b', 'c'].map(key => map.get(key)),
    [undefined, 2, 3],
  )
})

test('an entry that is set again counts as the newest', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 4)
  map.set('c', 3)
  assert.ok(!map.has('b'))
  assert.equal(map.get('a'), 4)
})

test('any use of it agrees with a list of pairs, and it never passes its cap', () => {
  const operation = fc.record({ key: fc.integer({ min: 0, max: 8 }), isDelete: fc.boolean() })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(operation, { maxLength: 50 }), (max, list) => {
      const map = new BoundedMap<number, number>(max)
      let twin: [number, number][] = []
      for (const [value, { key, isDelete }] of list.entries()) {
        twin = twin.filter(([other]) => other !== key)
        if (isDelete) map.delete(key)
        else map.set(key, value)
        if (!isDelete) twin = [...twin, [key, value] as [number, number]].slice(-max)
        assert.equal(map.size, twin.length)
        for (let probe = 0; probe <= 8; probe++)
          assert.equal(map.get(probe), twin.find(([other]) => other === probe)?.[1])
      }
    }),
    { numRuns: 200 },
  )
})
