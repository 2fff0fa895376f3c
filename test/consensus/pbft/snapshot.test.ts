import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Replica } from '../../../src/consensus/pbft/replica.ts'
import { Notary } from '../notary.ts'

/** What a replica is made with or empties in each step, so that it decides nothing later. */
const CONSTANT = ['options', 'quorum', 'rules', 'outbox', 'source']

test('the snapshot of a replica has every field that decides what it does next', () => {
  const replica = new Replica({
    n: 4,
    pattern: 'all-to-all',
    signing: new Notary().keyOf(0),
    application: { validate: () => 'valid', decision: () => null },
    timeoutMs: 1_000,
    retransmitMs: 500,
    checkpointInterval: 4,
    pipeline: 1,
  })
  const fields = Object.keys(replica).filter(name => !CONSTANT.includes(name))
  const kept = Object.keys(replica.snapshot as object)
  assert.deepEqual(
    fields.filter(name => !kept.includes(name)),
    [],
  )
})
