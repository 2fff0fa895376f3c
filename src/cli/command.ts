// The shape of a command: its options as a table, its work as one function that returns an exit code.
// yargs parses; this file is where its types and its ways of ending meet ours.

import process from 'node:process'
import type { CommandModule, InferredOptionTypes, Options, PositionalOptions } from 'yargs'
import { exitWith } from './exit.ts'
import type { ExitCode } from './exit-codes.ts'
import { createOutput, type Output } from './output.ts'

/** What a command is made of. */
export interface CommandParts<
  P extends Record<string, PositionalOptions>,
  O extends Record<string, Options>,
> {
  /** Its name and positional arguments, as yargs writes them. */
  readonly command: string
  readonly describe: string
  readonly positionals?: P
  readonly options?: O
  readonly examples?: readonly (readonly [string, string])[]
  readonly run: (args: InferredOptionTypes<P & O>, output: Output) => Promise<ExitCode>
}

/** The command as yargs wants it; the process ends with the code that `run` returns or that its error means. */
export function defineCommand<
  P extends Record<string, PositionalOptions> = Record<never, never>,
  O extends Record<string, Options> = Record<never, never>,
>(parts: CommandParts<P, O>): CommandModule {
  return {
    command: parts.command,
    describe: parts.describe,
    builder: yargs => {
      for (const [name, positional] of Object.entries(parts.positionals ?? {}))
        yargs.positional(name, positional)
      for (const [usage, description] of parts.examples ?? []) yargs.example(usage, description)
      return yargs.options(parts.options ?? {})
    },
    handler: async args => {
      const output = createOutput(args.json === true)
      try {
        process.exitCode = await parts.run(args as InferredOptionTypes<P & O>, output)
      } catch (error) {
        exitWith(error, output)
      }
    },
  }
}

/** A command that only has commands below it. */
export function defineGroup(
  name: string,
  describe: string,
  commands: readonly CommandModule[],
): CommandModule {
  return {
    command: name,
    describe,
    builder: yargs => {
      for (const command of commands) yargs.command(command)
      return yargs.demandCommand(1, `quorate ${name} needs a command: see quorate ${name} --help`)
    },
    handler: () => {},
  }
}
