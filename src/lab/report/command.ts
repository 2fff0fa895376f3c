// The commands that make the figures of a report again, in full: whatever the defaults come to be, and whatever was asked
// for, what stands in the page stays true.

import type { LoadSettings } from '../compare/measurement.ts'
import type { SweepResult } from '../sweep/sweep.ts'

/** What a command is made of. */
export interface CommandParts {
  readonly settings: LoadSettings
  readonly latencyMs: number
  readonly repeat: number
}

/** `quorate compare` with these settings, and what else is to be said to it. */
export function compareCommand({ settings, latencyMs, repeat }: CommandParts, ...rest: string[]): string {
  const { nodes, transfers, rate, seed, senders, blockMs } = settings
  return [
    'quorate compare',
    ...rest,
    `--nodes ${nodes} --transfers ${transfers} --rate ${rate} --latency ${latencyMs}`,
    ...(senders === undefined || senders === 'turns' ? [] : [`--senders ${senders}`]),
    ...(blockMs === undefined ? [] : [`--block-time ${blockMs}`]),
    `--seed ${seed} --repeat ${repeat}`,
  ].join(' ')
}

/** The command that makes a sweep again. */
export function sweepCommand({ settings, axis, values, seeds, stage }: SweepResult): string {
  const parts = { settings, latencyMs: Number(stage.latencyMs), repeat: seeds.length }
  const faults = settings.hasFaults ? [] : ['--no-faults']
  return compareCommand(parts, ...(axis === null ? [] : [`--sweep ${axis}=${values.join(',')}`]), ...faults)
}
