// The command line: reads the words, runs the command that they name (commands.ts), and ends with its code, or says what
// went wrong.

import process, { argv } from 'node:process'
import { readArguments } from './arguments.ts'
import { COMMANDS } from './commands.ts'
import { exitWith } from './exit.ts'
import { drawHelp } from './help.ts'
import { createOutput, endWith, guardStreams } from './output.ts'
import { VERSION } from './version.ts'

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
