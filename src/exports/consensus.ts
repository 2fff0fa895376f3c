// `quorate/consensus`: agreement protocols over opaque values, as pure state machines. `step(input)` runs to its end,
// changes only the protocol's own state and returns effects in the order in which they must be done: no send may leave
// before every persist that stands before it is durable. Network, disk, timers and signing keys are the caller's.
//
// PBFT follows M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999). Times are milliseconds;
// members are numbered from 0 to n - 1, sequence numbers from 1.

export { LOG_PROTOCOLS } from '../consensus/catalogue.ts'
export type {
  FaultModel,
  LogAnatomy,
  LogCodec,
  LogKit,
  LogOptions,
  LogTheory,
  LogTypes,
  MessageFacts,
  SignedKit,
} from '../consensus/kit.ts'
export {
  type Application,
  type Decision,
  type LogCommand,
  type LogEffect,
  type LogInput,
  type LogOutput,
  type LogProtocol,
  type LogState,
  NO_VALUE,
  type ProposalOrigin,
  RETRANSMIT,
  type Validity,
  type Value,
} from '../consensus/log.ts'
export type {
  PbftEffect,
  PbftInput,
  PbftMessage,
  PbftRecord,
  Statement,
} from '../consensus/pbft/messages.ts'
export { type Pattern, Pbft, type PbftOptions } from '../consensus/pbft/pbft.ts'
export type { Certificate, Evidence } from '../consensus/pbft/votes.ts'
export type { Effect, Input, MemberIndex, PeerId, Process } from '../consensus/process.ts'
export { faultsTolerated, quorumOf } from '../consensus/quorum.ts'
export type { MemberSignature, Signing } from '../consensus/signed.ts'
