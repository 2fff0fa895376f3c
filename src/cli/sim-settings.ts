// What `quorate sim` is asked for: its options as the settings of runs, and the seeds to run.
// A combination of options that is invalid ends the command with one line that says so.

import { existsSync } from 'node:fs'
import type { InferredOptionTypes } from 'yargs'
import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import { modeNamed, modeOf } from '../finality/registry.ts'
import { type Adversary, LIAR_ROLES } from '../lab/adversary/adversary.ts'
import { simulatedFile } from '../lab/cluster/simulated-genesis.ts'
import { LIMIT_NAMES, type SmallLimits, usualLimit } from '../lab/cluster/small-limits.ts'
import { FAULT_KINDS, type FaultKind, RARE_FAULT_KINDS } from '../lab/faults/fault-plan.ts'
import type { NetworkRequest } from '../lab/network/network-model.ts'
import { NODES_MAX } from '../lab/swarm/check-options.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { genesisOf, packagedGenesis, readJson } from './files.ts'
import { MODE_NAMES } from './finality-option.ts'
import { readCount } from './node-option.ts'
import type { simOptions } from './sim-options.ts'
import type { SimulationSettings } from './sim-worker.ts'

/** The options, as they were given. */
type SimArguments = InferredOptionTypes<typeof simOptions>

/** The settings that the options ask for. */
export function readSettings(args: SimArguments): SimulationSettings {
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

/** The seeds to run, of `--seed N` or `--seeds A..B`. */
export function readSeeds(seed: number | undefined, seeds: string | undefined): number[] {
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
    throw new CommandError(EXIT.usage, `--${option} needs --network ${model ?? 'MODEL'}`)
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
