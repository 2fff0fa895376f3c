// PBFT as entries of the catalogue: two message patterns over one protocol. `pbft` sends each vote to all (Castro and
// Liskov, 1999, sections 4.2 to 4.4); in `pbft-leader-collected` the proposer collects the votes and spreads what they
// prove (Schultz, 2024, section 4.2, with the last step that is missing there).

import type { LogKit, SignedKit } from '../kit.ts'
import { faultsTolerated, quorumOf } from '../quorum.ts'
import { certificatesIn, certificatesKept, PBFT_ANATOMY, type PbftTypes, votesIn } from './anatomy.ts'
import { encodeCertificate, readCertificate } from './certificate-record.ts'
import { checkpointIntervalFor } from './checkpoints.ts'
import { describeMessage } from './describe.ts'
import {
  contradictionsBetween,
  evidenceToJson,
  lieOf,
  reasonAgainst,
  statementsOf,
  takeEvidence,
} from './evidence.ts'
import { encodeEvidence, readEvidence } from './evidence-record.ts'
import { Pbft } from './pbft.ts'
import { decodePbftRecord, encodePbftRecord } from './record-wire.ts'
import type { Pattern } from './replica.ts'
import { encodeStatement, isStatement } from './statements.ts'
import { VOTE_PHASES } from './vote-fields.ts'
import type { Vote } from './votes.ts'
import { decodePbftMessage, encodePbftMessage } from './wire.ts'

const SIGNED: SignedKit<PbftTypes> = {
  phases: VOTE_PHASES,
  decidingPhase: 'commit',
  statePhase: 'checkpoint',
  isStatement,
  encodeStatement,
  // A vote from outside has been checked against `phases` before.
  voteStatement: vote => vote as Vote,
  certificate: certificate => certificate,
  votes: votesIn,
  certificates: certificatesIn,
  recordCertificates: certificatesKept,
  evidence: {
    types: ['contradiction', 'omission'],
    between: contradictionsBetween,
    encode: encodeEvidence,
    read: readEvidence,
    toJson: evidenceToJson,
    takeJson: takeEvidence,
    lie: lieOf,
    reasonAgainst,
    statements: statementsOf,
  },
}

const SHARED = {
  model: {
    faults: 'byzantine',
    network: 'partially synchronous',
    tolerated: faultsTolerated,
    quorum: quorumOf,
  },
  codec: {
    encodeMessage: encodePbftMessage,
    decodeMessage: decodePbftMessage,
    encodeRecord: encodePbftRecord,
    decodeRecord: decodePbftRecord,
    encodeDecision: encodeCertificate,
    readDecision: readCertificate,
  },
  anatomy: PBFT_ANATOMY,
  signed: SIGNED,
  describe: describeMessage,
  describeDecision: ({ value, view }) => `${value} in view ${view}`,
} satisfies Partial<LogKit<PbftTypes>>

/** A kit of PBFT, whose members always sign. */
export type PbftKit = LogKit<PbftTypes> & { readonly signed: SignedKit<PbftTypes> }

/** PBFT whose members send each vote to all. */
export const PBFT: PbftKit = {
  ...SHARED,
  name: 'pbft',
  paper: 'M. Castro, B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999), sections 4.2 to 4.4',
  // PRE-PREPARE n − 1, PREPARE (n − 1)², COMMIT n(n − 1).
  theory: { formula: '2n(n − 1)', messages: n => 2 * n * (n - 1), delays: 3 },
  create: creator('all-to-all'),
}

/** PBFT whose proposers collect the votes. */
export const PBFT_LEADER_COLLECTED: PbftKit = {
  ...SHARED,
  name: 'pbft-leader-collected',
  paper:
    'W. Schultz, "Distributed Systems" (2024), section 4.2, with a last step that tells the decision to all',
  // A proposal, votes, their certificate, votes, and their certificate: n − 1 messages each.
  theory: { formula: '5(n − 1)', messages: n => 5 * (n - 1), delays: 5 },
  create: creator('leader-collected'),
}

function creator(pattern: Pattern): LogKit<PbftTypes>['create'] {
  return ({ self, signing, random: _random, ...options }) => {
    if (signing === null) throw new RangeError('signing: expected one, got null: the members of PBFT sign')
    if (self !== signing.self)
      throw new RangeError(`self: expected the member that signs (${signing.self}), got ${self}`)
    return new Pbft({ ...options, pattern, signing, checkpointInterval: checkpointIntervalFor(options.n) })
  }
}
