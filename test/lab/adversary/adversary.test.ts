import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawLiars, drawLyingMiner, LIAR_ROLES } from '../../../src/lab/adversary/adversary.ts'
import { Random } from '../../../src/lab/virtual/random.ts'

const draw = (
  role: 'all' | (typeof LIAR_ROLES)[number],
  count: number | null,
  validators: number,
  seed = 1,
) => drawLiars({ role, count }, validators, new Random(`seed ${seed}`))

test('without an adversary no member lies', () => {
  assert.equal(drawLiars(null, 7, new Random('seed')).size, 0)
})

test('as many lie as the committee bears, unless a count is given', () => {
  const tolerated = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(n => draw('silent', null, n).size)
  assert.deepEqual(tolerated, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3])
  assert.deepEqual(
    [draw('silent', 2, 4).size, draw('silent', 9, 4).size, draw('silent', 0, 4).size],
    [2, 4, 0],
  )
  assert.deepEqual(new Set(draw('twins', 3, 10).values()), new Set(['twins']))
})

test('all draws one liar at least where any is tolerated, every role sooner or later, and any place', () => {
  const runs = Array.from({ length: 200 }, (_, seed) => draw('all', null, 10, seed))
  assert.deepEqual(new Set(runs.map(({ size }) => size)), new Set([1, 2, 3]))
  assert.deepEqual(new Set(runs.flatMap(run => [...run.values()])), new Set(LIAR_ROLES))
  assert.equal(new Set(runs.flatMap(run => [...run.keys()])).size, 10)
  assert.equal(draw('all', null, 3).size, 0)
})

test('the miner that lies is no validator that does, and two others are honest at least', () => {
  const liars = draw('silent', 2, 7)
  const places = Array.from({ length: 100 }, (_, seed) =>
    drawLyingMiner(7, liars, new Random(`seed ${seed}`)),
  )
  assert.equal(new Set(places).size, 5)
  assert.ok(places.every(place => place !== null && !liars.has(place)))
  assert.equal(drawLyingMiner(2, new Map(), new Random('seed')), null)
  assert.equal(drawLyingMiner(4, draw('silent', 2, 4), new Random('seed')), null)
})
