import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInterceptor } from '../../../src/lab/adversary/interceptor.ts'
import type { LyingMiner, ToldLie } from '../../../src/lab/adversary/lying-miner.ts'
import type { LyingPeer } from '../../../src/lab/adversary/lying-peer.ts'
import type { Departure } from '../../../src/lab/cluster/cluster.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'
import { Trace } from '../../../src/lab/virtual/trace.ts'
import type { OutgoingMessage } from '../../../src/replica/messages.ts'
import { ChainBuilder } from '../../replica/small-chain.ts'

const builder = new ChainBuilder()
const [honest, first, second] = [1, 2, 3].map(extra => builder.mine(builder.root, { extra }).block)
const lies = [
  { name: 'late lie', block: second!, isFirst: false },
  { name: 'early lie', block: first!, isFirst: true },
]

const nodeOf = (id: string): SimNode =>
  ({ id, replica: { tree: { get: () => builder.root } } }) as unknown as SimNode
const broadcastOf = (message: OutgoingMessage): Departure => ({ to: null, message, tag: null, delayMs: 0 })
const block = broadcastOf({ type: 'block', block: honest! })

function interceptorOf({ mayWithhold = true } = {}) {
  const trace = new Trace(5)
  const counted: string[] = []
  const lyingMiner = {
    id: 'miner',
    tell: () => lies,
    withheldMs: () => 700,
    count: ({ name }: ToldLie) => counted.push(name),
  } as unknown as LyingMiner
  const lyingPeer = {
    id: 'peer',
    twist: (message: OutgoingMessage) => (message.type === 'announce' ? null : { ...message, requestId: 9 }),
  } as unknown as LyingPeer
  const schedule = new Schedule()
  const options = { lyingMiner, lyingPeer, mayWithhold: () => mayWithhold, schedule, epochMs: 0, trace }
  return { intercept: createInterceptor(options), counted, trace }
}

test('lies of a miner leave before and after its block, which may leave late, and are counted', () => {
  const { intercept, counted, trace } = interceptorOf()
  const shown = (departures: readonly Departure[]) =>
    departures.map(({ message, delayMs }) => [message.type === 'block' ? message.block.id : '', delayMs])
  assert.deepEqual(shown(intercept(nodeOf('miner'), block)), [
    [first!.id, 0],
    [honest!.id, 700],
    [second!.id, 0],
  ])
  assert.deepEqual(counted, ['early lie', 'late lie'])
  assert.equal(trace.lines, 2)
  const [, truth] = interceptorOf({ mayWithhold: false }).intercept(nodeOf('miner'), block)
  assert.equal(truth?.delayMs, 0)
})

test('what a lying peer sends to one node is twisted or left out, and what it broadcasts is not', () => {
  const { intercept } = interceptorOf()
  const blocks: Departure = { ...broadcastOf({ type: 'blocks', requestId: 1, blocks: [] }), to: 'other' }
  assert.deepEqual(intercept(nodeOf('peer'), blocks), [
    { ...blocks, message: { ...blocks.message, requestId: 9 } },
  ])
  const announce: Departure = { ...broadcastOf({ type: 'announce', ids: [] }), to: 'other' }
  assert.deepEqual(intercept(nodeOf('peer'), announce), [])
  assert.deepEqual(intercept(nodeOf('peer'), block), [block])
})

test('what honest nodes send leaves as it is', () => {
  const { intercept, counted } = interceptorOf()
  const status: Departure = { ...block, to: 'other' }
  for (const departure of [block, status])
    assert.deepEqual(intercept(nodeOf('honest'), departure), [departure])
  const finality = broadcastOf({ type: 'finality', body: new Uint8Array(), block: null })
  assert.deepEqual(intercept(nodeOf('miner'), finality), [finality])
  assert.deepEqual(counted, [])
})
