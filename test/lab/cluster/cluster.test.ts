// A cluster of three real replicas: connections that end and come again, cuts, frozen and crashed nodes, submissions, and
// what leaves a node when something is put between.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOBODY } from '../../../src/finality/registry.ts'
import { Cluster, type ClusterOptions, type OutsidePeers } from '../../../src/lab/cluster/cluster.ts'
import { NO_FAULTS } from '../../../src/lab/faults/fault-plan.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'
import { encodeMessage } from '../../../src/replica/message-codec.ts'
import type { OutgoingMessage } from '../../../src/replica/messages.ts'
import { addressNumber } from '../../chain/examples.ts'
import { ChainBuilder, namedSender, START_MS, smallGenesis, transfer } from '../../replica/small-chain.ts'

const NAMES = ['a', 'b', 'c']

/** Three nodes, started unless told otherwise, and the inputs about peers of each. */
function clusterOf(changes: Partial<ClusterOptions> = {}, isStarted = true) {
  const random = new Random('cluster')
  const cluster = new Cluster({
    genesis: smallGenesis(),
    schedule: new Schedule(),
    epochMs: START_MS,
    random: random.stream('network'),
    faults: { ...NO_FAULTS, delayMinMs: 5, delayMeanMs: 0 },
    linkTimes: { ownNoticeMs: 0, noticeMs: 50, reconnectMs: 1_000 },
    ...changes,
  })
  const peers: string[] = []
  const received: string[] = []
  cluster.observer = {
    afterStep: ({ id }, input) => {
      const { nowMs } = cluster.schedule
      if (input.type === 'peer-connected') peers.push(`${id}+${input.peer} ${nowMs}`)
      if (input.type === 'peer-disconnected') peers.push(`${id}-${input.peer} ${nowMs}`)
      if (input.type === 'message') received.push(`${id} ${input.message.type} ${input.from}`)
    },
  }
  const nodes = NAMES.map((id, index) =>
    cluster.add({
      id,
      beneficiary: addressNumber(0x500 + index),
      recoverSender: namedSender,
      identity: NOBODY,
      random: random.stream(id),
      hashrate: 0.016,
      clockOffsetMs: 0,
    }),
  )
  if (isStarted) for (const node of nodes) cluster.start(node)
  cluster.runFor(100)
  const take = (): string[] => peers.splice(0)
  return { cluster, nodes, take, received, a: nodes[0]!, b: nodes[1]!, c: nodes[2]! }
}

const linksOf = (cluster: Cluster): string[] => NAMES.map(id => `${id}: ${cluster.links.of(id).join(' ')}`)
const ALL = ['a: b c', 'b: a c', 'c: a b']

test('a node that starts is connected with all that are up, and with none that are not', () => {
  const { cluster, a, b, take } = clusterOf({}, false)
  assert.deepEqual(linksOf(cluster), ['a: ', 'b: ', 'c: '])
  cluster.start(a)
  assert.deepEqual(take(), [])
  cluster.start(b)
  assert.deepEqual(take(), ['b+a 100', 'a+b 100'])
  assert.deepEqual(linksOf(cluster), ['a: b', 'b: a', 'c: '])
})

test('a connection that ends is noticed by each end in its time, and comes again', () => {
  const { cluster, a, take } = clusterOf()
  take()
  cluster.disconnect(a, 'b')
  cluster.disconnect(a, 'b')
  assert.deepEqual(take(), [], 'not from within the step that asked for it')
  assert.ok(!cluster.links.has('b', 'a'))
  cluster.runFor(999)
  assert.deepEqual(take(), ['a-b 100', 'b-a 150'])
  cluster.runFor(1)
  assert.deepEqual(take(), ['a+b 1100', 'b+a 1100'])
  assert.deepEqual(linksOf(cluster), ALL)
})

test('where connections stay ended, none comes again', () => {
  const { cluster, a } = clusterOf({ linkTimes: { ownNoticeMs: 1, noticeMs: 1, reconnectMs: null } })
  cluster.disconnect(a, 'b')
  cluster.runFor(60_000)
  assert.deepEqual(linksOf(cluster), ['a: c', 'b: c', 'c: a b'])
})

test('no connection is made across a cut, not even with a node that starts, until the cut ends', () => {
  const { cluster, a, take } = clusterOf()
  cluster.links.cut([['a'], ['b', 'c']])
  a.crash()
  cluster.start(a)
  cluster.runFor(5_000)
  assert.deepEqual(linksOf(cluster), ['a: ', 'b: c', 'c: b'])
  take()
  cluster.links.heal()
  cluster.runFor(1_001)
  assert.deepEqual(take(), ['a+b 6100', 'b+a 6100', 'a+c 6100', 'c+a 6100'])
})

test('an isolated node and its peers notice at once', () => {
  const { cluster, b, take } = clusterOf()
  take()
  cluster.links.isolate(b)
  assert.deepEqual(take(), ['b-a 100', 'a-b 100', 'b-c 100', 'c-b 100'])
  assert.deepEqual(linksOf(cluster), ['a: c', 'b: ', 'c: a'])
})

test('the peers of a node that crashed notice later, and what was on its way to it is lost', () => {
  const { cluster, a, b, take, received } = clusterOf()
  take()
  cluster.submit('b', transfer(1, 0).raw)
  cluster.runFor(1)
  received.length = 0
  a.crash()
  cluster.runFor(1_000)
  assert.deepEqual(take(), ['b-a 151', 'c-a 151'])
  assert.ok(received.every(line => !line.startsWith('a ')))
  assert.ok(b.isUp)
})

test('a submission is answered once, when its node has stored it or goes down', () => {
  const { cluster, a } = clusterOf()
  const answers: string[] = []
  const submit = (id: string, nonce: number): void =>
    cluster.submit(id, transfer(1, nonce).raw, result =>
      answers.push(result === null ? 'none' : 'id' in result ? 'stored' : result.rejection),
    )
  submit('a', 0)
  assert.deepEqual(answers, [], 'not before the disk has synced')
  cluster.runFor(1_000)
  assert.deepEqual(answers, ['stored'])
  submit('a', 1)
  a.crash()
  submit('a', 1)
  cluster.runFor(1_000)
  assert.deepEqual(answers, ['stored', 'none', 'none'])
})

test('a frozen node keeps its connections, says nothing, and is given what it missed when it is thawed', () => {
  const { cluster, a, take, received } = clusterOf()
  take()
  a.freeze()
  received.length = 0
  cluster.submit('b', transfer(1, 0).raw)
  cluster.runFor(3_000)
  assert.ok(received.every(line => !line.startsWith('a ')))
  assert.deepEqual([take(), linksOf(cluster)], [[], ALL])
  a.thaw()
  cluster.runFor(3_000)
  assert.ok(received.some(line => line.startsWith('a ')))
  assert.ok(a.replica?.pool.get(transfer(1, 0).id) !== undefined)
})

test('time passes until the condition holds, and no longer than said', () => {
  const { cluster, a } = clusterOf()
  a.startMining()
  const height = (): number => a.replica!.tree.head.chained.height
  assert.equal(
    cluster.runUntil(() => height() === 2, 600_000),
    true,
  )
  assert.equal(height(), 2)
  a.stopMining()
  const { nowMs } = cluster.schedule
  assert.equal(
    cluster.runUntil(() => false, 500),
    false,
  )
  assert.equal(cluster.schedule.nowMs, nowMs + 500)
  assert.ok(cluster.events > 0)
})

test('in place of a message leaves what the interceptor says, in order and in its time', () => {
  const left: string[] = []
  const { cluster, a, received } = clusterOf({
    intercept: (from, departure) => {
      if (from.id !== 'a') return [departure]
      if (departure.message.type !== 'block') return []
      left.push(`block to ${departure.to}`)
      const empty: OutgoingMessage = { type: 'get-transactions', requestId: 1, ids: [] }
      return [
        { ...departure, message: empty },
        { ...departure, delayMs: 500 },
      ]
    },
  })
  received.length = 0
  a.startMining(1)
  cluster.runUntil(() => left.length > 0, 600_000)
  const fromA = (): string[] => received.filter(line => line.endsWith(' a'))
  cluster.runFor(490)
  assert.deepEqual(left, ['block to null'])
  assert.deepEqual(fromA(), ['b get-transactions a', 'c get-transactions a'])
  cluster.runFor(20)
  assert.deepEqual(fromA().slice(2), ['b block a', 'c block a'])
})

test('peers from outside have their own connections, and their blocks are passed on, but not back to them', () => {
  const heard: string[] = []
  const outside: OutsidePeers = {
    has: name => name === 'x',
    namesAt: node => (node === 'a' ? ['x'] : []),
    isLinked: (name, node) => name === 'x' && node === 'a',
    receive: (name, bytes) => void heard.push(`${name} ${bytes.length}`),
    disconnect: name => void heard.push(`${name} is disconnected`),
    onCrash: ({ id }) => void heard.push(`${id} crashed`),
  }
  const { cluster, a, b, received } = clusterOf({ outsidePeers: outside, mayBeBlamed: peer => peer === 'x' })
  a.input({ type: 'peer-connected', peer: 'x' })
  cluster.runFor(100)
  assert.ok(
    heard.some(line => line.startsWith('x ')),
    'a node greets it',
  )
  received.length = 0
  cluster.network.sendBytes('x', ['b'], encodeMessage({ type: 'announce', ids: [transfer(1, 0).id] }))
  cluster.network.sendBytes('x', ['a'], Uint8Array.of(99))
  cluster.network.sendBytes('x', ['a'], encodeMessage({ type: 'announce', ids: [transfer(1, 0).id] }))
  cluster.runFor(100)
  assert.deepEqual(received, ['a announce x'], 'not what comes without a connection, nor what is no message')
  const builder = new ChainBuilder(cluster.genesis)
  const { block } = builder.mine(builder.root)
  received.length = 0
  heard.length = 0
  const bytes = encodeMessage({ type: 'block', block })
  cluster.network.sendBytes('x', ['a'], bytes)
  cluster.runFor(100)
  assert.deepEqual(
    received.filter(line => line.includes(' block ')),
    ['a block x', 'b block a', 'c block a'],
  )
  assert.ok(!heard.includes(`x ${bytes.length}`))
  heard.length = 0
  cluster.disconnect(a, 'x')
  a.crash()
  assert.deepEqual(heard, ['x is disconnected', 'a crashed'])
  assert.ok(b.isUp)
})
