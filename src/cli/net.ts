// `quorate net`: a local network of several nodes, until it is told to stop.
// The nodes find each other by the addresses they say when they are ready. With --finality the network is made here:
// a key for each node and a genesis file, in its folder, where the next run finds them again.

import { existsSync, readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { checksumAddress, parseAddress } from '../chain/address.ts'
import type { Genesis } from '../execution/genesis.ts'
import { STANDARD_STREAM } from '../files/read-file.ts'
import { modeNamed, modeOf } from '../finality/registry.ts'
import { validatorsOf } from '../finality/validators.ts'
import { type LocalNode, startNetwork, stopNetwork } from '../lab/stage/local-network.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { homeDirectory, packagedGenesis, readGenesis, writeJson } from './files.ts'
import { finalityOptions, modesWith, readFinality, VALIDATOR_MODES } from './finality-option.ts'
import { createGenesisFile } from './genesis.ts'
import { readCount } from './node-option.ts'
import { columns } from './output.ts'
import { createProgress } from './progress.ts'
import { createValidatorKey, readValidatorKey } from './validator-key.ts'

/** The first of the well-known test accounts: its key is in README. It has the money of a network that is made here. */
const KNOWN_ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const CHAIN_ID = 20_266

/** The command that runs a local network. */
export const netCommand = defineCommand({
  command: 'net',
  describe: 'Run several nodes on this machine, each a process of its own',
  options: {
    nodes: { type: 'number', default: 4, describe: 'Number of nodes' },
    genesis: {
      type: 'string',
      describe: 'Genesis file of the network',
      defaultDescription: 'genesis/local.json',
    },
    finality: {
      ...finalityOptions.finality,
      describe: `Make a new network with this finality, for tests; with ${VALIDATOR_MODES} all nodes are validators`,
    },
    pattern: finalityOptions.pattern,
    data: {
      type: 'string',
      describe: 'Folder with a folder for each node',
      defaultDescription: '~/.quorate/net, with --finality ~/.quorate/net-FINALITY',
    },
    mine: { type: 'string', describe: 'All nodes mine for this address' },
    throttle: {
      type: 'number',
      describe: 'Share of time that each mining thread works',
      defaultDescription: 'so that all nodes together leave a core free',
    },
  },
  examples: [
    ['quorate net --finality pbft', 'four validators, no miners'],
    ['quorate net --finality hybrid --nodes 7 --mine 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', ''],
  ],
  run: async (args, output) => {
    const count = readCount('--nodes', args.nodes, { min: 1, max: 32 })
    const { finality, pattern } = args
    if (args.genesis !== undefined && (finality !== undefined || pattern !== undefined))
      throw new CommandError(
        EXIT.usage,
        '--genesis and --finality: give one of them',
        'The file says the finality.',
      )
    if (args.genesis === STANDARD_STREAM)
      throw new CommandError(EXIT.usage, '--genesis: each node reads the file, so it must have a name')
    if (pattern !== undefined && finality === undefined)
      throw new CommandError(
        EXIT.usage,
        `--pattern needs ${modesWith('pattern')
          .map(name => `--finality ${name}`)
          .join(' or ')}`,
      )
    if (args.mine !== undefined && parseAddress(args.mine) === null)
      throw new CommandError(EXIT.usage, `--mine: ${args.mine} is not an address`)
    const directory = args.data ?? join(homeDirectory(), finality === undefined ? 'net' : `net-${finality}`)
    const genesisPath =
      finality === undefined
        ? (args.genesis ?? packagedGenesis('local'))
        : await makeNetwork(directory, count, { finality, pattern })
    const genesis = readGenesis(genesisPath)
    if (args.mine !== undefined && !genesis.work.isProved)
      throw new CommandError(
        EXIT.usage,
        `--mine: ${genesis.name} has no miners; its validators make the blocks`,
      )
    const throttle = args.throttle ?? Math.min(1, 1 / count)
    const mining =
      args.mine === undefined ? [] : ['--mine', args.mine, '--threads', '1', '--throttle', String(throttle)]
    const hasKeys = finality !== undefined && modeNamed(finality)!.hasValidators
    const nodeOptions = (index: number) => [
      ...mining,
      ...(hasKeys ? ['--validator', keyPath(directory, index)] : []),
    ]
    if (hasKeys) warnOfLostFolders(directory, count, text => output.note(text))
    const progress = createProgress('starting nodes', count)
    const nodes = await startNetwork(count, { genesisPath, directory, nodeOptions }, (_node, index) =>
      progress.update(index + 1),
    )
    progress.end()
    output.data({ genesis: genesisPath, nodes: nodes.map(node => node.ready) }, () =>
      columns([
        ['node', 'rpc', 'pid', 'data'],
        ...nodes.map(({ ready }, index) => [String(index + 1), ready.rpc, String(ready.pid), ready.data]),
      ]),
    )
    for (const note of notesOn(genesis, genesisPath, args.mine !== undefined)) output.note(note)
    output.note('stop the network with Ctrl-C')
    const again = (index: number): string =>
      ['quorate node', '--genesis', genesisPath, ...nodeOptions(index), ...placeOf(nodes, index)].join(' ')
    await nextStop(nodes, index => output.note(`node ${index + 1} ended; to start it again: ${again(index)}`))
    await stopNetwork(nodes)
    return EXIT.done
  },
})

/** The finality of a network, by the options. */
interface NetworkFinality {
  readonly finality: string
  readonly pattern: string | undefined
}

/** The genesis file of a network in this folder, made with a key for each node unless it is there from before. */
async function makeNetwork(directory: string, count: number, chosen: NetworkFinality): Promise<string> {
  const path = join(directory, 'genesis.json')
  if (existsSync(path)) {
    assertSame(readGenesis(path), path, count, chosen)
    return path
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const validator: string[] = []
  if (modeNamed(chosen.finality)!.hasValidators) {
    for (let index = 0; index < count; index++) {
      const key = keyPath(directory, index)
      // A run that was interrupted may have left some.
      const address = existsSync(key) ? (await readValidatorKey(key)).address : await createValidatorKey(key)
      validator.push(`node${index + 1}=${checksumAddress(address)}`)
    }
  }
  const finality = readFinality({ ...chosen, validator })
  await writeJson(
    path,
    createGenesisFile({
      name: `net-${finality.mode}`,
      chainId: CHAIN_ID,
      blockTimeSeconds: 2,
      bits: '0x1e03ffff',
      accounts: { [KNOWN_ADDRESS]: '1000000' },
      finality,
      forTests: true,
    }),
  )
  return path
}

/** Ends the command when the folder holds another network than the one that was asked for. */
function assertSame(
  genesis: Genesis,
  path: string,
  count: number,
  { finality, pattern }: NetworkFinality,
): void {
  const validators = validatorsOf(genesis)?.validators.length ?? count
  const { mode } = genesis.finality
  const isSame =
    mode === finality &&
    validators === count &&
    (pattern ?? genesis.finality.pattern) === genesis.finality.pattern
  if (isSame) return
  const found = [mode, genesis.finality.pattern, `${validators} nodes`].filter(word => word !== undefined)
  throw new CommandError(
    EXIT.usage,
    `${path} is of another network: ${found.join(', ')}`,
    'Give another folder with --data, or remove that one.',
  )
}

function keyPath(directory: string, index: number): string {
  return join(directory, `node${index + 1}.key`)
}

/** Names the validators whose vote mark is left and whose folder is gone: they wait for the others. If all do, nothing becomes final. */
function warnOfLostFolders(directory: string, count: number, note: (text: string) => void): void {
  const files = readdirSync(directory)
  const forgetful = Array.from({ length: count }, (_, index) => index).filter(
    index =>
      files.some(name => name.startsWith(`node${index + 1}.key.`) && name.endsWith('.votes')) &&
      !existsSync(join(directory, `node${index + 1}`, 'chain')),
  )
  if (forgetful.length === 0) return
  const names = forgetful.map(index => `node${index + 1}`).join(', ')
  note(
    `${names} voted before, and their folders are gone: they vote once the others have decided all that they may have voted on; to start over, remove ${directory}`,
  )
}

function notesOn({ finality, work }: Genesis, genesisPath: string, isMined: boolean): string[] {
  const notes = modeOf({ finality }).hasValidators ? [`genesis file: ${genesisPath}`] : []
  if (work.isProved && !isMined)
    notes.push('no node mines yet: start with --mine ADDRESS, or use quorate mine --rpc URL --data FOLDER')
  return notes
}

/** The folder and the RPC port of a node, and the others that run: validators talk over links of their own to each other. */
function placeOf(nodes: readonly LocalNode[], index: number): string[] {
  const { data, rpc } = nodes[index]!.ready
  const others = nodes.filter((node, other) => other !== index && node.isRunning)
  const peers = others.flatMap(({ ready }) => ready.peers.slice(0, 1)).flatMap(peer => ['--peer', peer])
  return ['--data', data, '--rpc-port', new URL(rpc).port, ...peers]
}

/** Resolves when the network is told to stop or its last node has ended. */
function nextStop(nodes: readonly LocalNode[], onEnd: (index: number) => void): Promise<unknown> {
  const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(
    name => new Promise<void>(resolve => process.once(name, () => resolve())),
  )
  const ends = nodes.map(async (node, index) => {
    await node.ended()
    onEnd(index)
  })
  return Promise.race([...signals, Promise.all(ends)])
}
