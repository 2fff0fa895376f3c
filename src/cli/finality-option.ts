// The options that say how a new network makes blocks final, and the two sections of a genesis file that they fill.
// An option of another kind of finality is refused: a typing mistake must not pass for a default.

import { parseAddress } from '../chain/address.ts'
import { PATTERNS } from '../consensus/catalogue.ts'
import type { Json } from '../encoding/fields.ts'
import { readValidatorName } from '../finality/validators.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readCount } from './node-option.ts'

const MODES = ['longest-chain', 'hybrid', 'pbft'] as const

/** A kind of finality. */
export type FinalityMode = (typeof MODES)[number]

/** The two options that every command has that makes a network. */
export const finalityOptions = {
  finality: { type: 'string', choices: MODES, describe: 'What makes a block final' },
  pattern: {
    type: 'string',
    choices: [...PATTERNS.keys()],
    describe: 'How validators exchange votes: each with all, or all with the leader',
    defaultDescription: 'all-to-all',
  },
} as const

/** The options of a network's finality. */
export const finalityDetailOptions = {
  ...finalityOptions,
  validator: {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'One of those who decide: NAME=ADDRESS (see quorate validator new); hybrid and pbft',
  },
  timeout: {
    type: 'number',
    describe:
      'Milliseconds that validators wait for progress before they change their leader; hybrid and pbft',
    defaultDescription: '1000',
  },
  depth: {
    type: 'number',
    describe: 'Blocks on top of one that may become final; hybrid and longest-chain',
    defaultDescription: '2, and 256 for longest-chain',
  },
  interval: {
    type: 'number',
    describe: 'hybrid: blocks between two that validators vote on. pbft: milliseconds between two blocks',
    defaultDescription: '1, and 250 for pbft',
  },
  heartbeat: {
    type: 'number',
    describe: 'Seconds after which an empty block is made, 0 for never; pbft',
    defaultDescription: '30',
  },
} as const

/** What the options give. */
export interface FinalityArgs {
  readonly finality: FinalityMode | undefined
  readonly pattern: string | undefined
  readonly validator: readonly string[]
  readonly timeout: number | undefined
  readonly depth: number | undefined
  readonly interval: number | undefined
  readonly heartbeat: number | undefined
}

const FIELDS: Readonly<Record<FinalityMode, readonly string[]>> = {
  'longest-chain': ['depth'],
  hybrid: ['pattern', 'validator', 'timeout', 'depth', 'interval'],
  pbft: ['pattern', 'validator', 'timeout', 'interval', 'heartbeat'],
}

/** The `finality` section that the options mean. Ends the command when they make no sense. */
export function readFinality(args: FinalityArgs): Readonly<Record<string, Json>> & { mode: FinalityMode } {
  const mode = args.finality ?? 'longest-chain'
  for (const option of ['pattern', 'timeout', 'depth', 'interval', 'heartbeat'] as const)
    if (args[option] !== undefined) assertFits(mode, option)
  if (args.validator.length > 0) assertFits(mode, 'validator')
  if (mode === 'longest-chain')
    return { mode, depth: count('--depth', args.depth, 256, { min: 1, max: 1_000 }) }
  if (args.validator.length === 0)
    throw new CommandError(
      EXIT.usage,
      `${mode} needs validators: give --validator NAME=ADDRESS for each`,
      'quorate validator new FILE makes a key and says its address.',
    )
  const agreement = {
    pattern: args.pattern ?? 'all-to-all',
    validators: args.validator.map(readValidator),
    timeoutMs: count('--timeout', args.timeout, 1_000, { min: 50, max: 600_000 }),
  }
  if (mode === 'hybrid') {
    const depth = count('--depth', args.depth, 2, { min: 0, max: 1_000 })
    return {
      mode,
      ...agreement,
      depth,
      interval: count('--interval', args.interval, 1, { min: 1, max: 1_000 }),
    }
  }
  const intervalMs = count('--interval', args.interval, 250, { min: 200, max: 3_600_000 })
  const heartbeat = count('--heartbeat', args.heartbeat, 30, { min: 0, max: 86_400 })
  return { mode, ...agreement, intervalMs, heartbeatSeconds: heartbeat === 0 ? null : heartbeat }
}

function assertFits(mode: FinalityMode, option: string): void {
  if (FIELDS[mode].includes(option)) return
  const modes = MODES.filter(other => FIELDS[other].includes(option)).join(' or ')
  throw new CommandError(EXIT.usage, `--${option}: not for ${mode}`, `It belongs to --finality ${modes}.`)
}

function count(
  option: string,
  value: number | undefined,
  fallback: number,
  bounds: { min: number; max: number },
): number {
  return value === undefined ? fallback : readCount(option, value, bounds)
}

function readValidator(text: string): { readonly name: string; readonly address: string } {
  const [name = '', address = '', ...rest] = text.split('=')
  if (readValidatorName(name) === null || parseAddress(address) === null || rest.length > 0)
    throw new CommandError(
      EXIT.usage,
      `--validator: expected NAME=ADDRESS, got ${text}`,
      'A name has 1 to 32 letters, digits, - and _; the address may have a typing mistake.',
    )
  return { name, address }
}
