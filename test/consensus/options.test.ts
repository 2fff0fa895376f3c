import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOG_PROTOCOLS } from '../../src/consensus/catalogue.ts'
import type { LogOptions } from '../../src/consensus/kit.ts'
import { Pbft, type PbftOptions } from '../../src/consensus/pbft/pbft.ts'

const signingOf = (self: number | null) => ({ self, sign: () => new Uint8Array(65), isSigned: () => true })

const GOOD: LogOptions = {
  n: 4,
  self: 0,
  application: { validate: () => 'valid', decision: () => null },
  signing: null,
  timeoutMs: 1_000,
  retransmitMs: 250,
  pipeline: 1,
  random: () => 0.5,
}

const BAD: readonly [Partial<LogOptions>, RegExp][] = [
  [{ n: 0 }, /^RangeError: n: expected a whole number from 1 to 100, got 0$/],
  [{ n: 101 }, /^RangeError: n: .*got 101$/],
  [{ n: 3.5 }, /^RangeError: n: .*got 3\.5$/],
  [{ self: 4 }, /^RangeError: self: expected a whole number from 0 to 3, got 4$/],
  [{ self: -1 }, /^RangeError: self: .*got -1$/],
  [{ timeoutMs: 0 }, /^RangeError: timeoutMs: expected more than 0 and at most 2147483648 ms, got 0$/],
  [{ timeoutMs: Number.NaN }, /^RangeError: timeoutMs: .*got NaN$/],
  [{ retransmitMs: -1 }, /^RangeError: retransmitMs: .*got -1$/],
  [{ retransmitMs: Number.POSITIVE_INFINITY }, /^RangeError: retransmitMs: .*got Infinity$/],
  [{ pipeline: 0 }, /^RangeError: pipeline: expected a whole number from 1 to 256, got 0$/],
  [{ pipeline: 257 }, /^RangeError: pipeline: .*got 257$/],
]

for (const kit of LOG_PROTOCOLS) {
  const create = (options: LogOptions) =>
    kit.create({ ...options, signing: kit.signed === null ? null : signingOf(options.self) })
  const start = {
    type: 'start',
    records: new Map<string, never>(),
    decided: 0,
    challenge: null,
    forgotten: null,
    convicted: [],
  } as const

  test(`${kit.name} says which option is out of its range`, () => {
    create(GOOD)
    create({ ...GOOD, self: null, n: 1 })
    for (const [change, refusal] of BAD) assert.throws(() => create({ ...GOOD, ...change }), refusal)
  })

  test(`${kit.name} is started first and once`, () => {
    const process = create(GOOD)
    assert.throws(() => process.step({ type: 'propose', value: 'early' }), /propose was given before start/)
    process.step(start)
    assert.throws(() => process.step(start), /start was given twice/)
  })
}

test('PBFT says what is wrong with its own options', () => {
  const create = (options: Partial<PbftOptions>) =>
    new Pbft({
      ...GOOD,
      application: { validate: () => 'valid', decision: () => null },
      pattern: 'all-to-all',
      checkpointInterval: 8,
      signing: signingOf(0),
      ...options,
    })
  create({})
  for (const checkpointInterval of [0, 129, 1.5])
    assert.throws(
      () => create({ checkpointInterval }),
      /^RangeError: checkpointInterval: expected a whole number/,
    )
  const pattern = 'ring' as PbftOptions['pattern']
  assert.throws(
    () => create({ pattern }),
    /^RangeError: pattern: expected all-to-all or leader-collected, got "ring"$/,
  )
  const [kit] = LOG_PROTOCOLS
  assert.throws(() => kit!.create({ ...GOOD, signing: null }), /^RangeError: signing: expected one, got null/)
  assert.throws(
    () => kit!.create({ ...GOOD, signing: signingOf(1) }),
    /^RangeError: self: expected the member that signs/,
  )
})
