// What a network promises: the three models in which protocols are proved, and what each finality promises in each.
//
//   synchronous   every message arrives within Δ, and both sides know Δ
//   partial       from an unknown moment (GST) on, every message arrives within Δ; before it anything may
//                 happen (Dwork, Lynch, Stockmeyer, "Consensus in the Presence of Partial Synchrony", 1988, section 2)
//   asynchronous  every message arrives, but when is unknown: an adversary chooses (Fischer, Lynch, Paterson,
//                 "Impossibility of Distributed Consensus with One Faulty Process", 1985)
//
// Validators never reverse what is final in all three, and make progress where Δ holds at last. Work promises both only
// in the first (Pass, Seeman, Shelat, "Analysis of the Blockchain Protocol in Asynchronous Networks", 2017).

import type { FinalityMode } from '../../finality/modes/mode.ts'
import { type FaultPlan, NO_FAULTS } from '../faults/fault-plan.ts'
import type { Random } from '../virtual/random.ts'

/** The models by the names that the command line knows. */
export const NETWORK_MODELS = ['synchronous', 'partial', 'asynchronous'] as const

/** The adversaries of the asynchronous model: chance, or one that holds back whatever would complete a quorum. */
export const SCHEDULERS = ['random', 'starving'] as const

/** What is asked of a network. */
export interface NetworkRequest {
  readonly model: (typeof NETWORK_MODELS)[number]
  /** Milliseconds within which messages arrive where they must; drawn unless given. */
  readonly deltaMs?: number | null
  /** Milliseconds after the start from which they must, in the partially synchronous model; drawn unless given. */
  readonly gstMs?: number | null
  /** In the asynchronous model; drawn unless given. */
  readonly scheduler?: (typeof SCHEDULERS)[number] | null
}

/** The model of one run. */
export type NetworkModel =
  | { readonly model: 'synchronous'; readonly deltaMs: number }
  | { readonly model: 'partial'; readonly deltaMs: number; readonly gstMs: number }
  | {
      readonly model: 'asynchronous'
      /** What a message takes on average where the adversary does not care. */
      readonly deltaMs: number
      readonly scheduler: (typeof SCHEDULERS)[number]
    }

/** Δ where it is not given: no more than a quarter of what validators wait for each other, so that a view is enough. */
const DELTA_MIN_MS = 20
const DELTA_MAX_MS = 200
/** GST where it is not given, as a share of the time that the run takes if nothing goes wrong: early, or too late. */
const GST_SHARE_MAX = 1.5

/** The model of a run, with what was left open drawn from the seed. `leastMs` is what the links themselves take. */
export function drawModel(
  request: NetworkRequest,
  random: Random,
  { plannedMs, leastMs }: { plannedMs: number; leastMs: number },
): NetworkModel {
  const drawnMs = Math.ceil(random.between(DELTA_MIN_MS, DELTA_MAX_MS) + 2 * leastMs)
  const gst = Math.ceil(random.between(0, GST_SHARE_MAX) * plannedMs)
  const scheduler = random.pick(SCHEDULERS)
  const deltaMs = request.deltaMs ?? drawnMs
  switch (request.model) {
    case 'synchronous':
      return { model: 'synchronous', deltaMs }
    case 'partial':
      return { model: 'partial', deltaMs, gstMs: request.gstMs ?? gst }
    case 'asynchronous':
      return { model: 'asynchronous', deltaMs, scheduler: request.scheduler ?? scheduler }
  }
}

/**
 * The plan of faults as far as the model allows it: where every message arrives, none is lost and nothing is cut off; and
 * no connection ends, with all that is on its way there, where every message arrives from some moment on.
 */
export function withinModel(plan: FaultPlan, { model }: NetworkModel): FaultPlan {
  const { lossRate, tailRate, partitionEveryMs, damageRate, linkCapacity } = NO_FAULTS
  if (model === 'partial') return { ...plan, damageRate }
  const reliable = { ...plan, lossRate, partitionEveryMs, damageRate, linkCapacity }
  // An adversary that chooses every delay can reorder any two messages.
  return model === 'synchronous' ? { ...reliable, tailRate } : { ...reliable, mayReorder: true }
}

/** What a finality mode does not promise in a model; null where it promises all. */
export function notPromised(
  { hasValidators }: FinalityMode,
  { model }: NetworkModel,
): 'liveness' | 'anything' | null {
  if (model === 'synchronous') return null
  if (!hasValidators) return 'anything'
  return model === 'partial' ? null : 'liveness'
}

/** A model in one line. */
export function describeModel(network: NetworkModel): string {
  switch (network.model) {
    case 'synchronous':
      return `synchronous: every message within ${network.deltaMs} ms`
    case 'partial':
      return `partially synchronous: every message within ${network.deltaMs} ms from ${network.gstMs} ms on`
    case 'asynchronous':
      return network.scheduler === 'random'
        ? `asynchronous: every message some time, after ${network.deltaMs} ms on average`
        : `asynchronous: every message some time, what completes a quorum as late as can be`
  }
}
