/**
 * `quorate/lab`: a whole network in virtual time, from a seed: replicas over links that lose and reorder, on disks that lose
 * what was not synced, with members that lie, checked by an oracle after every event. Times are virtual milliseconds.
 *
 * The same options and version give the same trace hash. The rules that a verdict names are in docs/invariants.md;
 * `InvalidField` names an option that is none, and what goes wrong in a run is its verdict.
 *
 * @packageDocumentation
 */

export { type Adversary, LIAR_ROLES, type LiarRole } from '../lab/adversary/adversary.ts'
export { LIMIT_NAMES, type LimitName, type SmallLimits } from '../lab/cluster/small-limits.ts'
export type { FaultEvent } from '../lab/faults/fault-events.ts'
export { FAULT_KINDS, type FaultKind, type FaultPlan, RARE_FAULT_KINDS } from '../lab/faults/fault-plan.ts'
export { LATENCY_TABLES, type LatencyName } from '../lab/network/latency-table.ts'
export {
  NETWORK_MODELS,
  type NetworkModel,
  type NetworkRequest,
  SCHEDULERS,
} from '../lab/network/network-model.ts'
export { simulate } from '../lab/swarm/simulation.ts'
export type { FaultScript, SimulationOptions } from '../lab/swarm/simulation-options.ts'
export type { AgreementResult, SimulationResult, ToldLies, Verdict } from '../lab/swarm/simulation-result.ts'
