// What a finality mode is, as data. Each mode has a file of its own in this folder and a line in the registry
// (../registry.ts); all else asks the mode instead of comparing its name: whether blocks are mined, whether there are
// validators and by which protocols they may agree, which settings a genesis file gives, what "final" means, and how the finality layer is made.

import type { LogKit } from '../../consensus/kit.ts'
import type { Fields, Json } from '../../encoding/fields.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Finality } from '../contract.ts'
import type { Identity } from '../identity.ts'

/** A way to make blocks final, which a genesis file chooses by its name. */
export interface FinalityMode {
  /** By which the genesis file's `finality.mode` and the options of commands choose it. */
  readonly name: string
  /** Whether blocks carry work. Otherwise validators make them, and the genesis file says `"proof": "none"`. */
  readonly isMined: boolean
  /** Whether validators decide what is final. Otherwise a block only becomes less likely to be reversed, by work alone. */
  readonly hasValidators: boolean
  /** The protocols by which its validators may agree, by the genesis file's `pattern`; none where there are no validators. */
  readonly protocols: ReadonlyMap<string, LogKit>
  /** What the genesis file gives besides the name, in the order in which it is written. */
  readonly settings: readonly Setting[]
  /** When a wallet calls a transfer final: it completes "wait until it is final: …". */
  readonly finalWhen: string
  /** What stands behind a final block of such a network, in a few words. */
  finalMeans(section: FinalitySection): string
  /** The mode and its settings in one line. */
  describe(section: FinalitySection): string
  /** How often blocks are made, where they are not mined; null where the work rules say it. */
  describePace(section: FinalitySection): string | null
  /** Makes the layer of a node. Takes all settings that are left. Throws `InvalidField`. */
  create(settings: Fields, setup: ModeSetup): Finality
}

/** The `finality` section of a genesis file. */
export type FinalitySection = Genesis['finality']

/** What of a genesis file a finality layer depends on. */
export type FinalityGenesis = Pick<Genesis, 'finality' | 'work' | 'blocks' | 'block'>

/** What a layer is made of besides its settings: the network, and what this node is in it. */
export interface ModeSetup {
  readonly genesis: FinalityGenesis
  readonly identity: Identity
}

/** A setting of a mode. */
export type Setting = CountSetting | ChoiceSetting | ValidatorsSetting

interface SettingParts {
  /** Of the field in the genesis file. */
  readonly name: string
  /** Of the option that sets it. Modes may share an option whose meaning differs: each says its own. */
  readonly option: string
  /** What it is, in one line that begins with a capital letter. */
  readonly help: string
}

/** A whole number within bounds, both allowed. */
export interface CountSetting extends SettingParts {
  readonly type: 'count'
  readonly min: number
  readonly max: number
  readonly default: number
  /** Whether the file may say null, for never; on the command line that is 0. */
  readonly isNullable?: boolean
}

/** One of a few words. */
export interface ChoiceSetting extends SettingParts {
  readonly type: 'choice'
  readonly choices: readonly string[]
  readonly default: string
}

/** The list of validators. It has no default. */
export interface ValidatorsSetting extends SettingParts {
  readonly type: 'validators'
}

/**
 * The section of a genesis file that chooses this mode, with the values that are given and defaults for all others. Values
 * of settings that the mode does not have are left out. Throws a RangeError when a setting without a default is missing.
 */
export function sectionOf(
  mode: FinalityMode,
  given: Readonly<Record<string, Json | undefined>> = {},
): FinalitySection & { readonly mode: string } {
  const values = mode.settings.map((setting): [string, Json] => {
    const fallback = 'default' in setting ? setting.default : undefined
    const value = given[setting.name] === undefined ? fallback : given[setting.name]
    if (value === undefined) throw new RangeError(`${mode.name} needs ${setting.name}`)
    return [setting.name, value]
  })
  return { mode: mode.name, ...Object.fromEntries(values) }
}
