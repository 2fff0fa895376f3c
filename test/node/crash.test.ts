import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { BlockId } from '../../src/chain/header.ts'
import type { Node } from '../../src/node/node.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { type Acknowledged, crashGenesis } from './mining-child.ts'
import { nodesOf } from './nodes.ts'

const CHILD = fileURLToPath(new URL('./mining-child.ts', import.meta.url))

/** Runs the child until it has acknowledged so much, kills it, and returns all that it said. */
async function runAndKill(dataDirectory: string, words: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [CHILD, dataDirectory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Acknowledged[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // A last line may be cut off by the kill.
    if (!line.endsWith('}')) break
    said.push(JSON.parse(line))
    if (said.length === words) child.kill('SIGKILL')
  }
  if (child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL')
  return said
}

function isKept(node: Node, word: Acknowledged): boolean {
  const { view, pool, tree } = node.replica
  switch (word.type) {
    case 'head':
      return view.headerAt(word.height)?.id === word.id && view.block(word.id as BlockId) !== null
    case 'final':
      return tree.base.chained.height >= word.height
    case 'accepted':
      return (
        pool.get(word.id as `0x${string}`) !== undefined || view.locate(word.id as `0x${string}`) !== null
      )
  }
}

test('a node that is killed while it mines has everything that it acknowledged', async t => {
  const dataDirectory = await temporaryDirectory(t)
  const acknowledged: Acknowledged[] = []
  for (const words of [40, 150, 90, 260]) {
    acknowledged.push(...(await runAndKill(dataDirectory, words)))
    const node = await nodesOf(t)({ dataDirectory, genesis: crashGenesis() })
    const lost = acknowledged.filter(word => !isKept(node, word))
    assert.deepEqual(lost, [])
    await node.close()
  }
  for (const type of ['head', 'final', 'accepted'])
    assert.ok(acknowledged.filter(word => word.type === type).length > 20, `few words of type ${type}`)
})
