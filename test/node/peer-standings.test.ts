import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PeerStandings } from '../../src/node/peer-standings.ts'

const NEVER = Number.NEGATIVE_INFINITY

test('what a peer did counts from its handshake until it leaves', () => {
  const merits = new PeerStandings()
  merits.credit('a', 'block', 1)
  assert.deepEqual(merits.standing('a'), { isGreeted: false, blockMs: NEVER, transactionsMs: NEVER })
  merits.confirm('a')
  merits.credit('a', 'block', 2)
  merits.credit('a', 'transactions', 3)
  merits.confirm('a')
  assert.deepEqual(merits.standing('a'), { isGreeted: true, blockMs: 2, transactionsMs: 3 })
  merits.forget('a')
  assert.equal(merits.standing('a').isGreeted, false)
})

test('a validator is remembered when it has left', () => {
  const merits = new PeerStandings()
  merits.confirm('a')
  merits.noteValidator('a')
  merits.forget('a')
  assert.deepEqual([merits.isValidator('a'), merits.isValidator('b')], [true, false])
})
