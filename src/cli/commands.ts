// Which commands there are. Each has a file of its own; what a command loads it loads when it runs, so that help and
// wallet start at once.

import { attackCommand } from './attack.ts'
import type { Command, CommandGroup } from './command.ts'
import { compareCommand } from './compare.ts'
import { doctorCommand } from './doctor.ts'
import { evidenceCommand } from './evidence.ts'
import { blockCommand, txCommand } from './explore.ts'
import { finalityCommand } from './finality.ts'
import { genesisCommand } from './genesis.ts'
import { mineCommand } from './mine.ts'
import { netCommand } from './net.ts'
import { nodeCommand } from './node.ts'
import { scenarioCommand } from './scenario.ts'
import { simCommand } from './sim.ts'
import { startCommand } from './start.ts'
import { peersCommand, statusCommand, tipsCommand } from './status.ts'
import { theoryCommand } from './theory.ts'
import { validatorCommand } from './validator.ts'
import { verifyCommand } from './verify.ts'
import { walletCommand } from './wallet.ts'

/** All of them, in the order of the help. */
export const COMMANDS: readonly (Command | CommandGroup)[] = [
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
