// Files and folders that commands share: where things are unless told otherwise, and how a genesis file is read.
// What is wrong with a file is said with its path.

import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { InvalidField } from '../chain/fields.ts'
import { type Genesis, parseGenesis } from '../chain/genesis.ts'
import { createFinality } from '../finality/registry.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** Why nothing is written over what somebody may still want. */
const TAKEN = 'there is a file of this name'
/** Bytes in a genesis file at most. */
const GENESIS_BYTES_MAX = 16 * 1024 * 1024

/** The folder for keys and data: QUORATE_HOME, or .quorate in the user's home. */
export function homeDirectory(): string {
  return env.QUORATE_HOME ?? join(homedir(), '.quorate')
}

/** Where keys are kept unless told otherwise. */
export function defaultKeystore(): string {
  return join(homeDirectory(), 'keystore')
}

/** Where the node of a network keeps its data unless told otherwise. */
export function defaultDataDirectory(networkName: string): string {
  return join(homeDirectory(), networkName.replaceAll(/[^A-Za-z0-9_-]/g, '_'))
}

/** The JSON of a file. Ends the command when there is none. */
export function readJson(path: string): unknown {
  try {
    if (statSync(path).size > GENESIS_BYTES_MAX) throw new Error('the file is too large')
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CommandError(EXIT.file, `cannot read ${path}: ${messageOf(error)}`)
  }
}

/** Writes JSON for people to a new file. Ends the command when there is one of this name, or it can't be written. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeNewFile(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** Writes a new file. Ends the command when there is one of this name, or it can't be written. */
export async function writeNewFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      EXIT.file,
      `cannot write ${path}: ${error.code === 'EEXIST' ? TAKEN : messageOf(error)}`,
    )
  })
}

/** Ends the command when a new file of this name can't be written: before long work, not after it. */
export function assertNewFile(path: string): void {
  if (existsSync(path)) throw new CommandError(EXIT.file, `cannot write ${path}: ${TAKEN}`)
  try {
    accessSync(dirname(path), constants.W_OK)
    if (!statSync(dirname(path)).isDirectory()) throw new Error(`${dirname(path)} is no folder`)
  } catch (error) {
    throw new CommandError(EXIT.file, `cannot write ${path}: ${messageOf(error)}`)
  }
}

/** The network of a genesis file. Ends the command, naming the field, when the file is wrong. */
export function readGenesis(path: string): Genesis {
  try {
    const genesis = parseGenesis(readJson(path))
    createFinality(genesis)
    return genesis
  } catch (error) {
    if (!(error instanceof InvalidField)) throw error
    throw new CommandError(
      EXIT.file,
      `${path} is not a genesis file: ${error.message}`,
      'genesis/local.json is an example.',
    )
  }
}

/** The message of anything that was thrown, in one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!
}

/** The path of a genesis file that comes with quorate. */
export function packagedGenesis(name: string): string {
  return join(import.meta.dirname, '..', '..', 'genesis', `${name}.json`)
}
