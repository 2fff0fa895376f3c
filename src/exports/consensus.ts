// `quorate/consensus`: agreement protocols over opaque values, as pure state machines. `step(input)` runs to its end,
// changes only the protocol's own state and returns effects in the order in which they must be done: no send may leave
// before every persist that stands before it is durable. Network, disk, timers and signing keys are the caller's.
//
// PBFT follows M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999). Times are milliseconds;
// members are numbered from 0 to n - 1, sequence numbers from 1.

export {
  type Application,
  type Certificate,
  type Evidence,
  type MemberIndex,
  type MemberSignature,
  NO_VALUE,
  type ProposalOrigin,
  type Protocol,
  type ProtocolEffect,
  type ProtocolInput,
  type ProtocolTimer,
  type Signing,
  type Source,
  type Validity,
  type Value,
} from '../consensus/contract.ts'
export type { PbftMessage, PbftRecord, Statement } from '../consensus/pbft/messages.ts'
export { type Pattern, Pbft, type PbftOptions, type PbftState } from '../consensus/pbft/pbft.ts'
export { faultsTolerated, quorumOf } from '../consensus/pbft/quorum.ts'
