// Where a password comes from: a file, the environment, or a person at a terminal, in this order. Never from a command's
// arguments, which every user of the machine can read and shells remember.
//
// The environment is for containers and tests: other programs of the same user can read it too.

import { FileTooLarge, readSmallFile } from '../files/read-file.ts'
import { promptHidden, type Terminal } from './hidden-prompt.ts'

/** Which password is asked for. */
export interface PasswordRequest {
  /** The owner of the password, as the prompt names it: `account alice`. */
  readonly label: string
  /** Whether it is being chosen now: then it is asked for twice and can't be empty. */
  readonly isNew: boolean
  /** The file whose first line it is, or null. */
  readonly file: string | null
}

/** Where to look besides the file. */
export interface PasswordSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Null without a terminal. */
  readonly terminal: Terminal | null
  /** Takes one line for the person, such as that others can read the file. */
  readonly warn: (line: string) => void
}

/** The variable of the environment that may hold the password; empty is the same as not there. */
export const PASSWORD_VARIABLE = 'QUORATE_PASSWORD'

/** No password could be had from anywhere, or the file that was named holds none. */
export class PasswordUnavailable extends Error {
  override name = 'PasswordUnavailable'
}

/** A new password that can't be taken: it is empty, or was not typed the same twice. */
export class PasswordRefused extends Error {
  override name = 'PasswordRefused'
}

/**
 * The password as UTF-8 bytes, which the caller clears. Throws `PasswordUnavailable`, `PasswordRefused` and
 * `PromptInterrupted`.
 */
export async function readPassword(
  request: PasswordRequest,
  sources: PasswordSources = processSources(),
): Promise<Buffer> {
  const password = await readAnywhere(request, sources)
  if (password.length > 0 || !request.isNew) return password
  throw new PasswordRefused(`the new password of ${request.label} is empty: choose one`)
}

/** The sources of this process: its environment, and its terminal if it has one; warnings go to standard error. */
export function processSources(): PasswordSources {
  const terminal = process.stdin.isTTY ? { input: process.stdin, output: process.stderr } : null
  const warn = (line: string) => void process.stderr.write(`warning: ${line}\n`)
  return { environment: process.env, terminal, warn }
}

async function readAnywhere(request: PasswordRequest, sources: PasswordSources): Promise<Buffer> {
  if (request.file !== null) return await readPasswordFile(request.file, sources.warn)
  const fromEnvironment = sources.environment[PASSWORD_VARIABLE]
  if (fromEnvironment !== undefined && fromEnvironment !== '') return Buffer.from(fromEnvironment, 'utf8')
  if (sources.terminal !== null) return await askPassword(request, sources.terminal)
  throw new PasswordUnavailable(
    `no password for ${request.label}: there is no terminal to ask on; name a password file, or set ${PASSWORD_VARIABLE}`,
  )
}

const PASSWORD_FILE_BYTES_MAX = 4096

async function readPasswordFile(path: string, warn: (line: string) => void): Promise<Buffer> {
  const { bytes, mode } = await readSmallFile(path, PASSWORD_FILE_BYTES_MAX).catch((error: Error) => {
    const problem =
      error instanceof FileTooLarge ? error.message : `cannot read the password file: ${error.message}`
    throw new PasswordUnavailable(problem, { cause: error })
  })
  if ((mode & 0o077) !== 0) warn(`others can read the password file ${path}: make it yours alone (chmod 600)`)
  const end = bytes.indexOf('\n')
  const line = end === -1 ? bytes : bytes.subarray(0, end)
  const password = Buffer.from(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line)
  bytes.fill(0)
  return password
}

const CARRIAGE_RETURN = 0x0d

async function askPassword({ label, isNew }: PasswordRequest, terminal: Terminal): Promise<Buffer> {
  if (!isNew) return await promptHidden(terminal, `password of ${label}: `)
  const password = await promptHidden(terminal, `new password of ${label}: `)
  if (password.length === 0) return password
  const again = await promptHidden(terminal, 'the same again: ').catch(error => {
    password.fill(0)
    throw error
  })
  const isSame = again.equals(password)
  again.fill(0)
  if (isSame) return password
  password.fill(0)
  throw new PasswordRefused('the two passwords are not the same: try again')
}
