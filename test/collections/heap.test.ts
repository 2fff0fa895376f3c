import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Heap } from '../../src/collections/heap.ts'

const byNumber = (a: number, b: number): boolean => a < b

test('an empty heap has no first item', () => {
  const heap = new Heap<number>(byNumber)
  assert.equal(heap.peek(), undefined)
  assert.equal(heap.pop(), undefined)
  assert.equal(heap.size, 0)
})

test('looking at the first item leaves it in place', () => {
  const heap = new Heap<number>(byNumber)
  for (const number of [3, 1, 2]) heap.push(number)
  assert.equal(heap.peek(), 1)
  assert.equal(heap.peek(), 1)
  assert.equal(heap.size, 3)
})

test('any mix of pushes and pops gives what a sorted list gives', () => {
  const operations = fc.array(fc.option(fc.integer({ min: 0, max: 20 })), { maxLength: 60 })
  fc.assert(
    fc.property(operations, list => {
      const heap = new Heap<number>(byNumber)
      const twin: number[] = []
      for (const number of list) {
        if (number === null) {
          assert.equal(heap.pop(), twin.shift())
        } else {
          heap.push(number)
          twin.push(number)
          twin.sort((a, b) => a - b)
        }
        assert.equal(heap.size, twin.length)
        assert.equal(heap.peek(), twin[0])
      }
    }),
    { numRuns: 300 },
  )
})
