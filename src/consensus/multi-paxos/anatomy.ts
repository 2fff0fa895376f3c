// What the messages and records of Multi-Paxos mean, in terms that all log protocols share (kit.ts): a ballot is a view, an
// ACCEPT a proposal and its sender's vote, a PREPARE a departure, a CHOSEN a certificate without signatures.

import type { Claim, LogAnatomy, MemberStatus, MessageFacts, RecordFacts } from '../kit.ts'
import { NO_VALUE } from '../log.ts'
import type { Accepted, PaxosDecision, PaxosMessage, PaxosRecord } from './messages.ts'
import { PAXOS_MESSAGE_TYPES } from './wire.ts'

/** The types of Multi-Paxos (see `LogTypes`). */
export interface PaxosTypes {
  message: PaxosMessage
  record: PaxosRecord
  decision: PaxosDecision
  statement: never
  evidence: never
}

/** The anatomy of Multi-Paxos. */
export const PAXOS_ANATOMY: LogAnatomy<PaxosTypes> = {
  messageTypes: PAXOS_MESSAGE_TYPES,
  message: messageFacts,
  status,
  claims,
  record: recordFacts,
  decision: ({ ballot }) => ({ isDecision: true, view: ballot, voters: [] }),
  tell: decision => ({ type: 'chosen', decision }),
}

const NOTHING = { phase: null, sequence: null, value: null, isDeciding: false } as const

function messageFacts(message: PaxosMessage): MessageFacts {
  switch (message.type) {
    case 'prepare':
    case 'promise': {
      const { type, ballot: view, from } = message
      return { ...NOTHING, role: type === 'prepare' ? 'departure' : 'other', view, from }
    }
    case 'accept':
    case 'accepted': {
      const { type, sequence, ballot: view, value, from } = message
      const role = type === 'accept' ? 'proposal' : 'vote'
      return { role, phase: 'accepted', sequence, view, value, from, isDeciding: true }
    }
    case 'chosen': {
      const { sequence, ballot: view, value } = message.decision
      return { role: 'certificate', phase: 'accepted', sequence, view, value, from: null, isDeciding: true }
    }
    case 'heartbeat':
    case 'reject':
      return { ...NOTHING, role: 'other', view: message.ballot, from: message.from }
    case 'status':
      return { ...NOTHING, role: 'status', view: message.ballot, from: message.from }
  }
}

function status(message: PaxosMessage): MemberStatus | null {
  return message.type === 'status' ? { ...message, view: message.ballot } : null
}

/** One value for a slot in a ballot: of its leader, which asks for no other one, and of an acceptor, whose vote it is. */
function claims(message: PaxosMessage): readonly Claim[] {
  switch (message.type) {
    case 'accept':
      // What is proposed again may be below what its sender has stable.
      return [{ ...claim(message), sequence: null }]
    case 'accepted':
      return [claim(message)]
    case 'prepare':
    case 'promise':
    case 'chosen':
    case 'heartbeat':
    case 'reject':
    case 'status':
      return []
  }
}

function claim({ sequence, ballot, value }: Accepted): Claim {
  return { about: `accepted ${sequence} in ballot ${ballot}`, value, sequence }
}

function recordFacts(record: PaxosRecord): RecordFacts {
  const nothing: RecordFacts = { vote: null, view: null, values: [], stable: 0 }
  switch (record.type) {
    case 'promise':
      return { ...nothing, view: { lastView: record.ballot, hasEntered: true }, stable: record.stable }
    case 'accepted': {
      const { sequence, ballot: view, value } = record
      const values = value === NO_VALUE ? [] : [value]
      return { ...nothing, vote: { sequence, view, hasCommitted: true }, values }
    }
  }
}
