// `quorate verify`: executes the whole chain of a stopped node again from the genesis block and compares what comes
// out with what the node has: block by block, and the state account by account.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Block } from '../chain/block.ts'
import { createFinality } from '../finality/registry.ts'
import { Database } from '../node/database.ts'
import { KEYS, STARTING_PREFIXES } from '../replica/records.ts'
import { replayChain } from '../replica/replay.ts'
import { Replica } from '../replica/replica.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { defineCommand } from './command.ts'
import { explainDamage } from './damage.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { defaultDataDirectory, packagedGenesis, readGenesis } from './files.ts'
import { nodeRunOptions } from './node-run-options.ts'
import { table } from './output.ts'
import { createProgress } from './progress.ts'

/** The command that checks a chain from its beginning. */
export const verifyCommand = defineCommand({
  command: 'verify',
  describe: 'Execute the whole chain of a stopped node again and compare the state roots',
  options: { genesis: nodeRunOptions.genesis, data: nodeRunOptions.data },
  run: async (args, output) => {
    const genesis = readGenesis(args.genesis ?? packagedGenesis('local'))
    const { recoverSender } = new SenderCache(await chooseBackend())
    const data = args.data ?? defaultDataDirectory(genesis.name)
    const directory = join(data, 'chain')
    // To open it would make it.
    if (!existsSync(directory)) throw noChain(data)
    const database = await Database.open(directory)
    try {
      await database.preload(STARTING_PREFIXES)
      if (database.get(KEYS.genesis) === null) throw noChain(data)
      const replica = new Replica({
        genesis,
        finality: createFinality(genesis),
        store: database,
        recoverSender,
        salt: new Uint8Array(4),
      })
      // What it would write is not performed: this only reads.
      replica.step({ type: 'start' }, Date.now())
      const head = replica.tree.head.chained
      const progress = createProgress('executing', head.height)
      const replayed = replayChain(genesis, blocksOf(replica), recoverSender, height =>
        progress.update(height, 'blocks'),
      )
      progress.end()
      const isEqual =
        replayed.head.id === head.id && replayed.state.root() === replica.tree.head.execution.state.root()
      const verdict = isEqual ? 'PASS' : 'SAFETY'
      const { transactions } = replayed
      const report = {
        verdict,
        height: head.height,
        head: head.id,
        stateRoot: replayed.state.root(),
        transactions,
      }
      output.data(report, () =>
        table([
          [
            'verdict',
            isEqual
              ? 'the chain and its state are what a replay from genesis gives'
              : 'the state is not what a replay gives',
          ],
          ['head', `height ${report.height}, ${report.head}`],
          ['state root', report.stateRoot],
          ['transactions', String(transactions)],
        ]),
      )
      return isEqual ? EXIT.done : EXIT.no
    } catch (error) {
      throw explainDamage(error, directory)
    } finally {
      await database.close()
    }
  },
})

function* blocksOf(replica: Replica): Generator<Block> {
  for (let height = 1; height <= replica.tree.head.chained.height; height++) {
    const block = replica.view.blockAt(height)
    if (block === null) throw new CommandError(EXIT.file, `the block at height ${height} is missing`)
    yield block
  }
}

function noChain(folder: string): CommandError {
  const remedy = 'Give the --data and --genesis that the node was started with.'
  return new CommandError(EXIT.file, `there is no chain in ${folder}`, remedy)
}
