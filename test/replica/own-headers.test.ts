// A stranger that claims more work, and answers with headers that are all ours and final: they cost it 80 bytes each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect } from '../../src/replica/effects.ts'
import type { ReplicaLimits } from '../../src/replica/limits.ts'
import { KEYS } from '../../src/replica/records.ts'
import { ChainBuilder, smallGenesis, tipOf } from './small-chain.ts'
import { effectsOf, sentOf, TestNode } from './test-node.ts'

const builder = new ChainBuilder(smallGenesis({ finality: { depth: 2 } }))
const main = builder.extend(builder.root, 130)
/** The headers that are final. */
const FINAL = 128

/** A node that follows the chain and asked `p` for headers, and the keys that it reads from then on. */
function asking(limits: Partial<ReplicaLimits> = {}) {
  const node = new TestNode(builder.genesis, {
    nowMs: tipOf(main).chained.header.time * 1000,
    limits,
  }).start()
  node.feed(main)
  assert.equal(node.replica.tree.base.chained.height, FINAL)
  node.connect('p')
  const { block, blocks } = builder.genesis
  const { id: headId, height } = tipOf(main).chained
  const status = { genesisId: block.id, chainId: blocks.chainId, headId, height, work: 2n ** 200n }
  const asked = node.receive('p', { type: 'status', status })
  const reads: string[] = []
  const get = node.disk.get.bind(node.disk)
  node.disk.get = key => {
    reads.push(key)
    return get(key)
  }
  return { node, asked, reads }
}

/** What the node wants done when `p` answers the request in these effects. */
function answer(node: TestNode, asked: readonly Effect[], entries: readonly TreeBlock[]): Effect[] {
  const [request] = sentOf(asked, 'get-headers')
  const headers = entries.map(entry => entry.chained.header)
  return node.receive('p', { type: 'headers', requestId: request!.message.requestId, headers })
}

const rejections = (effects: readonly Effect[]): string[] =>
  effectsOf(effects, 'reject').map(({ reason }) => reason)

test('a stranger that gives headers of our own final chain does not make us read a block for each', () => {
  const prefix = KEYS.block('0x')
  for (const count of [1, 60, FINAL]) {
    const { node, asked, reads } = asking()
    const effects = answer(node, asked, main.slice(0, count))
    assert.deepEqual(rejections(effects), ['block-below-final'])
    assert.deepEqual(effectsOf(effects, 'alarm'), [])
    assert.ok(reads.filter(key => key.startsWith(prefix)).length <= 1, `${count} headers: ${reads.join(' ')}`)
    assert.ok(reads.length <= 12, `${count} headers: ${reads.length} reads`)
  }
})

test('nor one that goes on with a branch of its own, nor one whose headers do not link', () => {
  const foreign = builder.mine(main[99]!, { extra: 1 })
  const { node, asked, reads } = asking()
  const effects = answer(node, asked, [...main.slice(0, 100), foreign])
  assert.deepEqual(rejections(effects), ['block-below-final'])
  assert.match(effectsOf(effects, 'alarm')[0]!.text, new RegExp(main[99]!.chained.id))
  assert.ok(reads.length <= 12, `${reads.length} reads`)
  const other = asking()
  const unlinked = answer(other.node, other.asked, [...main.slice(0, 50), ...main.slice(51, 100)])
  assert.deepEqual(rejections(unlinked), ['peer-headers-unlinked'])
  assert.deepEqual(other.reads, [])
})

test('of headers that are ours, however many are final, those after them are followed', () => {
  const more = builder.extend(tipOf(main), 2)
  const { locator } = sentOf(asking().asked, 'get-headers')[0]!.message
  const begins = [0, ...main.keys().map(index => index + 1)].filter(
    begin => begin === 0 || locator.includes(main[begin - 1]!.chained.id),
  )
  assert.ok(begins.length > 10)
  for (const begin of begins) {
    const { node, asked } = asking()
    const bodies = sentOf(answer(node, asked, [...main.slice(begin), ...more]), 'get-blocks')
    assert.deepEqual(
      bodies.flatMap(({ message }) => message.ids),
      more.map(entry => entry.chained.id),
      `after block ${begin}`,
    )
  }
})

test('a stranger that gives our own final headers is not asked on for ever', () => {
  const { node, asked } = asking({ headersMax: 4, branchHeadersMax: 16 })
  let effects: readonly Effect[] = asked
  let answers = 0
  while (sentOf(effects, 'get-headers').length > 0) {
    effects = answer(node, effects, main.slice(4 * answers, 4 * answers + 4))
    answers += 1
    assert.ok(answers <= FINAL / 4)
  }
  assert.equal(answers, 4)
  assert.deepEqual(rejections(effects), ['block-below-final'])
  assert.equal(effectsOf(effects, 'disconnect').length, 0)
})
