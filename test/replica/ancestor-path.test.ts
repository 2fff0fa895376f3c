// A wanted block on a branch beside the main chain of every peer that has it: no headers lead there, so that its ancestors
// are asked for one by one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Block } from '../../src/chain/block.ts'
import { type BlockId, blockId, encodeHeader } from '../../src/chain/header.ts'
import { AncestorPath, PATH_BYTES_MAX } from '../../src/replica/ancestor-path.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import type { ReplicaLimits } from '../../src/replica/limits.ts'
import type { OutgoingMessage } from '../../src/replica/messages.ts'
import { decodeEnvelope } from '../finality/pbft-envelope.ts'
import { blocksOf, ChainBuilder, idsOf, START_MS, transfer, unmineHeader } from './small-chain.ts'
import { effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

//     root ── a1 ── … ── a6        main chain of all
//       └── b1 ── … ── b4          b4 is certified

const network = new ValidatedNetwork('hybrid', 4)
const chain = new ChainBuilder(network.genesis)
const main = chain.extend(chain.root, 6)
const side = chain.extend(chain.root, 4, () => ({ extra: 1 }))

function following(limits: Partial<ReplicaLimits> = {}): TestNode {
  const node = new TestNode(network.genesis, { nowMs: START_MS + 10_000_000, limits }).start()
  node.feed(main)
  return node
}

/** Answers one request as a peer on the main chain does that has these blocks too. */
function answerOnce(node: TestNode, effect: Effect, entries: readonly TreeBlock[]): Effect[] {
  if (effect.type !== 'send') return []
  const { to, message } = effect
  if (message.type === 'get-headers') {
    const headers = main.map(entry => entry.chained.header)
    return node.receive(to, { type: 'headers', requestId: message.requestId, headers })
  }
  if (message.type !== 'get-blocks') return []
  const blocks = blocksOf(entries.filter(entry => message.ids.includes(entry.chained.id)))
  return node.receive(to, { type: 'blocks', requestId: message.requestId, blocks })
}

/** Answers until nothing is asked for; each peer has all of these blocks, unless a test says which. */
function answer(
  node: TestNode,
  effects: readonly Effect[],
  entries: readonly TreeBlock[],
  ofPeer: Readonly<Record<string, readonly TreeBlock[]>> = {},
): Effect[] {
  const all: Effect[] = []
  const left = [...effects]
  for (let effect = left.shift(); effect !== undefined; effect = left.shift()) {
    all.push(effect)
    const own = effect.type === 'send' ? ofPeer[effect.to] : undefined
    left.push(...answerOnce(node, effect, own ?? entries))
  }
  return all
}

const askedFor = (effects: readonly Effect[]): string[] =>
  sentOf(effects, 'get-blocks').flatMap(({ message }) => message.ids)

const refusals = (effects: readonly Effect[]): string[] =>
  effectsOf(effects, 'reject').map(({ from, reason }) => `${from} ${reason}`)

/** The block with another parent. */
function onParent(block: Block, previous: BlockId): Block {
  const header = { ...block.header, previous }
  const raw = block.raw.slice()
  raw.set(encodeHeader(header))
  return { ...block, id: blockId(header), header, raw }
}

const [b1, b2, b3, b4] = side as [TreeBlock, TreeBlock, TreeBlock, TreeBlock]

test('a wanted block beside the main chain of its holder is fetched with its ancestors, each once, and becomes final', () => {
  const node = following()
  node.connect('p')
  const effects = answer(node, node.receive('p', network.proof(b4.chained.id)), side)
  assert.equal(node.replica.tree.base.chained.id, b4.chained.id)
  assert.deepEqual(askedFor(effects), idsOf([b4, b3, b2, b1]))
  assert.deepEqual(refusals(effects), [])
})

test('an ancestor that one peer does not give is asked of another', () => {
  const node = following()
  node.connect('p', 'q')
  const effects = answer(node, node.receive('p', network.proof(b4.chained.id)), side, { p: [b3, b4] })
  assert.equal(node.replica.tree.base.chained.id, b4.chained.id)
  assert.deepEqual(
    sentOf(effects, 'get-blocks').map(({ to }) => to),
    ['p', 'p', 'p', 'q', 'q'],
  )
})

test('ancestors that are here already, or come by another way, are not asked for', () => {
  const node = following()
  node.connect('p')
  node.feed([b1])
  const effects = answer(node, node.receive('p', network.proof(b4.chained.id)), side)
  assert.deepEqual(askedFor(effects), idsOf([b4, b3, b2]))
  assert.equal(node.replica.tree.base.chained.id, b4.chained.id)
})

test('the lower part of a path makes no room for other branches while bodies of its upper part are asked for again', () => {
  // Ten bodies are more than a path keeps.
  const data = new Uint8Array(120_000)
  const big = (nonce: number) => transfer(1, nonce, { data, gasLimit: 1_221_000n })
  const rich = chain.extend(chain.root, 10, step => ({
    extra: 3,
    transactions: Array.from({ length: 8 }, (_, index) => big((step - 1) * 8 + index)),
  }))
  const node = following({ sideBlocksMax: 1 })
  const longer = chain.extend(main[5]!, 6)
  node.feed(longer)
  node.connect('p')
  const asked: string[] = []
  let effects = node.receive('p', network.proof(rich[9]!.chained.id))
  while (effects.length > 0 && asked.length < 20) {
    asked.push(...askedFor(effects))
    if (node.replica.tree.has(rich[0]!.chained.id))
      for (const extra of [4, 5]) node.feed(chain.extend(longer[4]!, 1, () => ({ extra })))
    effects = effects.flatMap(effect => answerOnce(node, effect, rich))
  }
  assert.equal(node.replica.tree.base.chained.id, rich[9]!.chained.id)
  assert.deepEqual(asked, idsOf([...rich.toReversed(), ...rich.slice(8)]))
})

test('a block without work does not lead on: it is refused, and its parent is not asked for', () => {
  const node = following()
  node.connect('p')
  const header = unmineHeader(b4.chained.header)
  const raw = b4.block.raw.slice()
  raw.set(encodeHeader(header))
  const id = blockId(header)
  const effects = node.receive('p', network.proof(id))
  const [request] = sentOf(effects, 'get-blocks')
  const { requestId } = request!.message
  const block = { ...b4.block, id, header, raw }
  const after = node.receive('p', { type: 'blocks', requestId, blocks: [block] })
  assert.deepEqual(refusals(after), ['p header-work-insufficient'])
  assert.deepEqual(askedFor(after), [])
})

test('a block whose height is not one more than its parent’s leads nowhere, and is held against the peer that gave it', () => {
  const node = following()
  node.connect('p')
  const high = chain.mine(b3, { extra: 2, spoil: coinbase => ({ ...coinbase, height: 9 }) })
  const effects = answer(node, node.receive('p', network.proof(high.chained.id)), [...side, high])
  assert.deepEqual(refusals(effects), ['p block-height-wrong'])
  assert.equal(askedFor(effects).length, 2)
})

test('a branch that is longer than headers are kept, or leaves ours below the base, is not looked into', () => {
  const node = following({ branchHeadersMax: 3 })
  node.connect('p')
  assert.deepEqual(askedFor(answer(node, node.receive('p', network.proof(b4.chained.id)), side)), idsOf([b4]))
  const settled = following()
  settled.connect('p')
  settled.receive('p', network.proof(main[3]!.chained.id))
  const effects = answer(settled, settled.receive('p', network.proof(b4.chained.id, 2)), side)
  assert.deepEqual(askedFor(effects), idsOf([b4]))
})

// ---- a block that leads nowhere, where headers need no work and a member proposes what it likes
//
//     root            main chain of all
//     z ── y ── x     z is at the height of the root; x is wanted

const free = new ValidatedNetwork('pbft', 4)
const freeChain = new ChainBuilder(free.genesis)
const [first, second] = freeChain.extend(freeChain.root, 2) as [TreeBlock, TreeBlock]
const y = onParent(first.block, b4.chained.id)
const x = onParent(second.block, y.id)

type Sent = Extract<Effect, { type: 'send' }>

/** A node whose liars have x and y, and whose other peers have nothing but the root. */
function misled(...peers: readonly PeerId[]) {
  const node = new TestNode(free.genesis, { nowMs: START_MS + 10_000_000 }).start()
  node.connect(...peers)
  const asked: string[] = []
  const describe = ({ to, message }: Sent): string | null => {
    if (message.type === 'get-headers') return `${to} headers`
    return message.type === 'get-blocks' ? `${to} ${message.ids.map(id => (id === x.id ? 'x' : 'y'))}` : null
  }
  const answerTo = ({ to, message }: Sent): Effect[] => {
    if (message.type === 'get-headers')
      return node.receive(to, { type: 'headers', requestId: message.requestId, headers: [] })
    if (message.type !== 'get-blocks') return []
    const blocks = to.startsWith('liar') ? [x, y].filter(({ id }) => message.ids.includes(id)) : []
    return node.receive(to, { type: 'blocks', requestId: message.requestId, blocks })
  }
  /** Answers until nothing is asked for; requests of these descriptions are returned instead. */
  const exchange = (effects: readonly Effect[], unanswered: readonly string[] = []): Sent[] => {
    const left = effectsOf(effects, 'send')
    const open: Sent[] = []
    for (let send = left.shift(); send !== undefined && asked.length < 500; send = left.shift()) {
      const request = describe(send)
      if (request === null) continue
      asked.push(request)
      if (unanswered.includes(request)) open.push(send)
      else left.push(...effectsOf(answerTo(send), 'send'))
    }
    return open
  }
  /** What is asked of peers after these effects, until nothing more is. */
  const askedAfter = (effects: readonly Effect[], unanswered?: readonly string[]): string[] => {
    const before = asked.length
    exchange(effects, unanswered)
    return asked.slice(before)
  }
  return { node, exchange, askedAfter, answerTo }
}

test('a peer whose block leads nowhere is asked for neither the same block nor its headers again before a tick', () => {
  const { node, askedAfter } = misled('liar', 'honest')
  const requests = askedAfter(node.receive('liar', free.proof(x.id)))
  assert.deepEqual(requests, ['liar x', 'liar headers', 'honest headers', 'liar y'])
  // A new promise of the liar, after it has come back, is one more exchange.
  for (let round = 0; round < 3; round++) {
    askedAfter(node.step({ type: 'peer-disconnected', peer: 'liar' }))
    askedAfter(node.connect('liar'))
    assert.ok(askedAfter(node.receive('liar', free.proof(x.id))).length <= 4)
  }
  for (let tick = 0; tick < 50; tick++) assert.ok(askedAfter(node.timeout('sync')).length <= 4)
})

test('a peer that promises a block which leads nowhere is not asked for the body that is here', () => {
  const { node, exchange, askedAfter, answerTo } = misled('liar1', 'liar2', 'silent')
  const unanswered = ['liar1 y', 'liar2 y', 'silent headers']
  const open = exchange(node.receive('liar1', free.proof(x.id)), unanswered)
  // Its headers do not lead to x, and the first gives y then.
  assert.deepEqual(askedAfter(open.flatMap(answerTo), unanswered), ['silent headers'])
  // As when it votes for x.
  node.replica.sync.onWanted(x.id, { promised: ['liar2'], others: ['liar1', 'silent'] }, true)
  assert.deepEqual(askedAfter(node.timeout('gossip'), unanswered), ['liar2 headers'])
})

// ---- the path alone

/** A block of this height with so many bytes, named by its height. */
function fake(height: number, bytes: number): Block {
  const id = (at: number) => `0x${at}` as const
  const header = { previous: id(height - 1) }
  return { id: id(height), header, coinbase: { height }, raw: new Uint8Array(bytes) } as unknown as Block
}

test('the lowest bodies are kept within a bound on bytes, and the others are asked for again on the way up', () => {
  const path = new AncestorPath('0x9')
  const size = PATH_BYTES_MAX / 2
  for (const height of [9, 8, 7]) {
    assert.ok(path.add({ block: fake(height, size), from: 'p' }))
    assert.ok(path.bytes <= PATH_BYTES_MAX)
    if (height > 7) assert.ok(path.descend(0, 100))
  }
  const kept: boolean[] = []
  while (path.target !== null) {
    kept.push(path.body !== undefined)
    path.ascend()
  }
  assert.deepEqual(kept, [true, true, false])
  assert.equal(path.bytes, 0)
})

test('one body that is larger than the bound is kept', () => {
  const path = new AncestorPath('0x9')
  path.add({ block: fake(9, 2 * PATH_BYTES_MAX), from: 'p' })
  assert.equal(path.body?.block.id, '0x9')
})

test('a body that comes from two peers counts once', () => {
  const path = new AncestorPath('0x9')
  for (const from of ['p', 'q']) path.add({ block: fake(9, 1_000), from })
  assert.equal(path.bytes, 1_000)
  path.ascend()
  assert.equal(path.bytes, 0)
})

test('the base may rise over the path, which then leads nowhere', () => {
  const path = new AncestorPath('0x9')
  path.add({ block: fake(9, 1), from: 'p' })
  assert.ok(path.descend(3, 100))
  path.add({ block: fake(8, 1), from: 'p' })
  assert.equal(path.descend(7, 100), false)
  assert.ok(path.isBlocked && path.isDeep)
})

test('a path whose lowest block has come by another way is blocked no more', () => {
  const path = new AncestorPath('0x9')
  path.add({ block: fake(9, 1), from: 'p' })
  assert.ok(path.descend(3, 100))
  path.add({ block: fake(8, 1), from: 'p' })
  assert.equal(path.descend(7, 100), false)
  path.ascend()
  assert.ok(!path.isBlocked && !path.isDeep)
})

// ---- among validators

test('a block on a branch that lost, prepared but not decided, does not stop finality where two honest validators lack it', () => {
  const validated = new ValidatedNetwork('hybrid', 7, { depth: 1, interval: 3 })
  const net = new TestNetwork(validated.genesis, START_MS + 10_000_000, {
    identityOf: id => validated.identityOf(id),
  })
  const all = ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6']
  const [have, lack, silent] = [all.slice(0, 3), all.slice(3, 5), all.slice(5)]
  net.add(...all)
  for (const [index, one] of all.entries()) for (const two of all.slice(index + 1)) net.connect(one, two)
  net.run(3_000)
  // Two lack the branch and the others' votes; no commit arrives, so that a block is prepared and not decided.
  const isCut = (one: PeerId, two: PeerId): boolean => lack.includes(one) !== lack.includes(two)
  const isVote = (message: OutgoingMessage): boolean => {
    const content = message.type === 'finality' ? decodeEnvelope(message.body)?.content : undefined
    return content?.type === 'protocol' && ['commit', 'proof'].includes(content.message.type)
  }
  net.carries = (from, to, message) => !isCut(from, to) && !isVote(message)
  for (let block = 0; block < 4; block++) {
    net.mine('v0')
    net.run(50)
  }
  const prepared = net.nodes.get('v0')!.replica.tree.atHeight(3)!.chained.id
  // Two fall silent, and all follow a longer chain.
  for (const one of silent) for (const two of all) if (one !== two) net.disconnect(one, two)
  net.add('miner')
  for (const id of lack) net.connect('miner', id)
  for (let block = 0; block < 6; block++) {
    net.run(50)
    net.mine('miner')
  }
  net.carries = (from, to) => !isCut(from, to)
  for (const id of have) net.connect('miner', id)
  net.run(8_000)
  // The network is whole again, but for those that are silent.
  net.carries = () => true
  for (const one of have)
    for (const two of lack) {
      net.disconnect(one, two)
      net.connect(one, two)
    }
  assert.ok(lack.every(id => !net.nodes.get(id)!.replica.tree.has(prepared)))
  net.run(60_000)
  for (const id of [...have, ...lack]) {
    const { base } = net.nodes.get(id)!.replica.tree
    assert.ok(base.chained.height >= 3, `${id} has final block ${base.chained.height}`)
  }
})
