// How transactions are announced and pulled, and what a peer may cost by it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecoverSender } from '../../src/chain/signature.ts'
import type { Transaction, TransactionId } from '../../src/chain/transaction.ts'
import { WAITING_ALL_MAX, WAITING_MAX } from '../../src/replica/announced.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import { REPLICA_LIMITS } from '../../src/replica/limits.ts'
import type { Message } from '../../src/replica/messages.ts'
import { CREDIT_MAX, CREDIT_PER_TICK, SHARED_MAX, SHARED_PER_TICK } from '../../src/replica/relay-budget.ts'
import { COIN } from '../chain/examples.ts'
import { ChainBuilder, namedSender, smallGenesis, transfer } from './small-chain.ts'
import { announcedIn, effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'

const fresh = (): TestNode => new TestNode(smallGenesis()).start()

const announce = (...transactions: readonly Pick<Transaction, 'id'>[]): Message => ({
  type: 'announce',
  ids: transactions.map(({ id }) => id),
})

/** Transfers of accounts that have nothing. */
const unfunded = (count: number, first = 0): Transaction[] =>
  Array.from({ length: count }, (_, index) => transfer(1_000 + first + index, 0))

/** What each peer is asked for. */
const askedIn = (effects: readonly Effect[]): string[] =>
  sentOf(effects, 'get-transactions').flatMap(({ to, message }) => message.ids.map(id => `${to} ${id}`))

/** Gives what is asked for in these effects, as all peers would together, and says how much it was. */
function giveAsked(node: TestNode, effects: readonly Effect[], all: readonly Transaction[]): number {
  const byId = new Map(all.map(tx => [tx.id, tx]))
  let [count, waiting] = [0, sentOf(effects, 'get-transactions')]
  while (waiting.length > 0) {
    const [{ to, message }, ...rest] = waiting as [(typeof waiting)[number], ...typeof waiting]
    count += message.ids.length
    const transactions = message.ids.map(id => byId.get(id)!)
    const answer = { type: 'transactions', requestId: message.requestId, transactions } as const
    waiting = [...rest, ...sentOf(node.receive(to, answer), 'get-transactions')]
  }
  return count
}

// ---- announcing

test('a transaction that came from one peer is announced to those that have not announced it', () => {
  const node = fresh()
  node.connect('a', 'b', 'c')
  const tx = transfer(1, 0)
  node.pull('a', tx)
  node.receive('b', announce(tx))
  assert.deepEqual(announcedIn(node.timeout('gossip')), [`c ${tx.id}`])
})

test('what is announced and gone before it is told is not announced', () => {
  const node = fresh()
  node.connect('a')
  const tx = transfer(1, 0)
  node.submit(tx.raw)
  const builder = new ChainBuilder(node.genesis)
  node.feed([builder.mine(builder.root, { transactions: [tx] })])
  assert.deepEqual(announcedIn(node.timeout('gossip')), [])
})

test('a peer that asks gets what is there, in its order, and no more than fits', () => {
  const node = fresh()
  node.connect('p')
  const large = { data: new Uint8Array(60_000), gasLimit: 5_000_000n }
  const transactions = [0, 1, 2, 3].map(nonce => transfer(1, nonce, nonce === 0 ? {} : large))
  for (const tx of transactions) node.submit(tx.raw)
  const ids = ['0xff'.padEnd(66, '0') as TransactionId, ...transactions.map(({ id }) => id)]
  const [answer] = sentOf(node.receive('p', { type: 'get-transactions', requestId: 9, ids }), 'transactions')
  assert.equal(answer?.message.requestId, 9)
  assert.deepEqual(
    answer.message.transactions.map(({ id }) => id),
    transactions.slice(0, 3).map(({ id }) => id),
  )
})

// ---- pulling

test('an id is asked for at one peer, and nothing is asked for that is here', () => {
  const node = fresh()
  node.connect('a', 'b')
  const [one, two] = [transfer(1, 0), transfer(2, 0)]
  node.submit(two.raw)
  assert.deepEqual(askedIn(node.receive('a', announce(one, two, one))), [`a ${one.id}`])
  assert.deepEqual(askedIn(node.receive('b', announce(one))), [])
})

test('a transaction that one announcer withholds comes from the next', () => {
  const tx = transfer(1, 0)
  const says: { readonly [what: string]: (node: TestNode, requestId: number) => Effect[] } = {
    'nothing, for a tick': node => [...node.timeout('transactions'), ...node.timeout('transactions')],
    'an answer without it': (node, requestId) =>
      node.receive('a', { type: 'transactions', requestId, transactions: [] }),
    'that it leaves': node => node.step({ type: 'peer-disconnected', peer: 'a' }),
  }
  for (const [what, say] of Object.entries(says)) {
    const node = fresh()
    node.connect('a', 'b')
    const [request] = sentOf(node.receive('a', announce(tx)), 'get-transactions')
    node.receive('b', announce(tx))
    assert.deepEqual(askedIn(say(node, request!.message.requestId)), [`b ${tx.id}`], what)
  }
})

test('an answer that comes late is taken in, and one that comes after that costs nothing', () => {
  const node = fresh()
  node.connect('a', 'b')
  const tx = transfer(1, 0)
  const [first] = sentOf(node.receive('a', announce(tx)), 'get-transactions')
  node.receive('b', announce(tx))
  node.timeout('transactions')
  const [second] = sentOf(node.timeout('transactions'), 'get-transactions')
  const answer = (from: PeerId, request: typeof first) =>
    node.receive(from, { ...request!.message, type: 'transactions', transactions: [tx] })
  assert.deepEqual(effectsOf(answer('a', first), 'reject'), [])
  assert.ok(node.replica.pool.get(tx.id) !== undefined)
  assert.deepEqual(effectsOf(answer('b', second), 'reject'), [
    { type: 'reject', from: 'b', reason: 'peer-answer-unasked' },
  ])
})

test('a peer that answers in parts is asked for the rest, and one that leaves something out between is not', () => {
  const node = fresh()
  node.connect('p')
  const transactions = [1, 2, 3, 4].map(from => transfer(from, 0))
  const [request] = sentOf(node.receive('p', announce(...transactions)), 'get-transactions')
  const { requestId } = request!.message
  const given = [transactions[0]!, transactions[2]!]
  const effects = node.receive('p', { type: 'transactions', requestId, transactions: given })
  assert.deepEqual(askedIn(effects), [`p ${transactions[3]!.id}`])
})

test('what was not asked for is not taken in, wherever it stands', () => {
  const node = fresh()
  node.connect('p', 'q')
  const [asked, other] = [transfer(1, 0), transfer(2, 0)]
  const [request] = sentOf(node.receive('p', announce(asked)), 'get-transactions')
  const { requestId } = request!.message
  assert.deepEqual(node.replica.relay.wanted('p', requestId, [asked, other]), [asked])
  assert.deepEqual(node.replica.relay.wanted('q', requestId, [asked, other]), [])
  node.receive('q', { type: 'transactions', requestId, transactions: [asked] })
  node.receive('p', { type: 'transactions', requestId, transactions: [other, asked] })
  assert.deepEqual(
    [...node.replica.pool.entries()].map(({ tx }) => tx.id),
    [asked.id],
  )
})

test('a request is dropped when a block brings what it asks for', () => {
  const node = fresh()
  node.connect('p')
  const tx = transfer(1, 0)
  const [request] = sentOf(node.receive('p', announce(tx)), 'get-transactions')
  const { requestId } = request!.message
  assert.ok(node.replica.relay.isAsked('p', requestId))
  const builder = new ChainBuilder(node.genesis)
  node.feed([builder.mine(builder.root, { transactions: [tx] })])
  assert.ok(!node.replica.relay.isAsked('p', requestId))
})

test('what was refused is not asked for again until the head moves', () => {
  const node = fresh()
  const [tx] = unfunded(1)
  node.pull('p', tx!)
  node.connect('q')
  assert.deepEqual(askedIn(node.receive('q', announce(tx!))), [])
  const builder = new ChainBuilder(node.genesis)
  node.feed([builder.mine(builder.root)])
  assert.deepEqual(askedIn(node.receive('q', announce(tx!))), [`q ${tx!.id}`])
})

test('of many announcers of one transaction the most useful is asked next', () => {
  const node = fresh()
  const tx = transfer(9, 0)
  node.connect('slow', 'new', 'good')
  node.pull('good', transfer(1, 0))
  for (const peer of ['slow', 'new', 'good']) node.receive(peer, announce(tx))
  node.timeout('transactions')
  assert.deepEqual(askedIn(node.timeout('transactions')), [`good ${tx.id}`])
})

test('transactions cross a line of nodes, and each comes once to each node', () => {
  const network = new TestNetwork(smallGenesis())
  const ids = ['a', 'b', 'c', 'd']
  const nodes = network.add(...ids)
  for (const [index, id] of ids.slice(1).entries()) network.connect(ids[index]!, id)
  const transactions = Array.from({ length: 100 }, (_, nonce) => transfer(1, nonce))
  for (const { raw } of transactions) network.input('a', { type: 'submit', raw, token: 't' })
  network.run(1_000)
  assert.deepEqual(
    nodes.map(({ replica }) => replica.pool.size),
    [100, 100, 100, 100],
  )
  const given = ids.flatMap(id => sentOf(network.done(id, 'send'), 'transactions'))
  assert.equal(given.flatMap(({ message }) => message.transactions).length, 300)
})

// ---- what a peer may cost

/** A node that counts how many senders it recovers. */
function counting() {
  let count = 0
  const recoverSender: RecoverSender = tx => {
    count += 1
    return namedSender(tx)
  }
  return { node: new TestNode(smallGenesis(), { recoverSender }).start(), recovered: () => count }
}

test("a stranger's unfunded transactions cost no more than its budget", () => {
  const { node, recovered } = counting()
  const flood = unfunded(1_100)
  node.connect('stranger')
  for (let start = 0; start < flood.length; start += 256)
    giveAsked(node, node.receive('stranger', announce(...flood.slice(start, start + 256))), flood)
  assert.ok(recovered() <= CREDIT_MAX, `${recovered()} before the first tick`)
  for (let tick = 1; tick <= 10; tick++) {
    giveAsked(node, node.timeout('transactions'), flood)
    assert.equal(recovered(), CREDIT_MAX + tick * CREDIT_PER_TICK)
  }
})

test('a stranger that reconnects gets no new budget', () => {
  const { node, recovered } = counting()
  const flood = unfunded(2_000)
  for (let times = 0; times < 4; times++) {
    node.connect('stranger')
    const part = flood.slice(times * 500, times * 500 + 500)
    for (const half of [part.slice(0, 250), part.slice(250)])
      giveAsked(node, node.receive('stranger', announce(...half)), flood)
    giveAsked(node, node.timeout('transactions'), flood)
    node.step({ type: 'peer-disconnected', peer: 'stranger' })
  }
  assert.equal(recovered(), CREDIT_MAX + 4 * CREDIT_PER_TICK)
})

test('a peer without funds is never banned', () => {
  const node = fresh()
  node.connect('poor')
  const flood = unfunded(2_000)
  const effects: Effect[] = []
  for (let start = 0; start < flood.length; start += 200)
    effects.push(...node.pull('poor', ...flood.slice(start, start + 200)), ...node.timeout('transactions'))
  assert.deepEqual(effectsOf(effects, 'disconnect'), [])
  const reasons = new Set(effectsOf(effects, 'reject').map(({ reason }) => reason))
  assert.deepEqual([...reasons], ['tx-insufficient-funds'])
  // And it is heard as soon as it has something of use.
  const good = transfer(1, 0)
  node.receive('poor', announce(good))
  const asked: string[] = []
  for (let tick = 0; tick < 100 && !asked.includes(`poor ${good.id}`); tick++)
    asked.push(...askedIn(node.timeout('transactions')))
  assert.ok(asked.includes(`poor ${good.id}`))
})

test("many identities together get no more than the strangers' share, and a useful peer keeps its own", () => {
  const { node, recovered } = counting()
  const good = Array.from({ length: 60 }, (_, nonce) => transfer(1, nonce))
  node.pull('honest', ...good.slice(0, 40))
  const before = recovered()
  const flood = unfunded(4_000)
  const identities = Array.from({ length: 40 }, (_, index) => `sybil${index}`)
  node.connect(...identities)
  for (const [index, id] of identities.entries())
    giveAsked(node, node.receive(id, announce(...flood.slice(index * 100, index * 100 + 100))), flood)
  assert.equal(recovered() - before, SHARED_MAX)
  assert.deepEqual(
    askedIn(node.receive('honest', announce(...good.slice(40)))),
    good.slice(40).map(({ id }) => `honest ${id}`),
  )
  const after = recovered()
  for (let tick = 1; tick <= 10; tick++) giveAsked(node, node.timeout('transactions'), [...flood, ...good])
  assert.ok(recovered() - after <= 10 * SHARED_PER_TICK)
})

test('a new honest peer among many strangers that waste all is heard within a few ticks', () => {
  const node = fresh()
  const flood = unfunded(4_000)
  const identities = Array.from({ length: 40 }, (_, index) => `sybil${index}`)
  node.connect(...identities, 'honest')
  for (const [index, id] of identities.entries())
    giveAsked(node, node.receive(id, announce(...flood.slice(index * 100, index * 100 + 100))), flood)
  const good = Array.from({ length: 30 }, (_, nonce) => transfer(1, nonce))
  giveAsked(node, node.receive('honest', announce(...good)), good)
  for (let tick = 1; tick <= 5; tick++) giveAsked(node, node.timeout('transactions'), [...flood, ...good])
  assert.equal(node.replica.pool.size, good.length)
})

test('what comes behind a gap is paid for, for it may never be mined', () => {
  const node = fresh()
  const future = Array.from({ length: 100 }, (_, index) => transfer(1, index + 1))
  let asked = 0
  node.connect('p')
  for (let round = 0; round < 8; round++) {
    const dearer = future.map(({ nonce }) =>
      transfer(1, nonce, {
        maxFeePerGas: 10n ** 10n * 2n ** BigInt(round),
        maxPriorityFeePerGas: 10n ** 9n * 2n ** BigInt(round),
      }),
    )
    asked += giveAsked(node, node.receive('p', announce(...dearer)), dearer)
  }
  assert.equal(asked, CREDIT_MAX)
})

test('an honest peer may bring as many as it likes', () => {
  const node = new TestNode(smallGenesis(), { limits: {} }).start()
  let taken = 0
  for (let from = 1; from <= 9; from++) {
    const transactions = Array.from({ length: 100 }, (_, nonce) => transfer(from, nonce))
    node.connect('p')
    taken += giveAsked(node, node.receive('p', announce(...transactions)), transactions)
  }
  assert.equal(taken, 900)
  assert.equal(node.replica.pool.size, 900)
})

test('what waits is bounded, of one peer and of all', () => {
  const node = fresh()
  const ids = (first: number): TransactionId[] =>
    Array.from({ length: 256 }, (_, index) => `0x${(first + index).toString(16).padStart(64, '0')}` as const)
  const peers = Array.from({ length: 12 }, (_, index) => `p${index}`)
  node.connect(...peers)
  const most: number[] = []
  for (const [index, peer] of peers.entries()) {
    for (let batch = 0; batch < 20; batch++)
      node.receive(peer, { type: 'announce', ids: ids(index * 10_000 + batch * 256) })
    most.push(node.replica.relay.requests.waitingCount)
  }
  assert.equal(most[0], WAITING_MAX)
  assert.equal(most.at(-1), WAITING_ALL_MAX)
  for (const peer of peers) node.step({ type: 'peer-disconnected', peer })
  assert.equal(node.replica.relay.requests.waitingCount, 0)
})

test('ticks end when nothing waits and all is paid back', () => {
  const node = fresh()
  node.pull('p', transfer(1, 0), transfer(1_000, 0, { value: COIN }))
  const ticks = () => effectsOf(node.timeout('transactions'), 'set-timer').length
  let count = 0
  while (ticks() > 0) count += 1
  assert.ok(count < 50, `${count} ticks`)
})

// ---- honest peers with another pool than ours

/** How the relay of a node stands with a peer. */
const scoreAt = (node: TestNode, peer: PeerId): number => node.replica.relay.requests.scoreOf(peer)!
const sharedAt = (node: TestNode): number => node.replica.relay.requests.sharedCount

test('what our pool alone refuses costs its announcer budget and no score', () => {
  const small = { ...REPLICA_LIMITS.pool, senderTransactionsMax: 2, transactionsMax: 3 }
  const dear = { value: 90n * COIN }
  const refusals: { readonly [reason: string]: { here: Transaction[]; given: Transaction; mined?: true } } = {
    'tx-replacement-underpriced': { here: [transfer(1, 0)], given: transfer(1, 0, { value: 5n }) },
    'tx-nonce-too-high': { here: [], given: transfer(1, 2) },
    'tx-nonce-too-low': { here: [transfer(1, 0)], given: transfer(1, 0, { value: 5n }), mined: true },
    'tx-fee-below-base': { here: [], given: transfer(1, 0, { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }) },
    'tx-insufficient-funds': { here: [transfer(1, 0, dear)], given: transfer(1, 1, dear) },
    'tx-pool-full': { here: [1, 2, 3].map(from => transfer(from, 0)), given: transfer(4, 0) },
  }
  for (const [reason, { here, given, mined }] of Object.entries(refusals)) {
    const node = new TestNode(smallGenesis(), { limits: { pool: small } }).start()
    for (const tx of here) node.submit(tx.raw)
    const builder = new ChainBuilder(node.genesis)
    if (mined) node.feed([builder.mine(builder.root, { transactions: here })])
    const effects = effectsOf(node.pull('p', given), 'reject')
    assert.deepEqual(
      effects.map(effect => effect.reason),
      [reason],
    )
    assert.equal(scoreAt(node, 'p'), 0, reason)
    assert.equal(sharedAt(node), SHARED_MAX - 1, reason)
  }
})

test('what no pool would take costs its announcer score', () => {
  const node = fresh()
  node.pull('p', ...unfunded(3))
  assert.equal(scoreAt(node, 'p'), -3)
  node.pull('q', transfer(1, 0, { signed: false }))
  assert.equal(scoreAt(node, 'q'), -1)
})

test('one account that gives each node other transactions does not make honest nodes blame each other', () => {
  const network = new TestNetwork(smallGenesis())
  const ids = Array.from({ length: 8 }, (_, index) => `h${index}`)
  network.carries = (_, to) => to !== 'stranger'
  const nodes = network.add(...ids)
  for (const [index, id] of ids.entries()) for (const other of ids.slice(0, index)) network.connect(id, other)
  const submit = (id: PeerId, { raw }: Transaction): void =>
    network.input(id, { type: 'submit', raw, token: 't' })
  for (const [index, id] of ids.entries())
    for (let nonce = 0; nonce < 10; nonce++) submit(id, transfer(index + 2, nonce))
  network.run(3_000)
  const scores = () =>
    nodes.flatMap(node => ids.filter(id => id !== node.id).map(id => `${node.id} ${id} ${scoreAt(node, id)}`))
  const before = scores()
  for (const [index, node] of nodes.entries()) {
    const variants = Array.from({ length: 128 }, (_, nonce) =>
      transfer(1, nonce, { value: 1_000n + BigInt(index) }),
    )
    network.input(node.id, { type: 'peer-connected', peer: 'stranger' })
    const stranger = { type: 'message', from: 'stranger' } as const
    network.input(node.id, { ...stranger, message: announce(...variants) })
    for (const { to, message } of sentOf(network.done(node.id, 'send'), 'get-transactions')) {
      if (to !== 'stranger') continue
      const transactions = message.ids.map(id => variants.find(tx => tx.id === id)!)
      network.input(node.id, {
        ...stranger,
        message: { type: 'transactions', requestId: message.requestId, transactions },
      })
    }
    assert.equal(node.replica.pool.size, 80 + 128)
  }
  // Each is refused by all others, with signatures checked, and then the pool that strangers share fills again.
  network.run(10 * 500)
  assert.deepEqual(scores(), before)
  for (const node of nodes) assert.ok(sharedAt(node) > SHARED_MAX / 2, `${node.id}: ${sharedAt(node)}`)
  const next = transfer(9, 10)
  submit('h7', next)
  network.run(500)
  assert.ok(nodes.every(({ replica }) => replica.pool.get(next.id) !== undefined))
})

// ---- one chosen transaction that strangers try to keep from us

/** Ticks until the next announcer is asked. */
const TURN_TICKS = 2

/** Counts the ticks until an honest peer is asked for a transaction; `after` is what happens after each tick. */
function ticksUntilAsked(
  node: TestNode,
  { id }: Transaction,
  isHonest: (peer: PeerId) => boolean,
  options: { max: number; after?: (asked: readonly PeerId[], tick: number) => Effect[] },
): number {
  const askedOf = (effects: readonly Effect[]): PeerId[] =>
    sentOf(effects, 'get-transactions')
      .filter(({ message }) => message.ids.includes(id))
      .map(({ to }) => to)
  for (let tick = 1; tick <= options.max; tick++) {
    const asked = askedOf(node.timeout('transactions'))
    const later = askedOf(options.after?.(asked, tick) ?? [])
    if ([...asked, ...later].some(isHonest)) return tick
  }
  return Number.POSITIVE_INFINITY
}

/** A node whose honest peers have this score: of useful transactions, or of useless ones. */
function withHonest(score: number): { node: TestNode; honest: PeerId[] } {
  const node = fresh()
  const honest = ['h0', 'h1', 'h2']
  for (const [index, id] of honest.entries()) {
    node.connect(id)
    if (score < 0) node.pull(id, ...unfunded(-score, index * 100))
    if (score > 0) node.pull(id, ...Array.from({ length: score }, (_, nonce) => transfer(index + 1, nonce)))
    assert.equal(scoreAt(node, id), score)
  }
  return { node, honest }
}

test('strangers that come and go and withhold a transaction do not keep it from being asked of honest peers', () => {
  for (const score of [5, 0, -5, -40]) {
    const { node, honest } = withHonest(score)
    const tx = transfer(9, 0)
    let count = 0
    const live: PeerId[] = []
    const join = (): Effect[] => {
      const id = `s${count++}`
      live.push(id)
      return [...node.connect(id), ...node.receive(id, announce(tx))]
    }
    for (let first = 0; first < 5; first++) join()
    for (const id of honest) node.receive(id, announce(tx))
    const after = (asked: readonly PeerId[]): Effect[] => {
      // A new identity for each that is asked, and for each tick.
      const effects = ['tick', ...asked].flatMap(join)
      while (live.length > 5) effects.push(...node.step({ type: 'peer-disconnected', peer: live.shift()! }))
      return effects
    }
    const ticks = ticksUntilAsked(node, tx, id => honest.includes(id), { max: 200, after })
    assert.ok(ticks <= TURN_TICKS * (2 * 5 + 1), `score ${score}: ${ticks} ticks, ${count} identities`)
  }
})

test('strangers that announced a transaction first and withhold it hold it up for a turn where a useful peer has it', () => {
  const { node } = withHonest(5)
  const tx = transfer(9, 0)
  for (let index = 0; index < 40; index++) {
    node.connect(`s${index}`)
    node.receive(`s${index}`, announce(tx))
  }
  node.receive('h1', announce(tx))
  assert.equal(
    ticksUntilAsked(node, tx, id => id === 'h1', { max: 200 }),
    TURN_TICKS,
  )
})

test('neither useful peers nor validators that announce a transaction again and again keep it from others', t => {
  for (const isTrusted of [false, true]) {
    const node = fresh()
    t.mock.method(node.replica.finality, 'isValidator', (id: PeerId) => isTrusted && id.startsWith('liar'))
    const tx = transfer(9, 0)
    const liars = ['liar0', 'liar1', 'liar2']
    for (const [index, id] of liars.entries())
      node.pull(id, ...Array.from({ length: 100 }, (_, nonce) => transfer(index + 1, nonce)))
    for (const id of liars) node.receive(id, announce(tx))
    node.connect('honest')
    node.receive('honest', announce(tx))
    const after = (): Effect[] => liars.flatMap(id => node.receive(id, announce(tx)))
    const ticks = ticksUntilAsked(node, tx, id => id === 'honest', { max: 200, after })
    assert.ok(ticks <= TURN_TICKS * (2 * 3 + 1), `${ticks} ticks`)
  }
})

test('a late transaction is asked of a validator first, and then of its announcers in their order', t => {
  const node = fresh()
  t.mock.method(node.replica.finality, 'isValidator', (id: PeerId) => id === 'validator')
  const tx = transfer(9, 0)
  node.connect('first', 'a', 'b', 'useful', 'validator')
  node.pull('useful', transfer(1, 0))
  for (const id of ['first', 'b', 'a', 'useful', 'validator']) node.receive(id, announce(tx))
  const asked: PeerId[] = []
  for (let tick = 1; tick <= 8; tick++)
    for (const { to } of sentOf(node.timeout('transactions'), 'get-transactions')) asked.push(to)
  assert.deepEqual(asked, ['validator', 'b', 'useful', 'a'])
})

test('a peer that answers in parts and always leaves out the same does not keep it from being asked of the next', () => {
  const node = new TestNode(smallGenesis(), { limits: { gossipTransactionsMax: 2 } }).start()
  const tx = transfer(9, 0)
  const useful = Array.from({ length: 20 }, (_, nonce) => transfer(1, nonce))
  node.connect('cutter', 'honest')
  const first = node.receive('cutter', announce(useful[0]!, tx))
  // As many requests as may be under way at once, so that something always waits before what was left out.
  for (const start of [1, 3, 5]) node.receive('cutter', announce(useful[start]!, useful[start + 1]!))
  node.receive('honest', announce(tx))
  const isForIt = ({ message }: { message: { ids: readonly TransactionId[] } }) => message.ids.includes(tx.id)
  let request = sentOf(first, 'get-transactions').find(isForIt)!
  for (let round = 0; round < 8 && request.to === 'cutter'; round++) {
    const { requestId, ids } = request.message
    node.receive('cutter', announce(useful[10 + round]!))
    const transactions = useful.filter(({ id }) => ids.includes(id))
    const effects = node.receive('cutter', { type: 'transactions', requestId, transactions })
    request = sentOf(effects, 'get-transactions').find(isForIt) ?? request
  }
  assert.equal(request.to, 'honest')
})

test('strangers that announce much and answer nothing do not keep an honest peer without merits from being asked', () => {
  const node = fresh()
  const tx = transfer(9, 0)
  let [count, ids] = [0, 0]
  const live: PeerId[] = []
  const join = (): Effect[] => {
    const id = `s${count++}`
    live.push(id)
    const invented = Array.from({ length: 256 }, () => `0x${(++ids).toString(16).padStart(64, '0')}` as const)
    return [
      ...node.connect(id),
      ...node.receive(id, announce(tx)),
      ...node.receive(id, { type: 'announce', ids: invented }),
    ]
  }
  for (let index = 0; index < 40; index++) join()
  assert.equal(sharedAt(node), 0)
  node.connect('honest')
  node.receive('honest', announce(tx))
  const after = (_: readonly PeerId[], tick: number): Effect[] =>
    tick % 8 === 0
      ? live.splice(0, 40).flatMap(peer => [...node.step({ type: 'peer-disconnected', peer }), ...join()])
      : []
  const ticks = ticksUntilAsked(node, tx, id => id === 'honest', { max: 400, after })
  assert.ok(ticks <= TURN_TICKS * (2 * 40 + 1), `${ticks} ticks`)
})

test('a late transaction waits for its turn, whichever peer announces it meanwhile', () => {
  const node = fresh()
  const [tx, ...own] = [transfer(9, 0), ...[0, 1, 2, 3].map(nonce => transfer(1, nonce))]
  node.connect('slow', 'honest')
  node.receive('slow', announce(tx))
  const [request] = own.flatMap(one => sentOf(node.receive('honest', announce(one)), 'get-transactions'))
  node.receive('honest', announce(tx))
  // As much is asked of it as may be under way, so no peer can be asked for what is late.
  for (let tick = 0; tick < TURN_TICKS; tick++) assert.deepEqual(askedIn(node.timeout('transactions')), [])
  node.connect('new')
  assert.deepEqual(askedIn(node.receive('new', announce(tx))), [])
  const { requestId } = request!.message
  node.receive('honest', { type: 'transactions', requestId, transactions: [own[0]!] })
  assert.deepEqual(askedIn(node.timeout('transactions')), [`honest ${tx.id}`])
})

test('new identities do not go before a peer that was asked before them', () => {
  const node = fresh()
  const tx = transfer(9, 0)
  node.pull('honest', transfer(1, 0))
  node.pull('honest', ...unfunded(1))
  assert.equal(scoreAt(node, 'honest'), 0)
  const flood = unfunded(4_000, 1)
  const join = (first: number, count: number, each: number): void => {
    for (let index = first; index < first + count; index++) {
      node.connect(`s${index}`)
      node.receive(`s${index}`, announce(...flood.slice(index * each, index * each + each)))
    }
  }
  join(0, 40, 100)
  assert.equal(sharedAt(node), 0)
  assert.deepEqual(askedIn(node.receive('honest', announce(tx))), [])
  join(3_900, SHARED_PER_TICK, 1)
  assert.ok(askedIn(node.timeout('transactions')).includes(`honest ${tx.id}`))
})
