// A stall of finality with the limits of a node: four validators in two halves, each of which mines a branch of its own
// beyond all that a node keeps beside its main chain. First one of each half meet, too few to make anything final: the
// one with less work must come over. Then all meet: they must come to one head, and finality go on. It fails when it
// does not heal. The blocks of both branches are made beforehand, and only the time of the network is virtual.
//
// The reference is the undisturbed half of the same run: the validators taking in their own branches.

import assert from 'node:assert/strict'
import type { TreeBlock } from '../src/replica/block-tree.ts'
import { REPLICA_LIMITS } from '../src/replica/limits.ts'
import { ChainBuilder, tipOf } from '../test/replica/small-chain.ts'
import { TestNetwork, type TestNode } from '../test/replica/test-node.ts'
import { ValidatedNetwork } from '../test/replica/validators.ts'
import { type Benchmark, type Figures, figuresOf, onceRate, type Settings } from './benchmark.ts'

const DEPTH = 6
/** Blocks that the second branch has more, so that it is the one with the most work. */
const AHEAD = 10
const MEETING_MS = 600_000

/** Blocks of the heavier branch that the two validators of the other half come over to. */
export const STALL: Benchmark = {
  name: 'stall',
  summary: 'blocks fetched when two halves meet after a stall of finality, a minute of work',
  unit: 'blocks/s',
  reference: 'blocks taken in undisturbed',
  isShort: false,
  options: { blocks: { summary: 'blocks of the lighter branch', default: 25_000, quick: 100 } },
  async run(settings) {
    return new Stall(settings).run()
  },
}

class Stall {
  readonly #settings: Settings
  readonly #count: number
  readonly #lighter: readonly TreeBlock[]
  readonly #heavier: readonly TreeBlock[]
  readonly #network: TestNetwork
  readonly #nodes: readonly TestNode[]

  constructor(settings: Settings) {
    const count = settings.numbers.get('blocks')!
    this.#settings = settings
    this.#count = count
    const validators = new ValidatedNetwork('hybrid', 4, { depth: DEPTH })
    const builder = new ChainBuilder(validators.genesis)
    this.#lighter = builder.extend(builder.root, count)
    this.#heavier = builder.extend(builder.root, count + AHEAD, () => ({ extra: 1 }))
    this.#network = new TestNetwork(validators.genesis, tipOf(this.#heavier).chained.header.time * 1_000, {
      identityOf: id => validators.identityOf(id),
      limits: REPLICA_LIMITS,
    })
    this.#nodes = this.#network.add('v0', 'v1', 'v2', 'v3')
  }

  run(): Figures {
    const count = this.#count
    const undisturbed = onceRate(() => {
      for (const id of ['v0', 'v1']) this.#feed(id, this.#lighter)
      for (const id of ['v2', 'v3']) this.#feed(id, this.#heavier)
      return 4 * count + 2 * AHEAD
    })
    assert.deepEqual(
      this.#nodes.map(node => node.height),
      [count, count, count + AHEAD, count + AHEAD],
    )
    const met = onceRate(() => {
      this.#meet()
      return 2 * (count + AHEAD)
    })
    this.#network.mine('v0')
    this.#network.run(60_000)
    this.#report('a block later')
    const [first] = this.#nodes
    assert.equal(first!.replica.tree.base.chained.height, first!.height - DEPTH)
    return figuresOf([[met, undisturbed]])
  }

  #meet(): void {
    const [first] = this.#nodes
    this.#network.connect('v0', 'v2')
    this.#runUntil(() => first!.headId === tipOf(this.#heavier).chained.id)
    this.#report('one of each half met')
    assert.equal(first!.headId, tipOf(this.#heavier).chained.id)
    assert.equal(first!.replica.tree.sideSize, Math.min(this.#count, REPLICA_LIMITS.sideBlocksMax))
    for (const [one, two] of ['v0 v1', 'v2 v3', 'v0 v3', 'v1 v2', 'v1 v3'].map(pair => pair.split(' ')))
      this.#network.connect(one!, two!)
    this.#runUntil(() => this.#isHealed())
    this.#report('all met')
    assert.ok(this.#isHealed(), 'the halves do not come to one final block')
  }

  #feed(id: string, entries: readonly TreeBlock[]): void {
    for (const { block } of entries)
      this.#network.input(id, { type: 'message', from: 'feeder', message: { type: 'block', block } })
  }

  #runUntil(isDone: () => boolean): void {
    const endMs = this.#network.nowMs + MEETING_MS
    while (!isDone() && this.#network.nowMs < endMs) this.#network.run(1_000)
  }

  /** Whether all have one head, and a final block as close to it as may be. */
  #isHealed(): boolean {
    const heads = new Set(this.#nodes.map(node => node.headId))
    return (
      heads.size === 1 &&
      this.#nodes.every(({ height, replica }) => replica.tree.base.chained.height === height - DEPTH)
    )
  }

  #report(when: string): void {
    for (const { id, height, replica } of this.#nodes) {
      const { base, sideSize, evictedCount } = replica.tree
      const sides = `${sideSize} blocks beside the main chain, ${evictedCount} evicted`
      this.#settings.log(`${when}, ${id}: head ${height}, final ${base.chained.height}, ${sides}`)
    }
  }
}
