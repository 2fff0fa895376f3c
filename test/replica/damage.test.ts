// A bit that flipped in a record on disk: a node that starts on it and reads everything gets `CorruptStore`, or the very
// answers that an undamaged disk gives.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlockId } from '../../src/chain/header.ts'
import { NO_VALUE } from '../../src/consensus/log.ts'
import { Disk } from '../../src/lab/cluster/disk.ts'
import type { ChainView } from '../../src/replica/chain-view.ts'
import type { Write } from '../../src/replica/effects.ts'
import { CorruptStore, KEYS } from '../../src/replica/records.ts'
import { headersAfter, storedBlocks } from '../../src/replica/serving.ts'
import { addressNumber } from '../chain/examples.ts'
import { ChainBuilder, START_MS, smallGenesis, transfer } from './small-chain.ts'
import { TestNetwork, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

const LATER_MS = START_MS + 10_000_000

/** A chain with final blocks, a branch beside the head and a transaction that waits. */
function miner(): TestNode {
  const genesis = smallGenesis({ finality: { depth: 3 } })
  const builder = new ChainBuilder(genesis)
  const main = builder.extend(builder.root, 6, step => ({ transactions: [transfer(1, step - 1)] }))
  const node = new TestNode(genesis, { nowMs: LATER_MS }).start()
  node.feed([...main, builder.mine(main[4]!, { extra: 1 })])
  node.submit(transfer(2, 0).raw)
  return node
}

/** A validator of four that has voted in two views and holds a transaction that waits. */
function validator(): TestNode {
  const network = new ValidatedNetwork('pbft', 4)
  const wires = new TestNetwork(network.genesis, START_MS, { identityOf: id => network.identityOf(id) })
  const ids = ['v0', 'v1', 'v2', 'v3']
  wires.add(...ids)
  for (const [index, a] of ids.entries()) for (const b of ids.slice(index + 1)) wires.connect(a, b)
  wires.run(100)
  const pay = (nonce: number) =>
    wires.input('v0', { type: 'submit', raw: transfer(1, nonce).raw, token: 't' })
  for (const nonce of [0, 1]) {
    pay(nonce)
    wires.run(2_000)
  }
  // The one whose turn it is says nothing: the others enter the next view.
  wires.carries = from => from !== 'v3'
  pay(2)
  wires.run(10_000)
  const node = wires.nodes.get('v0')!
  assert.equal(node.height, 3)
  node.submit(transfer(2, 0).raw)
  return node
}

/** A follower that heard of a decision on nothing, one on a mined block, and one on another in the place of that. */
function stopped(): TestNode {
  const network = new ValidatedNetwork('hybrid', 4)
  const node = new TestNode(network.genesis, { nowMs: LATER_MS }).start()
  const builder = new ChainBuilder(network.genesis)
  const [a1, a2] = builder.extend(builder.root, 2)
  const b1 = builder.mine(builder.root, { extra: 1 })
  node.feed([a1!, a2!, b1])
  node.receive('p', network.proof(NO_VALUE as BlockId))
  node.receive('p', network.proof(a1!.chained.id, 2))
  node.receive('p', network.proof(b1.chained.id, 2))
  return node
}

function sendersAt(view: ChainView, height: number): unknown {
  const block = view.blockAt(height)
  return block === null ? null : view.sendersOf(block)
}

/** Everything that a node is asked, one after the other: what it says on its own comes first. */
function questionsOf(node: TestNode, keys: readonly string[]): (() => unknown)[] {
  const { replica } = node
  const idsOf = (prefix: string) =>
    keys.filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length) as BlockId)
  const blocks = idsOf(KEYS.blocks)
  const heights = Array.from({ length: blocks.length + 1 }, (_, height) => height)
  const transactions = [...idsOf('tx/'), ...idsOf(KEYS.pooledTransactions)]
  return [
    () => node.step({ type: 'start' }),
    () => replica.tree.base.execution.state.root(),
    () => replica.finality.report(node.nowMs),
    ...heights.flatMap(height => [
      () => replica.view.headerAt(height),
      () => replica.view.blockAt(height)?.raw,
      () => replica.view.rawBlockAt(height),
      () => replica.view.certificateAt(height),
      () => replica.view.certificateOf(height),
      () => sendersAt(replica.view, height),
      () => replica.view.states.at(height)?.get(addressNumber(1)),
    ]),
    ...blocks.flatMap(id => [
      () => storedBlocks(replica.view, [id]),
      () => replica.view.mainHeight(id),
      () => replica.view.block(id)?.block.raw,
    ]),
    () => headersAfter(replica.view, [node.genesis.block.id], { headHeight: node.height, headersMax: 2_000 }),
    ...transactions.map(id => () => {
      const place = replica.view.locate(id)
      return [place?.block.id, place?.index, replica.pool.get(id)?.tx.raw, replica.outcomes.get(id)]
    }),
    () => node.connect('asker'),
    () => node.timeout('rebroadcast'),
  ]
}

/** The answers as text, or the errors that say what is damaged; a node that does not start gives no other. */
function answersOf(load: () => TestNode, keys: readonly string[]): readonly (string | CorruptStore)[] {
  const node = orDamage(load)
  if (node instanceof CorruptStore) return [node]
  const answers: (string | CorruptStore)[] = []
  for (const ask of questionsOf(node, keys)) {
    const answer = orDamage(() => textOf(ask()))
    answers.push(answer)
    if (answers.length === 1 && answer instanceof CorruptStore) break
  }
  return answers
}

function orDamage<T>(ask: () => T): T | CorruptStore {
  try {
    return ask()
  } catch (error) {
    if (!(error instanceof CorruptStore)) throw error
    return error
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}`
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
    return part instanceof Map || part instanceof Set ? [...part] : part
  })
}

const kindOf = (key: string): string => key.replace(/[/](0x.*|\d+)$/, '/')

const WORLDS: readonly { readonly name: string; readonly grow: () => TestNode; readonly kinds: string[] }[] =
  [
    {
      name: 'a miner',
      grow: miner,
      kinds: [
        'account/',
        'base',
        'block/',
        'final/',
        'genesis',
        'open/',
        'pooled/',
        'senders/',
        'tx/',
        'undo/',
      ],
    },
    {
      name: 'a validator',
      grow: validator,
      kinds: [
        'account/',
        'base',
        'block/',
        'certificate/',
        'decision/',
        'final/',
        'finality/mark',
        'finality/vote/new-view',
        'finality/vote/slot/',
        'finality/vote/stable',
        'finality/vote/view',
        'finality/voter',
        'genesis',
        'pooled/',
        'senders/',
        'tx/',
        'undo/',
      ],
    },
    {
      name: 'a stopped follower',
      grow: stopped,
      kinds: [
        'account/',
        'base',
        'block/',
        'certificate/',
        'decision/',
        'final/',
        'finality/conflict',
        'finality/empty/',
        'finality/evidence/1/',
        'finality/evidence/2/',
        'finality/evidence/3/',
        'genesis',
        'open/',
        'undo/',
      ],
    },
  ]

for (const { name, grow, kinds } of WORLDS) {
  const { genesis, identity, batches, disk } = grow()
  const keys = disk.keys()
  const content = keys.map(key => ({ key, value: disk.get(key)! }))
  const on = (disk: Disk) => answersOf(() => new TestNode(genesis, { disk, identity, nowMs: LATER_MS }), keys)
  const healthy = on(diskWith(content))

  test(`${name} has records of every kind`, () => {
    assert.ok(batches.length > 0)
    assert.deepEqual([...new Set(keys.map(kindOf))].sort(), kinds)
  })

  for (const kind of kinds) {
    test(`${name} with a bit flipped in a record ${kind} says so, or nothing else than before`, () => {
      const [first, ...others] = keys.filter(key => kindOf(key) === kind)
      const bytes = disk.get(first!)!.length + SEAL_BYTES
      const flips = Array.from({ length: bytes }, (_, index) => [first!, 8 * index + (index & 7)] as const)
      for (const [key, bit] of [...flips, ...others.map((key, index) => [key, 5 * index] as const)]) {
        const damaged = diskWith(content)
        damaged.damage(key, bit)
        assertNoticed(on(damaged), healthy, key)
      }
    })
  }
}

const SEAL_BYTES = 4

function diskWith(writes: readonly Write[]): Disk {
  const disk = new Disk()
  disk.write(writes)
  disk.sync()
  return disk
}

function assertNoticed(
  answers: readonly (string | CorruptStore)[],
  healthy: readonly (string | CorruptStore)[],
  key: string,
): void {
  for (const [index, answer] of answers.entries()) {
    if (answer instanceof CorruptStore) assert.equal(answer.message, `record ${key} is damaged`)
    else assert.equal(answer, healthy[index], `answer ${index} of one with a damaged ${key}`)
  }
}
