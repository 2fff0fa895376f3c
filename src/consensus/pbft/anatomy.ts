// What PBFT's messages, records and certificates mean, in terms that all log protocols share (kit.ts): a PRE-PREPARE is a
// proposal and its sender's PREPARE, a VIEW-CHANGE a departure, a NEW-VIEW the beginning of a view.

import type {
  Claim,
  DecisionFacts,
  LogAnatomy,
  MemberStatus,
  MessageFacts,
  RecordFacts,
  SignedVoteOf,
} from '../kit.ts'
import { NO_VALUE } from '../log.ts'
import type { PbftMessage, PbftRecord, Statement } from './messages.ts'
import type { Certificate, Evidence, VotePhase } from './votes.ts'
import { PBFT_MESSAGE_TYPES } from './wire.ts'

/** The types of PBFT (see `LogTypes`). */
export interface PbftTypes {
  message: PbftMessage
  record: PbftRecord
  decision: Certificate
  statement: Statement
  evidence: Evidence
}

/** The anatomy of PBFT. */
export const PBFT_ANATOMY: LogAnatomy<PbftTypes> = {
  messageTypes: PBFT_MESSAGE_TYPES,
  message: messageFacts,
  status,
  claims,
  record: recordFacts,
  decision: decisionFacts,
  tell: certificate => ({ type: 'proof', certificate }),
}

const NOTHING: MessageFacts = {
  role: 'other',
  phase: null,
  sequence: null,
  view: null,
  value: null,
  from: null,
  isDeciding: false,
}

function messageFacts(message: PbftMessage): MessageFacts {
  switch (message.type) {
    case 'pre-prepare': {
      const { sequence, view, value, from } = message
      return { role: 'proposal', phase: 'prepare', sequence, view, value, from, isDeciding: true }
    }
    case 'prepare':
    case 'commit': {
      const { type, sequence, view, value, from } = message
      return { role: 'vote', phase: type, sequence, view, value, from, isDeciding: true }
    }
    case 'proof': {
      const { phase, sequence, view, value } = message.certificate
      const isDeciding = phase !== 'checkpoint'
      return { role: 'certificate', phase, sequence, view, value, from: null, isDeciding }
    }
    case 'checkpoint': {
      const { sequence, value, from } = message
      return { ...NOTHING, role: 'checkpoint', phase: 'checkpoint', sequence, value, from }
    }
    case 'view-change':
      return { ...NOTHING, role: 'departure', view: message.view, from: message.from }
    case 'new-view':
      return { ...NOTHING, role: 'beginning', view: message.view }
    case 'status':
      return { ...NOTHING, role: 'status', view: message.view, from: message.from }
    case 'complaint':
      return { ...NOTHING, view: message.view, from: message.from }
    case 'query':
    case 'answer':
      return { ...NOTHING, from: message.from }
  }
}

function status(message: PbftMessage): MemberStatus | null {
  return message.type === 'status' ? message : null
}

function claims(message: PbftMessage): readonly Claim[] {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
      return [voteClaim('prepare', message)]
    case 'commit':
      return [voteClaim('commit', message)]
    case 'checkpoint':
      return [{ about: `checkpoint ${message.sequence}`, value: message.value, sequence: null }]
    case 'new-view': {
      const { view, proposals } = message
      const value = proposals.map(proposal => `${proposal.sequence}=${proposal.value}`).join()
      const votes = proposals.map(proposal => voteClaim('prepare', { ...proposal, view }))
      // What is proposed again may be below its sender's stable checkpoint.
      return [
        { about: `new-view ${view}`, value, sequence: null },
        ...votes.map(vote => ({ ...vote, sequence: null })),
      ]
    }
    case 'view-change':
    case 'proof':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return []
  }
}

function voteClaim(
  phase: VotePhase,
  { view, sequence, value }: { readonly view: number; readonly sequence: number; readonly value: string },
): Claim {
  return { about: `${phase} ${sequence} in view ${view}`, value, sequence }
}

function recordFacts(record: PbftRecord): RecordFacts {
  const nothing: RecordFacts = { vote: null, view: null, values: [], stable: 0 }
  switch (record.type) {
    case 'slot': {
      const { sequence, view, value, prepared } = record
      const values = [value, prepared?.value ?? NO_VALUE].filter(known => known !== NO_VALUE)
      return { ...nothing, vote: { sequence, view, hasCommitted: prepared?.view === view }, values }
    }
    case 'view':
      return { ...nothing, view: { lastView: record.view, hasEntered: record.isActive } }
    case 'stable':
      return { ...nothing, stable: record.certificate.sequence }
    case 'new-view':
      return nothing
  }
}

function decisionFacts({ phase, view, signatures }: Certificate): DecisionFacts {
  return { isDecision: phase === 'commit', view, voters: signatures.map(({ member }) => member) }
}

/** The signed votes that a message carries outside certificates. */
export function votesIn(message: PbftMessage): readonly SignedVoteOf[] {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
    case 'checkpoint': {
      const { sequence, value, from: member, signature } = message
      const phase = message.type === 'pre-prepare' ? 'prepare' : message.type
      const vote = { phase, sequence, view: message.type === 'checkpoint' ? 0 : message.view, value }
      const own = { vote, member, signature }
      if (message.type !== 'prepare') return [own]
      return [{ vote, member: message.proposer, signature: message.proposal }, own]
    }
    case 'new-view':
    case 'view-change':
    case 'proof':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return []
  }
}

/** The certificates that a message carries. */
export function certificatesIn(message: PbftMessage): readonly Certificate[] {
  switch (message.type) {
    case 'proof':
      return [message.certificate]
    case 'view-change':
      return [...(message.stable === null ? [] : [message.stable]), ...message.prepared]
    case 'new-view':
      return message.viewChanges.flatMap(certificatesIn)
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
    case 'checkpoint':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return []
  }
}

/** The certificates that a record keeps. */
export function certificatesKept(record: PbftRecord): readonly Certificate[] {
  switch (record.type) {
    case 'slot':
      return record.prepared === null ? [] : [record.prepared]
    case 'stable':
      return [record.certificate]
    case 'new-view':
      return certificatesIn(record.message)
    case 'view':
      return []
  }
}
