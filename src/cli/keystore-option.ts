// The options by which the wallet's commands find accounts and passwords.
// Passwords come from a prompt, a file or the environment, never from the arguments, which other users can read.

import { stderr } from 'node:process'
import { SCRYPT_STANDARD } from '../wallet/key-derivation.ts'
import { Keystore } from '../wallet/keystore-directory.ts'
import { readPassword } from '../wallet/password.ts'
import { defaultKeystore } from './files.ts'

/** The folder of the key files. */
export const keystoreOption = {
  keystore: {
    type: 'string',
    describe: 'Folder of the key files',
    defaultDescription: '~/.quorate/keystore',
  },
} as const

/** Where the password of an account is read from, if not from a prompt. */
export const passwordOption = {
  'password-file': {
    type: 'string',
    describe: 'File with the password in its first line (or set QUORATE_PASSWORD)',
  },
} as const

/** An account of the keystore, or any address. */
export const accountPositional = {
  account: { type: 'string', demandOption: true, describe: 'Name of an account, or an address' },
} as const

/** The keystore that the options name. */
export function keystoreOf(args: { keystore?: string | undefined }): Keystore {
  return new Keystore(args.keystore ?? defaultKeystore(), SCRYPT_STANDARD, line =>
    stderr.write(`warning: ${line}\n`),
  )
}

/** Reads the password of an account; of a new one it is asked for twice. */
export function askPassword(account: string, file: string | undefined, isNew: boolean): Promise<Buffer> {
  return readPassword({ label: `account ${account}`, isNew, file: file ?? null })
}
