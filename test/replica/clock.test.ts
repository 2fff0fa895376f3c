// A node whose clock is behind: what is decided it follows all the same, what is mined it follows when its clock is right
// again, and it says that its clock looks wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClockWatch } from '../../src/replica/clock-watch.ts'
import type { Effect } from '../../src/replica/effects.ts'
import type { Message } from '../../src/replica/messages.ts'
import { ChainBuilder, idsOf, tipOf, transfer } from './small-chain.ts'
import { effectsOf, sentOf, TestNetwork, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

const HOUR_SECONDS = 3_600
const LIMIT_SECONDS = 15
/** Words about our head in ten minutes. */
const STATUSES = 120

type Run = ReturnType<ChainBuilder['extend']>

/** Answers what is asked of `p`, which has these blocks, until nothing is asked any more. */
function answered(node: TestNode, effects: readonly Effect[], run: Run): Effect[] {
  const all: Effect[] = []
  const left = [...effects]
  for (let effect = left.shift(); effect !== undefined; effect = left.shift()) {
    all.push(effect)
    if (effect.type !== 'send' || effect.to !== 'p') continue
    const { message } = effect
    if (message.type === 'get-headers') {
      const known = run.findLastIndex(entry => message.locator.includes(entry.chained.id))
      const headers = run.slice(known + 1).map(entry => entry.chained.header)
      left.push(...node.receive('p', { type: 'headers', requestId: message.requestId, headers }))
    } else if (message.type === 'get-blocks') {
      const blocks = run.filter(entry => message.ids.includes(entry.chained.id)).map(entry => entry.block)
      left.push(...node.receive('p', { type: 'blocks', requestId: message.requestId, blocks }))
    }
  }
  return all
}

/** The right time when the last of these blocks is made, in milliseconds. */
const timeOf = (run: Run): number => tipOf(run).chained.header.time * 1000

// ---- what is decided

for (const mode of ['pbft', 'hybrid'] as const) {
  test(`${mode}: a node whose clock is an hour behind follows what is decided, and nothing beyond it`, () => {
    const network = new ValidatedNetwork(mode, 4)
    const builder = new ChainBuilder(network.genesis)
    const run = builder.extend(builder.root, 6, step => ({ transactions: [transfer(1, step - 1)] }))
    const nowMs = timeOf(run) - HOUR_SECONDS * 1000
    const node = new TestNode(network.genesis, { nowMs }).start()
    node.connect('p')
    const effects = answered(node, node.receive('p', network.proof(run[3]!.chained.id)), run)
    assert.equal(node.headId, run[3]!.chained.id)
    assert.deepEqual(
      effectsOf(effects, 'final').map(({ height }) => height),
      [4],
    )
    assert.deepEqual(effectsOf(effects, 'reject'), [])
  })
}

test('pbft: a validator whose clock was an hour behind votes for what is proposed as soon as it has what is decided', () => {
  const network = new ValidatedNetwork('pbft', 4)
  const builder = new ChainBuilder(network.genesis)
  const run = builder.extend(builder.root, 2, step => ({ transactions: [transfer(1, step - 1)] }))
  const nowMs = timeOf(run) - HOUR_SECONDS * 1000
  const node = new TestNode(network.genesis, { id: 'v0', nowMs, identity: network.identityOf('v0') }).start()
  network.answer(node)
  node.connect('p')
  answered(node, node.receive('p', network.proof(run[0]!.chained.id)), run)
  const proposal: Message = {
    ...(network.word(network.proposal(run[1]!.chained.id, 2)) as Extract<Message, { type: 'finality' }>),
    block: run[1]!.block,
  }
  const effects = node.receive('p', proposal)
  const said = effectsOf(effects, 'broadcast').flatMap(({ message }) =>
    message.type === 'finality' ? [node.replica.finality.describe(message.body)] : [],
  )
  assert.match(said.join(), /^prepare/)
})

const SECONDS = 6
const VALIDATORS = ['v0', 'v1', 'v2', 'v3']

/** Four validators that are given five transfers a second, the clock of v2 off by so much from the start. */
function fourValidators(offsetMs: number): TestNetwork {
  const network = new ValidatedNetwork('pbft', 4)
  const net = new TestNetwork(network.genesis, undefined, { identityOf: peer => network.identityOf(peer) })
  net.clockOffsetsMs.set('v2', offsetMs)
  net.add(...VALIDATORS)
  for (const [index, a] of VALIDATORS.entries())
    for (const b of VALIDATORS.slice(index + 1)) net.connect(a, b)
  let count = 0
  const submit = (): void => {
    const { raw } = transfer(1 + (count % 9), Math.floor(count / 9))
    net.input('v1', { type: 'submit', raw, token: `${count++}` })
    net.schedule.after(200, submit)
  }
  net.schedule.after(100, submit)
  net.run(SECONDS * 1_000)
  return net
}

const finalHeight = (net: TestNetwork, id: string): number =>
  net.nodes.get(id)!.replica.tree.base.chained.height

test('pbft: a validator whose clock is an hour behind does not slow the others down, and keeps up with them', () => {
  const [right, behind] = [fourValidators(0), fourValidators(-HOUR_SECONDS * 1000)]
  const [all, some] = [right, behind].map(net => finalHeight(net, 'v1'))
  assert.ok(some! >= 0.8 * all!, `${some} blocks, and ${all} where all clocks are right`)
  assert.ok(finalHeight(behind, 'v2') >= some! - 1)
})

test('pbft: a validator whose clock was an hour off, either way, keeps up with the others as soon as it is set', () => {
  for (const offsetMs of [-HOUR_SECONDS * 1000, HOUR_SECONDS * 1000]) {
    const net = fourValidators(offsetMs)
    net.clockOffsetsMs.delete('v2')
    const before = finalHeight(net, 'v1')
    net.run(SECONDS * 1_000)
    assert.ok(finalHeight(net, 'v1') > before)
    assert.ok(finalHeight(net, 'v2') >= finalHeight(net, 'v1') - 1)
  }
})

test('hybrid: a block that is only proposed is not followed before its time has come', () => {
  const network = new ValidatedNetwork('hybrid', 4)
  const builder = new ChainBuilder(network.genesis)
  const run = builder.extend(builder.root, 1)
  const nowMs = timeOf(run) - HOUR_SECONDS * 1000
  const node = new TestNode(network.genesis, { id: 'v0', nowMs, identity: network.identityOf('v0') }).start()
  network.answer(node)
  node.connect('p')
  answered(node, node.receive('p', network.word(network.proposal(run[0]!.chained.id))), run)
  assert.equal(node.height, 0)
})

// ---- what is mined

const builder = new ChainBuilder()
const main = builder.extend(builder.root, 10)

function claim(): Message {
  const { block, blocks } = builder.genesis
  const { id: headId, height, work } = tipOf(main).chained
  return { type: 'status', status: { genesisId: block.id, chainId: blocks.chainId, headId, height, work } }
}

/** Connects a peer that the node chose, unless another origin is given. */
function connectFrom(node: TestNode, peer: string, origin = { isOutbound: true, group: peer }): void {
  node.step({ type: 'peer-connected', peer, origin })
}

/** A node whose clock is an hour behind, and that was given the headers of a peer that it chose. */
function behind(): TestNode {
  const node = new TestNode(builder.genesis, { nowMs: timeOf(main) - HOUR_SECONDS * 1000 }).start()
  connectFrom(node, 'p')
  answered(node, node.receive('p', claim()), main)
  return node
}

test('headers that are too new say how far the clock is behind at least, until it is set', () => {
  const node = behind()
  assert.equal(node.height, 0)
  const doubt = { behindSeconds: HOUR_SECONDS - LIMIT_SECONDS, peers: 1 }
  assert.deepEqual(node.replica.clockDoubt, doubt)
  node.nowMs += HOUR_SECONDS * 1000
  node.timeout('status')
  assert.equal(node.replica.clockDoubt, null)
})

test('a block that is too new says so as well, and a peer that goes says nothing any more', () => {
  const node = new TestNode(builder.genesis, { nowMs: timeOf(main.slice(0, 1)) - 60_000 }).start()
  connectFrom(node, 'p')
  node.receive('p', { type: 'block', block: main[0]!.block })
  assert.deepEqual(node.replica.clockDoubt, { behindSeconds: 60 - LIMIT_SECONDS, peers: 1 })
  node.step({ type: 'peer-disconnected', peer: 'p' })
  assert.equal(node.replica.clockDoubt, null)
})

test('a stranger that gives a block from the future does not make the clock look wrong, under however many names', () => {
  const node = new TestNode(builder.genesis, { nowMs: timeOf(main.slice(0, 1)) - 60_000 }).start()
  const says = (peer: string, origin: { isOutbound: boolean; group: string }): void => {
    connectFrom(node, peer, origin)
    node.receive(peer, { type: 'block', block: main[0]!.block })
  }
  for (let name = 0; name < 10; name++) says(`s${name}`, { isOutbound: false, group: 's' })
  assert.equal(node.replica.clockDoubt, null)
  assert.deepEqual(effectsOf(node.timeout('status'), 'alarm'), [])
  says('p', { isOutbound: false, group: 'p' })
  assert.deepEqual(node.replica.clockDoubt, { behindSeconds: 60 - LIMIT_SECONDS, peers: 11 })
  node.step({ type: 'peer-disconnected', peer: 'p' })
  assert.equal(node.replica.clockDoubt, null)
  says('q', { isOutbound: true, group: 's' })
  assert.deepEqual(node.replica.clockDoubt, { behindSeconds: 60 - LIMIT_SECONDS, peers: 11 })
})

test('of several groups the lesser middle one counts, however many names one of them has', () => {
  const watch = new ClockWatch(LIMIT_SECONDS)
  const add = (peer: string, group: string, seconds: number): void => {
    watch.add(peer, { isOutbound: false, group })
    watch.note(peer, 1_000 + LIMIT_SECONDS + seconds)
  }
  add('a', 'a', 10)
  for (let name = 0; name < 9; name++) add(`s${name}`, 's', 3_000)
  assert.deepEqual(watch.doubt(1_000), { behindSeconds: 10, peers: 10 })
  add('b', 'b', 20)
  assert.deepEqual(watch.doubt(1_000), { behindSeconds: 20, peers: 11 })
  watch.note('unknown', 9_999_999)
  assert.deepEqual(watch.doubt(1_000), { behindSeconds: 20, peers: 11 })
})

test('a clock that looks wrong raises an alarm, and another one each ten minutes', () => {
  const node = behind()
  const alarms = Array.from({ length: STATUSES + 1 }, () => effectsOf(node.timeout('status'), 'alarm').length)
  assert.deepEqual(
    alarms.flatMap((count, index) => (count > 0 ? [index] : [])),
    [0, STATUSES],
  )
})

test('a node whose clock is set follows the chain within a few ticks, whatever it was told before', () => {
  const node = behind()
  for (let tick = 0; tick < 100; tick++) {
    answered(node, node.receive('p', claim()), main)
    answered(node, node.timeout('sync'), main)
  }
  assert.equal(node.height, 0)
  node.nowMs += HOUR_SECONDS * 1000
  let ticks = 0
  for (; ticks < 100 && node.height === 0; ticks++) {
    answered(node, node.receive('p', claim()), main)
    answered(node, node.timeout('sync'), main)
  }
  assert.equal(node.headId, tipOf(main).chained.id)
  assert.ok(ticks <= 8, `${ticks} ticks`)
})

test('a peer whose blocks are early is asked once in eight ticks, however often it claims', () => {
  const node = behind()
  let asked = 0
  for (let tick = 0; tick < 80; tick++)
    for (const effects of [node.receive('p', claim()), node.timeout('sync')])
      asked += sentOf(answered(node, effects, main), 'get-headers').length
  assert.equal(asked, 10)
})

test('the blocks before the first that is early are followed', () => {
  const node = new TestNode(builder.genesis, {
    nowMs: timeOf(main.slice(0, 4)) - LIMIT_SECONDS * 1000,
  }).start()
  connectFrom(node, 'p')
  answered(node, node.receive('p', claim()), main)
  assert.deepEqual([node.headId], idsOf(main.slice(3, 4)))
  assert.ok((node.replica.clockDoubt?.behindSeconds ?? 0) > 0)
})
