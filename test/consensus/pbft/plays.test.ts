// The plays of PBFT (see ../play.ts), with directives for liars:
//
//   send D to=A commit 1 0 b [as=A]            D signs a vote for sequence 1, view 0, and says that it is A's
//   forge D to=A commit 1 4 b A0 C3 D4         D shows a certificate made of what A, C, D signed in views 0, 3, 4
//
// Pitfalls (docs/invariants.md), and where each is shown; `claims` and `conformance` are the tests beside this one:
//   B-P1 p01-…, claims · B-P2 claims · B-P3 claims, `omitting` in conformance · B-P4 claims · B-P5 p05 · B-P6 claims
//   B-P7 p07 · B-P8 p08 · B-P9 p09, claims · B-P10 p10, every crash in conformance · B-P11 p11, claims · B-P12 p12
//   B-P13, B-P14 p13, claims · B-P15 p15, claims · B-P19 `late` in conformance · B-P20 claims (the proposer rotates)
//   B-P21 p21 · B-P22 p22-… · B-P23 p23, p07 · B-P24 p07 (each view prepares one) · B-P25 p25
//   B-P27 `babbling` in conformance, claims · B-P30 claims (the proposer is a pure function of numbers that all know)
// Not of this module: B-P16, B-P28 (transfer of states and parts: the application's), B-P17 (reads), B-P18 (clients;
// there are no MACs here), B-P26 (there is no fast path), B-P29 (times of blocks).

import { join } from 'node:path'
import type { Value } from '../../../src/consensus/log.ts'
import type { PbftTypes } from '../../../src/consensus/pbft/anatomy.ts'
import type { PbftMessage, PbftRecord, ViewChange } from '../../../src/consensus/pbft/messages.ts'
import type { Pattern } from '../../../src/consensus/pbft/pbft.ts'
import type { Certificate, Evidence, Vote } from '../../../src/consensus/pbft/votes.ts'
import { type Directive, listOf, namesIn, type Shown, testPlays } from '../play.ts'
import { indexOf, nameOf } from '../stage.ts'
import { PbftStage } from './stage.ts'

testPlays<PbftTypes, PbftStage>(join(import.meta.dirname, 'plays'), {
  create: ({ n, pattern = 'all-to-all', pipeline = '1', checkpoints = '4' }) =>
    new PbftStage({
      n: Number(n),
      pattern: pattern as Pattern,
      pipeline: Number(pipeline),
      checkpointInterval: Number(checkpoints),
    }),
  timer: 'progress',
  words: {
    view: 'view',
    none: 'null',
    message: showMessage,
    record: showRecord,
    decision: decision => `${what(decision)} by ${voters(decision)}`,
    proof,
    evidence: showEvidence,
  },
  remarkable: ['view-change', 'new-view'],
  showsTimers: true,
  showState: ({ view, isActive, timeoutMs, stable }, decided) =>
    `view ${view}${isActive ? '' : ' (leaving)'} waits ${timeoutMs} ms, stable ${stable}, decided ${decided.join(' ') || 'nothing'}`,
  perform,
})

function perform(stage: PbftStage, { verb, plain, options }: Directive): Shown<PbftTypes>[] | null {
  const liar = indexOf(plain[0]!)
  const vote = voteIn(plain)
  const tell = (message: PbftMessage) =>
    namesIn(options.to!).map(to => ({ index: to, effects: stage.say(liar, [to], message) }))
  switch (verb) {
    case 'send':
      return tell(signed(stage, liar, vote, options.as === undefined ? liar : indexOf(options.as)))
    case 'forge':
      return tell({ type: 'proof', certificate: collected(stage, vote, plain.slice(5)) })
    default:
      return null
  }
}

function voteIn([, phase, sequence, view, value]: readonly string[]): Vote {
  return { phase: phase as Vote['phase'], sequence: Number(sequence), view: Number(view), value: value! }
}

function signed(stage: PbftStage, liar: number, vote: Vote, from: number): PbftMessage {
  const { phase, sequence, view, value } = vote
  const signature = stage.sign(liar, vote)
  if (phase === 'checkpoint') return { type: phase, sequence, value, from, signature }
  if (phase === 'commit') return { type: phase, sequence, view, value, from, signature }
  // The proposal that goes with a PREPARE is the one that the proposer really made, if it made one.
  const proposed = stage.said.find(
    ({ message }) =>
      message.type === 'pre-prepare' &&
      message.view === view &&
      message.sequence === sequence &&
      message.value === value,
  )?.message as Extract<PbftMessage, { type: 'pre-prepare' }> | undefined
  if (proposed === undefined) return { type: 'pre-prepare', sequence, view, value, from, signature }
  const { from: proposer, signature: proposal } = proposed
  return { type: 'prepare', sequence, view, value, from, signature, proposer, proposal }
}

/** What a liar can put together: signatures of members over this vote, in the views that are named. */
function collected(stage: PbftStage, vote: Vote, from: readonly string[]): Certificate {
  const signatures = from.map(word => ({
    member: indexOf(word),
    signature: stage.sign(indexOf(word), { ...vote, view: Number(word.slice(1)) }),
  }))
  return { ...vote, signatures }
}

// ---- what was done, as text

function voters({ signatures }: Certificate): string {
  return signatures.map(({ member }) => nameOf(member)).join('')
}

function what({ sequence, view, value }: { sequence: number; view: number; value: Value }): string {
  return `${value || 'null'}@${sequence} view ${view}`
}

function proof(certificate: Certificate): string {
  return `${certificate.phase} of ${what(certificate)} by ${voters(certificate)}`
}

function suspected({ suspects }: ViewChange): string {
  if (suspects.length === 0) return ''
  return `; suspects ${listOf(suspects.map(({ member, until }) => `${nameOf(member)} to ${until}`))}`
}

function showMessage(message: PbftMessage): string {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      return `${message.type.toUpperCase()} ${what(message)}`
    case 'checkpoint':
      return `CHECKPOINT ${message.sequence} ${message.value}`
    case 'view-change': {
      const low = message.stable === null ? '' : ` above ${message.stable.sequence}`
      return `VIEW-CHANGE ${message.view}${low}: prepared ${listOf(message.prepared.map(what))}${suspected(message)}`
    }
    case 'new-view': {
      const from = message.viewChanges.map(({ from }) => nameOf(from)).join('')
      const again = message.proposals.map(({ sequence, value }) => `${value || 'null'}@${sequence}`)
      return `NEW-VIEW ${message.view} from ${from}: again ${listOf(again)}`
    }
    case 'status':
      return `STATUS view ${message.view}${message.isActive ? '' : ' (leaving)'} decided ${message.decided}`
    case 'proof':
      return `PROOF ${proof(message.certificate)}`
    case 'complaint':
      return `COMPLAINT ${message.view}`
    case 'query':
      return `QUERY by ${nameOf(message.from)}`
    case 'answer':
      return `ANSWER to ${nameOf(message.to)}: decided ${message.decided}, ${message.votes.length} votes`
  }
}

function showRecord(record: PbftRecord): string {
  switch (record.type) {
    case 'view':
      return `view ${record.view}${record.isActive ? '' : ' (leaving)'}`
    case 'new-view':
      return `how view ${record.message.view} began`
    case 'slot': {
      const prepared = record.prepared === null ? '' : `, prepared in view ${record.prepared.view}`
      return `accepted ${what(record)}${prepared}`
    }
    case 'stable':
      return `stable ${record.certificate.sequence}`
  }
}

function showEvidence(evidence: Evidence): string {
  if (evidence.type === 'omission') {
    const { member, vote, departure } = evidence
    return `${nameOf(member)}: ${vote.phase} of ${what(vote)}, left out for view ${departure.view}`
  }
  const { member, first, second } = evidence
  return `${nameOf(member)}: ${first.phase} of ${what(first)} and of ${what(second)}`
}
