import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, Fields, InvalidField, type Json } from '../../src/encoding/fields.ts'

const BOUNDS = { min: 1, max: 5 }

const FAULTS: readonly [says: string, message: string, read: () => unknown][] = [
  ['a file that is an array', 'file: expected an object, got []', () => new Fields('', [])],
  ['a file that is null', 'file: expected an object, got null', () => new Fields('', null)],
  ['a file that is a text', 'file: expected an object, got "x"', () => new Fields('', 'x')],
  ['a file that is nothing', 'file: expected an object, got nothing', () => new Fields('', undefined)],
  ['a field that is no object', 'a: expected an object, got 1', () => new Fields('', { a: 1 }).object('a')],
  ['a missing field', 'a: missing', () => new Fields('', {}).integer('a', BOUNDS)],
  ['a missing object', 'a: missing', () => new Fields('', {}).object('a')],
  ['a field inside', 'a.b: missing', () => new Fields('', { a: {} }).object('a').text('b')],
  ['a field far inside', 'x.a.b: unknown field', () => new Fields('x', { a: { b: 1 } }).object('a').end()],
  ['an unknown field', 'b: unknown field', () => new Fields('', { b: 1 }).end()],
  [
    'a number below',
    'a: expected a whole number from 1 to 5, got 0',
    () => new Fields('', { a: 0 }).integer('a', BOUNDS),
  ],
  [
    'a number above',
    'a: expected a whole number from 1 to 5, got 6',
    () => new Fields('', { a: 6 }).integer('a', BOUNDS),
  ],
  [
    'a number that is not whole',
    'a: expected a whole number from 1 to 5, got 1.5',
    () => new Fields('', { a: 1.5 }).integer('a', BOUNDS),
  ],
  [
    'a number in a text',
    'a: expected a whole number from 1 to 5, got "1"',
    () => new Fields('', { a: '1' }).integer('a', BOUNDS),
  ],
  [
    'a number that a double does not hold exactly',
    `a: expected a whole number from 0 to Infinity, got ${2 ** 53}`,
    () => new Fields('', { a: 2 ** 53 }).integer('a', { min: 0, max: Infinity }),
  ],
  [
    'a number out of bounds',
    'a: expected a number from 1 to 5, got 5.1',
    () => new Fields('', { a: 5.1 }).number('a', BOUNDS),
  ],
  [
    'no number at all',
    'a: expected a number from 1 to 5, got true',
    () => new Fields('', { a: true }).number('a', BOUNDS),
  ],
  [
    'a text without characters',
    'a: expected a text of 1 to 100 characters, got ""',
    () => new Fields('', { a: '' }).text('a'),
  ],
  [
    'a value that is long',
    `a: expected a text of 1 to 100 characters, got "${'x'.repeat(59)}…`,
    () => new Fields('', { a: 'x'.repeat(101) }).text('a'),
  ],
]
for (const [says, message, read] of FAULTS) {
  test(`${says} is a fault that names it: ${message.slice(0, 60)}`, () => {
    assert.throws(read, (error: unknown) => {
      assert.ok(error instanceof InvalidField)
      assert.equal(error.message, message)
      assert.equal(error.field, message.slice(0, message.indexOf(':')))
      return true
    })
  })
}

test('fields are taken once, and nothing is left when all were taken', () => {
  const fields = new Fields('', { a: 1, b: 'x', c: {}, d: 2.5 })
  assert.deepEqual(fields.names(), ['a', 'b', 'c', 'd'])
  assert.ok(fields.has('a'))
  assert.equal(fields.integer('a', BOUNDS), 1)
  assert.ok(!fields.has('a'))
  assert.throws(() => fields.integer('a', BOUNDS), /a: missing/)
  assert.equal(fields.text('b'), 'x')
  fields.object('c').end()
  assert.equal(fields.number('d', BOUNDS), 2.5)
  assert.deepEqual(fields.names(), [])
  fields.end()
})

test('what every object inherits is not there, and __proto__ in a file is a field like any other', () => {
  const fields = new Fields('', JSON.parse('{"__proto__": {"a": 1}}'))
  assert.ok(!fields.has('constructor'))
  assert.ok(!fields.has('a'))
  assert.throws(() => fields.text('toString'), /toString: missing/)
  assert.deepEqual(fields.names(), ['__proto__'])
  assert.throws(() => fields.end(), /__proto__: unknown field/)
})

const CANONICAL: readonly [value: Json, text: string][] = [
  [null, 'null'],
  [true, 'true'],
  [-0, '0'],
  [1e21, '1e+21'],
  ['a"\n', '"a\\"\\n"'],
  [[2, 1, []], '[2,1,[]]'],
  [{ b: 1, a: { d: 2, c: [3] } }, '{"a":{"c":[3],"d":2},"b":1}'],
  [{ a10: 1, a9: 2, A: 3 }, '{"A":3,"a10":1,"a9":2}'],
  [{ '10': 1, '9': 2 }, '{"10":1,"9":2}'],
]
for (const [value, text] of CANONICAL) {
  test(`canonical JSON writes ${text}`, () => assert.equal(canonicalJson(value), text))
}

test('canonical JSON means the same, whatever the order and the spaces it was read from', () => {
  fc.assert(
    fc.property(fc.json(), text => {
      const value = JSON.parse(text) as Json
      const canonical = canonicalJson(value)
      assert.deepEqual(JSON.parse(canonical), value)
      assert.equal(canonicalJson(JSON.parse(JSON.stringify(value, null, 3))), canonical)
      assert.equal(canonicalJson(reversed(value)), canonical)
    }),
  )
})

/** The same value with the fields of every object in the opposite order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([key, inner]) => [key, reversed(inner)]))
}
