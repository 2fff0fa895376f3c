// A stall of finality with the limits of a node: four validators in two halves, each of which mines a branch of its own
// beyond all that a node keeps beside its main chain. First one of each half meet, too few to make anything final: the
// one with less work must come over. Then all meet: they must come to one head, and finality go on.
// Run: bin/node24 bench/stall.ts [blocks], 25,000 blocks unless given; a minute. It fails when it does not heal.
//
// The blocks of both branches are made beforehand, and only the time of the network is virtual.

import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import type { TreeBlock } from '../src/replica/block-tree.ts'
import { REPLICA_LIMITS } from '../src/replica/limits.ts'
import { ChainBuilder, tipOf } from '../test/replica/small-chain.ts'
import { TestNetwork } from '../test/replica/test-node.ts'
import { ValidatedNetwork } from '../test/replica/validators.ts'

const DEPTH = 6
/** Blocks that the second branch has more, so that it is the one with the most work. */
const AHEAD = 10
const MEETING_MS = 600_000

const count = Number(process.argv[2] ?? 25_000)
const validators = new ValidatedNetwork('hybrid', 4, { depth: DEPTH })
const builder = new ChainBuilder(validators.genesis)

const lighter = timed(`${count} blocks made`, () => builder.extend(builder.root, count))
const heavier = timed(`${count + AHEAD} blocks made beside them`, () =>
  builder.extend(builder.root, count + AHEAD, () => ({ extra: 1 })),
)
const network = new TestNetwork(validators.genesis, tipOf(heavier).chained.header.time * 1_000, {
  identityOf: id => validators.identityOf(id),
  limits: REPLICA_LIMITS,
})
const nodes = network.add('v0', 'v1', 'v2', 'v3')
timed('both branches taken in by two validators each', () => {
  for (const id of ['v0', 'v1']) feed(id, lighter)
  for (const id of ['v2', 'v3']) feed(id, heavier)
})
assert.deepEqual(
  nodes.map(node => node.height),
  [count, count, count + AHEAD, count + AHEAD],
)
network.connect('v0', 'v2')
timed('one of each half met', () => runUntil(() => nodes[0]!.headId === tipOf(heavier).chained.id))
report('then')
assert.equal(nodes[0]!.headId, tipOf(heavier).chained.id)
assert.equal(nodes[0]!.replica.tree.sideSize, Math.min(count, REPLICA_LIMITS.sideBlocksMax))
for (const [one, two] of ['v0 v1', 'v2 v3', 'v0 v3', 'v1 v2', 'v1 v3'].map(pair => pair.split(' ')))
  network.connect(one!, two!)
timed('all met', () => runUntil(isHealed))
report('then')
assert.ok(isHealed(), 'the halves do not come to one final block')
network.mine('v0')
network.run(60_000)
report('a block later')
assert.equal(nodes[0]!.replica.tree.base.chained.height, nodes[0]!.height - DEPTH)

function feed(id: string, entries: readonly TreeBlock[]): void {
  for (const { block } of entries)
    network.input(id, { type: 'message', from: 'feeder', message: { type: 'block', block } })
}

function runUntil(isDone: () => boolean): void {
  const endMs = network.nowMs + MEETING_MS
  while (!isDone() && network.nowMs < endMs) network.run(1_000)
}

/** Whether all have one head, and a final block as close to it as may be. */
function isHealed(): boolean {
  const heads = new Set(nodes.map(node => node.headId))
  return (
    heads.size === 1 &&
    nodes.every(({ height, replica }) => replica.tree.base.chained.height === height - DEPTH)
  )
}

function report(when: string): void {
  for (const { id, height, replica } of nodes) {
    const { base, sideSize, evictedCount } = replica.tree
    const sides = `${sideSize} blocks beside the main chain, ${evictedCount} were given up`
    console.log(`${when} ${id}: head ${height}, final ${base.chained.height}, ${sides}`)
  }
}

function timed<T>(what: string, run: () => T): T {
  const startMs = performance.now()
  const result = run()
  console.log(`${((performance.now() - startMs) / 1_000).toFixed(1)} s: ${what}`)
  return result
}
