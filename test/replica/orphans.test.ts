// Blocks that a peer sends and that stand on none that is here: they tell of another branch, and nothing of them is decoded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect } from '../../src/replica/effects.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import { ChainBuilder, smallGenesis, tipOf, transfer } from './small-chain.ts'
import { sentOf, TestNode } from './test-node.ts'

const builder = new ChainBuilder(smallGenesis({ finality: { depth: 2 } }))
const main = builder.extend(builder.root, 10, step => ({ transactions: [transfer(1, step - 1)] }))
const nowMs = tipOf(main).chained.header.time * 1000

/** A node that has these blocks, and the keys that it reads from then on. */
function following(entries: readonly TreeBlock[]) {
  const node = new TestNode(builder.genesis, { nowMs }).start()
  node.feed(entries)
  node.connect('p')
  const reads: string[] = []
  const get = node.disk.get.bind(node.disk)
  node.disk.get = key => {
    reads.push(key)
    return get(key)
  }
  return { node, reads, screened: (bytes: Uint8Array) => node.replica.screen('p', bytes) }
}

const bytesOf = ({ block }: TreeBlock): Uint8Array => encodeMessage({ type: 'block', block })

test('a stranger that sends final blocks again and again has none of them decoded, nor read', () => {
  const { screened, reads } = following(main)
  for (let round = 0; round < 100; round++)
    for (const entry of main.slice(0, 7)) assert.equal(screened(bytesOf(entry)), 'known')
  assert.ok(reads.length <= 700)
  assert.ok(
    reads.every(key => key.startsWith('final/')),
    reads[0],
  )
})

test('a stranger that sends orphans again and again has none of them decoded, and asks nothing of the database', () => {
  const { node, screened, reads } = following(main.slice(0, 4))
  for (let round = 0; round < 100; round++) assert.equal(screened(bytesOf(main[8]!)), 'orphan')
  assert.deepEqual(reads, [])
  const asked = Array.from({ length: 100 }, () => node.step({ type: 'orphan', from: 'p' }))
  assert.equal(sentOf(asked.flat(), 'get-headers').length, 1)
})

test('the peer that sent an orphan is asked for the headers of its branch, and the child of a block that is here is decoded', () => {
  const { node, screened } = following(main.slice(0, 4))
  assert.equal(screened(bytesOf(main[4]!)), null)
  assert.equal(screened(bytesOf(main[5]!)), 'orphan')
  const [request] = sentOf(node.step({ type: 'orphan', from: 'p' }), 'get-headers')
  assert.equal(request?.to, 'p')
})

test('a block that lies about its height is an orphan, and no more', () => {
  const { screened } = following(main)
  const old = builder.mine(main[2]!, { extra: 1, spoil: coinbase => ({ ...coinbase, height: 2 ** 31 }) })
  assert.equal(screened(bytesOf(old)), 'orphan')
})

test('a peer that relays blocks of a lighter branch, one at a time, is not left alone when it has more work later', () => {
  const { node } = following(main)
  const side = builder.extend(main[7]!, 2, () => ({ extra: 2 }))
  const tell = (headers: readonly TreeBlock[], effects: readonly Effect[]): Effect[] =>
    sentOf(effects, 'get-headers').flatMap(({ to, message }) => {
      const known = headers.findLastIndex(({ chained }) => message.locator.includes(chained.id))
      const found = headers.slice(known + 1).map(({ chained }) => chained.header)
      return node.receive(to, { type: 'headers', requestId: message.requestId, headers: found })
    })
  let asked = 0
  for (let round = 0; round < 6; round++) {
    const effects = node.receive('p', { type: 'block', block: side[1]!.block })
    asked += sentOf(effects, 'get-headers').length
    tell(main, effects)
    for (let tick = 0; tick < 20; tick++) tell(main, node.timeout('sync'))
  }
  assert.equal(asked, 6)
  tell(main, node.receive('p', { type: 'block', block: side[1]!.block }))
  const longer = [...main, ...builder.extend(tipOf(main), 3)]
  const { id: headId, height, work } = tipOf(longer).chained
  const { block, blocks } = builder.genesis
  const status = { genesisId: block.id, chainId: blocks.chainId, headId, height, work }
  const effects = tell(longer, node.receive('p', { type: 'status', status }))
  for (let tick = 0; tick < 8; tick++) effects.push(...tell(longer, node.timeout('sync')))
  assert.equal(sentOf(effects, 'get-blocks').length, 1)
})
