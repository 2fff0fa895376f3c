// The process that crash.test.ts kills: a node that mines and submits transactions, and says on stdout what has
// been acknowledged, one JSON line each. Its argument is the data directory.

import process from 'node:process'
import { Node } from '../../src/node/node.ts'
import { addressOf, easyGenesis, silent, transfer } from './nodes.ts'

/** What the child says. */
export type Acknowledged =
  | { readonly type: 'head'; readonly id: string; readonly height: number }
  | { readonly type: 'final'; readonly height: number }
  | { readonly type: 'accepted'; readonly id: string }

/** A network whose blocks soon become final, so that a kill also meets the folding of blocks into the disk. */
export const crashGenesis = () => easyGenesis({ finality: { mode: 'longest-chain', depth: 5 } })

/** Mines and submits until it is killed. */
async function run(dataDirectory: string): Promise<void> {
  const node = await Node.open({
    genesis: crashGenesis(),
    dataDirectory,
    version: '0',
    mining: { threads: 1 },
    log: silent,
  })
  const say = (word: Acknowledged) => process.stdout.write(`${JSON.stringify(word)}\n`)
  node.onHead(({ id, height }) => say({ type: 'head', id, height }))
  node.onFinal(({ height }) => say({ type: 'final', height }))
  node.setMining(addressOf(50))
  for (;;) {
    const answers = await Promise.all(
      [0, 1, 2].map(from => node.submit(transfer(from, nextNonce(node, from)))),
    )
    for (const answer of answers) if ('id' in answer) say({ type: 'accepted', id: answer.id })
  }
}

function nextNonce(node: Node, from: number): number {
  return Number(node.replica.pool.nextNonce(addressOf(from)))
}

const [, file, dataDirectory] = process.argv
if (file === import.meta.filename && dataDirectory !== undefined) await run(dataDirectory)
