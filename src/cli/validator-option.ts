// The options of a validator's node. Options that make no sense are refused before anything is opened: the key of an
// address that is not a validator, a network without validators, lies on a network that is not for tests.

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
      'that this key has never voted on this network, or that all it voted on is final: the node asks the others for its ' +
      'votes, but it may contradict a vote that none of them remembers, and that convicts this validator',
  },
  byzantine: {
    type: 'string',
    choices: BYZANTINE_ROLES,
    describe:
      'Misbehave in this role; only with --validator, and on a network whose genesis file says forTests',
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
      `--validator: the key in ${path} belongs to no validator of ${genesis.name}: its address is ${address}`,
      `The genesis file names ${validators.validators.map(({ name }) => name).join(', ')}; see quorate genesis show.`,
    )
  const keyPath = path === STANDARD_STREAM ? {} : { keyPath: path }
  const options = { secretKey, mayForgetVotes: args['forget-votes'], ...keyPath }
  return { validator, options, byzantine: byzantine ?? null }
}
