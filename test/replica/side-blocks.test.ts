import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect } from '../../src/replica/effects.ts'
import { KEYS } from '../../src/replica/records.ts'
import { blocksOf, ChainBuilder, idsOf, START_MS, smallGenesis, tipOf } from './small-chain.ts'
import { effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

// A node may have four blocks beside its main chain, which is longer than that:
//
//     root ── a1 ── … ── a8        head
//       ├── b1 ── … ── b10         as hard as ours
//       └── e1 ── e2 ── …          after e1, which comes late, each costs a sixteenth

const SIDE_MAX = 4
const limits = { sideBlocksMax: SIDE_MAX }
const LATER_MS = START_MS + 10_000_000
const builder = new ChainBuilder(smallGenesis({ finality: { depth: 200 } }))
const a = builder.extend(builder.root, 8)
const b = builder.extend(builder.root, 10, () => ({ extra: 1 }))

const nodeWith = (entries: readonly TreeBlock[], sideBlocksMax = SIDE_MAX): TestNode => {
  const node = new TestNode(builder.genesis, { nowMs: LATER_MS, limits: { sideBlocksMax } }).start()
  node.feed(entries)
  return node
}

/** Blocks on one that come so late that the next are cheap; the first still costs what its parent says. */
function cheap(parent: TreeBlock, count: number, name: number): TreeBlock[] {
  const time = parent.chained.header.time + 3_000
  return builder.extend(parent, count, step => ({ extra: name, ...(step === 1 ? { time } : {}) }))
}

const refusals = (effects: readonly Effect[]): string[] =>
  effectsOf(effects, 'reject').map(({ reason }) => reason)

const holds = (node: TestNode, entries: readonly TreeBlock[]): boolean[] =>
  entries.map(({ chained }) => node.replica.tree.has(chained.id))

/** Lets a peer that has these blocks answer whatever it is asked. */
function answer(node: TestNode, effects: readonly Effect[], entries: readonly TreeBlock[]): Effect[] {
  const all: Effect[] = []
  const left = [...effects]
  for (let effect = left.shift(); effect !== undefined; effect = left.shift()) {
    all.push(effect)
    if (effect.type !== 'send') continue
    const { to, message } = effect
    if (message.type === 'get-headers') {
      const known = entries.findIndex(({ chained }) => message.locator.includes(chained.id))
      const headers = entries.slice(known + 1).map(entry => entry.chained.header)
      left.push(...node.receive(to, { type: 'headers', requestId: message.requestId, headers }))
    }
    if (message.type === 'get-blocks') {
      const found = entries.filter(entry => message.ids.includes(entry.chained.id))
      const blocks = blocksOf(found)
      left.push(...node.receive(to, { type: 'blocks', requestId: message.requestId, blocks }))
    }
  }
  return all
}

function claims(node: TestNode, from: string, tip: TreeBlock): Effect[] {
  const { block, blocks } = builder.genesis
  const { id: headId, height, work } = tip.chained
  const status = { genesisId: block.id, chainId: blocks.chainId, headId, height, work }
  return node.receive(from, { type: 'status', status })
}

// ---- what has no cap

test('the main chain has no cap, whether its blocks come from others or are mined here', () => {
  const node = nodeWith(a)
  assert.equal(node.headId, tipOf(a).chained.id)
  node.startMining(1)
  node.finishMining()
  assert.equal(node.height, 9)
})

test('past the cap a heavier branch is fetched and followed, whatever its length, and back again', () => {
  const node = nodeWith(a)
  node.connect('p')
  assert.deepEqual(refusals(answer(node, claims(node, 'p', tipOf(b)), b)), [])
  assert.equal(node.headId, tipOf(b).chained.id)
  assert.deepEqual(holds(node, a), [true, true, true, true, false, false, false, false])
  const longer = [...a, ...builder.extend(tipOf(a), 4)]
  assert.deepEqual(refusals(answer(node, claims(node, 'p', tipOf(longer)), longer)), [])
  assert.equal(node.headId, tipOf(longer).chained.id)
  assert.equal(node.replica.tree.sideSize, SIDE_MAX)
})

test('past the cap the finality layer gets the block that it wants, with those before it, and it becomes final', () => {
  for (const count of [1, 7]) {
    const network = new ValidatedNetwork('hybrid', 4)
    const chain = new ChainBuilder(network.genesis)
    const node = new TestNode(network.genesis, { nowMs: LATER_MS, limits }).start()
    const [main, other] = [8, 5].map((length, extra) => chain.extend(chain.root, length, () => ({ extra })))
    node.feed([...main!, ...other!])
    node.connect('p')
    const certified = chain.extend(chain.root, count, () => ({ extra: 9 }))
    const { id } = tipOf(certified).chained
    const effects = answer(node, node.receive('p', network.proof(id)), certified)
    assert.deepEqual(refusals(effects), [])
    assert.equal(node.replica.tree.base.chained.id, id, `the last of ${count}`)
  }
})

// ---- what is given up

test('of the tips beside the main chain that with the least work makes room, of equals the one that came later', () => {
  const node = nodeWith(a)
  const [first, second] = [11, 12].map(name => builder.extend(builder.root, 1, () => ({ extra: name })))
  const long = builder.extend(builder.root, 2, () => ({ extra: 13 }))
  node.feed([...first!, ...second!, ...long])
  assert.deepEqual(refusals(node.feed(builder.extend(a[0]!, 2, () => ({ extra: 14 })))), [])
  assert.deepEqual(holds(node, [...first!, ...second!, ...long]), [false, false, true, true])
  assert.equal(node.replica.tree.sideSize, SIDE_MAX)
})

test('a block beside the main chain that has the least work itself is refused, and no peer is punished', () => {
  const node = nodeWith(a)
  node.feed(b.slice(0, 4))
  const other = builder.extend(builder.root, 1, () => ({ extra: 2 }))
  assert.deepEqual(refusals(node.feed(other)), ['block-tree-full'])
  assert.deepEqual(
    refusals(node.feed(b.slice(4, 5))),
    ['block-tree-full'],
    'its own parent can not make room',
  )
  assert.deepEqual(holds(node, [...b.slice(0, 5), ...other]), [true, true, true, true, false, false])
})

test('cheap blocks push out each other, and never a branch with more work', () => {
  const node = nodeWith(a)
  const honest = builder.extend(a[4]!, 2, () => ({ extra: 3 }))
  node.feed(honest)
  for (let name = 20; name < 40; name++) {
    const flood = cheap(a[(name - 20) % 3]!, 6, name)
    assert.ok(tipOf(flood).chained.work < tipOf(honest).chained.work)
    node.feed(flood)
    assert.deepEqual(holds(node, honest), [true, true])
    assert.ok(node.replica.tree.sideSize <= SIDE_MAX)
  }
  assert.ok(node.replica.tree.evictedCount > 0)
  assert.equal(node.headId, tipOf(a).chained.id)
})

test('a block that is evicted leaves the database in the step that takes the other in, and can come again', () => {
  const node = nodeWith(a)
  node.feed(b.slice(0, 4))
  const heavier = builder.extend(a[6]!, 1, () => ({ extra: 4 }))
  const batches = node.batches.length
  node.feed(heavier)
  const [evicted, added] = [b[3]!.chained.id, heavier[0]!.chained.id]
  assert.equal(node.batches.length, batches + 1)
  const written = new Map(node.batches.at(-1)!.map(({ key, value }) => [key, value]))
  assert.equal(written.get(KEYS.block(evicted)), null)
  assert.ok(written.get(KEYS.block(added)) instanceof Uint8Array)
  assert.equal([...node.disk.entries(KEYS.openBlocks)].length, 8 + SIDE_MAX)
  assert.equal(node.replica.view.rawBlock(evicted), null)
  assert.deepEqual(node.restarted().replica.tree.has(evicted), false)
  node.connect('p')
  answer(node, claims(node, 'p', tipOf(b)), b)
  assert.equal(node.headId, tipOf(b).chained.id)
})

test('a node that starts with a smaller cap than it had gives up the lightest, and follows what it followed', () => {
  const node = nodeWith(a, 20)
  node.feed(b.slice(0, 7))
  const { disk } = node
  const again = new TestNode(builder.genesis, { nowMs: LATER_MS, disk, limits }).start()
  assert.equal(again.headId, tipOf(a).chained.id)
  assert.deepEqual(holds(again, b.slice(0, 7)), [true, true, true, true, false, false, false])
  assert.deepEqual(
    idsOf([...again.restarted().replica.tree.blocks()]),
    idsOf([...again.replica.tree.blocks()]),
  )
})

// ---- what is kept though it is light

test('a branch that is being fetched is not given up for what comes meanwhile', () => {
  const node = new TestNode(builder.genesis, { nowMs: LATER_MS, limits: { ...limits, bodiesMax: 5 } }).start()
  node.feed(a)
  node.connect('p')
  const asked = claims(node, 'p', tipOf(b))
  const [request] = sentOf(asked, 'get-headers')
  const headers = b.map(entry => entry.chained.header)
  const { requestId } = request!.message
  const [bodies] = sentOf(node.receive('p', { type: 'headers', requestId, headers }), 'get-blocks')
  const found = blocksOf(b.slice(0, 5))
  const more = node.receive('p', { type: 'blocks', requestId: bodies!.message.requestId, blocks: found })
  assert.ok(holds(node, b.slice(0, 5)).every(isHere => isHere))
  for (const name of [51, 52]) node.feed(builder.extend(a[5]!, 1, () => ({ extra: name })))
  assert.deepEqual(refusals(answer(node, more, b)), [])
  assert.equal(node.headId, tipOf(b).chained.id)
})

/** A validator that has voted for the first block of a branch, and follows another now. */
function voter() {
  const network = new ValidatedNetwork('hybrid', 4, { depth: 0 })
  const chain = new ChainBuilder(network.genesis)
  const identity = network.identityOf('v0')
  const node = new TestNode(network.genesis, { id: 'v0', nowMs: LATER_MS, limits, identity }).start()
  const [voted] = chain.extend(chain.root, 1, () => ({ extra: 1 }))
  network.answer(node)
  node.connect('p')
  node.feed([voted!])
  node.receive('p', network.word(network.proposal(voted!.chained.id)))
  const main = chain.extend(chain.root, 8)
  node.feed(main)
  const flood = (fork: number): Effect[] => node.feed(chain.extend(main[fork]!, 3, () => ({ extra: 2 })))
  return { node, voted: voted!, main, flood }
}

test('a block that this node voted for is kept: should it be decided, some node must have it', () => {
  const { node, voted, main, flood } = voter()
  for (const fork of [0, 4]) flood(fork)
  assert.ok(node.replica.tree.evictedCount > 0)
  assert.equal(node.headId, tipOf(main).chained.id)
  assert.ok(node.replica.tree.has(voted.chained.id))
})

test('a block that this node voted for before a restart is kept', () => {
  const { node, voted, flood } = voter()
  flood(0)
  const { disk, identity, genesis } = node
  const again = new TestNode(genesis, {
    nowMs: LATER_MS,
    disk,
    identity,
    limits: { sideBlocksMax: 1 },
  }).start()
  assert.ok(again.replica.tree.evictedCount > 0)
  assert.ok(again.replica.tree.has(voted.chained.id))
})

// ---- all together

test('a stall that is longer than the cap heals: two halves mine on, one comes over to the other, and finality goes on', () => {
  const validated = new ValidatedNetwork('hybrid', 4, { depth: 2 })
  const network = new TestNetwork(validated.genesis, START_MS, {
    identityOf: id => validated.identityOf(id),
    limits: { ...new TestNode(validated.genesis).limits, ...limits, branchHeadersMax: 3, headersMax: 2 },
  })
  const ids = ['v0', 'v1', 'v2', 'v3'] as const
  network.add(...ids)
  network.connect('v0', 'v1')
  network.connect('v2', 'v3')
  for (let round = 0; round < 12; round++) {
    network.mine('v0')
    if (round > 1) network.mine('v2')
    network.run(2_000)
  }
  for (const one of ['v0', 'v1'] as const) for (const two of ['v2', 'v3'] as const) network.connect(one, two)
  network.run(60_000)
  network.mine('v0')
  network.run(60_000)
  const heads = new Set(ids.map(id => network.nodes.get(id)!.headId))
  assert.equal(heads.size, 1)
  for (const id of ids) {
    const { height, replica } = network.nodes.get(id)!
    assert.equal(replica.tree.base.chained.height, height - 2)
  }
})
