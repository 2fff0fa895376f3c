import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/chain/fields.ts'
import { createFinality } from '../../src/finality/registry.ts'

const create = (finality: { readonly [key: string]: Json }) => createFinality({ finality })

test('a genesis file chooses the longest chain by its name', () => {
  const finality = create({ mode: 'longest-chain', depth: 7 })
  assert.equal(finality.mode, 'longest-chain')
  assert.equal(finality.safeHeight({ height: 20 } as never, 13), 17)
})

test('an unknown mode is refused with those that there are', () => {
  assert.throws(() => create({ mode: 'proof-of-luck' }), {
    name: 'InvalidField',
    message: 'finality.mode: expected one of longest-chain, got "proof-of-luck"',
  })
})

test('a mode must be given', () => {
  assert.throws(() => create({}), { name: 'InvalidField', message: 'finality.mode: missing' })
})

test('settings that the mode does not know are refused', () => {
  assert.throws(() => create({ mode: 'longest-chain', validators: 4 }), {
    message: 'finality.validators: unknown field',
  })
})
