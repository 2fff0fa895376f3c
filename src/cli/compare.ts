// `quorate compare`: the same transfers through several ways of making blocks final, and what that costs: time,
// messages, work, and what a dead leader or a cut network does.

import { stdout } from 'node:process'
import {
  type Comparison,
  type ComparisonOptions,
  compare,
  countSteps,
  showComparison,
} from '../compare/comparison.ts'
import { availableContenders, type Contender } from '../compare/contender.ts'
import { liveStage } from '../compare/live-stage.ts'
import type { CompareSettings } from '../compare/measurement.ts'
import { LATENCY_MS, simulatedStage } from '../compare/simulated-stage.ts'
import type { StageKind } from '../compare/stage.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readCount } from './node-option.ts'
import { createProgress } from './progress.ts'

const COLUMNS_DEFAULT = 100

/** The command. */
export const compareCommand = defineCommand({
  command: 'compare',
  describe: 'The same transfers through several kinds of finality, with faults, and what each costs',
  options: {
    live: {
      type: 'boolean',
      default: false,
      describe: 'On real processes on this machine, about a minute for each mode, not in the simulator',
    },
    nodes: { type: 'number', default: 4, describe: 'How many nodes each network has' },
    transfers: { type: 'number', default: 300, describe: 'Transfers handed in while nothing is broken' },
    rate: { type: 'number', default: 50, describe: 'Transfers handed in a second' },
    seed: { type: 'number', default: 1, describe: 'Names the accounts and the transfers' },
    latency: {
      type: 'number',
      describe: 'Milliseconds that a simulated message takes on average',
      defaultDescription: String(LATENCY_MS),
    },
    modes: {
      type: 'string',
      describe: 'What to compare, in this order',
      defaultDescription: 'all that there are',
    },
    faults: { type: 'boolean', default: true, describe: 'Also kill the leader and cut the network in half' },
  },
  examples: [
    ['quorate compare', 'all modes in the simulator, in seconds; the same seed gives the same figures'],
    ['quorate compare --latency 100', 'the same on a network as wide as the world'],
    ['quorate compare --live --modes longest-chain,pbft', 'two modes, four real processes each'],
  ],
  run: async (args, output) => {
    const contenders = readContenders(args.modes)
    const settings: CompareSettings = {
      nodes: readCount('--nodes', args.nodes, { min: 2, max: 16 }),
      transfers: readCount('--transfers', args.transfers, { min: 1, max: 100_000 }),
      rate: readCount('--rate', args.rate, { min: 1, max: 1_000 }),
      seed: readCount('--seed', args.seed, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      hasFaults: args.faults,
    }
    const stage = readStage(args.live, args.latency)
    const comparison = await runComparison({ contenders, settings, stage })
    output.data(comparison, () => showComparison(comparison, { stage, columns: terminalColumns() }))
    return EXIT.done
  },
})

/** Compares, with a bar on the way. */
export async function runComparison(options: Omit<ComparisonOptions, 'onProgress'>): Promise<Comparison> {
  const progress = createProgress('comparing', countSteps(options))
  try {
    return await compare({ ...options, onProgress: (done, word) => progress.update(done, word) })
  } finally {
    progress.end()
  }
}

/** Characters in a line of the terminal; where there is none, as many as fit most. */
export function terminalColumns(): number {
  return stdout.columns ?? COLUMNS_DEFAULT
}

function readStage(isLive: boolean, latency: number | undefined): StageKind {
  if (isLive && latency !== undefined)
    throw new CommandError(EXIT.usage, '--latency is for the simulator: real messages take what they take')
  if (isLive) return liveStage
  return simulatedStage(
    latency === undefined ? LATENCY_MS : readCount('--latency', latency, { min: 1, max: 10_000 }),
  )
}

function readContenders(list: string | undefined): Contender[] {
  const available = availableContenders()
  if (list === undefined) return available
  return list.split(',').map(name => {
    const contender = available.find(contender => contender.name === name.trim())
    if (contender !== undefined) return contender
    const known = available.map(({ name }) => name).join(', ')
    throw new CommandError(EXIT.usage, `--modes: unknown mode ${name}`, `Known: ${known}.`)
  })
}
