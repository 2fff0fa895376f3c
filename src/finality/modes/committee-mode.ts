// What the modes with validators have in common: the settings of a committee, those of blocks that validators make in
// turn, and how the layer is made of them.

import { PBFT_PATTERNS } from '../../consensus/catalogue.ts'
import type { LogKit } from '../../consensus/kit.ts'
import type { Fields } from '../../encoding/fields.ts'
import { Committee } from '../committee.ts'
import type { Finality } from '../contract.ts'
import type { Policy } from '../policy.ts'
import { readValidators } from '../validators.ts'
import type {
  ChoiceSetting,
  CountSetting,
  FinalityMode,
  FinalitySection,
  ModeSetup,
  ValidatorsSetting,
} from './mode.ts'

/** How votes travel among validators that agree by PBFT. */
export const PATTERN = {
  type: 'choice',
  name: 'pattern',
  option: 'pattern',
  help: 'How validators exchange votes: each with all, or all with the leader',
  choices: [...PBFT_PATTERNS.keys()],
  default: 'all-to-all',
} as const satisfies ChoiceSetting

/** The members of the committee. */
export const VALIDATORS: ValidatorsSetting = {
  type: 'validators',
  name: 'validators',
  option: 'validator',
  help: 'A validator: NAME=ADDRESS (see quorate validator new)',
}

/** The base timeout of a view. */
export const TIMEOUT: CountSetting = {
  type: 'count',
  name: 'timeoutMs',
  option: 'timeout',
  help: 'Milliseconds that validators wait for progress before they change their leader',
  min: 50,
  max: 600_000,
  default: 1_000,
}

/** The least time between two blocks that validators make. */
export const BLOCK_INTERVAL: CountSetting = {
  type: 'count',
  name: 'intervalMs',
  option: 'interval',
  help: 'Milliseconds between two blocks',
  min: 200,
  max: 3_600_000,
  default: 250,
}

/** The time after which validators make an empty block. */
export const HEARTBEAT: CountSetting = {
  type: 'count',
  name: 'heartbeatSeconds',
  option: 'heartbeat',
  help: 'Seconds after which an empty block is made, 0 for never',
  min: 1,
  max: 86_400,
  default: 30,
  isNullable: true,
}

/** How often validators make blocks, in one line. */
export function describeTurns({ intervalMs, heartbeatSeconds }: FinalitySection): string {
  const empty = heartbeatSeconds === null ? 'never empty' : `an empty one after ${heartbeatSeconds} s`
  return `made by the validators in turn, at least ${intervalMs} ms apart when there are transfers; ${empty}`
}

/** Takes `pattern` from the settings of a genesis file's finality, one of those of its mode. Throws `InvalidField`. */
export function takeProtocol(
  settings: Fields,
  protocols: ReadonlyMap<string, LogKit>,
): { readonly pattern: string; readonly kit: LogKit } {
  const names = [...protocols.keys()]
  const pattern = settings.parse(
    PATTERN.name,
    `one of ${names.join(', ')}`,
    value => names.find(name => name === value) ?? null,
  )
  return { pattern, kit: protocols.get(pattern)! }
}

/** The layer of a node in a network with validators, which agree by one of these protocols and decide by this policy. */
export function createCommittee(
  settings: Fields,
  { genesis, identity }: ModeSetup,
  { protocols, policy }: { readonly protocols: FinalityMode['protocols']; readonly policy: Policy },
): Finality {
  const validators = readValidators(settings)
  const { pattern, kit } = takeProtocol(settings, protocols)
  const timeoutMs = settings.integer(TIMEOUT.name, TIMEOUT)
  settings.end()
  const { chainId } = genesis.blocks
  return new Committee(
    {
      validators,
      pattern,
      kit,
      timeoutMs,
      isMined: genesis.work.isProved,
      chainId,
      genesisId: genesis.block.id,
      futureLimitSeconds: genesis.work.futureLimitSeconds,
      identity,
    },
    policy,
  )
}
