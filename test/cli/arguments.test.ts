// What is made of the words of a command line: every rule that src/cli/arguments.ts begins with, for tables of its own.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readArguments } from '../../src/cli/arguments.ts'
import { defineCommand, defineGroup } from '../../src/cli/command.ts'
import { CommandError, EXIT } from '../../src/cli/exit-codes.ts'

const node = defineCommand({
  command: 'node',
  describe: '',
  options: {
    data: { type: 'string' },
    peer: { type: 'string', array: true, default: [] as string[] },
    'rpc-port': { type: 'number', default: 8545 },
    log: { type: 'string', choices: ['silent', 'info'] as const, default: 'info' },
    wait: { type: 'boolean', default: true },
  },
  run: async () => EXIT.done,
})
const send = defineCommand({
  command: 'send',
  describe: '',
  options: { to: { type: 'string', demandOption: true }, amount: { type: 'string', demandOption: true } },
  run: async () => EXIT.done,
})
const show = defineCommand({
  command: 'show <file> [number]',
  describe: '',
  positionals: { file: { type: 'string' }, number: { type: 'number', default: 7 } },
  run: async () => EXIT.done,
})
const run = defineCommand({
  command: 'run [files..]',
  describe: '',
  positionals: { files: { type: 'string', array: true, default: [] as string[] } },
  run: async () => EXIT.done,
})
const COMMANDS = [node, defineGroup('wallet', '', [send]), show, run]

const read = (line: string) => readArguments(line === '' ? [] : line.split(' ').map(unquoted), COMMANDS)
const unquoted = (word: string): string => word.replaceAll("''", '')

const TAKEN: readonly (readonly [line: string, args: Readonly<Record<string, unknown>>])[] = [
  ['node', { json: false, data: undefined, peer: [], 'rpc-port': 8545, log: 'info', wait: true }],
  [
    'node --data a --data b --rpc-port 1 --rpc-port=2 --log silent --log info',
    { data: 'b', 'rpc-port': 2, log: 'info' },
  ],
  ['node --peer a --peer=b', { peer: ['a', 'b'] }],
  ['node --no-wait', { wait: false }],
  ['node --no-wait --wait', { wait: true }],
  ['node --wait false', { wait: false }],
  ['node --wait=false', { wait: false }],
  ['node --rpcPort 1', { 'rpc-port': 1 }],
  ['node --data -5:0x12', { data: '-5:0x12' }],
  ['node --data -', { data: '-' }],
  ['node --rpc-port -1', { 'rpc-port': -1 }],
  ['--json node --data a', { json: true, data: 'a' }],
  ['--data node node', { data: 'node' }],
  ['wallet send --to a --amount 1', { to: 'a', amount: '1' }],
  ['show -', { file: '-', number: 7 }],
  ['show a 3', { file: 'a', number: 3 }],
  ['show -1', { file: '-1' }],
  ['show -- --json', { file: '--json', json: false }],
  ['run a b', { files: ['a', 'b'] }],
  ['run', { files: [] }],
]

describe('what makes sense is taken', () => {
  for (const [line, expected] of TAKEN)
    test(line, () => {
      const request = read(line)
      assert.equal(request.type, 'run')
      if (request.type !== 'run') return
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map(name => [name, request.args[name]])),
        expected,
      )
    })
})

const NODE_HELP = 'See quorate node --help.'
const REFUSED: readonly (readonly [line: string, cause: string, remedy?: string | null])[] = [
  ['', 'which command?', 'See quorate --help.'],
  ['nod', 'unknown command nod', 'Did you mean node? See quorate --help.'],
  ['frobnicate', 'unknown command frobnicate', 'See quorate --help.'],
  ['--jsn', 'unknown option --jsn', 'Did you mean --json? See quorate --help.'],
  ['wallet', 'wallet needs a command', 'See quorate wallet --help.'],
  ['wallet sned', 'unknown command wallet sned', 'Did you mean send? See quorate wallet --help.'],
  ['wallet send --to a', 'wallet send needs --amount', 'See quorate wallet send --help.'],
  ['wallet send', 'wallet send needs --to, --amount', 'See quorate wallet send --help.'],
  ['node --data', '--data needs a value', NODE_HELP],
  ['node --data=', '--data needs a value', NODE_HELP],
  ["node --data ''", '--data needs a value', NODE_HELP],
  ['node --data --log info', '--data needs a value', NODE_HELP],
  ['node --data a --data=', '--data needs a value', NODE_HELP],
  ['node --peer', '--peer needs a value', NODE_HELP],
  ['node --peer --log info', '--peer needs a value', NODE_HELP],
  ['node --rpc-port=', '--rpc-port needs a value', NODE_HELP],
  ['node --rpc-port abc', '--rpc-port: expected a number, got abc', NODE_HELP],
  ['node --log bogus', '--log: expected one of silent, info, got bogus', NODE_HELP],
  ['node --log inf', '--log: expected one of silent, info, got inf', `Did you mean info? ${NODE_HELP}`],
  ['node --wait=maybe', '--wait: it is given or not, without a value, got maybe', null],
  ['node --no-data', 'unknown option --no-data', NODE_HELP],
  ['node --per a', 'unknown option --per', `Did you mean --peer? ${NODE_HELP}`],
  ['node -h', 'unknown option -h', `Did you mean --help? ${NODE_HELP}`],
  ['node --__proto__ a', 'unknown option --__proto__', NODE_HELP],
  ['node a b', 'node does not know what to do with a b', NODE_HELP],
  ['show', 'show needs <file>', 'See quorate show --help.'],
  ["show ''", '<file> is empty', 'See quorate show --help.'],
  ['show a x', '<number>: expected a number, got x', 'See quorate show --help.'],
]

describe('what makes none is refused with what was typed', () => {
  for (const [line, cause, remedy = null] of REFUSED)
    test(`${line}: ${cause}`, () => {
      assert.throws(
        () => read(line),
        (error: unknown) => {
          assert.ok(error instanceof CommandError)
          assert.deepEqual([error.code, error.message, error.remedy], [EXIT.usage, cause, remedy])
          return true
        },
      )
    })
})

test('help and version go before what else is wrong', () => {
  const path = (line: string) => {
    const request = read(line)
    return request.type === 'help' ? request.path.join(' ') : request.type
  }
  assert.deepEqual(
    [
      '--help',
      'help',
      'node --bogus --help',
      'wallet --help',
      'help wallet send',
      'wallet help',
      'wallet send help',
    ].map(path),
    ['', '', 'node', 'wallet', 'wallet send', 'wallet', 'wallet send'],
  )
  assert.equal(read('--version').type, 'version')
  assert.equal(read('node --version').type, 'version')
  assert.equal(read('show -- --version').type, 'run')
})
