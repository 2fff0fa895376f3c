// Files and folders that commands share: their default places, and how files are read and written. Errors name the path;
// `-` is standard input or output.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { InvalidField } from '../encoding/fields.ts'
import { type Genesis, parseGenesis } from '../execution/genesis.ts'
import { InputTaken, readAnyFile, STANDARD_STREAM } from '../files/read-file.ts'
import { writeNewFile as writeWhole } from '../files/write-file.ts'
import { createFinality } from '../finality/registry.ts'
import { variable } from './environment.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { describeFileError, messageOf } from './file-errors.ts'
import { writeDocument } from './output.ts'

/** Remedy where a file exists already: none is overwritten. */
const TAKEN = 'there is a file of this name'
/** Bytes in a genesis file, a proof or a scenario at most. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024

/** The folder for keys and data: QUORATE_HOME, or .quorate in the user's home. */
export function homeDirectory(): string {
  const home = homedir()
  // A HOME that is set to nothing is not set.
  return variable('QUORATE_HOME') ?? join(home === '' ? userInfo().homedir : home, '.quorate')
}

/** The default folder of the keys. */
export function defaultKeystore(): string {
  return join(homeDirectory(), 'keystore')
}

/** The default data folder of a network's node. */
export function defaultDataDirectory(networkName: string): string {
  return join(homeDirectory(), networkName.replaceAll(/[^A-Za-z0-9_-]/g, '_'))
}

/** The text of a file, or of standard input where it is `-`. Ends the command when there is none. */
export function readText(path: string, remedy: string | null = null): string {
  try {
    return readAnyFile(path, TEXT_BYTES_MAX).bytes.toString('utf8')
  } catch (error) {
    if (error instanceof InputTaken) throw new CommandError(EXIT.usage, error.message)
    throw cannot('read', path, error, remedy)
  }
}

/** The JSON of a file. Ends the command when there is none. */
export function readJson(path: string): unknown {
  const text = readText(path)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw cannot('read', path, error)
  }
}

/** Writes JSON for people to a new file. Ends the command when there is one of this name, or it can't be written. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeNewFile(path, `${JSON.stringify(value, null, 2)}\n`)
}

/**
 * Writes a new file with the default permissions, or to stdout if the name is `-`. Ends the command when the file exists or
 * can't be written; a partial file is removed.
 */
export async function writeNewFile(path: string, text: string, mode = 0o666): Promise<void> {
  if (path === STANDARD_STREAM) return writeDocument(text)
  await writeWhole(path, text, mode).catch((error: Error) => {
    throw cannot('write', path, error)
  })
}

/** Ends the command when a new file of this name can't be written: before long work, not after it. */
export function assertNewFile(path: string): void {
  if (path === STANDARD_STREAM) return
  if (existsSync(path)) throw new CommandError(EXIT.file, `cannot write ${path}: ${TAKEN}`)
  try {
    accessSync(dirname(path), constants.W_OK)
    if (!statSync(dirname(path)).isDirectory()) throw new Error(`${dirname(path)} is not a folder`)
  } catch (error) {
    throw cannot('write', path, error)
  }
}

/** The error that ends a command which cannot read or write a file. */
export function cannot(
  verb: 'read' | 'write',
  path: string,
  error: unknown,
  remedy: string | null = null,
): CommandError {
  const name = path === STANDARD_STREAM ? 'standard input' : path
  const cause = `cannot ${verb} ${name}: ${messageOf(error)}`
  return new CommandError(EXIT.file, cause, remedy ?? describeFileError(error)?.remedy ?? null)
}

/** The network of a genesis file. Ends the command, naming the field, when the file is wrong. */
export function readGenesis(path: string): Genesis {
  return genesisOf(readJson(path), path)
}

/** The network in the JSON of this file. Ends the command, naming the field, when it is wrong. */
export function genesisOf(file: unknown, path: string): Genesis {
  try {
    const genesis = parseGenesis(file)
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

/** The path of a genesis file that comes with quorate. */
export function packagedGenesis(name: string): string {
  return join(import.meta.dirname, '..', '..', 'genesis', `${name}.json`)
}
