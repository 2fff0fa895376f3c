import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../../src/chain/address.ts'
import { Disk } from '../../../src/lab/cluster/disk.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { NaiveChain } from '../../../src/lab/oracle/naive-chain.ts'
import { Oracle } from '../../../src/lab/oracle/oracle.ts'
import { BlockTree, type TreeBlock } from '../../../src/replica/block-tree.ts'
import type { Effect } from '../../../src/replica/effects.ts'
import { type PoolLimits, REPLICA_LIMITS } from '../../../src/replica/limits.ts'
import { Mempool } from '../../../src/replica/mempool.ts'
import { encodeChainedHeader, KEYS } from '../../../src/replica/records.ts'
import { TransactionOutcomes } from '../../../src/replica/transaction-outcomes.ts'
import { addressNumber, COIN, GWEI } from '../../chain/examples.ts'
import { ChainBuilder, namedSender, smallGenesis, tipOf, transfer } from '../../replica/small-chain.ts'
import { TestNode } from '../../replica/test-node.ts'

const builder = new ChainBuilder()
const main = builder.extend(builder.root, 6, step => ({ transactions: [transfer(1, step - 1)] }))
const side = builder.extend(main[1]!, 2, () => ({ extra: 1 }))

/** The chain of a node that knows no block and no transaction. */
const NOWHERE = { locate: () => null, mainHeight: () => null }

/** What the oracle looks at of a node. */
interface Looks {
  readonly tree: BlockTree
  readonly pool: object
  readonly view?: object
  readonly disk?: Disk
  readonly sizes?: readonly (readonly [string, number, number])[]
}

function nodeOf({ tree, pool, view = NOWHERE, disk = new Disk(), sizes = [] }: Looks, id = 'n1'): SimNode {
  const sync = { sizes: () => sizes }
  const finality = { followsWork: true }
  return {
    id,
    disk,
    replica: {
      genesis: builder.genesis,
      finality,
      tree,
      pool,
      view,
      sync,
      outcomes: new TransactionOutcomes(),
    },
  } as unknown as SimNode
}

function treeOf(entries: readonly TreeBlock[], head: TreeBlock): BlockTree {
  const tree = new BlockTree(builder.root)
  for (const [arrival, entry] of entries.entries()) tree.add({ ...entry, arrival })
  tree.moveHead(tree.get(head.chained.id)!)
  return tree
}

const poolOn = (head: TreeBlock): Mempool =>
  new Mempool(builder.genesis.blocks, { state: head.execution.state, baseFee: GWEI })

const healthy = (entries: readonly TreeBlock[] = main, id = 'n1'): SimNode =>
  nodeOf({ tree: treeOf(entries, tipOf(entries)), pool: poolOn(tipOf(entries)) }, id)

const fresh = (): Oracle => new Oracle(new NaiveChain(builder.genesis, namedSender))

const broken = (rule: string) => ({ name: 'Violation', rule })
const head = (entry: TreeBlock, reorganised = 0): Effect => ({
  type: 'head',
  id: entry.chained.id,
  height: entry.chained.height,
  reorganised,
})
const final = (entry: TreeBlock): Effect => ({
  type: 'final',
  id: entry.chained.id,
  height: entry.chained.height,
})

test('a healthy node breaks nothing, whatever it does in good order', () => {
  const node = new TestNode(builder.genesis, { nowMs: 2e12 }).start()
  const oracle = fresh()
  const fake = { id: 'n1', disk: node.disk, replica: node.replica } as unknown as SimNode
  for (const entry of [...main.slice(0, 4), ...side, ...main.slice(4)]) {
    node.submit(transfer(2, node.height, { to: addressNumber(1) }).raw, 't')
    const effects = node.feed([entry])
    oracle.afterStep(fake)
    for (const effect of effects) oracle.beforeEffect(fake, effect)
  }
  oracle.afterStart(fake)
  assert.deepEqual(oracle.reorganisations, { count: 0, deepest: 0 })
})

test('reorganisations are counted, and the deepest is known', () => {
  const oracle = fresh()
  const node = healthy([...main, ...side])
  oracle.afterStep(healthy())
  oracle.afterStep(nodeOf({ tree: treeOf([...main, ...side], tipOf(main)), pool: poolOn(tipOf(main)) }, 'n2'))
  for (const depth of [0, 2, 5, 1]) oracle.beforeEffect(node, head(main[3]!, depth))
  assert.deepEqual(oracle.reorganisations, { count: 3, deepest: 5 })
})

// ---- blocks

test('C5: a node whose own state is not that of the block is found out', () => {
  const wrong = { ...main[0]!, execution: builder.root.execution }
  const node = nodeOf({ tree: treeOf([wrong], wrong), pool: poolOn(main[0]!) })
  assert.throws(() => fresh().afterStep(node), broken('C5'))
})

test('C1 to C5 and C9: every block of every node is judged', () => {
  const bad = builder.mine(builder.root, { spoil: claim => ({ ...claim, gasUsed: 1n }) })
  const node = nodeOf({ tree: treeOf([bad], bad), pool: poolOn(bad) })
  assert.throws(() => fresh().afterStep(node), broken('C9'))
})

test('C9: a block may be ahead of the clock of the node that accepts it by the limit, and not by a second more', () => {
  const { header } = main[0]!.chained
  const seenMs = (seconds: number) => ({ ...main[0]!, seenMs: (header.time - seconds) * 1000 + 999 })
  const taken = (entry: TreeBlock) => () =>
    fresh().afterStep(nodeOf({ tree: treeOf([entry], entry), pool: poolOn(entry) }))
  assert.doesNotThrow(taken(seenMs(15)))
  assert.throws(taken(seenMs(16)), broken('C9'))
})

test('C9: a block beside the head is judged when it comes, though the head stays', () => {
  const oracle = fresh()
  const node = healthy()
  oracle.afterStep(node)
  const bad = builder.mine(main[1]!, { extra: 1, spoil: claim => ({ ...claim, gasUsed: 1n }) })
  node.replica!.tree.add({ ...bad, arrival: 6 })
  assert.throws(() => oracle.afterStep(node), broken('C9'))
})

test('C10: a pool is looked at again when it has changed, and after a restart', () => {
  const oracle = fresh()
  const pool = poolLike({})
  const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool })
  oracle.afterStep(node)
  Object.assign(pool, { size: 1 })
  oracle.afterStep(node)
  assert.throws(() => oracle.afterStart(node), broken('C10'))
  Object.assign(pool, { changes: 2 })
  assert.throws(() => oracle.afterStep(node), broken('C10'))
})

test('C8: a node that does not follow the most work is found out', () => {
  const node = nodeOf({ tree: treeOf(main, main[4]!), pool: poolOn(main[4]!) })
  assert.throws(() => fresh().afterStep(node), broken('C8'))
})

test('C8: a node does not leave its head for another of the same work', () => {
  const oracle = fresh()
  const both = [...main.slice(0, 3), side[0]!]
  const node = nodeOf({ tree: treeOf(both, main[2]!), pool: poolOn(main[2]!) })
  oracle.afterStep(node)
  const { replica } = nodeOf({ tree: treeOf(both, side[0]!), pool: poolOn(side[0]!) })
  Object.assign(node, { replica })
  assert.throws(() => oracle.afterStep(node), broken('C8'))
})

test('C9: a node relays no block that it does not accept, and serves none that no node accepted', () => {
  const oracle = fresh()
  const node = healthy()
  oracle.afterStep(node)
  const relay: Effect = { type: 'relay' }
  oracle.afterBlock(node, main[2]!.chained.id, [relay])
  oracle.afterBlock(node, side[0]!.chained.id, [])
  assert.throws(() => oracle.afterBlock(node, side[0]!.chained.id, [relay]), broken('C9'))
  const { tree, pool } = node.replica!
  const settled = nodeOf({ tree, pool, view: { mainHeight: () => 3 } })
  oracle.afterBlock(settled, side[0]!.chained.id, [relay])
  const serve = ({ block }: TreeBlock): Effect => ({
    type: 'send',
    to: 'n2',
    message: { type: 'blocks', requestId: 1, blocks: [block] },
  })
  oracle.beforeEffect(node, serve(main[2]!))
  assert.throws(() => oracle.beforeEffect(node, serve(side[0]!)), broken('C9'))
})

// ---- finality

test('C7: no two blocks are final at one height, on whichever nodes', () => {
  const oracle = fresh()
  const [a, b] = [healthy(main, 'a'), healthy([...main.slice(0, 2), ...side], 'b')]
  oracle.afterStep(a)
  oracle.afterStep(b)
  oracle.beforeEffect(a, final(main[4]!))
  oracle.beforeEffect(b, final(main[1]!))
  assert.throws(() => oracle.beforeEffect(b, final(side[0]!)), broken('C7'))
})

test('C7: by work alone two blocks may be final at one height, each as deep as that takes, and that is said', () => {
  const builder = new ChainBuilder(smallGenesis({ finality: { depth: 4 } }))
  const [long, other] = [0, 1].map(extra => builder.extend(builder.root, 5, () => ({ extra })))
  const oracle = new Oracle(new NaiveChain(builder.genesis, namedSender))
  const follow = (entries: readonly TreeBlock[], id: string): SimNode => {
    const tree = new BlockTree(builder.root)
    for (const [arrival, entry] of entries.entries()) tree.add({ ...entry, arrival })
    tree.moveHead(tree.get(tipOf(entries).chained.id)!)
    return nodeOf({ tree, pool: poolOn(tipOf(entries)) }, id)
  }
  const [a, b] = [follow(long!, 'a'), follow(other!, 'b')]
  oracle.afterStep(a)
  oracle.afterStep(b)
  oracle.beforeEffect(a, final(long![0]!))
  assert.equal(oracle.fork, null)
  oracle.beforeEffect(b, final(other![0]!))
  assert.match(oracle.fork ?? '', /two final blocks at height 1/)
  oracle.beforeEffect(a, final(long![1]!))
  assert.throws(() => oracle.beforeEffect(b, final(other![1]!)), broken('C7'))
})

test('C7: an ancestor that was final already counts too', () => {
  const oracle = fresh()
  const [a, b] = [healthy(main, 'a'), healthy([...main.slice(0, 2), ...side], 'b')]
  oracle.afterStep(a)
  oracle.afterStep(b)
  oracle.beforeEffect(a, final(main[2]!))
  assert.throws(() => oracle.beforeEffect(b, final(side[1]!)), broken('C7'))
})

test('C7: what is final only rises', () => {
  for (const second of [main[3]!, main[2]!]) {
    const oracle = fresh()
    const node = healthy()
    oracle.afterStep(node)
    oracle.beforeEffect(node, final(main[3]!))
    assert.throws(() => oracle.beforeEffect(node, final(second)), broken('C7'))
  }
})

test('C7: a node may not come back with another final block', () => {
  const oracle = fresh()
  const node = healthy()
  oracle.afterStep(node)
  oracle.afterStep(healthy([...main.slice(0, 2), ...side], 'other'))
  oracle.beforeEffect(node, final(main[2]!))
  const tree = treeOf([...main.slice(0, 2), ...side], tipOf(side))
  tree.moveBase(tree.get(side[0]!.chained.id)!)
  const disk = new Disk()
  const other = nodeOf({ tree, pool: poolOn(tipOf(side)), disk }, 'other')
  disk.write([{ key: KEYS.base, value: encodeChainedHeader(side[0]!.chained) }])
  // What it made final as it started may be taken back by a crash.
  oracle.afterStart(other)
  disk.sync()
  assert.throws(() => oracle.afterStart(other), broken('C7'))
})

// ---- restarts

test('S6: a node may not come back with less work than it had on disk', () => {
  const oracle = fresh()
  const node = healthy()
  oracle.afterStep(node)
  oracle.beforeEffect(node, head(main[5]!))
  Object.assign(node, { replica: healthy(main.slice(0, 5)).replica })
  assert.throws(() => oracle.afterStart(node), broken('S6'))
})

test('S6: a node may not come back on another branch of the same work', () => {
  const oracle = fresh()
  const both = [...main.slice(0, 3), side[0]!]
  const node = nodeOf({ tree: treeOf(both, main[2]!), pool: poolOn(main[2]!) })
  oracle.afterStep(node)
  oracle.beforeEffect(node, head(main[2]!))
  const { replica } = nodeOf({ tree: treeOf(both, side[0]!), pool: poolOn(side[0]!) })
  assert.equal(side[0]!.chained.work, main[2]!.chained.work)
  Object.assign(node, { replica })
  assert.throws(() => oracle.afterStart(node), broken('S6'))
})

test('S9: a node may not keep blocks on disk that it has given up', () => {
  const disk = new Disk()
  const view = { locate: () => null, mainHeight: () => null }
  const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool: poolOn(tipOf(main)), view, disk })
  disk.write([{ key: KEYS.block(main[0]!.chained.id), value: Uint8Array.of(1) }])
  fresh().afterStart(node)
  disk.write([{ key: KEYS.block(side[0]!.chained.id), value: Uint8Array.of(1) }])
  assert.throws(() => fresh().afterStart(node), broken('S9'))
})

test('S6: a node may not come back with an older final block', () => {
  const oracle = fresh()
  const node = healthy()
  oracle.afterStep(node)
  oracle.beforeEffect(node, final(main[2]!))
  assert.throws(() => oracle.afterStart(node), broken('S6'))
})

test('a node may come back on another branch when a block of that became final just before the crash', () => {
  const oracle = fresh()
  const both = [...main.slice(0, 3), side[0]!]
  const node = nodeOf({ tree: treeOf(both, main[2]!), pool: poolOn(main[2]!) })
  oracle.afterStep(node)
  oracle.beforeEffect(node, head(main[2]!))
  const tree = treeOf(both, side[0]!)
  tree.moveBase(tree.get(side[0]!.chained.id)!)
  const { replica } = nodeOf({ tree, pool: poolOn(side[0]!) })
  Object.assign(node, { replica })
  oracle.afterStart(node)
})

test('a node that comes back with a block it had not told of yet is healthy', () => {
  const oracle = fresh()
  const node = healthy()
  oracle.afterStep(node)
  oracle.beforeEffect(node, head(main[2]!))
  oracle.afterStart(node)
})

// ---- effects

const { block } = main[0]!
const tx = transfer(3, 0)
const status = {
  genesisId: builder.genesis.block.id,
  chainId: 1n,
  headId: block.id,
  height: 1,
  work: 1n,
} as const

const BEFORE_DISK: readonly { name: string; effect: Effect; key: string }[] = [
  {
    name: 'a block is sent to all',
    effect: { type: 'broadcast', message: { type: 'block', block } },
    key: KEYS.block(block.id),
  },
  {
    name: 'a head is claimed',
    effect: { type: 'send', to: 'p', message: { type: 'status', status } },
    key: KEYS.block(block.id),
  },
  {
    name: 'a transfer is acknowledged',
    effect: { type: 'reply', token: 't', result: { id: tx.id } },
    key: KEYS.pooled(tx.id),
  },
]

for (const { name, effect, key } of BEFORE_DISK) {
  test(`S5: ${name} only after it is on disk`, () => {
    const disk = new Disk()
    const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool: poolOn(tipOf(main)), disk })
    disk.write([{ key, value: Uint8Array.of(1) }])
    assert.throws(() => fresh().beforeEffect(node, effect), broken('S5'))
    disk.sync()
    fresh().beforeEffect(node, effect)
  })
}

test('S5: an acknowledged transfer may be in a block instead', () => {
  const view = { locate: () => ({ block, index: 0 }) }
  const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool: poolOn(tipOf(main)), view })
  fresh().beforeEffect(node, { type: 'reply', token: 't', result: { id: tx.id } })
})

test('S5: an acknowledged transfer may have been given up instead, with a word about it', () => {
  const view = { locate: () => null }
  const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool: poolOn(tipOf(main)), view })
  const reply: Effect = { type: 'reply', token: 't', result: { id: tx.id } }
  assert.throws(() => fresh().beforeEffect(node, reply), broken('S5'))
  node.replica!.outcomes.record(tx.id, { status: 'dropped', reason: 'tx-pool-full' })
  fresh().beforeEffect(node, reply)
})

test('C11: an honest peer may be refused, but not blamed', () => {
  const oracle = fresh()
  oracle.beforeEffect(healthy(), { type: 'reject', from: 'p', reason: 'tx-nonce-too-low' })
  const blame: Effect = { type: 'reject', from: 'p', reason: 'block-merkle-mismatch' }
  assert.throws(() => oracle.beforeEffect(healthy(), blame), broken('C11'))
})

test('C11: a node may leave an honest peer that is slow, and for nothing else', () => {
  const oracle = fresh()
  oracle.beforeEffect(healthy(), { type: 'disconnect', peer: 'p', reason: 'peer-stalled' })
  for (const reason of ['peer-other-network', 'peer-too-many'] as const)
    assert.throws(
      () => oracle.beforeEffect(healthy(), { type: 'disconnect', peer: 'p', reason }),
      broken('C11'),
    )
})

test('S9: what peers make grow has a bound', () => {
  const looks = { tree: treeOf(main, tipOf(main)), pool: poolOn(tipOf(main)) }
  fresh().afterStep(nodeOf({ ...looks, sizes: [['wanted blocks', 4, 4]] }))
  assert.throws(() => fresh().afterStep(nodeOf({ ...looks, sizes: [['wanted blocks', 5, 4]] })), broken('S9'))
})

test('C11: a liar may be blamed', () => {
  const blame: Effect = { type: 'reject', from: 'p', reason: 'finality-refused' }
  const oracle = new Oracle(new NaiveChain(builder.genesis, namedSender), peer => peer === 'p')
  oracle.beforeEffect(healthy(), blame)
  assert.throws(() => oracle.beforeEffect(healthy(), { ...blame, from: 'q' }), broken('C11'))
})

// ---- the pool

const entryOf = (from: number, nonce: number) => ({
  tx: transfer(from, nonce),
  sender: addressNumber(from),
  arrival: 0,
})

function poolLike(
  queues: Readonly<Record<Address, { pending: object[]; future: object[] }>>,
  changes: object = {},
): object {
  const size = Object.values(queues).reduce(
    (sum, { pending, future }) => sum + pending.length + future.length,
    0,
  )
  return {
    size,
    bytes: size * 100,
    changes: 1,
    senders: () => Object.keys(queues),
    queueOf: (sender: Address) => queues[sender],
    ...changes,
  }
}

// Account 1 has nonce 6, account 2 nonce 0.
const SICK_POOLS: readonly { rule: string; name: string; pool: object }[] = [
  { rule: 'S9', name: 'too many', pool: poolLike({}, { size: REPLICA_LIMITS.pool.transactionsMax + 1 }) },
  { rule: 'S9', name: 'too large', pool: poolLike({}, { bytes: REPLICA_LIMITS.pool.bytesMax + 1 }) },
  {
    rule: 'S9',
    name: 'too many of one sender',
    pool: poolLike({
      [addressNumber(2)]: {
        pending: Array.from({ length: 129 }, (_, nonce) => entryOf(2, nonce)),
        future: [],
      },
    }),
  },
  {
    rule: 'C10',
    name: 'a spent nonce',
    pool: poolLike({ [addressNumber(1)]: { pending: [entryOf(1, 5)], future: [] } }),
  },
  {
    rule: 'C10',
    name: 'one nonce twice',
    pool: poolLike({ [addressNumber(2)]: { pending: [entryOf(2, 0), entryOf(2, 0)], future: [] } }),
  },
  {
    rule: 'C10',
    name: 'a queue out of order',
    pool: poolLike({ [addressNumber(2)]: { pending: [], future: [entryOf(2, 4), entryOf(2, 3)] } }),
  },
  {
    rule: 'C10',
    name: 'a gap in what is pending',
    pool: poolLike({ [addressNumber(2)]: { pending: [entryOf(2, 0), entryOf(2, 2)], future: [] } }),
  },
  {
    rule: 'C10',
    name: 'one that waits for nothing',
    pool: poolLike({ [addressNumber(2)]: { pending: [entryOf(2, 0)], future: [entryOf(2, 1)] } }),
  },
  {
    rule: 'C10',
    name: 'more than can be paid',
    pool: poolLike({
      [addressNumber(2)]: {
        pending: [0, 1].map(nonce => ({
          ...entryOf(2, nonce),
          tx: transfer(2, nonce, { value: 51n * COIN }),
        })),
        future: [],
      },
    }),
  },
  {
    rule: 'C10',
    name: 'a wrong count',
    pool: poolLike({ [addressNumber(2)]: { pending: [entryOf(2, 0)], future: [] } }, { size: 2 }),
  },
]

test('S9: the limits of a pool are those of the run, of all senders together and of each', () => {
  const pool = poolLike({ [addressNumber(2)]: { pending: [entryOf(2, 0), entryOf(2, 1)], future: [] } })
  const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool })
  const under = (changes: Partial<PoolLimits>): Oracle =>
    new Oracle(new NaiveChain(builder.genesis, namedSender), () => false, {
      ...REPLICA_LIMITS.pool,
      ...changes,
    })
  const bytes = entryOf(2, 0).tx.raw.length
  under({ transactionsMax: 2, bytesMax: 200, senderTransactionsMax: 2, senderBytesMax: 2 * bytes }).afterStep(
    node,
  )
  for (const small of [
    { transactionsMax: 1 },
    { bytesMax: 199 },
    { senderTransactionsMax: 1 },
    { senderBytesMax: 2 * bytes - 1 },
  ])
    assert.throws(() => under(small).afterStep(node), broken('S9'))
})

for (const { rule, name, pool } of SICK_POOLS) {
  test(`${rule}: a pool with ${name} is found out`, () => {
    const node = nodeOf({ tree: treeOf(main, tipOf(main)), pool })
    assert.throws(() => fresh().afterStep(node), broken(rule))
  })
}
