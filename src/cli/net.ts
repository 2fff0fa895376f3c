// `quorate net`: a local network of several nodes, until it is told to stop.
// The nodes find each other by the addresses they say when they are ready.

import { join } from 'node:path'
import process from 'node:process'
import { parseAddress } from '../chain/address.ts'
import { type LocalNode, startNetwork, stopNetwork } from '../compare/local-network.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { homeDirectory, packagedGenesis, readGenesis } from './files.ts'
import { readCount } from './node-option.ts'
import { columns } from './output.ts'
import { createProgress } from './progress.ts'

/** The command that runs a local network. */
export const netCommand = defineCommand({
  command: 'net',
  describe: 'Run several nodes on this machine, each a process of its own',
  options: {
    nodes: { type: 'number', default: 4, describe: 'How many nodes' },
    genesis: {
      type: 'string',
      describe: 'Genesis file of the network',
      defaultDescription: 'genesis/local.json',
    },
    data: {
      type: 'string',
      describe: 'Folder that holds a folder for each node',
      defaultDescription: '~/.quorate/net',
    },
    mine: { type: 'string', describe: 'All nodes mine for this address' },
    throttle: {
      type: 'number',
      describe: 'Share of its time that a mining thread works',
      defaultDescription: 'so that all nodes together leave a core free',
    },
  },
  run: async (args, output) => {
    const count = readCount('--nodes', args.nodes, { min: 1, max: 32 })
    const genesisPath = args.genesis ?? packagedGenesis('local')
    readGenesis(genesisPath)
    if (args.mine !== undefined && parseAddress(args.mine) === null)
      throw new CommandError(EXIT.usage, `--mine: ${args.mine} is no address`)
    const throttle = args.throttle ?? Math.min(1, 1 / count)
    const mining =
      args.mine === undefined ? [] : ['--mine', args.mine, '--threads', '1', '--throttle', String(throttle)]
    const progress = createProgress('starting nodes', count)
    const directory = args.data ?? join(homeDirectory(), 'net')
    const nodes = await startNetwork(
      count,
      { genesisPath, directory, nodeOptions: () => mining },
      (_node, index) => progress.update(index + 1),
    )
    progress.end()
    output.data({ nodes: nodes.map(node => node.ready) }, () =>
      columns([
        ['node', 'rpc', 'pid', 'data'],
        ...nodes.map(({ ready }, index) => [String(index + 1), ready.rpc, String(ready.pid), ready.data]),
      ]),
    )
    output.note('stop the network with Ctrl-C')
    await nextStop(nodes, text => output.note(text))
    await stopNetwork(nodes)
    return EXIT.done
  },
})

/** Resolves when the network is told to stop or its last node has ended. */
function nextStop(nodes: readonly LocalNode[], say: (text: string) => void): Promise<unknown> {
  const signals = (['SIGINT', 'SIGTERM'] as const).map(
    name => new Promise<void>(resolve => process.once(name, () => resolve())),
  )
  const ends = nodes.map(async (node, index) => {
    await node.ended()
    say(`node ${index + 1} ended`)
  })
  return Promise.race([...signals, Promise.all(ends)])
}
