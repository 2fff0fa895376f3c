// `quorate compare`: the same transfers through several ways of making blocks final, and what that costs: time,
// messages, work, and what a dead leader or a cut network does.

import { stdout } from 'node:process'
import {
  type Comparison,
  type ComparisonOptions,
  compare,
  countSteps,
  showComparison,
} from '../lab/compare/comparison.ts'
import { type CompareSettings, RATE_DEFAULT } from '../lab/compare/measurement.ts'
import { liveStage, type StageKind, simulatedStage } from '../lab/compare/stage-kinds.ts'
import { LATENCY_MS } from '../lab/stage/simulated-stage.ts'
import { BLOCK_MS_LIMITS, VARIANTS, type Variant } from '../lab/stage/variant.ts'
import type { Rate } from '../lab/stage/workload.ts'
import { showSweep, sweepCsv } from '../lab/sweep/report.ts'
import {
  AXES,
  type Axis,
  countSweepSteps,
  runSweep,
  type Sweep,
  type SweepOptions,
} from '../lab/sweep/sweep.ts'
import { defineCommand } from './command.ts'
import { writeReport } from './compare-report.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { LINK_LIMITS } from './link-option.ts'
import { readCount } from './node-option.ts'
import { createProgress } from './progress.ts'

const COLUMNS_DEFAULT = 100
/** What each axis may be. Longer cuts go deeper than the longest chain ever reorganises. */
const AXIS_LIMITS: Readonly<Record<Axis, { readonly min: number; readonly max: number }>> = {
  nodes: { min: 2, max: 16 },
  latency: { min: 1, max: 10_000 },
  rate: { min: 1, max: 1_000 },
  transfers: { min: 1, max: 100_000 },
  loss: { min: 0, max: 500 },
  cut: { min: 2, max: 120 },
  block: BLOCK_MS_LIMITS,
}
const VALUES_MAX = 20
const REPEAT_MAX = 100
const REPORT_FILE = 'quorate-report.html'

/** The command. */
export const compareCommand = defineCommand({
  command: 'compare',
  describe: 'Compare finality modes: the same transfers and faults through each, and what each costs',
  options: {
    live: {
      type: 'boolean',
      default: false,
      describe: 'Use real processes on this machine, about a minute for each mode, in place of the simulator',
    },
    nodes: { type: 'number', default: 4, describe: 'Nodes of each network' },
    transfers: { type: 'number', default: 300, describe: 'Transfers submitted before the faults' },
    rate: {
      type: 'string',
      default: String(RATE_DEFAULT),
      describe: 'Transfers submitted per second before the faults; max submits all at once',
    },
    'block-time': {
      type: 'number',
      describe: 'Milliseconds between two blocks, on average if mined, at least if not',
      defaultDescription: '400 if mined, 250 if not',
    },
    seed: { type: 'number', default: 1, describe: 'Names the accounts and the transfers' },
    latency: {
      type: 'number',
      describe: 'Milliseconds that a message takes on average',
      defaultDescription: `${LATENCY_MS}; with --live what this machine takes`,
    },
    modes: {
      type: 'string',
      describe: 'Modes to compare, in this order',
      defaultDescription: 'all that there are',
    },
    faults: { type: 'boolean', default: true, describe: 'Also kill the leader and cut the network in half' },
    senders: {
      type: 'string',
      choices: ['turns', 'zipf'] as const,
      default: 'turns' as const,
      describe:
        'Senders of the transfers before the faults: all in turn, or a few far more often than others',
    },
    sweep: {
      type: 'string',
      describe: `Several values of one thing, as NAME=VALUES, NAME being one of: ${AXES.join(', ')} (thousandths lost, with --live sent again; seconds cut in half; a rate may be max)`,
    },
    repeat: {
      type: 'number',
      defaultDescription: '1',
      describe: 'Number of seeds, from --seed on: shows means with their 95 % intervals',
    },
    csv: { type: 'boolean', default: false, describe: 'Means as comma-separated values, one line for each' },
    all: {
      type: 'boolean',
      default: false,
      describe:
        'Run all experiments, in some minutes, and write a page with all figures; 3 seeds each by default',
    },
    out: {
      type: 'string',
      describe: 'With --all: the HTML file to write; it must not exist',
      defaultDescription: REPORT_FILE,
    },
  },
  examples: [
    ['quorate compare', 'all modes in the simulator, in seconds; the same seed gives the same figures'],
    ['quorate compare --all', 'everything, in one page that opens in any browser'],
    ['quorate compare --latency 100', 'the same on a network as wide as the world'],
    ['quorate compare --live --modes longest-chain,pbft', 'two modes, four real processes each'],
    ['quorate compare --sweep nodes=4,7,10 --repeat 3 --no-faults', 'three sizes, three seeds each'],
    ['quorate compare --sweep latency=1,20,100 --csv > delay.csv', 'figures against delay, to be drawn'],
    ['quorate compare --sweep block=250,1000,4000', 'how much of the waiting is waiting for a block'],
    ['quorate compare --sweep rate=50,200,max --transfers 2000', 'where each kind becomes slower under load'],
    ['quorate compare --sweep cut=2,8,30', 'how much each mode reverses, by the length of the partition'],
  ],
  run: async (args, output) => {
    const variants = readVariants(args.modes)
    const settings: CompareSettings = {
      nodes: readCount('--nodes', args.nodes, { min: 2, max: 16 }),
      transfers: readCount('--transfers', args.transfers, { min: 1, max: 100_000 }),
      rate: readValue('--rate', args.rate, 'rate', args.live),
      seed: readCount('--seed', args.seed, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      hasFaults: args.faults,
      senders: args.senders,
      blockMs:
        args['block-time'] === undefined
          ? undefined
          : readCount('--block-time', args['block-time'], BLOCK_MS_LIMITS),
    }
    const stage = readStage(args.live, args.latency)
    const repeat =
      args.repeat === undefined ? null : readCount('--repeat', args.repeat, { min: 1, max: REPEAT_MAX })
    if (args.out !== undefined && !args.all) throw new CommandError(EXIT.usage, '--out is for --all')
    if (args.all) {
      assertNothingLeftOut(args)
      const path = args.out ?? REPORT_FILE
      const report = await writeReport({ settings, latencyMs: stage.parameters.latencyMs!, repeat, path })
      output.data(
        { file: path, ...report },
        () =>
          `${showSweep(report.comparison, { stage, columns: terminalColumns() })}\n\nAll figures are in ${path}: open it in a browser.`,
      )
      return EXIT.done
    }
    if (args.csv && output.isJson) throw new CommandError(EXIT.usage, 'give --csv or --json, not both')
    if (args.sweep !== undefined || (repeat ?? 1) > 1 || args.csv) {
      const sweep = readSweep(args.sweep, args.live)
      if (sweep.axis === 'cut' && !settings.hasFaults)
        throw new CommandError(EXIT.usage, '--sweep cut needs faults: leave --no-faults out')
      const result = await sweepWithProgress({ variants, settings, stage, sweep, repeat: repeat ?? 1 })
      output.data(result, () =>
        args.csv ? sweepCsv(result) : showSweep(result, { stage, columns: terminalColumns() }),
      )
      return EXIT.done
    }
    const comparison = await runComparison({ variants, settings, stage })
    output.data(comparison, () => showComparison(comparison, { stage, columns: terminalColumns() }))
    return EXIT.done
  },
})

/** The report is of everything, in the simulator: what takes a part of it away is a mistake. */
function assertNothingLeftOut(args: {
  readonly live: boolean
  readonly faults: boolean
  readonly csv: boolean
  readonly modes: string | undefined
  readonly sweep: string | undefined
}): void {
  const wrong = [
    ...(args.live ? ['--live'] : []),
    ...(args.faults ? [] : ['--no-faults']),
    ...(args.csv ? ['--csv'] : []),
    ...(args.modes === undefined ? [] : ['--modes']),
    ...(args.sweep === undefined ? [] : ['--sweep']),
  ]
  if (wrong.length > 0)
    throw new CommandError(EXIT.usage, `--all is everything, in the simulator: leave ${wrong.join(', ')} out`)
}

/** Compares, with a bar on the way. */
export async function runComparison(options: Omit<ComparisonOptions, 'onProgress'>): Promise<Comparison> {
  const progress = createProgress('comparing', countSteps(options))
  try {
    return await compare({ ...options, onProgress: (done, word) => progress.update(done, word) })
  } finally {
    progress.end()
  }
}

async function sweepWithProgress(options: Omit<SweepOptions, 'onProgress'>): ReturnType<typeof runSweep> {
  const progress = createProgress('comparing', countSweepSteps(options))
  try {
    return await runSweep({ ...options, onProgress: (done, word) => progress.update(done, word) })
  } finally {
    progress.end()
  }
}

/** Characters in a line of the terminal; where there is none, as many as fit most. */
export function terminalColumns(): number {
  return stdout.columns ?? COLUMNS_DEFAULT
}

function readStage(isLive: boolean, latency: number | undefined): StageKind {
  const latencyMs =
    latency === undefined ? null : readCount('--latency', latency, limitsOf('latency', isLive))
  return isLive ? liveStage(latencyMs) : simulatedStage(latencyMs ?? LATENCY_MS)
}

/** NAME=VALUES; nothing is one point without a name. */
function readSweep(text: string | undefined, isLive: boolean): Sweep {
  if (text === undefined) return { axis: null, values: [] }
  const [name = '', list = '', ...rest] = text.split('=')
  const axis = AXES.find(axis => axis === name.trim())
  if (axis === undefined || list === '' || rest.length > 0)
    throw new CommandError(
      EXIT.usage,
      `--sweep: expected NAME=VALUES such as nodes=4,7,10, got ${text}`,
      `Names: ${AXES.join(', ')}.`,
    )
  const values = list.split(',').map(value => readValue(`--sweep ${axis}`, value, axis, isLive))
  if (values.length > VALUES_MAX || new Set(values).size < values.length)
    throw new CommandError(EXIT.usage, `--sweep: at most ${VALUES_MAX} values, each once`)
  return { axis, values }
}

/** What an axis may be: real nodes do not bear as slow links as simulated ones. */
function limitsOf(axis: Axis, isLive: boolean): { readonly min: number; readonly max: number } {
  const limits = AXIS_LIMITS[axis]
  return isLive && axis === 'latency' ? { ...limits, max: LINK_LIMITS.latencyMs } : limits
}

/** A value of an axis: a whole number, or max if it is a rate. */
function readValue(option: string, text: string, axis: Axis, isLive: boolean): Rate {
  if (axis === 'rate' && text.trim() === 'max') return 'max'
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isNaN(value)) return readCount(option, value, limitsOf(axis, isLive))
  const { min, max } = limitsOf(axis, isLive)
  const words = `a whole number from ${min} to ${max}${axis === 'rate' ? ', or max' : ''}`
  throw new CommandError(EXIT.usage, `${option}: expected ${words}, got ${JSON.stringify(text)}`)
}

function readVariants(list: string | undefined): readonly Variant[] {
  if (list === undefined) return VARIANTS
  return list.split(',').map(name => {
    const variant = VARIANTS.find(variant => variant.name === name.trim())
    if (variant !== undefined) return variant
    const known = VARIANTS.map(({ name }) => name).join(', ')
    throw new CommandError(EXIT.usage, `--modes: unknown mode ${name}`, `Known: ${known}.`)
  })
}
