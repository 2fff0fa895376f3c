// `quorate sim`: runs of a whole network in virtual time, each from one seed.
// Many seeds run on all cores; one seed replays a run to the byte.

import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { PATTERN } from '../finality/modes/committee-mode.ts'
import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import { modeNamed, modeOf } from '../finality/registry.ts'
import { type Adversary, LIAR_ROLES } from '../lab/adversary/adversary.ts'
import { simulatedFile } from '../lab/cluster/simulated-genesis.ts'
import { LIMIT_NAMES, type SmallLimits, usualLimit } from '../lab/cluster/small-limits.ts'
import { FAULT_KINDS, type FaultKind, RARE_FAULT_KINDS } from '../lab/faults/fault-plan.ts'
import { LATENCY_TABLES, type LatencyName } from '../lab/network/latency-table.ts'
import { NETWORK_MODELS, type NetworkRequest, SCHEDULERS } from '../lab/network/network-model.ts'
import type { SimulationResult } from '../lab/swarm/simulation-result.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { genesisOf, packagedGenesis, readJson } from './files.ts'
import { MODE_NAMES, WORK_MODES } from './finality-option.ts'
import { readCount } from './node-option.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'
import { isFine, reportMany, reportOne } from './sim-report.ts'
import { replayFile, shrinkSeed } from './sim-shrink.ts'
import { neverSeen } from './sim-sometimes.ts'
import type { SimulationSettings } from './sim-worker.ts'

const NODES_MAX = 50

/** The simulator's command. */
export const simCommand = defineCommand({
  command: 'sim',
  describe: 'Run a whole network in virtual time, with faults, from a seed',
  options: {
    finality: {
      type: 'string',
      choices: MODE_NAMES,
      describe: 'The finality to simulate',
      defaultDescription: LONGEST_CHAIN.name,
    },
    genesis: {
      type: 'string',
      describe: 'Genesis file instead; its work is made easy, and its validators are nodes of the run',
      defaultDescription: 'the simulated one of the finality',
    },
    nodes: {
      type: 'number',
      describe: 'How many nodes, 1 to 50',
      defaultDescription: '5, or as many as validators',
    },
    validators: {
      type: 'string',
      describe: 'The first so many nodes are validators; any draws 1 to 10, and followers, from the seed',
      defaultDescription: 'all nodes',
    },
    pattern: {
      type: 'string',
      choices: PATTERN.choices,
      describe: 'How votes travel, whatever the genesis file says',
    },
    byzantine: {
      type: 'string',
      describe: `Validators that lie, as ROLE[:COUNT], ROLE being all or one of: ${LIAR_ROLES.join(', ')}; as many as can be borne unless a count is given`,
    },
    'lying-peer': {
      boolean: true,
      default: false,
      describe: 'One of four nodes or more, none that votes, lies about its chain to those who catch up',
    },
    'lying-miner': {
      type: 'boolean',
      default: false,
      describe: 'One of three nodes or more also sends mined blocks that break the rules, one each',
    },
    'hostile-clients': {
      type: 'boolean',
      default: false,
      describe: 'Some clients flood pools, replace their transactions in a war, spend more than they have',
    },
    faults: {
      type: 'string',
      default: 'none',
      describe: `none, or a list of: all; ${FAULT_KINDS.join(', ')}; and of these, which all leaves out: ${RARE_FAULT_KINDS.join(', ')}`,
    },
    network: {
      type: 'string',
      choices: NETWORK_MODELS,
      describe: 'What the network promises',
      defaultDescription: 'nothing until the faults end',
    },
    delta: { type: 'number', describe: 'With --network: milliseconds within which messages arrive' },
    gst: { type: 'number', describe: 'With --network partial: milliseconds from which they do' },
    scheduler: {
      type: 'string',
      choices: SCHEDULERS,
      describe: 'With --network asynchronous: who chooses the delays',
    },
    latency: { type: 'string', choices: LATENCY_TABLES, describe: 'How far nodes are from each other' },
    bandwidth: { type: 'number', describe: 'Bytes a second on each link in each direction' },
    'block-bytes': { type: 'number', describe: 'Bytes of a block at most, whatever the genesis file says' },
    'halving-blocks': { type: 'number', describe: 'Blocks until the reward is halved, whatever it says' },
    depth: {
      type: 'number',
      describe: `Blocks under the head that are final in ${WORK_MODES}, whatever it says; few make forks excused`,
    },
    limits: {
      type: 'string',
      describe: `Small limits of the nodes, as NAME=COUNT,NAME=COUNT: ${LIMIT_NAMES.join(', ')}`,
    },
    seed: {
      type: 'number',
      describe: 'The run to make; the same seed gives the same run',
      defaultDescription: '1',
    },
    seeds: { type: 'string', describe: 'Many runs: A..B' },
    blocks: { type: 'number', default: 30, describe: 'Height at which faults end and the nodes must agree' },
    transfers: { type: 'number', default: 60, describe: 'Transfers that clients hand in' },
    swarm: {
      type: 'boolean',
      default: false,
      describe: 'Draw every knob from each seed; only --finality, where given, holds for all',
    },
    require: {
      type: 'boolean',
      default: false,
      describe: 'Fail when something that should happen now and then never did',
    },
    shrink: {
      type: 'boolean',
      default: false,
      describe: 'Make the failing run of --seed short, and keep it as a file',
    },
    out: { type: 'string', describe: 'With --shrink: the file', defaultDescription: 'regression-SEED.json' },
    replay: { type: 'string', describe: 'Make the run of such a file again' },
    trace: { type: 'boolean', default: false, describe: 'Show the last events even when all is well' },
  },
  examples: [
    ['quorate sim --faults all --seeds 1..500', 'five nodes, every fault, 500 runs'],
    ['quorate sim --faults crash,loss --seed 7 --trace', 'one run, with its last events'],
    [
      'quorate sim --lying-miner --faults all --seeds 1..500',
      'one of five miners sends blocks that break rules',
    ],
    [
      'quorate sim --finality pbft --validators any --faults all --byzantine all --seeds 1..500',
      'committees of 1 to 10, with liars of every kind',
    ],
    ['quorate sim --finality pbft --validators 7 --json', 'what a decision costs among seven'],
    [
      'quorate sim --finality pbft --network asynchronous --scheduler starving',
      'nothing becomes final, and nothing wrong does',
    ],
    [
      'quorate sim --hostile-clients --limits pool=4,gossip=1 --seeds 1..100',
      'pools of four transactions under attack',
    ],
    ['quorate sim --faults all --seed 7 --shrink', 'what of its faults a failing run needs to fail'],
    ['quorate sim --swarm --seeds 1..1000 --require', 'a thousand runs of which no two are alike'],
    ['quorate sim --finality pbft --validators 5 --latency continents', 'validators on five continents'],
  ],
  run: async (args, output) => {
    if (args.out !== undefined && !args.shrink)
      throw new CommandError(EXIT.usage, '--out says something of --shrink only')
    const seeds = readSeeds(args.seed, args.seeds)
    const started = performance.now()
    if (args.shrink) {
      if (seeds.length !== 1) throw new CommandError(EXIT.usage, '--shrink takes one --seed')
      const path = args.out ?? `regression-${seeds[0]}.json`
      return await shrinkSeed(readSettings(args), seeds[0]!, { path, output })
    }
    const results =
      args.replay === undefined
        ? await runSeeds(readSettings(args), seeds, output)
        : [await replayFile(args.replay)]
    const seconds = (performance.now() - started) / 1000
    if (results.length === 1) reportOne(results[0]!, output, { seconds, isTraceShown: args.trace })
    else reportMany(results, output, seconds)
    const missing = args.require ? neverSeen(results, args.swarm) : []
    for (const text of missing) output.note(`never happened: ${text}`)
    return results.every(result => isFine(result.verdict)) && missing.length === 0 ? EXIT.done : EXIT.no
  },
})

interface SimArguments {
  readonly finality?: string | undefined
  readonly genesis?: string | undefined
  readonly nodes?: number | undefined
  readonly validators?: string | undefined
  readonly pattern?: string | undefined
  readonly byzantine?: string | undefined
  readonly 'lying-miner': boolean
  readonly 'lying-peer': boolean
  readonly faults: string
  readonly swarm: boolean
  readonly network?: (typeof NETWORK_MODELS)[number] | undefined
  readonly delta?: number | undefined
  readonly gst?: number | undefined
  readonly scheduler?: (typeof SCHEDULERS)[number] | undefined
  readonly latency?: LatencyName | undefined
  readonly bandwidth?: number | undefined
  readonly 'block-bytes'?: number | undefined
  readonly 'halving-blocks'?: number | undefined
  readonly depth?: number | undefined
  readonly limits?: string | undefined
  readonly 'hostile-clients': boolean
  readonly blocks: number
  readonly transfers: number
}

function readSettings(args: SimArguments): SimulationSettings {
  if (args.finality !== undefined && args.genesis !== undefined)
    throw new CommandError(EXIT.usage, 'give --finality or --genesis, not both')
  if (args.swarm) return readSwarm(args)
  const genesis =
    args.genesis === undefined ? readSimulated(args.finality ?? LONGEST_CHAIN.name) : readJson(args.genesis)
  const mode = modeOf(genesisOf(genesis, args.genesis ?? 'the simulated network'))
  if (!mode.hasValidators) {
    for (const name of ['validators', 'pattern', 'byzantine'] as const)
      if (args[name] !== undefined)
        throw new CommandError(EXIT.usage, `--${name}: ${mode.name} has no validators`)
  }
  const validators = readValidatorCount(args.validators)
  const least = typeof validators === 'number' ? validators : 1
  const nodes = readCount('--nodes', args.nodes ?? Math.max(least, validators === undefined ? 5 : 1), {
    min: least,
    max: NODES_MAX,
  })
  if (args.depth !== undefined && mode.hasValidators)
    throw new CommandError(EXIT.usage, `--depth: in ${mode.name} work alone decides nothing`)
  if (args['lying-miner'] && !mode.isMined)
    throw new CommandError(EXIT.usage, `--lying-miner: ${mode.name} has no miners`)
  if (args['lying-miner'] && validators !== 'any' && nodes < 3)
    throw new CommandError(EXIT.usage, '--lying-miner takes three nodes at least')
  const voters = mode.hasValidators ? (validators ?? nodes) : 0
  if (args['lying-peer'] && voters !== 'any' && (nodes < 4 || nodes === voters))
    throw new CommandError(EXIT.usage, '--lying-peer takes four nodes at least, and one that does not vote')
  const adversary = readAdversary(args.byzantine)
  if (typeof voters === 'number' && adversary?.count != null && adversary.count > voters)
    throw new CommandError(
      EXIT.usage,
      `--byzantine: ${adversary.count} validators can't lie where there are ${voters}`,
    )
  return {
    genesis,
    nodes,
    ...(validators === undefined ? {} : { validators }),
    pattern: args.pattern ?? null,
    adversary,
    lyingMiner: args['lying-miner'],
    lyingPeer: args['lying-peer'],
    faults: readFaults(args.faults),
    network: readNetwork(args),
    latency: args.latency ?? null,
    bandwidth: readOptional('--bandwidth', args.bandwidth, { min: 100, max: 1_000_000_000_000 }),
    blockBytesMax: readOptional('--block-bytes', args['block-bytes'], { min: 1_000, max: 8 * 1024 * 1024 }),
    halvingBlocks: readOptional('--halving-blocks', args['halving-blocks'], { min: 1, max: 1_000_000_000 }),
    depth: readOptional('--depth', args.depth, { min: 1, max: 1_000 }),
    limits: readLimits(args.limits),
    hostileClients: args['hostile-clients'],
    blocks: readCount('--blocks', args.blocks, { min: 1, max: 1_000_000 }),
    transfers: readCount('--transfers', args.transfers, { min: 0, max: 1_000_000 }),
  }
}

/** The genesis file that is simulated for a mode: its own of genesis/ where it has one. */
function readSimulated(name: string): unknown {
  const base = packagedGenesis('simulated')
  if (name === LONGEST_CHAIN.name) return readJson(base)
  const own = packagedGenesis(`simulated-${name}`)
  return existsSync(own) ? readJson(own) : simulatedFile(modeNamed(name)!, readJson(base))
}

/** Settings of which all but the genesis files is drawn from each seed. */
function readSwarm(args: SimArguments): SimulationSettings {
  for (const name of [
    'genesis',
    'nodes',
    'validators',
    'pattern',
    'byzantine',
    'network',
    'latency',
    'block-bytes',
    'halving-blocks',
    'depth',
    'limits',
  ] as const)
    if (args[name] !== undefined) throw new CommandError(EXIT.usage, `--swarm draws --${name} itself`)
  for (const name of ['lying-miner', 'lying-peer', 'hostile-clients'] as const)
    if (args[name]) throw new CommandError(EXIT.usage, `--swarm draws --${name} itself`)
  const modes = args.finality === undefined ? MODE_NAMES : [args.finality]
  const swarm = new Map(modes.map(mode => [mode, readSimulated(mode)]))
  return { genesis: null, nodes: 1, faults: new Set(), blocks: 1, transfers: 0, swarm }
}

/** Runs the seeds on all cores; the results are in the order of the seeds. Of many, what fails is told as soon as it does. */
async function runSeeds(
  settings: SimulationSettings,
  seeds: readonly number[],
  output: Output,
): Promise<SimulationResult[]> {
  const isOne = seeds.length === 1
  const progress = createProgress('simulating', isOne ? settings.blocks : seeds.length)
  const results = new Map<number, SimulationResult>()
  const waiting = [...seeds]
  const threads = Math.min(seeds.length, availableParallelism())
  const onHeight = (height: number): void => {
    if (isOne) progress.update(height, 'blocks')
  }
  const onResult = (result: SimulationResult): void => {
    results.set(result.seed, result)
    if (!isOne && !isFine(result.verdict)) {
      progress.end()
      output.note(`seed ${result.seed}: ${result.verdict} (${(result.reason ?? '').split('\n', 1)[0]})`)
    }
    if (!isOne) progress.update(results.size, describeFailures(results))
  }
  await Promise.all(
    Array.from({ length: threads }, () => runThread(settings, waiting, { onHeight, onResult })),
  )
  progress.end()
  return seeds.map(seed => results.get(seed)!)
}

function runThread(
  settings: SimulationSettings,
  waiting: number[],
  listeners: { onHeight: (height: number) => void; onResult: (result: SimulationResult) => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Written out for each form, because a bundler of the package looks for the name.
    const file = extname(import.meta.filename) === '.ts' ? './sim-worker.ts' : './sim-worker.js'
    const worker = new Worker(new URL(file, import.meta.url), { workerData: settings, execArgv: [] })
    const next = (): void => {
      const seed = waiting.shift()
      if (seed === undefined) void worker.terminate().then(() => resolve())
      else worker.postMessage(seed)
    }
    worker.on('message', (message: SimulationResult | { seed: number; height: number }) => {
      if ('height' in message) return listeners.onHeight(message.height)
      listeners.onResult(message)
      next()
    })
    worker.on('error', reject)
    next()
  })
}

function describeFailures(results: ReadonlyMap<number, SimulationResult>): string {
  const failed = [...results.values()].filter(result => !isFine(result.verdict)).length
  return failed === 0 ? 'all hold' : `${failed} failed`
}

function readSeeds(seed: number | undefined, seeds: string | undefined): number[] {
  if (seed !== undefined && seeds !== undefined)
    throw new CommandError(EXIT.usage, 'give --seed or --seeds, not both')
  if (seeds === undefined) return [readCount('--seed', seed ?? 1, { min: 0, max: Number.MAX_SAFE_INTEGER })]
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(seeds)
  const [first, last] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || last < first)
    throw new CommandError(EXIT.usage, `--seeds: expected A..B such as 1..500, got ${seeds}`)
  if (last - first >= 1_000_000) throw new CommandError(EXIT.usage, '--seeds: at most 1000000 at once')
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function readFaults(list: string): Set<FaultKind> {
  if (list === 'none') return new Set()
  return new Set(
    list.split(',').flatMap((name): readonly FaultKind[] => {
      if (name.trim() === 'all') return FAULT_KINDS
      const kind = [...FAULT_KINDS, ...RARE_FAULT_KINDS].find(kind => kind === name.trim())
      if (kind === undefined)
        throw new CommandError(
          EXIT.usage,
          `--faults: unknown fault ${name}`,
          `Known: ${[...FAULT_KINDS, ...RARE_FAULT_KINDS].join(', ')}.`,
        )
      return [kind]
    }),
  )
}

/** Names and counts; null where none are given. */
function readLimits(list: string | undefined): SmallLimits | null {
  if (list === undefined) return null
  const limits = list.split(',').map(item => {
    const [text = '', count] = item.split('=')
    const name = LIMIT_NAMES.find(name => name === text.trim())
    if (name === undefined)
      throw new CommandError(
        EXIT.usage,
        `--limits: unknown limit ${text}`,
        `Known: ${LIMIT_NAMES.join(', ')}.`,
      )
    return [name, readCount(`--limits ${name}`, count ?? '', { min: 1, max: usualLimit(name) })]
  })
  return Object.fromEntries(limits)
}

function readNetwork({ network, delta, gst, scheduler }: SimArguments): NetworkRequest | null {
  const needs = (option: string, value: unknown, model: NetworkRequest['model'] | undefined): void => {
    if (value === undefined || (network !== undefined && (model ?? network) === network)) return
    throw new CommandError(EXIT.usage, `--${option} says something of --network ${model ?? 'MODEL'} only`)
  }
  needs('delta', delta, undefined)
  needs('gst', gst, 'partial')
  needs('scheduler', scheduler, 'asynchronous')
  if (network === undefined) return null
  return {
    model: network,
    deltaMs: delta === undefined ? null : readCount('--delta', delta, { min: 1, max: 60_000 }),
    gstMs: gst === undefined ? null : readCount('--gst', gst, { min: 0, max: 86_400_000 }),
    scheduler: scheduler ?? null,
  }
}

function readOptional(
  option: string,
  value: number | undefined,
  range: { min: number; max: number },
): number | null {
  return value === undefined ? null : readCount(option, value, range)
}

function readValidatorCount(text: string | undefined): number | 'any' | undefined {
  if (text === undefined || text === 'any') return text
  return readCount('--validators', text, { min: 1, max: NODES_MAX })
}

function readAdversary(text: string | undefined): Adversary | null {
  if (text === undefined) return null
  const [name = '', count, ...rest] = text.split(':')
  const role = [...LIAR_ROLES, 'all' as const].find(role => role === name)
  if (role === undefined || rest.length > 0)
    throw new CommandError(
      EXIT.usage,
      `--byzantine: expected ROLE or ROLE:COUNT, got ${text}`,
      `Roles: all, ${LIAR_ROLES.join(', ')}.`,
    )
  if (count === undefined) return { role, count: null }
  return { role, count: readCount('--byzantine', count, { min: 0, max: NODES_MAX }) }
}
