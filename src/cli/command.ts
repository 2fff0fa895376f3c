// The shape of a command: its options as a table, its work as one function that returns an exit code.
// The tables are read in arguments.ts, which makes values of words, and in help.ts, which makes pages of them.

import type { InferredOptionTypes, Options, PositionalOptions } from 'yargs'
import type { ExitCode } from './exit-codes.ts'
import type { Output } from './output.ts'

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

/** A command with any options. */
export interface Command {
  /** Its name and positional arguments: `import <name>`, `block [which]`, `run [files..]`. */
  readonly usage: string
  readonly describe: string
  readonly positionals: Readonly<Record<string, PositionalOptions>>
  readonly options: Readonly<Record<string, Options>>
  readonly examples: readonly (readonly [string, string])[]
  /** Takes the values by the names of the tables. Returns the code to end with, or throws. */
  readonly run: (args: Readonly<Record<string, unknown>>, output: Output) => Promise<ExitCode>
}

/** A command that only has commands below it. */
export interface CommandGroup {
  readonly usage: string
  readonly describe: string
  readonly commands: readonly Command[]
}

/** The command of a table and a function. */
export function defineCommand<
  P extends Record<string, PositionalOptions> = Record<never, never>,
  O extends Record<string, Options> = Record<never, never>,
>(parts: CommandParts<P, O>): Command {
  return {
    usage: parts.command,
    describe: parts.describe,
    positionals: parts.positionals ?? {},
    options: parts.options ?? {},
    examples: parts.examples ?? [],
    run: (args, output) => parts.run(args as InferredOptionTypes<P & O>, output),
  }
}

/** A group of commands. */
export function defineGroup(name: string, describe: string, commands: readonly Command[]): CommandGroup {
  return { usage: name, describe, commands }
}

/** The name of a command or a group: its first word. */
export function nameOf({ usage }: { readonly usage: string }): string {
  return usage.split(' ', 1)[0]!
}
