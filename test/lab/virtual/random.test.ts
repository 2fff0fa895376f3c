import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../src/lab/virtual/random.ts'

const draw = (random: Random, count = 20): number[] => Array.from({ length: count }, () => random.next())

test('a seed gives the same numbers every time, and another seed others', () => {
  assert.deepEqual(draw(new Random('seed/1')), draw(new Random('seed/1')))
  assert.notDeepEqual(draw(new Random('seed/1')), draw(new Random('seed/2')))
})

test('the numbers of a seed never change, or every remembered seed would be lost', () => {
  const random = new Random('quorate/1')
  assert.deepEqual(
    [random.integer(0, 999_999), random.integer(0, 999_999), random.stream('network').integer(0, 999_999)],
    [45_348, 669_512, 412_292],
  )
})

test('a new use of chance in one stream does not shift another', () => {
  const [a, b] = [new Random('seed'), new Random('seed')]
  draw(a)
  draw(a.stream('disk'))
  assert.deepEqual(draw(a.stream('network')), draw(b.stream('network')))
})

test('whole numbers have both bounds and nothing beyond', () => {
  const random = new Random('seed')
  const seen = new Set(Array.from({ length: 400 }, () => random.integer(3, 6)))
  assert.deepEqual([...seen].sort(), [3, 4, 5, 6])
})

test('numbers are spread evenly, exponential ones have their mean', () => {
  const random = new Random('seed')
  const mean = (next: () => number): number =>
    Array.from({ length: 20_000 }, next).reduce((sum, number) => sum + number, 0) / 20_000
  assert.ok(Math.abs(mean(() => random.next()) - 0.5) < 0.01)
  assert.ok(Math.abs(mean(() => random.exponential(7)) - 7) < 0.25)
  assert.ok(Math.abs(mean(() => (random.chance(0.3) ? 1 : 0)) - 0.3) < 0.01)
  assert.ok(draw(random, 1_000).every(number => number >= 0 && number < 1))
})

test('a shuffle loses nothing and leaves its input alone', () => {
  const items = [1, 2, 3, 4, 5, 6]
  const random = new Random('seed')
  const orders = new Set(Array.from({ length: 50 }, () => random.shuffle(items).join('')))
  assert.ok(orders.size > 30)
  for (const order of orders) assert.equal([...order].sort().join(''), '123456')
  assert.deepEqual(items, [1, 2, 3, 4, 5, 6])
  assert.ok(items.includes(random.pick(items)))
})
