import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCoinbase } from '../../src/chain/coinbase.ts'
import { encodeHeader } from '../../src/chain/header.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import { ByteWriter } from '../../src/encoding/bytes.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import { decodeMessage } from '../../src/replica/message-codec.ts'
import type { Message } from '../../src/replica/messages.ts'
import { KEYS } from '../../src/replica/records.ts'
import { replayChain } from '../../src/replica/replay.ts'
import { addressNumber, COIN } from '../chain/examples.ts'
import {
  blocksOf,
  ChainBuilder,
  fees,
  namedSender,
  START_MS,
  smallGenesis,
  tipOf,
  transfer,
} from './small-chain.ts'
import { announcedIn, effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'

const LATER_MS = START_MS + 10_000_000
const fresh = (genesis = smallGenesis()): TestNode => new TestNode(genesis, { nowMs: LATER_MS }).start()

const blockMessage = ({ block }: TreeBlock): Message => ({ type: 'block', block })
const rejections = (effects: readonly Effect[]): string[] =>
  effectsOf(effects, 'reject').map(({ from, reason }) => `${from} ${reason}`)

/** Joins all of these to all of these. */
function mesh(network: TestNetwork, ids: readonly PeerId[]): void {
  for (const [index, a] of ids.entries()) for (const b of ids.slice(index + 1)) network.connect(a, b)
}

// ---- peers

test('a new peer is told what we follow, and so are all peers every five seconds', () => {
  const node = fresh()
  assert.deepEqual(
    sentOf(node.connect('p', 'q'), 'status').map(({ to }) => to),
    ['p', 'q'],
  )
  const builder = new ChainBuilder(node.genesis)
  const run = builder.extend(builder.root, 3)
  node.feed(run)
  const words = sentOf(node.timeout('status'), 'status')
  assert.deepEqual(
    words.map(({ to, message }) => [to, message.status.headId, message.status.height, message.status.work]),
    ['p', 'q'].map(peer => [peer, tipOf(run).chained.id, 3, tipOf(run).chained.work]),
  )
})

test('a peer of another network is disconnected and its claims are not followed', () => {
  const other = fresh(smallGenesis({ work: { blockTimeSeconds: 3 } }))
  const node = fresh()
  node.connect('p')
  const [hello] = sentOf(other.connect('node'), 'status')
  const status = { ...hello!.message.status, work: 2n ** 100n }
  for (const wrong of [status, { ...status, genesisId: node.genesis.block.id, chainId: 1n }]) {
    const effects = node.receive('p', { type: 'status', status: wrong })
    assert.deepEqual(effects, [{ type: 'disconnect', peer: 'p', reason: 'peer-other-network' }])
  }
})

test('there are at most 256 peers', () => {
  const node = fresh()
  node.connect(...Array.from({ length: 256 }, (_, index) => `p${index}`))
  assert.deepEqual(node.connect('late'), [{ type: 'disconnect', peer: 'late', reason: 'peer-too-many' }])
  node.step({ type: 'peer-disconnected', peer: 'p0' })
  assert.equal(sentOf(node.connect('late'), 'status').length, 1)
})

test('a start sets the timers that never end', () => {
  const node = new TestNode(smallGenesis())
  const timersOf = (effects: readonly Effect[]): string[] =>
    effectsOf(effects, 'set-timer').map(({ name }) => name)
  assert.deepEqual(timersOf(node.step({ type: 'start' })), ['status', 'rebroadcast'])
  for (const name of ['status', 'rebroadcast'] as const)
    assert.deepEqual(timersOf(node.timeout(name)), [name])
})

// ---- transactions

test('a transaction that comes again after it was dropped waits again, and nothing is said of its past', () => {
  const node = fresh()
  const tx = transfer(1, 0)
  node.replica.outcomes.record(tx.id, { status: 'dropped', reason: 'tx-pool-full' })
  node.submit(tx.raw)
  assert.equal(node.replica.outcomes.get(tx.id), undefined)
})

test('a transaction is answered for after it is on disk, and announced with others a moment later', () => {
  const node = fresh()
  node.connect('p')
  const [one, two] = [transfer(1, 0), transfer(1, 1)]
  assert.deepEqual(
    node.submit(one.raw, 'a').map(effect => effect.type),
    ['persist', 'set-timer', 'reply'],
  )
  assert.deepEqual(
    node.submit(two.raw, 'b').map(effect => effect.type),
    ['persist', 'reply'],
  )
  assert.deepEqual(announcedIn(node.timeout('gossip')), [`p ${one.id}`, `p ${two.id}`])
})

test('64 transactions do not wait for more', () => {
  const node = fresh()
  node.connect('p')
  const senders = [1, 2, 3, 4]
  const effects = senders.flatMap(from =>
    Array.from({ length: 16 }, (_, nonce) => node.submit(transfer(from, nonce).raw)).flat(),
  )
  assert.equal(sentOf(effects, 'announce').length, 1)
  assert.deepEqual(effectsOf(effects, 'clear-timer'), [{ type: 'clear-timer', name: 'gossip' }])
  assert.deepEqual(announcedIn(node.timeout('gossip')), [])
})

const REFUSED: readonly { name: string; raw: Uint8Array; reason: string }[] = [
  { name: 'is none', raw: Uint8Array.of(0xc0), reason: 'tx-malformed' },
  { name: 'nobody signed', raw: transfer(1, 0, { signed: false }).raw, reason: 'tx-signature-invalid' },
  {
    name: 'cannot be paid',
    raw: transfer(1, 0, { value: 101n * COIN }).raw,
    reason: 'tx-insufficient-funds',
  },
  { name: 'is for another chain', raw: transfer(1, 0, { chainId: 1n }).raw, reason: 'tx-wrong-chain' },
]

for (const { name, raw, reason } of REFUSED) {
  test(`a transaction that ${name} is answered with the reason, and leaves no trace`, () => {
    const node = fresh()
    assert.deepEqual(node.submit(raw), [{ type: 'reply', token: 'token', result: { rejection: reason } }])
    assert.equal(node.replica.pool.size, 0)
  })
}

test('a submitted transaction survives a restart and is announced to peers again until a final block holds it', () => {
  const genesis = smallGenesis({ finality: { depth: 2 } })
  const node = fresh(genesis)
  const tx = transfer(1, 0)
  node.submit(tx.raw)
  const again = node.restarted()
  assert.ok(again.replica.pool.get(tx.id) !== undefined)
  assert.deepEqual(announcedIn(again.connect('p')), [`p ${tx.id}`])
  assert.deepEqual(announcedIn(again.timeout('rebroadcast')), [`p ${tx.id}`])
  const builder = new ChainBuilder(genesis)
  again.feed(builder.extend(builder.root, 2, step => ({ transactions: step === 1 ? [tx] : [] })))
  // It is in a block, but that block may still be left.
  assert.deepEqual(announcedIn(again.timeout('rebroadcast')), [])
  assert.ok(again.disk.get(KEYS.pooled(tx.id)) !== null)
  again.feed([builder.mine(again.replica.tree.head)])
  assert.equal(again.disk.get(KEYS.pooled(tx.id)), null)
})

test('a submitted transaction that another replaces is not on disk any more, and its outcome is told', () => {
  const node = fresh()
  const [first, second] = [transfer(1, 0), transfer(1, 0, fees(3, 3))]
  node.submit(first.raw)
  node.submit(second.raw)
  assert.equal(node.disk.get(KEYS.pooled(first.id)), null)
  assert.deepEqual(node.replica.outcomes.get(first.id), { status: 'replaced', by: second.id })
  assert.equal(node.restarted().replica.pool.get(first.id), undefined)
})

test('of a batch the good ones are taken, and the sender is blamed only for what no honest peer sends', () => {
  const node = fresh()
  assert.deepEqual(rejections(node.pull('p', transfer(1, 0), transfer(2, 0, { value: 101n * COIN }))), [])
  const mixed = [transfer(4, 0), transfer(5, 0, { chainId: 1n })]
  assert.deepEqual(rejections(node.pull('evil', ...mixed)), ['evil tx-wrong-chain'])
  assert.equal(node.replica.pool.size, 2)
  const unfunded = transfer(3, 0, { value: 101n * COIN })
  assert.deepEqual(rejections(node.pull('q', unfunded)), ['q tx-insufficient-funds'])
})

// ---- blocks

test('a good block is kept on disk first, then passed on', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const block = builder.mine(builder.root)
  const effects = node.receive('p', blockMessage(block))
  assert.deepEqual(
    effects.map(effect => effect.type),
    ['persist', 'head', 'relay'],
  )
  const keys = effectsOf(effects, 'persist')[0]!.writes.map(({ key }) => key)
  assert.deepEqual(keys, [KEYS.block(block.chained.id), KEYS.openBlock(0)])
  assert.deepEqual(node.receive('q', blockMessage(block)), [])
})

const FALSE_CLAIMS: readonly { reason: string; make: (builder: ChainBuilder) => TreeBlock }[] = [
  {
    reason: 'block-state-root-wrong',
    make: builder =>
      builder.mine(builder.root, { spoil: claim => ({ ...claim, stateRoot: builder.root.chained.id }) }),
  },
  {
    reason: 'block-receipts-root-wrong',
    make: builder =>
      builder.mine(builder.root, { spoil: claim => ({ ...claim, receiptsRoot: builder.root.chained.id }) }),
  },
  {
    reason: 'block-gas-used-wrong',
    make: builder => builder.mine(builder.root, { spoil: claim => ({ ...claim, gasUsed: 1n }) }),
  },
  {
    reason: 'block-base-fee-wrong',
    make: builder => builder.mine(builder.root, { spoil: claim => ({ ...claim, baseFee: 1n }) }),
  },
  {
    reason: 'block-height-wrong',
    make: builder => builder.mine(builder.root, { spoil: claim => ({ ...claim, height: 2 }) }),
  },
  {
    reason: 'block-tx-invalid',
    make: builder => builder.mine(builder.root, { transactions: [transfer(1, 1)] }),
  },
]

for (const { reason, make } of FALSE_CLAIMS) {
  test(`a block with ${reason} is refused, remembered, and no child of it is taken`, () => {
    const node = fresh()
    const builder = new ChainBuilder(node.genesis)
    const bad = make(builder)
    node.connect('p')
    assert.deepEqual(rejections(node.receive('p', blockMessage(bad))), [`p ${reason}`])
    assert.deepEqual(rejections(node.receive('q', blockMessage(bad))), ['q block-known-invalid'])
    const child = builder.mine(bad)
    assert.deepEqual(sentOf(node.receive('p', blockMessage(child)), 'get-headers').length, 1)
    assert.equal(node.height, 0)
    assert.equal(node.batches.length, 1)
  })
}

test('a block whose header is wrong is refused and not remembered: it cost nothing to make', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const bad = builder.mine(builder.root, { spoilHeader: header => ({ ...header, bits: 0x207fffff }) })
  for (let round = 0; round < 2; round++)
    assert.deepEqual(rejections(node.receive('p', blockMessage(bad))), ['p header-bits-wrong'])
})

test('a body that is not what its header commits to says nothing about the block behind the id', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const [one, two] = [transfer(1, 0), transfer(2, 0)]
  const real = builder.mine(builder.root, { transactions: [one, two] })
  const other = builder.mine(builder.root, { transactions: [one] })
  // CVE-2012-2459: with the last one twice the Merkle root is the same.
  const bodies: readonly Uint8Array[] = [
    bodyOf(real, [one, two, two], 2),
    bodyOf(real, [one, two, two], 3),
    bodyOf(real, [two, one], 2),
    bodyOf(real, [one], 1),
    bodyOf(other, [one, two], 2),
  ]
  for (const body of bodies) {
    const decoded = decodeMessage(Uint8Array.of(5, ...body))
    assert.ok(
      ['block-mutated', 'block-malformed', 'block-merkle-mismatch'].includes(decoded as string),
      String(decoded),
    )
  }
  assert.deepEqual(node.receive('p', blockMessage(real)).at(-1), { type: 'relay' })
  assert.equal(node.headId, real.chained.id)
})

test('a block from the future is no peer’s fault and is connected when its time has come', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const early = builder.mine(builder.root, { time: LATER_MS / 1000 + 16 })
  assert.deepEqual(rejections(node.receive('p', blockMessage(early))), ['p header-time-too-new'])
  assert.equal(node.height, 0)
  node.nowMs += 1_000
  node.receive('p', blockMessage(early))
  assert.equal(node.headId, early.chained.id)
})

test('a block that was mined on a branch that is gone by now is not sent', () => {
  const genesis = smallGenesis({ finality: { depth: 1 } })
  const node = fresh(genesis)
  const builder = new ChainBuilder(genesis)
  node.startMining()
  const { id } = node.template!
  const old = node.template!.header
  node.feed(builder.extend(builder.root, 3))
  assert.notEqual(node.replica.tree.base.chained.height, 0)
  for (let nonce = 0; nonce < 200; nonce++) {
    const effects = node.step({ type: 'mined', templateId: id, nonce })
    assert.deepEqual(effectsOf(effects, 'broadcast'), [])
  }
  assert.equal(old.previous, genesis.block.id)
})

// ---- the head

//     0 ── a1 ── a2
//      └── b1 ── b2 ── b3
test('the first seen of equal branches is followed until another holds more work', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const a = builder.extend(builder.root, 2, () => ({ extra: 1 }))
  const b = builder.extend(builder.root, 3, () => ({ extra: 2 }))
  node.feed([...a, b[0]!, b[1]!])
  assert.equal(node.headId, tipOf(a).chained.id)
  assert.deepEqual(
    effectsOf(node.feed([b[2]!]), 'head').map(({ height, reorganised }) => [height, reorganised]),
    [[3, 2]],
  )
})

//     0 ── 1 ── a2 ── … ── a9          easy: far apart in time
//          └── b2 ── … ── b5           four blocks that hold more work than those eight
test('the branch with the most work is followed, not the longest', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const first = builder.mine(builder.root)
  const long = builder.extend(first, 8, step => ({ time: START_MS / 1000 + 200 * step }))
  const short = builder.extend(first, 4, step => ({ time: START_MS / 1000 + step }))
  assert.ok(tipOf(short).chained.work > tipOf(long).chained.work)
  for (const order of [
    [long, short],
    [short, long],
  ]) {
    const node = fresh()
    node.feed([first, ...order.flat()])
    assert.equal(node.headId, tipOf(short).chained.id)
  }
  assert.equal(node.height, 0)
})

test('a reorganisation of any depth from 1 to 20 comes to what a replay from the genesis block comes to', () => {
  const genesis = smallGenesis()
  const builder = new ChainBuilder(genesis)
  const pay = (from: number, nonce: number, step: number): Transaction =>
    transfer(from, nonce, { to: addressNumber(1 + (step % 4)), value: (BigInt(step) * COIN) / 100n })
  const old = builder.extend(builder.root, 22, step => ({
    transactions: [pay(1, step - 1, step), pay(2, step - 1, step)],
    beneficiary: addressNumber(step % 3),
  }))
  for (let depth = 1; depth <= 20; depth++) {
    const fork = old[21 - depth]!
    const { nonce } = fork.execution.state.get(addressNumber(1))
    const next = builder.extend(fork, depth + 1, step => ({
      transactions: step % 2 === 0 ? [pay(1, Number(nonce) + step / 2 - 1, step + 7)] : [],
      extra: depth,
    }))
    const node = fresh(genesis)
    node.feed(old)
    const effects = node.feed(next)
    assert.equal(effectsOf(effects, 'head').at(-1)?.reorganised, depth)
    const { tree, view } = node.replica
    const blocks = Array.from({ length: node.height }, (_, index) => view.blockAt(index + 1)!)
    const replayed = replayChain(genesis, blocks, namedSender)
    assert.equal(replayed.head.id, tree.head.chained.id)
    assert.deepEqual([...tree.head.execution.state.accounts()], [...replayed.state.accounts()])
    assert.equal(tree.head.execution.state.root(), replayed.state.root())
    // And back again, which is another choice of layer and no undoing.
    const back = builder.extend(tipOf(old), 2, () => ({ extra: depth }))
    node.feed(back)
    assert.equal(node.headId, tipOf(back).chained.id)
    const { state } = node.replica.tree.head.execution
    assert.equal(state.root(), replayChain(genesis, blocksOf([...old, ...back]), namedSender).state.root())
  }
})

test('a reorganisation recovers no sender again: the blocks that are left were executed', () => {
  let recoveries = 0
  const recoverSender: typeof namedSender = tx => {
    recoveries += 1
    return namedSender(tx)
  }
  const genesis = smallGenesis()
  const node = new TestNode(genesis, { nowMs: LATER_MS, recoverSender }).start()
  const builder = new ChainBuilder(genesis)
  node.feed(
    builder.extend(builder.root, 3, step => ({
      transactions: [transfer(1, step - 1), transfer(2, step - 1)],
    })),
  )
  const instead = transfer(1, 0, { value: COIN })
  const other = builder.extend(builder.root, 4, step => ({
    transactions: step === 1 ? [instead] : [],
    extra: 1,
  }))
  const before = recoveries
  const effects = node.feed(other)
  assert.equal(effectsOf(effects, 'head').at(-1)?.reorganised, 3)
  // The one transaction of the new branch.
  assert.equal(recoveries - before, 1)
  assert.deepEqual(node.replica.outcomes.get(transfer(1, 0).id), { status: 'replaced', by: instead.id })
  assert.equal(node.replica.pool.get(transfer(2, 0).id)?.sender, addressNumber(2))
})

test('transactions of blocks that were left wait again in their order, once, and are passed on', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const transactions = [0, 1, 2].map(nonce => transfer(1, nonce))
  const left = builder.extend(builder.root, 3, step => ({
    transactions: [transactions[step - 1]!],
    extra: 1,
  }))
  const joined = builder.extend(builder.root, 4, step => ({
    transactions: step === 2 ? [transactions[0]!] : [],
    extra: 2,
  }))
  node.feed(left)
  node.connect('q')
  const late = transfer(1, 3)
  node.pull('p', late)
  const effects = node.feed(joined)
  const { pending, future } = node.replica.pool.queueOf(addressNumber(1))
  assert.deepEqual(
    pending.map(({ tx }) => tx.id),
    [transactions[1]!.id, transactions[2]!.id, late.id],
  )
  assert.deepEqual(future, [])
  assert.deepEqual(effectsOf(effects, 'reject'), [])
  const again = transactions.slice(1).map(({ id }) => id)
  assert.deepEqual(announcedIn(node.timeout('gossip')), [
    `q ${late.id}`,
    ...['q', 'p'].flatMap(peer => again.map(id => `${peer} ${id}`)),
  ])
})

test('the pool follows accounts that only the branch that was left had changed', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  // On the left branch account 1 has paid once, and account 60 has money.
  const first = transfer(1, 0, { to: addressNumber(60), value: COIN })
  const left = builder.mine(builder.root, { transactions: [first] })
  node.feed([left])
  node.pull('p', transfer(1, 1), transfer(60, 0))
  assert.equal(node.replica.pool.size, 2)
  node.feed(builder.extend(builder.root, 2, () => ({ extra: 1, beneficiary: addressNumber(0x78) })))
  const { pool, outcomes } = node.replica
  const { pending, future } = pool.queueOf(addressNumber(1))
  assert.deepEqual(
    [pending, future].map(entries => entries.map(({ tx }) => tx.nonce)),
    [[0n, 1n], []],
  )
  assert.deepEqual(outcomes.get(transfer(60, 0).id), { status: 'dropped', reason: 'tx-insufficient-funds' })
})

test('what a reorganisation makes impossible is dropped, and its outcome is told', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  const [paid, rival] = [transfer(1, 0), transfer(1, 0, { value: 7n })]
  // Account 60 has money on the left branch alone.
  const funds = transfer(2, 0, { to: addressNumber(60), value: COIN })
  const spends = transfer(60, 0)
  const left = builder.extend(builder.root, 2, step => ({
    transactions: step === 1 ? [paid, funds] : [spends],
    extra: 1,
  }))
  const joined = builder.extend(builder.root, 3, step => ({
    transactions: step === 1 ? [rival, transfer(2, 0)] : [],
    extra: 2,
  }))
  node.feed(left)
  node.feed(joined)
  const { outcomes, pool } = node.replica
  assert.deepEqual(outcomes.get(paid.id), { status: 'replaced', by: rival.id })
  assert.deepEqual(outcomes.get(funds.id), { status: 'replaced', by: transfer(2, 0).id })
  assert.deepEqual(outcomes.get(spends.id), { status: 'dropped', reason: 'tx-insufficient-funds' })
  assert.equal(pool.size, 0)
  // The other way round, everything has its block again.
  node.feed(builder.extend(tipOf(left), 2, () => ({ extra: 3 })))
  for (const tx of [paid, funds, spends]) assert.equal(outcomes.get(tx.id), undefined)
})

test('blocks that become final are one batch with the block that makes them so', () => {
  const genesis = smallGenesis({ finality: { depth: 2 } })
  const node = fresh(genesis)
  const builder = new ChainBuilder(genesis)
  const run = builder.extend(builder.root, 3, step => ({ transactions: [transfer(1, step - 1)] }))
  node.feed(run.slice(0, 2))
  const effects = node.feed(run.slice(2))
  assert.deepEqual(
    effects.map(effect => effect.type),
    ['persist', 'head', 'final', 'relay'],
  )
  const keys = effectsOf(effects, 'persist')[0]!.writes.map(({ key }) => key)
  const { id } = run[0]!.chained
  const wanted = [
    KEYS.block(node.headId),
    KEYS.openBlock(2),
    KEYS.openBlock(0),
    KEYS.base,
    KEYS.final(1),
    KEYS.transaction(transfer(1, 0).id),
    KEYS.account(addressNumber(1)),
  ]
  for (const key of wanted) assert.ok(keys.includes(key), `${key} is not in the batch`)
  assert.deepEqual(effectsOf(effects, 'final'), [{ type: 'final', id, height: 1 }])
})

// ---- several

test('of two payments with one nonce, handed to two nodes, exactly one is in the chain of all', () => {
  const network = new TestNetwork(smallGenesis())
  const ids = ['a', 'b', 'c']
  network.add(...ids)
  mesh(network, ids)
  const [first, rival] = [transfer(1, 0, { value: 1n }), transfer(1, 0, { value: 2n })]
  network.input('a', { type: 'submit', raw: first.raw, token: 'first' })
  network.input('b', { type: 'submit', raw: rival.raw, token: 'rival' })
  network.run(1_000)
  // Each keeps what it saw first, so both were acknowledged.
  assert.deepEqual(network.done('a', 'reply')[0]?.result, { id: first.id })
  assert.deepEqual(network.done('b', 'reply')[0]?.result, { id: rival.id })
  network.mine('a')
  network.run(1_000)
  network.mine('b')
  network.run(1_000)
  for (const node of network.nodes.values()) {
    assert.equal(node.height, 2)
    assert.equal(node.inclusions(first.id), 1)
    assert.equal(node.inclusions(rival.id), 0)
  }
  const { outcomes } = network.nodes.get('b')!.replica
  assert.deepEqual(outcomes.get(rival.id), { status: 'replaced', by: first.id })
})

test('a line of nodes passes on transactions and blocks from one end to the other', () => {
  const network = new TestNetwork(smallGenesis())
  network.add('a', 'b', 'c', 'd')
  network.connect('a', 'b')
  network.connect('b', 'c')
  network.connect('c', 'd')
  const tx = transfer(1, 0)
  network.input('a', { type: 'submit', raw: tx.raw, token: 't' })
  network.run(200)
  network.mine('d')
  network.run(200)
  assert.equal(network.nodes.get('a')!.inclusions(tx.id), 1)
})

test('after a partition the half with more work wins though it has fewer blocks, and no payment is lost', () => {
  const network = new TestNetwork(smallGenesis())
  const ids = ['a1', 'a2', 'b1', 'b2']
  const nodes = network.add(...ids)
  mesh(network, ids)
  network.mine('a1')
  network.run(1_000)
  network.carries = (from, to) => from[0] === to[0]
  const lost = [0, 1].map(nonce => transfer(1, nonce))
  const kept = transfer(2, 0)
  for (const tx of lost) network.input('a2', { type: 'submit', raw: tx.raw, token: tx.id })
  network.input('b2', { type: 'submit', raw: kept.raw, token: kept.id })
  // b finds seven blocks in seven seconds, a ten in ten minutes: those are easy.
  for (let count = 0; count < 7; count++) {
    network.mine('b1')
    network.run(1_000)
  }
  for (let count = 0; count < 10; count++) {
    network.mine('a1')
    network.run(60_000)
  }
  assert.deepEqual(
    nodes.map(node => node.height),
    [11, 11, 8, 8],
  )
  assert.ok(nodes[2]!.replica.tree.head.chained.work > nodes[0]!.replica.tree.head.chained.work)
  for (const tx of lost) assert.equal(nodes[0]!.inclusions(tx.id), 1)
  network.carries = () => true
  network.run(20_000)
  for (const node of nodes) assert.equal(node.headId, nodes[2]!.headId)
  const depths = network.done('a1', 'head').map(({ reorganised }) => reorganised)
  assert.equal(Math.max(...depths), 10)
  network.mine('b2')
  network.run(1_000)
  for (const node of nodes) for (const tx of [...lost, kept]) assert.equal(node.inclusions(tx.id), 1)
})

test('a branch that leaves ours below the last final block is refused with an alarm, on both sides', () => {
  const network = new TestNetwork(smallGenesis({ finality: { depth: 3 } }))
  const [a, b] = network.add('a', 'b')
  for (let count = 0; count < 6; count++) {
    network.mine('a')
    network.mine('b')
    network.mine('b')
    network.run(2_000)
  }
  const heads = [a!.headId, b!.headId]
  network.connect('a', 'b')
  network.run(60_000)
  assert.deepEqual([a!.headId, b!.headId], heads)
  assert.deepEqual(
    network.done('a', 'alarm').map(({ text }) => text),
    [
      `a peer follows a branch that leaves ours below the last final block, after ${network.genesis.block.id}; it is not followed`,
    ],
  )
  assert.equal(
    effectsOf(network.done('a', 'reject'), 'reject').every(({ reason }) => reason === 'block-below-final'),
    true,
  )
})

/** The bytes of a block with other transactions under the same header, claiming so many. */
function bodyOf({ block }: TreeBlock, transactions: readonly Transaction[], count: number): Uint8Array {
  const writer = new ByteWriter()
    .bytes(encodeHeader(block.header))
    .compactSize(1 + transactions.length)
    .bytes(encodeCoinbase({ ...block.coinbase, transactionCount: count }))
  for (const tx of transactions) writer.bytes(tx.raw)
  return writer.finish()
}
