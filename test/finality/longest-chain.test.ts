import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlockId } from '../../src/chain/header.ts'
import type { ChainedHeader } from '../../src/chain/header-chain.ts'
import { Fields } from '../../src/encoding/fields.ts'
import type { ChainAccess, Finality } from '../../src/finality/contract.ts'
import { LONGEST_CHAIN } from '../../src/finality/modes/longest-chain.ts'
import type { ModeSetup } from '../../src/finality/modes/mode.ts'

const chain = (settings: object): Finality =>
  LONGEST_CHAIN.create(new Fields('finality', settings), {} as ModeSetup)
const header = (height: number, work = 0n): ChainedHeader => ({ height, work }) as ChainedHeader
const idAt = (height: number): BlockId => `0x${height}`

/** The height of the block that becomes final with a head at this height, or null. */
function finalAt(finality: Finality, height: number, baseHeight = 0): string | null {
  const ancestor = (at: number): BlockId | null => (at >= baseHeight ? idAt(at) : null)
  const access = { head: header(height), ancestor } as Partial<ChainAccess> as ChainAccess
  const effects = finality.step({ type: 'head' }, access)
  assert.ok(effects.length <= 1)
  const [effect] = effects
  if (effect === undefined) return null
  assert.ok(effect.type === 'final' && effect.certificate === null)
  return effect.id
}

const FAULTS: readonly { settings: object; message: string }[] = [
  { settings: { depth: 0 }, message: 'finality.depth: expected a whole number from 1 to 1000, got 0' },
  { settings: { depth: 1001 }, message: 'finality.depth: expected a whole number from 1 to 1000, got 1001' },
  { settings: { depth: 2.5 }, message: 'finality.depth: expected a whole number from 1 to 1000, got 2.5' },
  { settings: { depth: '9' }, message: 'finality.depth: expected a whole number from 1 to 1000, got "9"' },
  { settings: { depth: null }, message: 'finality.depth: expected a whole number from 1 to 1000, got null' },
  { settings: { dept: 9 }, message: 'finality.dept: unknown field' },
]

for (const { settings, message } of FAULTS) {
  test(`${JSON.stringify(settings)} is refused, and the message names the field`, () => {
    assert.throws(() => chain(settings), { name: 'InvalidField', message })
  })
}

test('without a setting 256 blocks may be reversed', () => {
  assert.equal(finalAt(chain({}), 256), null)
  assert.equal(finalAt(chain({}), 257), idAt(1))
})

test('a block is final when so many stand on it, and not one earlier', () => {
  const finality = chain({ depth: 3 })
  const finals = [0, 1, 2, 3, 4, 5, 9].map(height => finalAt(finality, height))
  assert.deepEqual(finals, [null, null, null, null, idAt(1), idAt(2), idAt(6)])
})

test('a head that is lower than the one before it makes nothing final below the last final block', () => {
  const finality = chain({ depth: 3 })
  assert.equal(finalAt(finality, 9, 6), idAt(6))
  assert.equal(finalAt(finality, 8, 6), null)
})

test('more work is preferred, and the first seen of equals', () => {
  const finality = chain({})
  assert.ok(finality.prefers(header(1, 11n), header(9, 10n)))
  assert.ok(!finality.prefers(header(9, 10n), header(1, 11n)))
  assert.ok(!finality.prefers(header(9, 10n), header(1, 10n)))
})

test('a block is safe when half the depth stands on it', () => {
  const finality = chain({ depth: 9 })
  const safe = [0, 4, 5, 20].map(height => finality.safeHeight(header(height), Math.max(0, height - 9)))
  assert.deepEqual(safe, [null, null, 1, 16])
})

test('what is final is safe', () => {
  assert.equal(chain({ depth: 10 }).safeHeight(header(20), 18), 18)
})

test('there are no votes: a message of a finality layer is refused, and there is nothing to report', () => {
  const finality = chain({})
  const access = {} as ChainAccess
  assert.deepEqual(finality.step({ type: 'message', from: 'p', body: Uint8Array.of(1) }, access), [
    { type: 'refuse', from: 'p', reason: 'nobody votes here' },
  ])
  assert.deepEqual(finality.step({ type: 'start', records: new Map(), isFresh: true }, access), [])
  assert.deepEqual(finality.step({ type: 'peer-connected', peer: 'p' }, access), [])
  assert.equal(finality.report(0), null)
})
