// No kind of message and no method of the RPC without an attack that shows its price: what there is, is enumerated from
// where the node itself reads it, so that whoever adds one is told here.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PBFT_MESSAGE_TYPES } from '../../src/consensus/pbft/wire.ts'
import { MESSAGE_TYPES } from '../../src/replica/messages.ts'
import { CONTROL_METHODS, METHODS } from '../../src/rpc/methods.ts'
import { ATTACKS, CLIENT_ATTACKS, PEER_ATTACKS } from './attacks.ts'
import { DEAR_PARAMS } from './clients.ts'
import { FINALITY_SAMPLES } from './requests.ts'

const coveredBy = (attacks: typeof ATTACKS): Set<string> => new Set(attacks.flatMap(({ covers }) => covers))

test('every kind of message that peers send each other is used in an attack', () => {
  const covered = coveredBy(PEER_ATTACKS)
  assert.deepEqual(
    MESSAGE_TYPES.filter(type => !covered.has(type)),
    [],
  )
})

test('every kind of message of the finality layer is used in an attack', () => {
  const covered = coveredBy(PEER_ATTACKS)
  const types = [...PBFT_MESSAGE_TYPES, 'hello']
  assert.deepEqual(
    types.filter(type => !covered.has(`finality/${type}`)),
    [],
  )
  assert.deepEqual([...FINALITY_SAMPLES.keys()].sort(), [...PBFT_MESSAGE_TYPES].sort())
})

test('every method that anybody may call is used in an attack, with parameters of its own', () => {
  assert.deepEqual([...DEAR_PARAMS.keys()].sort(), [...METHODS.keys()].sort())
  const covered = coveredBy(CLIENT_ATTACKS)
  assert.deepEqual(
    [...METHODS.keys()].filter(method => !covered.has(method)),
    [],
  )
  // Who has the cookie may stop the node as well.
  assert.deepEqual(
    [...CONTROL_METHODS.keys()].filter(method => METHODS.has(method)),
    [],
  )
})

test('no two attacks have one name', () => {
  const names = ATTACKS.map(({ name }) => name)
  assert.deepEqual([...new Set(names)], names)
})
