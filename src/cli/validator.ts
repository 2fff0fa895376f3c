// `quorate validator`: the keys of validators. A key is made where it will be used; only the entry for the genesis file,
// name and address, ever leaves the machine.

import { basename } from 'node:path'
import { type Address, checksumAddress } from '../chain/address.ts'
import { readValidatorName } from '../finality/validators.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import type { Output } from './output.ts'
import { createValidatorKey, readValidatorKey } from './validator-key.ts'

const nameOption = {
  name: { type: 'string', describe: 'Name for the genesis file', defaultDescription: 'that of the file' },
} as const

const newCommand = defineCommand({
  command: 'new <file>',
  describe: 'Make a new key and print the entry for the genesis file',
  positionals: { file: { type: 'string', demandOption: true, describe: 'File to write; it must not exist' } },
  options: nameOption,
  examples: [['quorate validator new ada.key --name ada', '']],
  run: async (args, output) => {
    const name = nameOf(args.file, args.name)
    return showEntry(name, await createValidatorKey(args.file), output)
  },
})

const showCommand = defineCommand({
  command: 'show <file>',
  describe: 'Check a key file and print the entry for the genesis file',
  positionals: { file: { type: 'string', demandOption: true, describe: 'File with a validator’s key' } },
  options: nameOption,
  run: async (args, output) => {
    const name = nameOf(args.file, args.name)
    return showEntry(name, (await readValidatorKey(args.file)).address, output)
  },
})

/** The commands about validators' keys. */
export const validatorCommand = defineGroup('validator', 'Keys of validators', [newCommand, showCommand])

/** The name that was given, or else the file's without its ending. */
function nameOf(path: string, given: string | undefined): string {
  const name = readValidatorName(given ?? basename(path).replace(/\..*$/, ''))
  if (name !== null) return name
  const cause =
    given === undefined ? 'the name of the file is not a name for a validator' : 'not a name for a validator'
  throw new CommandError(EXIT.usage, `--name: ${cause}`, 'A name has 1 to 32 letters, digits, - and _.')
}

function showEntry(name: string, address: Address, output: Output): typeof EXIT.done {
  const entry = { name, address: checksumAddress(address) }
  output.data(entry, () => `{ "name": "${name}", "address": "${entry.address}" }`)
  return EXIT.done
}
