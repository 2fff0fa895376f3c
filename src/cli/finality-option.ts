// The options that say how a new network makes blocks final, and the section of a genesis file that they fill. There is
// an option for each setting of a mode (src/finality/modes), and modes may share one. An option that the chosen mode does
// not have is refused: a typing mistake must not pass for a default.

import type { Options } from 'yargs'
import { parseAddress } from '../chain/address.ts'
import type { Json } from '../encoding/fields.ts'
import { PATTERN } from '../finality/modes/committee-mode.ts'
import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import {
  type CountSetting,
  type FinalityMode,
  type FinalitySection,
  type Setting,
  sectionOf,
} from '../finality/modes/mode.ts'
import { MODES, modeNamed, PATTERN_NAMES } from '../finality/registry.ts'
import { readValidatorName } from '../finality/validators.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readCount } from './node-option.ts'

/** The names that `--finality` takes. */
export const MODE_NAMES: readonly string[] = MODES.map(({ name }) => name)

/** The modes with validators, for a sentence: `a and b`. */
export const VALIDATOR_MODES = namesOf(MODES.filter(({ hasValidators }) => hasValidators))

/** The modes that mine and have no validators, for a sentence. */
export const WORK_MODES = namesOf(MODES.filter(({ hasValidators }) => !hasValidators))

/** The two options that every command has that makes a network. */
export const finalityOptions = {
  finality: { type: 'string', choices: MODE_NAMES, describe: 'What makes a block final' },
  pattern: {
    type: 'string',
    choices: PATTERN_NAMES,
    describe: PATTERN.help,
    defaultDescription: PATTERN.default,
  },
} as const

/** The options of a network's finality. `readFinality` takes their values. */
export const finalityDetailOptions: typeof finalityOptions = {
  finality: finalityOptions.finality,
  ...createOptions(),
  pattern: finalityOptions.pattern,
}

/** What the options give: values by the names of the options. */
export interface FinalityArgs {
  readonly finality: string | undefined
  readonly [option: string]: unknown
}

/** The `finality` section that the options mean. Ends the command when they make no sense. */
export function readFinality(args: FinalityArgs): FinalitySection & { readonly mode: string } {
  const mode = modeNamed(args.finality ?? LONGEST_CHAIN.name)!
  for (const { option } of MODES.flatMap(({ settings }) => settings))
    if (isGiven(args[option])) assertFits(mode, option)
  const values = mode.settings.map((setting): [string, Json | undefined] => [
    setting.name,
    readSetting(mode, setting, args[setting.option]),
  ])
  return sectionOf(mode, Object.fromEntries(values))
}

/** The names of the modes that have a setting with this option. */
export function modesWith(option: string): string[] {
  return MODES.filter(({ settings }) => settings.some(setting => setting.option === option)).map(
    ({ name }) => name,
  )
}

/** An option that may be given several times is an empty list when it is not. */
function isGiven(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0)
}

function assertFits(mode: FinalityMode, option: string): void {
  const modes = modesWith(option)
  if (modes.includes(mode.name)) return
  throw new CommandError(
    EXIT.usage,
    `--${option}: not for ${mode.name}`,
    `It belongs to --finality ${modes.join(' or ')}.`,
  )
}

/** The value of a setting as the genesis file says it; undefined for its default. */
function readSetting(mode: FinalityMode, setting: Setting, value: unknown): Json | undefined {
  switch (setting.type) {
    case 'choice':
      return value as string | undefined
    case 'count':
      return value === undefined ? undefined : readCountSetting(setting, value as number)
    case 'validators':
      return readValidators(mode, value as readonly string[])
  }
}

function readCountSetting({ option, min, max, isNullable }: CountSetting, value: number): number | null {
  const count = readCount(`--${option}`, value, { min: isNullable ? 0 : min, max })
  return isNullable && count === 0 ? null : count
}

function readValidators(mode: FinalityMode, texts: readonly string[]): readonly Json[] {
  if (texts.length > 0) return texts.map(readValidator)
  throw new CommandError(
    EXIT.usage,
    `${mode.name} needs validators: give --validator NAME=ADDRESS for each`,
    'quorate validator new FILE makes a key and says its address.',
  )
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

/** A setting of a mode, as an option of the command line shows it. */
interface Use {
  readonly mode: FinalityMode
  readonly setting: Setting
}

/** An option for each setting; the default mode, for which all of them may be left out, is named last. */
function createOptions(): Record<string, Options> {
  const modes = MODES.toSorted((a, b) => Number(a === LONGEST_CHAIN) - Number(b === LONGEST_CHAIN))
  const uses = modes.flatMap(mode => mode.settings.map((setting): Use => ({ mode, setting })))
  const options = Map.groupBy(uses, ({ setting }) => setting.option)
  return Object.fromEntries([...options].map(([option, uses]) => [option, createOption(uses)]))
}

function createOption(uses: readonly Use[]): Options {
  const { setting } = uses[0]!
  const describe = describeUses(uses)
  switch (setting.type) {
    case 'choice':
      return {
        type: 'string',
        choices: setting.choices,
        describe,
        defaultDescription: describeDefaults(uses),
      }
    case 'count':
      return { type: 'number', describe, defaultDescription: describeDefaults(uses) }
    case 'validators':
      return { type: 'string', array: true, default: [], describe }
  }
}

/** What an option means, and in which modes. */
function describeUses(uses: readonly Use[]): string {
  const meanings = [...Map.groupBy(uses, ({ setting }) => setting.help)]
  const [first] = meanings
  if (meanings.length === 1) return `${first![0]}; ${namesOfUses(uses)}`
  return meanings
    .map(([help, uses]) => `${namesOfUses(uses)}: ${help.charAt(0).toLowerCase()}${help.slice(1)}`)
    .join('. ')
}

/** The default of the first mode, and those of the modes that have another. */
function describeDefaults(uses: readonly Use[]): string {
  const values = Map.groupBy(uses, ({ setting }) => ('default' in setting ? String(setting.default) : ''))
  const [[first = ''] = [], ...others] = values
  return [first, ...others.map(([value, uses]) => `and ${value} for ${namesOfUses(uses)}`)].join(', ')
}

function namesOfUses(uses: readonly Use[]): string {
  return namesOf(uses.map(({ mode }) => mode))
}

function namesOf(modes: readonly FinalityMode[]): string {
  const names = modes.map(({ name }) => name)
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
