// One variant, first undisturbed, then with its leader killed under load, then with the network cut in half and healed.
// What is measured is what clients of the nodes see. The stage decides whether the nodes are real processes or simulated:
// nothing here depends on it.

import type { Stage, WithStage } from '../stage/stage.ts'
import type { Variant } from '../stage/variant.ts'
import { createSenders, Workload } from '../stage/workload.ts'
import { measureLeaderKilled } from './leader-killed-part.ts'
import { type CompareSettings, type Measurement, RATE_DEFAULT } from './measurement.ts'
import { measureCut } from './network-cut-part.ts'
import { measureQuiet } from './quiet-part.ts'
import { StageWatch } from './stage-watch.ts'

/** What a run reports as its progress, one after the other. */
export const PARTS = ['signing', 'starting nodes', 'undisturbed', 'leader killed', 'network cut in half']

/** Runs one variant from start to end; `onProgress` is told which part begins. */
export type RunVariant = (
  variant: Variant,
  settings: CompareSettings,
  onProgress: (word: string) => void,
) => Promise<Measurement>

/** What the parts of an experiment share. */
export interface ExperimentParts {
  readonly stage: Stage
  readonly watch: StageWatch
  readonly settings: CompareSettings
  /** Transfers a second under faults. */
  readonly faultRate: number
  readonly workload: Workload
}

/** Runs the experiment with one variant, on a stage of its own. */
export function experimentOn(withStage: WithStage): RunVariant {
  return (variant, settings, onProgress) => {
    onProgress('signing')
    const senders = createSenders(settings.seed)
    const workload = new Workload(senders, settings.seed)
    onProgress('starting nodes')
    const funded = senders.map(({ address }) => address)
    const { nodes, seed, blockMs } = settings
    return withStage({ variant, nodes, seed, funded, blockMs }, stage => {
      const faultRate = settings.rate === 'max' ? RATE_DEFAULT : settings.rate
      const watch = new StageWatch(stage, blockMs)
      return runParts({ stage, watch, settings, faultRate, workload }, variant, onProgress)
    })
  }
}

/** The three parts, one after the other, on one network. */
async function runParts(
  parts: ExperimentParts,
  { name, finalMeans }: Variant,
  onProgress: (word: string) => void,
): Promise<Measurement> {
  const { hasFaults } = parts.settings
  onProgress('undisturbed')
  const quiet = await measureQuiet(parts)
  if (hasFaults) onProgress('leader killed')
  const leaderKilled = hasFaults ? await measureLeaderKilled(parts) : null
  if (hasFaults) onProgress('network cut in half')
  const cut = hasFaults ? await measureCut(parts) : null
  return { variant: name, finalMeans, quiet, leaderKilled, cut }
}
