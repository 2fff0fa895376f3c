// The command line: which commands there are. Each has a file of its own; what a command loads it loads when it
// runs, so that help and wallet start at once.

import process, { argv } from 'node:process'
import { readArguments } from './arguments.ts'
import { attackCommand } from './attack.ts'
import { compareCommand } from './compare.ts'
import { doctorCommand } from './doctor.ts'
import { evidenceCommand } from './evidence.ts'
import { exitWith } from './exit.ts'
import { blockCommand, txCommand } from './explore.ts'
import { finalityCommand } from './finality.ts'
import { genesisCommand } from './genesis.ts'
import { drawHelp } from './help.ts'
import { mineCommand } from './mine.ts'
import { netCommand } from './net.ts'
import { nodeCommand } from './node.ts'
import { createOutput, endWith, guardStreams } from './output.ts'
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

guardStreams()
// Not Node's own way of ending, for its code 1 would say that the answer is no.
process.once('uncaughtException', error => {
  exitWith(error, output)
  process.exit()
})

const words = argv.slice(2)
let output = createOutput(words.includes('--json'))

try {
  const request = readArguments(words, COMMANDS)
  switch (request.type) {
    case 'version':
      output.data({ version: VERSION }, () => VERSION)
      break
    case 'help': {
      const page = await drawHelp(request.path, COMMANDS)
      output.data({ help: page }, () => page)
      break
    }
    case 'run':
      output = createOutput(request.args.json === true)
      endWith(await request.command.run(request.args, output))
  }
} catch (error) {
  exitWith(error, output)
}
