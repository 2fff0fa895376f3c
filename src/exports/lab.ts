// `quorate/lab`: a whole network in virtual time, from a seed: the replicas that a node runs, over links that lose and
// reorder, on disks that lose what was not synced, with members that lie, watched by an oracle after every event.
//
// A run depends on its options and the version of the program alone: the same options give the same trace hash. The
// rules that a verdict names (S5, C7, L1 ...) are defined in docs/invariants.md. Times are milliseconds of virtual time.

export { type Adversary, LIAR_ROLES, type LiarRole } from '../lab/adversary/adversary.ts'
export { FAULT_KINDS, type FaultKind, type FaultPlan, RARE_FAULT_KINDS } from '../lab/faults/fault-plan.ts'
export { LATENCY_TABLES, type LatencyName } from '../lab/network/latency-table.ts'
export { NETWORK_MODELS, type NetworkModel, type NetworkRequest } from '../lab/network/network-model.ts'
export { simulate } from '../lab/swarm/simulation.ts'
export type { FaultScript, SimulationOptions } from '../lab/swarm/simulation-options.ts'
export type { AgreementResult, SimulationResult, Verdict } from '../lab/swarm/simulation-result.ts'
