// The plays of Multi-Paxos (see ../play.ts): a view is a ballot, and a sequence number a slot.
//
// Pitfalls (docs/invariants.md), and where each is shown; `claims` and `conformance` are the tests beside this one:
//   B-X1 x1, every crash in conformance · B-X2 x2 · B-X3 x3 · B-X4 x4 · B-X5 x5 · B-X6 claims · B-X7 x7-…, claims · B-X9 claims

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { PaxosTypes } from '../../../src/consensus/multi-paxos/anatomy.ts'
import type { Accepted, PaxosMessage, PaxosRecord } from '../../../src/consensus/multi-paxos/messages.ts'
import { listOf, testPlays } from '../play.ts'
import { nameOf } from '../stage.ts'
import { PaxosStage } from './stage.ts'

testPlays<PaxosTypes, PaxosStage>(join(import.meta.dirname, 'plays'), {
  create: ({ n, pipeline = '1' }) => new PaxosStage({ n: Number(n), pipeline: Number(pipeline) }),
  timer: 'election',
  words: {
    view: 'ballot',
    none: 'no-op',
    message: showMessage,
    record: showRecord,
    decision: what,
    proof: what,
    evidence: () => assert.fail('evidence is for protocols whose members may lie'),
  },
  remarkable: ['prepare', 'accept'],
  showsTimers: false,
  showState: ({ view, proposer }, decided) => {
    const leader = proposer === null ? 'none yet' : nameOf(proposer)
    return `ballot ${view}, leader ${leader}, decided ${decided.join(' ') || 'nothing'}`
  },
})

function what({ sequence, ballot, value }: Accepted): string {
  return `${value || 'no-op'}@${sequence} ballot ${ballot}`
}

function showMessage(message: PaxosMessage): string {
  switch (message.type) {
    case 'prepare':
      return `PREPARE ${message.ballot} above ${message.decided}`
    case 'promise':
      return `PROMISE ${message.ballot}: decided ${message.decided}, accepted ${listOf(message.accepted.map(what))}`
    case 'accept':
      return `ACCEPT ${what(message)}${message.isReproposed ? ' again' : ''}`
    case 'accepted':
      return `ACCEPTED ${what(message)}`
    case 'chosen':
      return `CHOSEN ${what(message.decision)}`
    case 'heartbeat':
      return `HEARTBEAT ${message.ballot} decided ${message.decided}`
    case 'reject':
      return `REJECT, promised ${message.ballot}`
    case 'status':
      return `STATUS ballot ${message.ballot} decided ${message.decided}`
  }
}

function showRecord(record: PaxosRecord): string {
  switch (record.type) {
    case 'promise':
      return `promised ${record.ballot}, stable ${record.stable}`
    case 'accepted':
      return `accepted ${what(record)}`
  }
}
