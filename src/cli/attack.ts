// `quorate attack`: textbook attacks on this chain's own code, from a seed, held against the theory of them.
// The exit code is 1 where what was measured and the theory disagree, or where something final was reversed.

import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import { confirmationsBelow, exactReversal, nakamotoReversal } from '../finality/reversal.ts'
import { runRaces } from '../lab/attack/double-spend.ts'
import { raceNetworks } from '../lab/attack/double-spend-network.ts'
import { eclipse } from '../lab/attack/eclipse.ts'
import {
  type ConfirmationRow,
  DOUBT,
  showConfirmations,
  showEclipse,
  showNetworkRaces,
  showRaces,
  showSelfish,
  showTimeWarp,
} from '../lab/attack/report.ts'
import { mineSelfishly } from '../lab/attack/selfish-mining.ts'
import { STRATEGY_COUNT, warpTime } from '../lab/attack/time-warp.ts'
import { type Variant, variantNamed } from '../lab/stage/variant.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { defineCommand, defineGroup } from './command.ts'
import { terminalColumns } from './compare.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { MODE_NAMES, VALIDATOR_MODES } from './finality-option.ts'
import { readCount, readShare } from './node-option.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'

/** The shares of Nakamoto's last table, and the risk that it is for. */
const TABLE_SHARES = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45]
const TABLE_RISK = 0.001
const CONFIRMATIONS_MAX = 100
const RACES_MAX = 10_000_000
/** Races of a setting that whole replicas, or whole networks, run: a thousand times as expensive as headers. */
const REPLAYED_DEFAULT = 50
const NETWORK_RACES_DEFAULT = 20

const seedOption = {
  seed: { type: 'number', default: 1, describe: 'Names the run; the same seed gives the same figures' },
} as const

const doubleSpendCommand = defineCommand({
  command: 'double-spend',
  describe:
    'A miner pays, and secretly mines a branch without the payment: how often the payment is reversed',
  options: {
    share: {
      type: 'string',
      describe: "The attacker's share of all hashes, or several: 0.1,0.3",
      defaultDescription: `0.1,0.3; against ${VALIDATOR_MODES} 0.3,0.6`,
    },
    confirmations: {
      type: 'string',
      describe: 'Confirmations that the merchant waits for, the block of the payment included: z or A..B',
      defaultDescription: '1..10',
    },
    races: {
      type: 'number',
      describe: 'Races for each setting',
      defaultDescription: `10000 of headers; ${NETWORK_RACES_DEFAULT} of whole networks`,
    },
    replicas: {
      type: 'number',
      default: REPLAYED_DEFAULT,
      describe: 'Races of each setting that are run again with whole replicas and must end the same way',
    },
    against: {
      type: 'string',
      choices: MODE_NAMES,
      default: LONGEST_CHAIN.name,
      describe: 'The finality to attack',
    },
    ...seedOption,
  },
  examples: [
    ['quorate attack double-spend', 'q = 0.1 and 0.3, one to ten confirmations, 10,000 races each'],
    ['quorate attack double-spend --share 0.45 --confirmations 6', 'one setting'],
    ['quorate attack double-spend --against hybrid', 'the same against what is final'],
  ],
  run: async (args, output) => {
    const seed = readSeed(args.seed)
    const against = variantNamed(args.against)
    if (against.hasValidators) {
      if (args.confirmations !== undefined)
        throw new CommandError(
          EXIT.usage,
          `--confirmations: under ${args.against} the merchant waits until his payment is final`,
        )
      const shares = readShares(args.share ?? '0.3,0.6', 0.9)
      const races = readCount('--races', args.races ?? NETWORK_RACES_DEFAULT, { min: 1, max: 10_000 })
      return await attackFinality(against, { shares, races, seed }, output)
    }
    const shares = readShares(args.share ?? '0.1,0.3', 0.49)
    const confirmations = readRange('--confirmations', args.confirmations ?? '1..10', CONFIRMATIONS_MAX)
    const races = readCount('--races', args.races ?? 10_000, { min: 10, max: RACES_MAX })
    const replayed = readCount('--replicas', args.replicas, { min: 0, max: races })
    const settings = shares.flatMap(share => confirmations.map(z => ({ share, confirmations: z })))
    const table = await withProgress('racing', settings.length * races, onProgress =>
      runRaces({ settings, races, replayed, seed, onProgress }),
    )
    const enough = TABLE_SHARES.map(confirmationRow)
    output.data({ ...table, confirmations: { risk: TABLE_RISK, rows: enough } }, () =>
      [showRaces(table, terminalColumns()), showConfirmations(enough, TABLE_RISK, terminalColumns())].join(
        '\n\n',
      ),
    )
    const isFaithful = table.rows.every(({ replayed, agreed }) => replayed === agreed)
    return isFaithful && table.agreement.probability >= DOUBT ? EXIT.done : EXIT.no
  },
})

const selfishCommand = defineCommand({
  command: 'selfish-mining',
  describe: 'A pool withholds its blocks to orphan those of other miners: its share of the revenue',
  options: {
    share: {
      type: 'string',
      describe: "The pool's share of all hashes, or several",
      defaultDescription: '0.1 to 0.45',
    },
    gamma: {
      type: 'string',
      default: '0,0.5',
      describe: "Share of the other miners that mine on the pool's block in a tie (gamma), or several shares",
    },
    blocks: { type: 'number', default: 100_000, describe: 'Blocks found for each setting' },
    ...seedOption,
  },
  run: async (args, output) => {
    const shares = readShares(args.share ?? TABLE_SHARES.join(','), 0.49)
    const gammas = args.gamma.split(',').map(text => readShare('--gamma', text))
    const blocks = readCount('--blocks', args.blocks, { min: 1_000, max: 100_000_000 })
    const seed = readSeed(args.seed)
    const settings = gammas.flatMap(gamma => shares.map(alpha => ({ alpha, gamma })))
    const table = await withProgress('mining', settings.length, onProgress =>
      mineSelfishly({ settings, blocks, seed, onProgress }),
    )
    output.data(table, () => showSelfish(table, terminalColumns()))
    return table.probability >= DOUBT ? EXIT.done : EXIT.no
  },
})

const timeWarpCommand = defineCommand({
  command: 'time-warp',
  describe: 'A miner of all blocks gives them false times to lower the difficulty: what it gains',
  options: {
    days: { type: 'number', default: 70, describe: 'Days for which the attack lasts' },
  },
  run: async (args, output) => {
    const days = readCount('--days', args.days, { min: 1, max: 3_650 })
    const table = await withProgress('warping', STRATEGY_COUNT, onProgress => warpTime(days, onProgress))
    output.data(table, () => showTimeWarp(table, terminalColumns()))
    return table.rows.every(({ mined, bound }) => bound === null || mined <= bound) ? EXIT.done : EXIT.no
  },
})

const eclipseCommand = defineCommand({
  command: 'eclipse',
  describe: 'All peers of a victim belong to the attacker: what it sees, and what it takes for final',
  options: {
    share: { type: 'string', default: '0.3', describe: "The attacker's share of all hashes" },
    confirmations: { type: 'number', default: 6, describe: 'Confirmations that the victim waits for' },
    runs: { type: 'number', default: 20, describe: 'Runs of each finality' },
    ...seedOption,
  },
  run: async (args, output) => {
    const [share = 0.3] = readShares(args.share, 0.9)
    const confirmations = readCount('--confirmations', args.confirmations, {
      min: 1,
      max: CONFIRMATIONS_MAX,
    })
    const runs = readCount('--runs', args.runs, { min: 1, max: 10_000 })
    const seed = readSeed(args.seed)
    const backend = await chooseBackend()
    const rows = await withProgress('eclipsing', MODE_NAMES.length * runs, onProgress =>
      MODE_NAMES.map((name, index) =>
        eclipse({
          variant: variantNamed(name),
          share,
          confirmations,
          runs,
          seed,
          backend,
          onRun: done => onProgress(index * runs + done),
        }),
      ),
    )
    output.data({ seed, rows }, () => showEclipse(rows, terminalColumns()))
    return rows.every(row => row.calledFinal === 0) ? EXIT.done : EXIT.no
  },
})

/** The attacks. */
export const attackCommand = defineGroup(
  'attack',
  'Textbook attacks on this very code, held against theory',
  [doubleSpendCommand, selfishCommand, eclipseCommand, timeWarpCommand],
)

async function attackFinality(
  variant: Variant,
  { shares, races, seed }: { shares: readonly number[]; races: number; seed: number },
  output: Output,
): Promise<ExitCode> {
  const backend = await chooseBackend()
  const rows = await withProgress('racing', shares.length * races, onProgress =>
    shares.map((share, index) =>
      raceNetworks({
        variant,
        share,
        confirmations: 1,
        races,
        seed,
        backend,
        onRace: done => onProgress(index * races + done),
      }),
    ),
  )
  output.data({ seed, rows }, () => showNetworkRaces(rows, terminalColumns()))
  return rows.every(row => row.reversed === 0) ? EXIT.done : EXIT.no
}

function confirmationRow(share: number): ConfirmationRow {
  const limits = { risk: TABLE_RISK, max: 100_000 }
  return {
    share,
    nakamoto: confirmationsBelow(nakamotoReversal, share, limits),
    exact: confirmationsBelow(exactReversal, share, limits),
  }
}

async function withProgress<T>(
  title: string,
  total: number,
  work: (onProgress: (done: number) => void) => T,
): Promise<T> {
  const progress = createProgress(title, total)
  try {
    return work(done => progress.update(done))
  } finally {
    progress.end()
  }
}

function readSeed(seed: number): number {
  return readCount('--seed', seed, { min: 0, max: Number.MAX_SAFE_INTEGER })
}

/** Shares of all hashes, each above 0 and at most `max`. */
function readShares(text: string, max: number): number[] {
  return text.split(',').map(part => {
    const share = readShare('--share', part.trim())
    if (share > 0 && share <= max) return share
    throw new CommandError(EXIT.usage, `--share: expected a share above 0, up to ${max}, got ${part}`)
  })
}

/** Whole numbers from 1: one, or A..B. */
function readRange(option: string, text: string, max: number): number[] {
  const match = /^(\d{1,6})(?:\.\.(\d{1,6}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match !== null && first >= 1 && first <= last && last <= max)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  throw new CommandError(EXIT.usage, `${option}: expected z or A..B from 1 to ${max}, got ${text}`)
}
