// The command line without a process of its own: what src/cli/main.ts does with its words, and what is said meanwhile. A
// start takes half a second, so each command is started as a user does once, and its further tests run here. Both streams
// and the exit code belong to the whole process: a file that uses this has a process of its own, and awaits each run.

import process, { stderr, stdout } from 'node:process'
import { readArguments } from '../../src/cli/arguments.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { exitWith } from '../../src/cli/exit.ts'
import { createOutput, endWith } from '../../src/cli/output.ts'

/** How a command ended, and what it said on each stream. */
export interface Done {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command as if it had been started in this folder, with these further variables of the environment. */
export async function runInProcess(
  words: readonly string[],
  { folder = process.cwd(), env = {} }: { folder?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Done> {
  const said = { out: '', err: '' }
  const before = {
    folder: process.cwd(),
    code: process.exitCode,
    env: Object.keys(env).map(name => [name, process.env[name]] as const),
  }
  const writes = [stdout.write, stderr.write] as const
  const record = (to: 'out' | 'err') => (text: string | Uint8Array) => {
    // Bytes are what the runner of the tests says of them.
    if (typeof text !== 'string') return writes[0].call(stdout, text)
    said[to] += text
    return true
  }
  process.chdir(folder)
  Object.assign(process.env, env)
  stdout.write = record('out') as typeof stdout.write
  stderr.write = record('err') as typeof stderr.write
  const output = createOutput(words.includes('--json'))
  try {
    const request = readArguments(words, COMMANDS)
    if (request.type !== 'run') throw new Error(`${words.join(' ')} runs no command`)
    endWith(await request.command.run(request.args, output))
  } catch (error) {
    exitWith(error, output)
  } finally {
    ;[stdout.write, stderr.write] = writes
    process.chdir(before.folder)
    for (const [name, value] of before.env)
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
  const code = Number(process.exitCode)
  process.exitCode = before.code
  return { code, ...said }
}
