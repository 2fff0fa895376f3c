import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCertificate } from '../../src/consensus/pbft/certificate-record.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import type { Message, Status } from '../../src/replica/messages.ts'
import { KEYS } from '../../src/replica/records.ts'
import { ANSWER_TICKS } from '../../src/replica/sync-requests.ts'
import { verdictOn } from '../../src/replica/verdict.ts'
import { addressNumber } from '../chain/examples.ts'
import { decodeEnvelope } from '../finality/pbft-envelope.ts'
import { blocksOf, ChainBuilder, idsOf, START_MS, tipOf, transfer } from './small-chain.ts'
import { effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

const LATER_MS = START_MS + 10_000_000

/** A network with four validators, a node of it, and blocks for it. */
function world(mode: 'hybrid' | 'pbft', id: PeerId = 'node') {
  const network = new ValidatedNetwork(mode, 4)
  const identity = network.identityOf(id)
  const node = new TestNode(network.genesis, { id, nowMs: LATER_MS, identity }).start()
  if (identity.secretKey !== null) network.answer(node)
  const builder = new ChainBuilder(network.genesis)
  const branch = (name: number, count: number, from = builder.root, transactions = [transfer(1, 0)]) =>
    builder.extend(from, count, step => ({ extra: name, transactions: step === 1 ? transactions : [] }))
  return { network, node, builder, branch }
}

/** The heads that were moved to and the blocks that became final, in order. */
const moves = (effects: readonly Effect[]): string[] =>
  effects.flatMap(effect => {
    if (effect.type === 'head') return [`head ${effect.height} after ${effect.reorganised}`]
    return effect.type === 'final' ? [`final ${effect.height}`] : []
  })

const refusals = (effects: readonly Effect[]): string[] =>
  effectsOf(effects, 'reject').map(({ from, reason }) => `${from} ${reason} ${verdictOn(reason)}`)

const reportOf = (node: TestNode) => {
  const report = node.replica.finality.report(node.nowMs)
  assert.ok(report !== null)
  return report
}

const finalOf = (node: TestNode): string => node.replica.tree.base.chained.id

/** What is said of finality, by its first word. */
const words = (node: TestNode, effects: readonly Effect[]): string[] =>
  effects.flatMap(effect => {
    if (effect.type !== 'broadcast' && effect.type !== 'send') return []
    const { message } = effect
    return message.type === 'finality' ? [node.replica.finality.describe(message.body).split(' ')[0]!] : []
  })

// ---- hybrid: what is final overrides work

//     0 ── a1 ── a2 ── a3      head, a1 holds a transaction
//      └── b1                  certified
test('a certificate for a lighter branch moves the head to it, its transactions wait again, mining goes on there (B-H2)', () => {
  const { network, node, branch } = world('hybrid')
  const tx = transfer(1, 0)
  const a = branch(1, 3, undefined, [tx])
  const [b1] = branch(2, 1, undefined, [])
  node.feed([...a, b1!])
  node.startMining()
  assert.equal(node.template?.header.previous, tipOf(a).chained.id)
  const effects = node.receive('p', network.proof(b1!.chained.id))
  assert.deepEqual(moves(effects), ['head 1 after 3', 'final 1'])
  assert.equal(node.headId, b1!.chained.id)
  assert.equal(finalOf(node), b1!.chained.id)
  assert.ok(node.replica.pool.get(tx.id) !== undefined)
  assert.equal(node.inclusions(tx.id), 0)
  assert.equal(node.template?.header.previous, b1!.chained.id)
  node.finishMining()
  assert.equal(node.inclusions(tx.id), 1, 'the next block holds it')
})

test('after a certificate the heaviest branch above it is followed', () => {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 4)
  const [b1, b2, b3] = branch(2, 3)
  const c = branch(3, 1, b1, [])
  node.feed([...a, b1!, ...c, b2!, b3!])
  const effects = node.receive('p', network.proof(b1!.chained.id))
  assert.deepEqual(moves(effects), ['head 3 after 4', 'final 1'])
  assert.equal(node.headId, b3!.chained.id)
  assert.equal(node.replica.tree.size, 4, 'the branches without it are gone, those above it are not')
})

//     0 ── a1 ── … ── a5 (final) ── a6     head
//      └── b1 ── … ── b50                  heavier
test('50 heavier blocks on a branch that leaves below the last final block are not followed, and no peer is punished (B-H1)', () => {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 6)
  const b = branch(2, 50)
  node.feed(a)
  node.receive('p', network.proof(a[4]!.chained.id))
  node.connect('q')
  const effects: Effect[] = []
  for (const { block } of b) {
    const now = node.receive('q', { type: 'block', block })
    effects.push(...now)
    for (const { message } of sentOf(now, 'get-headers')) {
      const headers = b.map(entry => entry.chained.header)
      effects.push(...node.receive('q', { type: 'headers', requestId: message.requestId, headers }))
    }
  }
  assert.deepEqual([...new Set(refusals(effects))], ['q block-below-final ignore'])
  assert.match(effectsOf(effects, 'alarm')[0]?.text ?? '', /leaves ours below the last final block/)
  assert.deepEqual(moves(effects), [])
  assert.deepEqual(sentOf(effects, 'get-blocks'), [], 'no body is fetched')
  assert.equal(node.headId, tipOf(a).chained.id)
  assert.equal(node.replica.tree.size, 2)
})

test('a branch that left below the last final block is dropped from memory and disk', () => {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 3)
  const b = branch(2, 2)
  node.feed([...a, ...b])
  node.receive('p', network.proof(a[1]!.chained.id))
  for (const { chained } of b) {
    assert.equal(node.replica.tree.has(chained.id), false)
    assert.equal(node.disk.get(KEYS.block(chained.id)), null)
  }
  assert.equal(node.replica.tree.size, 2)
})

test('certificate, fold and base are one batch, before anything is said', () => {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 3)
  node.feed(a)
  node.connect('x')
  const effects = node.receive('p', network.proof(a[2]!.chained.id))
  // test-node.ts asserts that a step persists once, and first.
  const [persist] = effectsOf(effects, 'persist')
  const keys = new Set(persist!.writes.map(({ key }) => key))
  for (const key of [
    KEYS.base,
    KEYS.decision(1),
    KEYS.certificate(3),
    KEYS.certificate(1),
    KEYS.final(3),
    KEYS.account(addressNumber(1)),
    KEYS.transaction(transfer(1, 0).id),
  ])
    assert.ok(keys.has(key), key)
  assert.deepEqual(words(node, effects), ['proof'], 'the follower is told')
})

test('certificates are served by height, also for the blocks before the certified one, and by sequence number', () => {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 6)
  node.feed(a)
  const [first, second] = [network.certificate(a[2]!.chained.id, 1), network.certificate(a[4]!.chained.id, 2)]
  for (const certificate of [first, second]) node.receive('p', network.word({ type: 'proof', certificate }))
  for (const { replica } of [node, node.restarted()]) {
    const heights = [1, 2, 3, 4, 5].map(height => replica.view.certificateAt(height))
    assert.deepEqual(
      heights.map(found => found?.height),
      [3, 3, 3, 5, 5],
    )
    assert.deepEqual(heights[0]!.bytes, encodeCertificate(first))
    assert.deepEqual(heights[4]!.bytes, encodeCertificate(second))
    assert.deepEqual(replica.view.certificateAt(6), null, 'not final yet')
    assert.deepEqual(replica.view.certificateAt(0), null, 'the genesis block needs none')
    assert.deepEqual(replica.view.certificateOf(1), encodeCertificate(first))
    assert.deepEqual(replica.view.certificateOf(2), encodeCertificate(second))
    assert.deepEqual(replica.view.certificateOf(3), null)
  }
})

test('a restart resumes with the same final block, the same sequence number and the same head', () => {
  for (const id of ['node', 'v0']) {
    const { network, node, branch } = world('hybrid', id)
    const a = branch(1, 5)
    node.feed(a)
    node.receive('p', network.proof(a[2]!.chained.id))
    const again = node.restarted()
    assert.equal(finalOf(again), a[2]!.chained.id)
    assert.equal(again.headId, a[4]!.chained.id)
    if (id === 'v0') network.answer(again, 1)
    assert.deepEqual([reportOf(again).sequence, reportOf(again).muted], [1, null])
    assert.deepEqual(moves(again.receive('p', network.proof(a[3]!.chained.id, 2))), ['final 4'])
  }
})

// ---- what is wanted is fetched

/** The node follows branch a of five; b, which is lighter, is certified up to b2. */
function wanting() {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 5)
  const b = branch(2, 4)
  node.feed(a)
  node.connect('p', 'q')
  const effects = node.receive('p', network.proof(b[1]!.chained.id))
  return { node, a, b, effects }
}

/** Answers the one request of this kind as a peer that has these blocks does. */
function answer(node: TestNode, effects: readonly Effect[], entries: readonly TreeBlock[]): Effect[] {
  return effects.flatMap(effect => {
    if (effect.type !== 'send') return []
    const { to, message } = effect
    if (message.type === 'get-headers') {
      const headers = entries.map(entry => entry.chained.header)
      return node.receive(to, { type: 'headers', requestId: message.requestId, headers })
    }
    if (message.type !== 'get-blocks') return []
    const found = entries.filter(entry => message.ids.includes(entry.chained.id))
    return node.receive(to, { type: 'blocks', requestId: message.requestId, blocks: blocksOf(found) })
  })
}

/** The time of all open requests is over. */
function ticks(node: TestNode): Effect[] {
  return Array.from({ length: ANSWER_TICKS }, () => node.timeout('sync')).flat()
}

/** What a peer says that claims to follow so much work. */
function claim(network: ValidatedNetwork, work: bigint): Status {
  const { block, blocks } = network.genesis
  return { genesisId: block.id, chainId: blocks.chainId, headId: block.id, height: 9, work }
}

test('a certified block on a lighter branch is fetched with what is before it, and nothing above it', () => {
  const { node, b, effects } = wanting()
  const asked = (now: readonly Effect[]) =>
    effectsOf(now, 'send').map(({ to, message }) => `${to} ${message.type}`)
  assert.deepEqual(asked(effects), ['p get-blocks'])
  const headers = answer(node, effects, b)
  assert.deepEqual(asked(headers), ['p get-headers'])
  const bodies = answer(node, headers, b)
  assert.deepEqual(
    sentOf(bodies, 'get-blocks').map(({ message }) => message.ids),
    [idsOf(b.slice(0, 2))],
  )
  const done = answer(node, bodies, b)
  assert.deepEqual(moves(done), ['head 2 after 5', 'final 2'])
  assert.equal(node.replica.tree.has(b[2]!.chained.id), false)
})

test('a certified block further on in its branch than headers are kept is fetched part by part', () => {
  const network = new ValidatedNetwork('hybrid', 4)
  const limits = { branchHeadersMax: 2, sideBlocksMax: 1 }
  const node = new TestNode(network.genesis, { nowMs: LATER_MS, limits }).start()
  const builder = new ChainBuilder(network.genesis)
  node.feed(builder.extend(builder.root, 9))
  const b = builder.extend(builder.root, 7, () => ({ extra: 2 }))
  node.connect('p')
  let effects = node.receive('p', network.proof(b[4]!.chained.id))
  const all: Effect[] = []
  while (effects.length > 0) {
    all.push(...effects)
    effects = answer(node, effects, b)
  }
  assert.deepEqual(refusals(all), [])
  assert.deepEqual(moves(all), ['head 5 after 9', 'final 5'])
  assert.deepEqual(
    sentOf(all, 'get-blocks').map(({ message }) => message.ids.length),
    [1, 2, 2],
    'the block itself is kept until those before it are here',
  )
})

test('a certified block that is wanted again with every block before it is fetched once, and no peer is refused', () => {
  const network = new ValidatedNetwork('hybrid', 4)
  const node = new TestNode(network.genesis, { nowMs: LATER_MS, limits: { bodiesMax: 2 } }).start()
  const builder = new ChainBuilder(network.genesis)
  node.feed(builder.extend(builder.root, 9))
  const b = builder.extend(builder.root, 6, () => ({ extra: 2 }))
  node.connect('p')
  let effects = node.receive('p', network.proof(b[5]!.chained.id))
  const all: Effect[] = []
  while (effects.length > 0) {
    all.push(...effects)
    effects = answer(node, effects, b)
  }
  assert.deepEqual(refusals(all), [])
  assert.deepEqual(moves(all), ['head 6 after 9', 'final 6'])
  assert.equal(sentOf(all, 'get-headers').length, 1)
})

test('a wanted block whose parent is here is fetched alone', () => {
  const { node, b, effects } = wanting()
  node.feed(b.slice(0, 1))
  assert.deepEqual(moves(answer(node, effects, b)), ['head 2 after 5', 'final 2'])
})

test('a block that is wanted further on does not take the place of the one that is wanted first', () => {
  const { network, node, branch } = world('hybrid')
  const b = branch(2, 3)
  node.connect('p')
  const effects = node.receive('p', network.proof(b[0]!.chained.id, 1))
  assert.deepEqual(sentOf(node.receive('p', network.proof(b[2]!.chained.id, 9)), 'get-blocks'), [])
  const one = answer(node, effects, b)
  assert.deepEqual(moves(one), ['head 1 after 0', 'final 1'])
  assert.deepEqual(
    sentOf(one, 'get-blocks').map(({ message }) => message.ids),
    [[b[2]!.chained.id]],
  )
})

test('a block that is wanted is still fetched when headers come that were asked for before', () => {
  const { network, node, branch } = world('hybrid')
  node.connect('p')
  const b = branch(2, 1)
  const asked = node.receive('p', { type: 'status', status: claim(network, 10n ** 9n) })
  const effects = node.receive('p', network.proof(b[0]!.chained.id, 1))
  assert.deepEqual(sentOf(asked, 'get-headers').length, 1)
  answer(node, asked, [])
  assert.deepEqual(moves(answer(node, effects, b)), ['head 1 after 0', 'final 1'])
})

test('a wanted block that a download brings is left to it, and not asked for again and again', () => {
  const { network, node, branch } = world('hybrid')
  const a = branch(1, 24)
  node.connect('p', 'q')
  const status = claim(network, 10n ** 9n)
  const asked = node.receive('p', { type: 'status', status })
  node.receive('q', { type: 'status', status })
  let effects = answer(node, asked, a)
  node.receive('q', network.proof(a[20]!.chained.id))
  let requests = 0
  // The peer that gave the headers gives no body, so that nothing can be connected yet.
  for (let round = 0; round < 10; round++) {
    const toOther = effects.filter(effect => effect.type === 'send' && effect.to === 'q')
    requests += sentOf(toOther, 'get-blocks').length
    effects = answer(node, toOther, a)
  }
  assert.equal(requests, 1)
})

test('a wanted block that comes by gossip meanwhile is not asked for again', () => {
  const { node, b } = wanting()
  assert.deepEqual(moves(node.feed(b.slice(0, 2))), ['head 2 after 5', 'final 2'])
  assert.deepEqual(
    sentOf([...ticks(node), ...node.timeout('finality/protocol/retransmit')], 'get-blocks'),
    [],
  )
})

test('a wanted block that its peer does not give is asked of another: at once, or after a tick of silence', () => {
  for (const isSilent of [true, false]) {
    const { node, b, effects } = wanting()
    let found = isSilent ? node.timeout('sync') : answer(node, effects, [])
    const all: Effect[] = []
    while (found.length > 0) {
      all.push(...found)
      found = answer(node, found, b)
    }
    const asked = new Set([...sentOf(all, 'get-blocks'), ...sentOf(all, 'get-headers')].map(({ to }) => to))
    assert.deepEqual([...asked], ['q'], isSilent ? 'silent' : 'empty')
    assert.deepEqual(refusals(all), [])
    assert.deepEqual(moves(all), ['head 2 after 5', 'final 2'])
  }
})

test('a peer that gives headers without end before those that are wanted is late, and another is asked as well', () => {
  const network = new ValidatedNetwork('hybrid', 4)
  const node = new TestNode(network.genesis, { nowMs: LATER_MS, limits: { headersMax: 2 } }).start()
  const builder = new ChainBuilder(network.genesis)
  node.feed(builder.extend(builder.root, 12))
  const b = builder.extend(builder.root, 9, () => ({ extra: 2 }))
  node.connect('p', 'q')
  let effects = answer(node, node.receive('p', network.proof(tipOf(b).chained.id)), b)
  const asked = [sentOf(effects, 'get-headers')]
  for (const some of [b.slice(0, 2), b.slice(2, 4)]) {
    const ticked = node.timeout('sync')
    effects = answer(node, effects, some)
    asked.push(sentOf(ticked, 'get-headers'), sentOf(effects, 'get-headers'))
  }
  assert.deepEqual(
    asked.map(requests => requests.map(({ to }) => to)),
    [['p'], [], ['p'], ['q'], ['p']],
  )
})

// ---- blocks that come with a message

test('a block that comes with a proposal is taken in when it is wanted, and voted for when it is buried', () => {
  const { network, node, branch } = world('hybrid', 'v0')
  node.connect('p')
  const [block, above] = branch(1, 2) as [TreeBlock, TreeBlock]
  const other = branch(2, 1)[0]!
  const proposal = network.word(network.proposal(block.chained.id))
  assert.deepEqual(words(node, node.receive('p', { ...proposal, block: other.block })), [])
  assert.equal(node.replica.tree.size, 1, 'another block than the one of the proposal')
  const early = node.receive('p', { ...proposal, block: block.block })
  assert.equal(node.headId, block.chained.id)
  assert.deepEqual(words(node, early), [], 'nothing is on it yet')
  const effects = node.receive('p', { type: 'block', block: above.block })
  assert.ok(words(node, effects).includes('prepare'))
  const late = network.word(network.proposal(block.chained.id, 99))
  node.receive('p', { ...late, block: other.block })
  assert.equal(node.replica.tree.has(other.chained.id), false)
})

test('a false block that comes with a proposal is blamed on its sender', () => {
  const { network, node, builder } = world('hybrid', 'v0')
  node.connect('p')
  const bad = builder.mine(builder.root, { spoil: claim => ({ ...claim, gasUsed: 1n }) })
  const proposal = network.word(network.proposal(bad.chained.id))
  const effects = node.receive('p', { ...proposal, block: bad.block })
  assert.deepEqual(refusals(effects), ['p block-gas-used-wrong punish'])
  assert.equal(node.replica.tree.size, 1)
})

test('what is no message of the finality layer is the peer’s fault', () => {
  const { node } = world('hybrid')
  const message: Message = { type: 'finality', body: Uint8Array.of(1, 2), block: null }
  assert.deepEqual(refusals(node.receive('p', message)), ['p finality-refused punish'])
})

// ---- pbft

test('blocks that are gossiped are ignored where only certificates count', () => {
  const { node, branch } = world('pbft')
  const [block] = branch(1, 1)
  const effects = node.receive('p', { type: 'block', block: block!.block })
  assert.deepEqual(refusals(effects), ['p block-uncertified ignore'])
  assert.equal(node.replica.tree.size, 1)
})

test('where only certificates count no peer is followed for what it claims', () => {
  const { network, node } = world('pbft')
  node.connect('p')
  assert.deepEqual(node.receive('p', { type: 'status', status: claim(network, 99n) }), [])
})

test('where there is no work no node is told to mine, and a block’s maker is its validator', () => {
  const network = new ValidatedNetwork('pbft', 1)
  const identity = network.identityOf('v0')
  const node = new TestNode(network.genesis, { nowMs: LATER_MS, identity }).start()
  node.submit(transfer(1, 0).raw)
  const { validators } = reportOf(node)
  assert.equal(node.replica.tree.head.block.coinbase.beneficiary, validators[0]!.address)
  assert.deepEqual(effectsOf(node.startMining(), 'mine'), [])
  node.nowMs += 1_000
  node.submit(transfer(1, 1).raw)
  assert.equal(
    node.replica.tree.head.block.coinbase.beneficiary,
    addressNumber(0x500),
    'the account that it mines for',
  )
})

test('a validator alone makes a transfer final at once, and nothing more until the next', () => {
  const network = new ValidatedNetwork('pbft', 1)
  const identity = network.identityOf('v0')
  const node = new TestNode(network.genesis, { nowMs: LATER_MS, identity }).start()
  const effects = node.submit(transfer(1, 0).raw)
  assert.deepEqual(moves(effects), ['head 1 after 0', 'final 1'])
  const next = node.submit(transfer(1, 1).raw)
  assert.deepEqual(moves(next), [], 'not before the interval is over')
  const timers = effectsOf([...effects, ...next], 'set-timer')
  assert.equal(timers.findLast(({ name }) => name === 'finality/pace')?.delayMs, 250)
  node.nowMs += 250
  assert.deepEqual(moves(node.timeout('finality/pace')), ['head 2 after 0', 'final 2'])
  node.nowMs += 60_000
  assert.deepEqual(
    moves([...node.timeout('finality/pace'), ...node.timeout('finality/protocol/retransmit')]),
    [],
  )
  const later = node.restarted()
  assert.deepEqual([finalOf(later), reportOf(later).sequence], [finalOf(node), 2])
  assert.deepEqual(moves(later.submit(transfer(1, 2).raw)), ['head 3 after 0', 'final 3'])
})

test('a validator whose vote records are gone from its disk, and whose chain is not, does not vote and says so', () => {
  const network = new ValidatedNetwork('pbft', 1)
  const identity = network.identityOf('v0')
  const node = new TestNode(network.genesis, { nowMs: LATER_MS, identity }).start()
  node.submit(transfer(1, 0).raw)
  const writes = [...node.disk.entries(KEYS.finality)].map(([key]) => ({ key, value: null }))
  assert.ok(writes.length > 0)
  node.disk.write(writes)
  node.disk.sync()
  const again = new TestNode(network.genesis, { nowMs: LATER_MS + 9_000, disk: node.disk, identity })
  const effects = again.step({ type: 'start' })
  assert.match(effectsOf(effects, 'alarm')[0]?.text ?? '', /does not vote/)
  assert.deepEqual(moves(again.submit(transfer(1, 1).raw)), [])
  assert.notEqual(reportOf(again).muted, null)
})

// ---- several

/** Four validators and a follower, each joined to each, where only certificates count. */
function committee(mode: 'hybrid' | 'pbft', settings: Record<string, unknown> = {}) {
  const network = new ValidatedNetwork(mode, 4, settings)
  const wires = new TestNetwork(network.genesis, START_MS, { identityOf: id => network.identityOf(id) })
  const ids = ['v0', 'v1', 'v2', 'v3', 'follower']
  wires.add(...ids)
  for (const [index, a] of ids.entries()) for (const b of ids.slice(index + 1)) wires.connect(a, b)
  wires.run(100)
  const all = () => ids.map(id => wires.nodes.get(id)!)
  return { wires, ids, all }
}

const agree = (nodes: readonly TestNode[]): number => {
  assert.equal(new Set(nodes.map(finalOf)).size, 1, 'one final block')
  assert.equal(new Set(nodes.map(node => node.replica.tree.base.execution.state.root())).size, 1)
  return nodes[0]!.replica.tree.base.chained.height
}

for (const pattern of ['all-to-all', 'leader-collected']) {
  test(`pbft, ${pattern}: a transfer that is submitted anywhere is final everywhere, once`, () => {
    const { wires, all } = committee('pbft', { pattern })
    for (let nonce = 0; nonce < 4; nonce++) {
      wires.input('follower', { type: 'submit', raw: transfer(1, nonce).raw, token: 't' })
      wires.run(1_000)
    }
    assert.equal(agree(all()), 4)
    for (const node of all()) {
      for (let nonce = 0; nonce < 4; nonce++) assert.equal(node.inclusions(transfer(1, nonce).id), 1)
      assert.equal(reportOf(node).view, 0)
      assert.equal(node.replica.pool.size, 0)
    }
    assert.deepEqual(
      wires.log.filter(
        ({ effect }) =>
          effect.type === 'alarm' || (effect.type === 'reject' && verdictOn(effect.reason) === 'punish'),
      ),
      [],
    )
  })

  test(`pbft, ${pattern}: a validator that was cut off fetches what it missed by itself`, () => {
    const { wires, ids, all } = committee('pbft', { pattern })
    for (const id of ids) if (id !== 'v2') wires.disconnect('v2', id)
    for (let nonce = 0; nonce < 20; nonce++) {
      wires.input('v0', { type: 'submit', raw: transfer(1, nonce).raw, token: 't' })
      wires.run(3_000)
    }
    const others = all().filter(({ id }) => id !== 'v2')
    assert.ok(agree(others) >= 10)
    assert.equal(wires.nodes.get('v2')!.replica.tree.base.chained.height, 0)
    for (const id of ids) if (id !== 'v2') wires.connect('v2', id)
    wires.run(20_000)
    agree(all())
    wires.input('v0', { type: 'submit', raw: transfer(2, 0).raw, token: 't' })
    wires.run(10_000)
    agree(all())
    for (const node of all()) assert.equal(node.inclusions(transfer(2, 0).id), 1)
  })
}

test('hybrid: whatever forks there are, finality follows the mined chain and all agree', () => {
  const { wires, ids, all } = committee('hybrid')
  for (let round = 0; round < 12; round++) {
    // Two find a block at the same time.
    for (const id of [ids[round % 4]!, ids[(round + 1) % 4]!]) wires.mine(id)
    wires.run(2_000)
  }
  assert.ok(agree(all()) >= 8)
  assert.equal(new Set(all().map(({ headId }) => headId)).size, 1)
})

test('hybrid: two halves each mine their own, and the half that can not decide comes over', () => {
  const { wires, ids, all } = committee('hybrid')
  const [few, many] = [['v3'], ['v0', 'v1', 'v2', 'follower']]
  for (const a of few) for (const b of many) wires.disconnect(a, b)
  const tx = transfer(1, 0)
  wires.input('v3', { type: 'submit', raw: tx.raw, token: 't' })
  for (let round = 0; round < 8; round++) {
    wires.mine('v3')
    wires.mine('v3')
    wires.mine(many[round % 3]!)
    wires.run(2_000)
  }
  const lone = wires.nodes.get('v3')!
  assert.equal(lone.replica.tree.base.chained.height, 0, 'one of four decides nothing')
  assert.ok(lone.replica.tree.head.chained.work > wires.nodes.get('v0')!.replica.tree.head.chained.work)
  for (const a of few) for (const b of many) wires.connect(a, b)
  wires.run(20_000)
  assert.ok(agree(all()) >= 5)
  assert.equal(lone.headId, wires.nodes.get('v0')!.headId, 'what is final overrides work')
  assert.ok(
    all().every(node => node.replica.pool.get(tx.id) !== undefined),
    'its transaction waits again',
  )
  assert.equal(ids.length, 5)
})

test('what the validators say carries the time of their clock', () => {
  const { node } = world('hybrid', 'v0')
  node.connect('p')
  const [broadcast] = effectsOf(node.timeout('finality/protocol/retransmit'), 'broadcast')
  assert.ok(broadcast?.message.type === 'finality')
  assert.equal(decodeEnvelope(broadcast.message.body)?.clockMs, LATER_MS)
})
