// The pages of `--help`, drawn by yargs from the tables of the commands. It is loaded only for them: nothing is parsed
// by it (arguments.ts), so every other command starts without it.

import process from 'node:process'
import type { CommandModule } from 'yargs'
import { GLOBAL_OPTIONS } from './arguments.ts'
import { type Command, type CommandGroup, nameOf } from './command.ts'
import { VERSION } from './version.ts'

/** The page of the command with these names, or of quorate itself. */
export async function drawHelp(
  path: readonly string[],
  commands: readonly (Command | CommandGroup)[],
): Promise<string> {
  const { default: yargs } = await import('yargs')
  const parser = yargs()
    .scriptName('quorate')
    .usage('quorate <command>\n\nA small blockchain whose finality you can choose.')
    .command(commands.map(asModule))
    .options(GLOBAL_OPTIONS)
    .version(VERSION)
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .epilogue(
      'Exit codes: 0 done, 1 the answer is no, 2 usage, 3 file, 4 node, 5 password, 6 in use, 7 not known yet, 70 fault.',
    )
    .exitProcess(false)
  const page = await new Promise<string>(resolve => {
    void parser.parse([...path, '--help'], {}, (_error: unknown, _args: unknown, text: string) =>
      resolve(text),
    )
  })
  return page
}

function asModule(command: Command | CommandGroup): CommandModule {
  return {
    command: 'commands' in command ? nameOf(command) : command.usage,
    describe: command.describe,
    builder: yargs => {
      if ('commands' in command) return yargs.command(command.commands.map(asModule))
      for (const [name, positional] of Object.entries(command.positionals)) yargs.positional(name, positional)
      for (const [usage, description] of command.examples) yargs.example(usage, description)
      return yargs.options(command.options)
    },
    handler: () => {},
  }
}
