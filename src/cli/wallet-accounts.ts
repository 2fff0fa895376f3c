// `quorate wallet new | import | list | address`: the accounts on this machine, whose keys stay in files here.
// Their encryption and layout are in src/wallet/keystore-directory.ts.

import { join } from 'node:path'
import { checksumAddress } from '../chain/address.ts'
import { readSmallFile } from '../files/read-file.ts'
import type { Account } from '../wallet/account.ts'
import { parseSecretKey } from '../wallet/secret-key.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { cannot } from './files.ts'
import {
  accountPositional,
  askPassword,
  keystoreOf,
  keystoreOption,
  passwordOption,
} from './keystore-option.ts'
import { readAddress } from './node-option.ts'
import { columns, type Output, table } from './output.ts'

/** Bytes in a file with a secret key at most. */
const KEY_BYTES_MAX = 4_096

const newCommand = defineCommand({
  command: 'new <name>',
  describe: 'Make an account with a new key',
  positionals: { name: { type: 'string', demandOption: true, describe: 'Name for the account' } },
  options: { ...keystoreOption, ...passwordOption },
  run: async (args, output) => {
    const password = await askPassword(args.name, args['password-file'], true)
    const account = await keystoreOf(args).create(args.name, password)
    return showAccount(account, output)
  },
})

const importCommand = defineCommand({
  command: 'import <name>',
  describe: 'Import a key: a key file of another program, or a file with a secret key',
  positionals: { name: { type: 'string', demandOption: true, describe: 'Name for the account' } },
  options: {
    ...keystoreOption,
    ...passwordOption,
    file: {
      type: 'string',
      describe: 'Web3 Secret Storage file (geth, ethers, cast); give its password, which stays the same',
    },
    'key-file': { type: 'string', describe: 'File with a secret key: 64 hex digits' },
  },
  run: async (args, output) => {
    const { file, 'key-file': keyFile } = args
    if ((file === undefined) === (keyFile === undefined)) {
      throw new CommandError(
        EXIT.usage,
        'give either --file or --key-file',
        'A key is never taken from the arguments, which others can read.',
      )
    }
    const password = await askPassword(args.name, args['password-file'], file === undefined)
    const keystore = keystoreOf(args)
    const account =
      file !== undefined
        ? await keystore.importFile(args.name, file, password)
        : await keystore.importKey(args.name, await readSecretKey(keyFile!), password)
    return showAccount(account, output)
  },
})

const listCommand = defineCommand({
  command: 'list',
  describe: 'The accounts on this machine',
  options: keystoreOption,
  run: async (args, output) => {
    const keystore = keystoreOf(args)
    const accounts = await keystore.list()
    for (const fault of await keystore.damaged()) output.note(`quorate: ${fault.message}`)
    for (const file of await keystore.foreign())
      output.note(
        `quorate: ${file} is a key file of geth; import it with: quorate wallet import NAME --file ${join(keystore.directory, file)}`,
      )
    output.data(accounts, () =>
      accounts.length === 0
        ? `no accounts in ${keystore.directory}; make one with: quorate wallet new NAME`
        : columns([
            ['name', 'address'],
            ...accounts.map(({ name, address }) => [name, checksumAddress(address)]),
          ]),
    )
    return EXIT.done
  },
})

const addressCommand = defineCommand({
  command: 'address <account>',
  describe: 'The address of an account',
  positionals: accountPositional,
  options: keystoreOption,
  run: async (args, output) => {
    const address = checksumAddress(await readAddress(keystoreOf(args), args.account))
    output.data({ address }, () => address)
    return EXIT.done
  },
})

/** The commands for accounts. */
export const accountCommands = [newCommand, importCommand, listCommand, addressCommand]

function showAccount(account: Account, output: Output): ExitCode {
  const { name, address, path } = account
  output.data(account, () =>
    table([
      ['account', name],
      ['address', checksumAddress(address)],
      ['file', path],
    ]),
  )
  return EXIT.done
}

async function readSecretKey(path: string): Promise<Uint8Array> {
  const { bytes } = await readSmallFile(path, KEY_BYTES_MAX).catch((error: Error) => {
    throw cannot('read', path, error)
  })
  const secretKey = parseSecretKey(bytes.toString('utf8'))
  bytes.fill(0)
  if (secretKey === null)
    throw new CommandError(EXIT.file, `${path} holds no secret key`, 'A secret key is 64 hex digits.')
  return secretKey
}
