// The options by which a node is one of the validators. What makes no sense is said before anything is opened: a key
// of somebody else, a network without validators, lies where real money may be.

import type { Genesis } from '../execution/genesis.ts'
import { STANDARD_STREAM } from '../files/read-file.ts'
import { type Validator, validatorsOf } from '../finality/validators.ts'
import { BYZANTINE_ROLES, type ByzantineRole } from '../lab/adversary/byzantine/roles.ts'
import type { ValidatorOptions } from '../node/node-options.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readValidatorKey } from './validator-key.ts'

/** The options of a node that is, or may be, a validator. */
export const validatorOptions = {
  validator: { type: 'string', describe: 'Vote with the key in this file (see quorate validator new)' },
  'forget-votes': {
    type: 'boolean',
    default: false,
    describe:
      'Vote although the record of earlier votes is gone, or the folder is new and this key has voted. Only if you know ' +
      'that this key has never voted on this network, or that what it voted is settled: the others are asked for its ' +
      'votes, but what none of them remembers it may contradict, and that convicts this validator',
  },
  byzantine: {
    type: 'string',
    choices: BYZANTINE_ROLES,
    describe: 'Lie in this way; only with --validator, and on a network whose genesis file says forTests',
  },
} as const

/** What `validatorOptions` give. */
export interface ValidatorArgs {
  readonly validator: string | undefined
  readonly 'forget-votes': boolean
  readonly byzantine: ByzantineRole | undefined
}

/** Which validator a node is, and its options. */
export interface ChosenValidator {
  readonly validator: Validator
  readonly options: ValidatorOptions
  /** How it lies, on a network for tests; null for an honest one. */
  readonly byzantine: ByzantineRole | null
}

/** The validator that the options name, or null; ends the command when they make no sense. */
export async function readValidatorOptions(
  args: ValidatorArgs,
  genesis: Genesis,
): Promise<ChosenValidator | null> {
  const { validator: path, byzantine } = args
  if (path === undefined) {
    const option = args['forget-votes'] ? '--forget-votes' : byzantine === undefined ? null : '--byzantine'
    if (option === null) return null
    throw new CommandError(EXIT.usage, `${option} is for a validator`, 'Give its key with --validator FILE.')
  }
  if (byzantine !== undefined && !genesis.forTests)
    throw new CommandError(
      EXIT.usage,
      `--byzantine: ${genesis.name} is not a network for tests`,
      'Only where the genesis file says "forTests": true may a validator be told to lie.',
    )
  const validators = validatorsOf(genesis)
  if (validators === null)
    throw new CommandError(
      EXIT.usage,
      `--validator: ${genesis.name} has no validators, its finality is ${genesis.finality.mode}`,
      'genesis/pbft.json and genesis/hybrid.json are networks with validators.',
    )
  const { address, secretKey } = await readValidatorKey(path)
  const validator = validators.validators.find(other => other.address === address)
  if (validator === undefined)
    throw new CommandError(
      EXIT.file,
      `--validator: the key in ${path} is nobody's in ${genesis.name}: its address is ${address}`,
      `The genesis file names ${validators.validators.map(({ name }) => name).join(', ')}; see quorate genesis show.`,
    )
  const keyPath = path === STANDARD_STREAM ? {} : { keyPath: path }
  const options = { secretKey, mayForgetVotes: args['forget-votes'], ...keyPath }
  return { validator, options, byzantine: byzantine ?? null }
}
