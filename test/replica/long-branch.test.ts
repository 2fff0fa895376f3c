import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlockHeader } from '../../src/chain/header.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import { DELAY_TICKS_MAX } from '../../src/replica/claims.ts'
import type { Effect } from '../../src/replica/effects.ts'
import { REPLICA_LIMITS } from '../../src/replica/limits.ts'
import { ChainBuilder, START_MS, smallGenesis, tipOf } from './small-chain.ts'
import { effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'

// One answer has four headers, and a branch that leaves ours six blocks below the head has eight:
//
//     root ── a1 ── … ── a6
//       └── b1 ── b2 ── … ── b8

const HEADERS_MAX = 4
const limits = { ...REPLICA_LIMITS, headersMax: HEADERS_MAX }
const builder = new ChainBuilder()
const ours = builder.extend(builder.root, 6)
const theirs = builder.extend(builder.root, 8, () => ({ extra: 1 }))
const laterMs = tipOf(theirs).chained.header.time * 1000

const headersOf = (entries: readonly TreeBlock[]): BlockHeader[] => entries.map(entry => entry.chained.header)

/** A node that follows our branch and has asked `p`, which claims to follow theirs. */
function asking(nowMs = laterMs): TestNode {
  const node = new TestNode(builder.genesis, { nowMs, limits }).start()
  node.feed(ours)
  node.connect('p')
  const { id: headId, height, work } = tipOf(theirs).chained
  const { block, blocks } = builder.genesis
  const status = { genesisId: block.id, chainId: blocks.chainId, headId, height, work }
  node.receive('p', { type: 'status', status })
  return node
}

/** What the node wants done when `p` answers its n-th request. */
const answer = (node: TestNode, nth: number, headers: readonly BlockHeader[]): Effect[] =>
  node.receive('p', { type: 'headers', requestId: nth, headers })

const locators = (effects: readonly Effect[]): (string | undefined)[] =>
  sentOf(effects, 'get-headers').map(({ message }) => message.locator[0])

test('a branch is asked on until it holds more work than ours, and then its bodies are, all of them', () => {
  const node = asking()
  const first = answer(node, 1, headersOf(theirs.slice(0, 4)))
  assert.deepEqual(locators(first), [theirs[3]!.chained.id])
  assert.deepEqual(sentOf(first, 'get-blocks'), [])
  const second = answer(node, 2, headersOf(theirs.slice(4)))
  assert.deepEqual(
    sentOf(second, 'get-blocks').flatMap(({ message }) => message.ids),
    theirs.map(entry => entry.chained.id),
  )
})

test('a branch that ends before it holds more work than ours is let go', () => {
  for (const rest of [[], headersOf(theirs.slice(4, 6))]) {
    const node = asking()
    answer(node, 1, headersOf(theirs.slice(0, 4)))
    const effects = answer(node, 2, rest)
    assert.deepEqual(
      [locators(effects), sentOf(effects, 'get-blocks'), effectsOf(effects, 'reject')],
      [[], [], []],
    )
    assert.equal(node.replica.sync.progress(), null)
  }
})

test('a peer that begins again instead of going on is not asked for ever', () => {
  const node = asking()
  answer(node, 1, headersOf(theirs.slice(0, 4)))
  assert.deepEqual(locators(answer(node, 2, headersOf(theirs.slice(0, 4)))), [])
})

test('headers that are known here do not end the search for the place where a branch leaves ours', () => {
  const node = asking()
  assert.deepEqual(locators(answer(node, 1, headersOf(ours.slice(0, 4)))), [ours[3]!.chained.id])
})

test('a branch whose next header is from the future is not asked on, and no peer is to blame', () => {
  const [fourth, nowMs] = [theirs[3]!, theirs[3]!.chained.header.time * 1000]
  const far = builder.mine(theirs[2]!, { time: nowMs / 1000 + 1_000, extra: 2 })
  assert.notEqual(far.chained.id, fourth.chained.id)
  const effects = answer(asking(nowMs), 1, headersOf([...theirs.slice(0, 3), far]))
  assert.deepEqual([locators(effects), effectsOf(effects, 'reject')], [[], []])
})

test('nodes whose branches part further back than one answer reaches come to one head', () => {
  const network = new TestNetwork(builder.genesis, laterMs, { limits: { ...limits, headersMax: 1 } })
  const [a, b] = network.add('a', 'b')
  a!.feed(ours)
  b!.feed(theirs)
  network.connect('a', 'b')
  network.run(10_000)
  assert.equal(a!.headId, tipOf(theirs).chained.id)
  assert.deepEqual([...network.done('a', 'reject'), ...network.done('b', 'reject')], [])
})

test('a branch that leaves ours below the last final block is alarming though one answer does not reach it', () => {
  const shallow = new ChainBuilder(smallGenesis({ finality: { depth: 2 } }))
  const root = shallow.extend(shallow.root, 20)
  const left = [...root, ...shallow.extend(tipOf(root), 8)]
  const right = [...root, ...shallow.extend(tipOf(root), 12, () => ({ extra: 1 }))]
  const network = new TestNetwork(shallow.genesis, START_MS + 10_000_000, {
    limits: { ...limits, headersMax: 1 },
  })
  const [a, b] = network.add('a', 'b')
  a!.feed(left)
  b!.feed(right)
  network.connect('a', 'b')
  network.run(10_000)
  assert.match(network.done('a', 'alarm')[0]?.text ?? '', /below the last final block/)
  assert.equal(a!.headId, tipOf(left).chained.id)
})

// ---- branches of which not all headers are kept

/** A node that follows our branch and keeps so many headers of another. */
function keeping(branchHeadersMax: number): TestNode {
  const node = new TestNode(builder.genesis, {
    nowMs: laterMs,
    limits: { ...limits, branchHeadersMax },
  }).start()
  node.feed(ours)
  node.connect('p')
  return node
}

const claim = (node: TestNode, from: string, work = tipOf(theirs).chained.work): Effect[] => {
  const { block, blocks } = builder.genesis
  const { id: headId, height } = tipOf(theirs).chained
  return node.receive(from, {
    type: 'status',
    status: { genesisId: block.id, chainId: blocks.chainId, headId, height, work },
  })
}

/** What the node asks for when `p` answers its request of headers, or of blocks, with what it has of theirs. */
function next(node: TestNode, effects: readonly Effect[]): Effect[] {
  return effects.flatMap(effect => {
    if (effect.type !== 'send' || effect.to !== 'p') return []
    const { message } = effect
    if (message.type === 'get-blocks') {
      const blocks = theirs
        .filter(({ chained }) => message.ids.includes(chained.id))
        .map(entry => entry.block)
      return node.receive('p', { type: 'blocks', requestId: message.requestId, blocks })
    }
    if (message.type !== 'get-headers') return []
    const fork = theirs.findIndex(({ chained }) => message.locator.includes(chained.id)) + 1
    const headers = headersOf(theirs.slice(fork, fork + HEADERS_MAX))
    return node.receive('p', { type: 'headers', requestId: message.requestId, headers })
  })
}

test('of a branch that is longer than what is kept a part is fetched once its work is proved, then the rest', () => {
  const node = keeping(6)
  const ids = theirs.map(entry => entry.chained.id)
  let effects = claim(node, 'p')
  const asked: unknown[] = []
  while (effects.length > 0) {
    for (const { message } of sentOf(effects, 'get-headers')) asked.push(message.locator[0])
    for (const { message } of sentOf(effects, 'get-blocks')) asked.push(message.ids)
    effects = next(node, effects)
  }
  const own = tipOf(ours).chained.id
  assert.deepEqual(asked, [own, ids[3], ids.slice(0, 6), ids[5], ids.slice(6)])
  assert.equal(node.headId, tipOf(theirs).chained.id)
})

test('a branch that does not hold more work after so many headers is cut off, and may have twice as many the next time', () => {
  const node = keeping(2)
  const asked = (): number => {
    for (let tick = 0; tick < DELAY_TICKS_MAX; tick++)
      assert.deepEqual(sentOf(node.timeout('sync'), 'get-headers'), [])
    let effects = claim(node, 'p')
    for (let count = 0; ; count += HEADERS_MAX) {
      if (sentOf(effects, 'get-headers').length === 0) return count
      assert.deepEqual(sentOf(effects, 'get-blocks'), [])
      effects = next(node, effects)
      if (sentOf(effects, 'get-blocks').length > 0) return -1
    }
  }
  assert.deepEqual([asked(), asked(), asked()], [HEADERS_MAX, HEADERS_MAX, -1])
})

test('nodes that keep one header of a branch come to one head, and hold no more than they may', () => {
  const network = new TestNetwork(builder.genesis, laterMs, {
    limits: { ...limits, headersMax: 2, branchHeadersMax: 1, sideBlocksMax: 1 },
  })
  const [a, b] = network.add('a', 'b')
  a!.feed(ours)
  b!.feed(theirs)
  network.connect('a', 'b')
  network.run(60_000)
  assert.equal(a!.headId, tipOf(theirs).chained.id)
  assert.equal(a!.replica.tree.sideSize, 1)
  assert.deepEqual([...network.done('a', 'reject'), ...network.done('b', 'reject')], [])
})
