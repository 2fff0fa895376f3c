/**
 * `quorate/consensus`: agreement on a total order of values, as pure state machines whose `step(input)` returns effects in the
 * order in which they must be done. PBFT (M. Castro and B. Liskov, OSDI 1999) and Multi-Paxos (L. Lamport, 2001).
 *
 * Times are milliseconds; members are numbered from 0 to n - 1, sequence numbers from 1. How many may be faulty and how many
 * decide differs by protocol: `PBFT.model.tolerated(n)`. Protocols look into no value; codecs write those of 32 bytes (`Value`).
 *
 * @packageDocumentation
 */

export { LOG_PROTOCOLS } from '../consensus/catalogue.ts'
export type {
  Claim,
  DecisionFacts,
  EvidenceKit,
  FaultModel,
  Lie,
  LogAnatomy,
  LogCodec,
  LogKit,
  LogOptions,
  LogTheory,
  LogTypes,
  MemberStatus,
  MessageFacts,
  MessageRole,
  RecordFacts,
  SignedKit,
  SignedVoteOf,
} from '../consensus/kit.ts'
export {
  type Application,
  type Decision,
  type LogCommand,
  type LogEffect,
  type LogInput,
  type LogOutput,
  type LogProtocol,
  type LogStart,
  type LogState,
  NO_VALUE,
  type ProposalOrigin,
  RETRANSMIT,
  type SignedCommand,
  type SignedOutput,
  type Validity,
  type Value,
} from '../consensus/log.ts'
export type { PaxosTypes } from '../consensus/multi-paxos/anatomy.ts'
export type { Ballot } from '../consensus/multi-paxos/ballot.ts'
export { MULTI_PAXOS } from '../consensus/multi-paxos/kit.ts'
export type {
  Accept as PaxosAccept,
  Accepted as PaxosAccepted,
  AcceptedVote as PaxosAcceptedVote,
  Chosen as PaxosChosen,
  Heartbeat as PaxosHeartbeat,
  PaxosDecision,
  PaxosEffect,
  PaxosInput,
  PaxosMessage,
  PaxosRecord,
  Prepare as PaxosPrepare,
  Promise1b as PaxosPromise,
  Reject as PaxosReject,
  Status as PaxosStatus,
} from '../consensus/multi-paxos/messages.ts'
export { MultiPaxos } from '../consensus/multi-paxos/multi-paxos.ts'
export type { PaxosOptions } from '../consensus/multi-paxos/replica.ts'
export type { PbftTypes } from '../consensus/pbft/anatomy.ts'
export { PBFT, PBFT_LEADER_COLLECTED, type PbftKit } from '../consensus/pbft/kit.ts'
export type {
  Answer as PbftAnswer,
  Checkpoint as PbftCheckpoint,
  Commit as PbftCommit,
  Complaint as PbftComplaint,
  NewView as PbftNewView,
  PbftEffect,
  PbftInput,
  PbftMessage,
  PbftRecord,
  PrePrepare as PbftPrePrepare,
  Prepare as PbftPrepare,
  Proof as PbftProof,
  Query as PbftQuery,
  Statement,
  Status as PbftStatus,
  ViewChange as PbftViewChange,
} from '../consensus/pbft/messages.ts'
export { type Pattern, Pbft, type PbftOptions } from '../consensus/pbft/pbft.ts'
export type {
  Certificate,
  Contradiction,
  Departure,
  Evidence,
  Omission,
  PreparedClaim,
  Suspect,
  Vote,
  VotePhase,
  VoteWithSignature,
} from '../consensus/pbft/votes.ts'
export type { Effect, Input, MemberIndex, PeerId, Process, Snapshot } from '../consensus/process.ts'
export type { MemberSignature, Signature, Signing, SomeCertificate, SomeVote } from '../consensus/signed.ts'
export { ByteReader, MalformedBytes } from '../encoding/bytes.ts'
export { Fields, type Json } from '../encoding/fields.ts'
