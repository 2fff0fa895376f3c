// The command line: which commands there are. Each has a file of its own; what a command loads it loads when it
// runs, so that help and wallet start at once.

import process, { argv } from 'node:process'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { attackCommand } from './attack.ts'
import { compareCommand } from './compare.ts'
import { doctorCommand } from './doctor.ts'
import { evidenceCommand } from './evidence.ts'
import { exitWith } from './exit.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { blockCommand, txCommand } from './explore.ts'
import { finalityCommand } from './finality.ts'
import { genesisCommand } from './genesis.ts'
import { mineCommand } from './mine.ts'
import { netCommand } from './net.ts'
import { nodeCommand } from './node.ts'
import { createOutput } from './output.ts'
import { scenarioCommand } from './scenario.ts'
import { simCommand } from './sim.ts'
import { startCommand } from './start.ts'
import { peersCommand, statusCommand, tipsCommand } from './status.ts'
import { theoryCommand } from './theory.ts'
import { validatorCommand } from './validator.ts'
import { verifyCommand } from './verify.ts'
import { VERSION } from './version.ts'
import { walletCommand } from './wallet.ts'

const COMMANDS = [
  startCommand,
  nodeCommand,
  netCommand,
  genesisCommand,
  walletCommand,
  mineCommand,
  statusCommand,
  doctorCommand,
  peersCommand,
  tipsCommand,
  blockCommand,
  txCommand,
  verifyCommand,
  validatorCommand,
  finalityCommand,
  evidenceCommand,
  simCommand,
  scenarioCommand,
  compareCommand,
  attackCommand,
  theoryCommand,
]

const parser = yargs(hideBin(argv))
  .scriptName('quorate')
  .usage('quorate <command>\n\nA small blockchain whose finality you can choose.')
  .command(COMMANDS)
  .option('json', {
    type: 'boolean',
    default: false,
    global: true,
    describe: 'Answer with one line of JSON on stdout',
  })
  .version(VERSION)
  .demandCommand(1, 'which command? see quorate --help')
  .recommendCommands()
  .strict()
  .wrap(Math.min(110, process.stdout.columns ?? 110))
  .parserConfiguration({ 'duplicate-arguments-array': true, 'parse-positional-numbers': false })
  .epilogue(
    'Exit codes: 0 done, 1 the answer is no, 2 usage, 3 file, 4 node, 5 password, 6 in use, 7 not known yet, 70 fault.',
  )
  .exitProcess(false)
  .fail((message, error) => {
    throw error ?? new CommandError(EXIT.usage, message, 'See quorate --help.')
  })

try {
  await parser.parseAsync()
} catch (error) {
  exitWith(error, createOutput(argv.includes('--json')))
}
