// Where a committee stands, for people: what it waits for, and what each validator did and said last. Why finality does
// not move can be read from it.

import type { LogKit } from '../consensus/kit.ts'
import type { LogState } from '../consensus/log.ts'
import type { MemberIndex } from '../consensus/process.ts'
import type { AgreementReport, ValidatorReport } from './contract.ts'
import type { EvidenceReport } from './evidence-report.ts'
import type { Members } from './members.ts'
import type { ValidatorSet } from './validators.ts'

/** What a report is made of. */
export interface AgreementFacts {
  readonly validators: ValidatorSet
  readonly pattern: string
  readonly kit: LogKit
  readonly self: MemberIndex | null
  readonly state: LogState
  readonly members: Members
  readonly muted: string | null
  readonly halted: string | null
  readonly sequence: number
  readonly isWaiting: boolean
  /** When the last decision came; milliseconds since 1970, as is `nowMs`. */
  readonly decidedMs: number
  readonly nowMs: number
  readonly evidence: readonly EvidenceReport[]
}

/** The report of these facts. */
export function describeAgreement(facts: AgreementFacts): AgreementReport {
  const { validators, pattern, kit, self, state, muted, halted, sequence, isWaiting, evidence } = facts
  return {
    pattern,
    quorum: kit.model.quorum(validators.size),
    faultsTolerated: kit.model.tolerated(validators.size),
    self,
    view: state.view,
    isActive: state.isActive,
    muted,
    halted,
    sequence,
    timeoutMs: state.timeoutMs,
    isWaiting,
    sinceDecisionMs: facts.nowMs - facts.decidedMs,
    proposer: state.proposer,
    phases: [...state.voted.keys()],
    validators: validators.validators.map((_, member) => describeMember(facts, member)),
    evidence,
  }
}

function describeMember(facts: AgreementFacts, member: MemberIndex): ValidatorReport {
  const { validators, state, members, self, nowMs } = facts
  const { name, address } = validators.validators[member]!
  const last = members.lastStatus(member)
  return {
    name,
    address,
    isLinked: members.peerOf(member) !== undefined || member === self,
    votedIn: [...state.voted].flatMap(([phase, members]) => (members.includes(member) ? [phase] : [])),
    wantsViewChange: state.leaving.includes(member),
    status:
      last === undefined
        ? null
        : {
            view: last.status.view,
            isActive: last.status.isActive,
            votes: last.status.votes,
            sequence: last.status.decided,
            timeoutMs: last.status.timeoutMs,
            clockAheadMs: last.clockAheadMs,
            ageMs: nowMs - last.atMs,
          },
  }
}
