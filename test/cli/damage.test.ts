import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainDamage } from '../../src/cli/damage.ts'
import { CommandError, EXIT } from '../../src/cli/exit-codes.ts'
import { DamagedVotes } from '../../src/finality/committee-records.ts'
import { DatabaseCorrupt, DatabaseLocked } from '../../src/node/database.ts'
import { CorruptStore } from '../../src/replica/records.ts'

test('damage is told with its place and a remedy, also where it is the cause of a stop', () => {
  const found = [
    new CorruptStore('record base is damaged'),
    new DamagedVotes('record base is damaged'),
    new DatabaseCorrupt('record base is damaged'),
    new Error('the node stops', { cause: new CorruptStore('record base is damaged') }),
  ]
  for (const error of found) {
    const told = explainDamage(error, '/data/chain')
    assert.ok(told instanceof CommandError)
    assert.equal(told.code, EXIT.file)
    assert.equal(told.message, 'the database in /data/chain is damaged: record base is damaged')
    assert.match(told.remedy ?? '', /^Move that folder away.*without --validator.*[.]$/)
  }
})

test('any other error is left as it is', () => {
  const errors = [new DatabaseLocked('x'), new Error('x', { cause: new Error('y') }), 'x', null]
  for (const error of errors) assert.equal(explainDamage(error, '/data/chain'), error)
})
