// A failing run as a file: everything that it depends on, so that it can be made again on any machine. The genesis file is
// part of it; the caller recovers senders and signatures.

import type { FaultEvent } from '../faults/fault-events.ts'
import { type FaultKind, type FaultPlan, NO_FAULTS } from '../faults/fault-plan.ts'
import { ruleOf, type ShrunkRun } from './shrink.ts'
import type { SimulationOptions } from './simulation-options.ts'

const FORMAT = 'quorate-regression-1'

/** What of a run's options a file holds. */
type Kept = Omit<SimulationOptions, 'recoverSender' | 'signatures' | 'onProgress' | 'faults' | 'script'>

/** The JSON of such a file. */
export interface RegressionFile {
  readonly format: typeof FORMAT
  /** The rule that the run broke when the file was written, and how. */
  readonly rule: string
  readonly reason: string
  readonly options: Kept
  readonly faults: readonly FaultKind[]
  readonly plan: FaultPlan
  readonly events: readonly FaultEvent[]
}

/** The file of a run that fails. */
export function toRegressionFile({ options, result, script }: ShrunkRun): RegressionFile {
  const {
    recoverSender: _recover,
    signatures: _signatures,
    onProgress: _progress,
    faults,
    script: _script,
    ...kept
  } = options
  return {
    format: FORMAT,
    rule: ruleOf(result) ?? '',
    reason: (result.reason ?? '').split('\n', 1)[0]!,
    options: kept,
    faults: [...faults],
    plan: script.plan,
    events: script.events,
  }
}

/** What to simulate for a file, but for what recovers and signs; null when the JSON is no such file. */
export function ofRegressionFile(json: unknown): Omit<SimulationOptions, 'recoverSender'> | null {
  const file = json as Partial<RegressionFile> | null
  if (file?.format !== FORMAT || file.options === undefined || file.plan === undefined) return null
  if (!Array.isArray(file.events) || !Array.isArray(file.faults)) return null
  const { options, faults, plan, events } = file as RegressionFile
  return { ...options, faults: new Set(faults), script: { plan: { ...NO_FAULTS, ...plan }, events } }
}
