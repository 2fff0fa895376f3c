// A node that was given a checkpoint follows no chain without it, by whatever way the chain comes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Genesis } from '../../src/execution/genesis.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Checkpoint } from '../../src/replica/checkpoint.ts'
import type { Effect, MiningTemplate, PeerId } from '../../src/replica/effects.ts'
import type { Status } from '../../src/replica/messages.ts'
import { verdictOn } from '../../src/replica/verdict.ts'
import { blocksOf, ChainBuilder, START_MS, smallGenesis, tipOf, transfer } from './small-chain.ts'
import { effectsOf, sentOf, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

const LATER_MS = START_MS + 10_000_000
const HEIGHT = 3

/** Two histories of one network from its genesis block: the true one is shorter. */
class Histories {
  readonly genesis: Genesis
  readonly builder: ChainBuilder
  readonly right: readonly TreeBlock[]
  readonly wrong: readonly TreeBlock[]
  /** The third block of the true one. */
  readonly checkpoint: Checkpoint

  constructor(genesis: Genesis) {
    this.genesis = genesis
    this.builder = new ChainBuilder(genesis)
    const { root } = this.builder
    const branch = (extra: number, count: number) =>
      this.builder.extend(root, count, step => ({
        extra,
        transactions: step === 1 ? [transfer(extra, 0)] : [],
      }))
    this.right = branch(1, 5)
    this.wrong = branch(2, 8)
    this.checkpoint = { height: HEIGHT, id: this.right[HEIGHT - 1]!.chained.id }
  }

  node(options: Partial<ConstructorParameters<typeof TestNode>[1]> = {}): TestNode {
    const { genesis, checkpoint } = this
    return new TestNode(genesis, { nowMs: LATER_MS, checkpoint, ...options }).start()
  }
}

/** Does what the node asks of a peer that follows these blocks, until it asks for nothing more; returns all effects. */
function serve(node: TestNode, effects: readonly Effect[], entries: readonly TreeBlock[]): Effect[] {
  const next = effects.flatMap(effect => {
    if (effect.type !== 'send') return []
    const { to, message } = effect
    if (message.type === 'get-headers') {
      const known = entries.findLastIndex(({ chained }) => message.locator.includes(chained.id))
      const headers = entries.slice(known + 1).map(({ chained }) => chained.header)
      return node.receive(to, { type: 'headers', requestId: message.requestId, headers })
    }
    if (message.type !== 'get-blocks') return []
    const found = entries.filter(({ chained }) => message.ids.includes(chained.id))
    return node.receive(to, { type: 'blocks', requestId: message.requestId, blocks: blocksOf(found) })
  })
  return next.length === 0 ? [...effects] : [...effects, ...serve(node, next, entries)]
}

const refusals = (effects: readonly Effect[]): string[] =>
  effectsOf(effects, 'reject').map(({ from, reason }) => `${from} ${reason} ${verdictOn(reason)}`)
const templateOf = (node: TestNode): MiningTemplate | null => node.template
const finalHeight = (node: TestNode): number => node.replica.tree.base.chained.height

/** What a peer says that claims to follow these blocks. */
function claim({ block, blocks }: Genesis, { chained }: TreeBlock, work = chained.work): Status {
  return { genesisId: block.id, chainId: blocks.chainId, headId: chained.id, height: chained.height, work }
}

// ---- work

for (const [mode, genesis] of [
  ['longest-chain', smallGenesis()],
  ['hybrid', new ValidatedNetwork('hybrid', 4).genesis],
] as const) {
  const histories = new Histories(genesis)
  const { right, wrong, checkpoint } = histories

  test(`${mode}: a longer history without the checkpoint is not followed beyond it, and the true one is`, () => {
    const node = histories.node()
    const effects = node.feed(wrong.slice(0, HEIGHT + 1))
    assert.equal(node.height, HEIGHT - 1)
    assert.equal(refusals(effects)[0], 'feeder block-not-checkpoint ignore')
    assert.equal(node.replica.isCheckpointReached, false)
    node.feed(right)
    assert.equal(node.headId, tipOf(right).chained.id)
    assert.equal(node.replica.isCheckpointReached, true)
    node.feed(wrong)
    assert.equal(node.headId, tipOf(right).chained.id)
  })

  test(`${mode}: headers without the checkpoint are refused before a body is asked for, and those with it are fetched`, () => {
    const node = histories.node()
    node.connect('p', 'q')
    const status = claim(genesis, tipOf(wrong))
    const effects = serve(node, node.receive('p', { type: 'status', status }), wrong)
    assert.deepEqual(refusals(effects), ['p block-not-checkpoint ignore'])
    assert.deepEqual(sentOf(effects, 'get-blocks'), [])
    serve(node, node.receive('q', { type: 'status', status: claim(genesis, tipOf(right)) }), right)
    assert.equal(node.headId, tipOf(right).chained.id)
    assert.ok(node.headId !== checkpoint.id)
  })

  test(`${mode}: a chain on disk with another block at the checkpoint stops the start, and nothing is written`, () => {
    const before = histories.node({ checkpoint: null })
    before.feed(wrong)
    const records = [...before.disk.entries('')].length
    const start = () => before.restarted(checkpoint)
    const id = wrong[HEIGHT - 1]!.chained.id
    const message = `block 3 of the chain on disk is ${id}, and the checkpoint ${checkpoint.id}`
    assert.throws(start, { name: 'CheckpointMismatch', message })
    assert.equal([...before.disk.entries('')].length, records)
    assert.equal(before.restarted().headId, tipOf(wrong).chained.id)
  })

  test(`${mode}: a branch on disk without the checkpoint is forgotten at the start, in memory and on disk`, () => {
    const before = histories.node({ checkpoint: null })
    before.feed([...wrong.slice(0, HEIGHT + 1), ...right])
    const node = before.restarted(checkpoint)
    assert.equal(node.headId, tipOf(right).chained.id)
    for (const { chained } of wrong.slice(HEIGHT - 1)) assert.equal(node.replica.tree.has(chained.id), false)
    // Else a block on it could be followed: it does not have the height of the checkpoint.
    node.feed(wrong)
    assert.equal(node.headId, tipOf(right).chained.id)
    const again = node.restarted(null)
    assert.equal(again.replica.tree.size, node.replica.tree.size)
    assert.equal(again.replica.tree.has(wrong[HEIGHT - 1]!.chained.id), false)
  })

  test(`${mode}: a start on a chain with the checkpoint, or below it, is as any other`, () => {
    for (const count of [1, HEIGHT - 1, HEIGHT, 5]) {
      const before = histories.node({ checkpoint: null })
      before.feed(right.slice(0, count))
      const node = before.restarted(checkpoint)
      assert.equal(node.height, count)
      assert.equal(node.replica.isCheckpointReached, count >= HEIGHT)
    }
  })
}

test('a node that refuses a block for the checkpoint raises one alarm', () => {
  const histories = new Histories(smallGenesis())
  const node = histories.node()
  const effects = [
    ...node.feed(histories.wrong.slice(0, HEIGHT)),
    ...node.feed(histories.wrong.slice(0, HEIGHT)),
  ]
  const texts = effectsOf(effects, 'alarm').map(({ text }) => text)
  const id = histories.wrong[HEIGHT - 1]!.chained.id
  assert.deepEqual(texts, [
    `block ${id} at the height of the checkpoint, 3, is not the checkpoint: a peer follows another history, or the checkpoint is wrong`,
  ])
})

test('nothing is mined below the checkpoint, and on it everything is as before', () => {
  const histories = new Histories(smallGenesis())
  const node = histories.node()
  node.startMining()
  node.feed(histories.right.slice(0, HEIGHT - 1))
  assert.equal(templateOf(node), null)
  node.feed(histories.right.slice(HEIGHT - 1, HEIGHT))
  assert.equal(templateOf(node)?.header.previous, histories.checkpoint.id)
})

// ---- certificates

for (const mode of ['hybrid', 'pbft'] as const) {
  const network = new ValidatedNetwork(mode, 4)
  const histories = new Histories(network.genesis)
  const { right, wrong, checkpoint } = histories
  const idAt = (entries: readonly TreeBlock[], height: number) => entries[height - 1]!.chained.id
  const certified = (node: TestNode, entries: readonly TreeBlock[], height: number, from: PeerId = 'p') =>
    serve(node, node.receive(from, network.proof(idAt(entries, height), height)), entries)

  test(`${mode}: a second history with certificates of its own is not final here, whichever of its blocks is certified`, () => {
    for (const height of [HEIGHT, HEIGHT + 1, 8]) {
      const node = histories.node()
      node.connect('p')
      const effects = certified(node, wrong, height)
      assert.ok(refusals(effects).includes('p block-not-checkpoint ignore'), `${height}`)
      assert.ok(finalHeight(node) < HEIGHT)
      assert.equal(node.replica.tree.has(idAt(wrong, HEIGHT)), false)
    }
  })

  test(`${mode}: the true history is final here with its certificates`, () => {
    for (const height of [HEIGHT - 1, HEIGHT, 5]) {
      const node = histories.node()
      node.connect('p')
      certified(node, right, height)
      assert.equal(node.replica.tree.base.chained.id, idAt(right, height))
    }
  })

  test(`${mode}: a final chain on disk with another block at the checkpoint stops the start`, () => {
    const before = histories.node({ checkpoint: null })
    before.connect('p')
    certified(before, wrong, 5)
    assert.equal(finalHeight(before), 5)
    for (const height of [2, 5]) {
      const other = { height, id: idAt(right, height) }
      assert.throws(() => before.restarted(other), {
        name: 'CheckpointMismatch',
        message: /^block \d of the chain on/,
      })
    }
    assert.equal(finalHeight(before.restarted({ height: 2, id: idAt(wrong, 2) })), 5)
  })

  test(`${mode}: a proposal beside the checkpoint is not taken in with the block that it brings, nor voted for`, () => {
    const identity = network.identityOf('v0')
    const node = histories.node({ id: 'v0', identity })
    network.answer(node)
    node.connect('p')
    certified(node, wrong.slice(0, HEIGHT - 1), HEIGHT - 1)
    const { block } = wrong[HEIGHT - 1]!
    const sequence = HEIGHT
    const effects = node.receive('p', { ...network.word(network.proposal(block.id, sequence)), block })
    assert.deepEqual(refusals(effects), ['p block-not-checkpoint ignore'])
    assert.equal(node.replica.tree.has(block.id), false)
    assert.equal(checkpoint.height, node.height + 1)
  })
}
