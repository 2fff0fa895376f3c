import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '../../../src/lab/faults/fault-plan.ts'
import { apartIn } from '../../../src/lab/faults/partition.ts'
import { Network } from '../../../src/lab/network/network.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'
import { decodeMessage } from '../../../src/replica/message-codec.ts'
import type { Message } from '../../../src/replica/messages.ts'

const message = (requestId: number): Message => ({ type: 'get-blocks', requestId, ids: [] })

interface Arrival {
  readonly timeMs: number
  readonly to: string
  readonly requestId: number
}

function networkWith(changes: Partial<FaultPlan>) {
  const schedule = new Schedule()
  const arrivals: Arrival[] = []
  const broken: string[] = []
  const network = new Network({
    schedule,
    random: new Random('seed'),
    faults: { ...NO_FAULTS, ...changes },
    onDamage: (from, to) => void broken.push(`${from}>${to}`),
    deliver: (_from, to, bytes) => {
      const decoded = decodeMessage(bytes)
      assert.ok(typeof decoded === 'object' && decoded.type === 'get-blocks')
      arrivals.push({ timeMs: schedule.nowMs, to, requestId: decoded.requestId })
    },
  })
  const sendAll = (count: number, to: readonly string[] = ['b']): Arrival[] => {
    for (let id = 0; id < count; id++) network.send('a', to, message(id))
    while (schedule.advance());
    return arrivals
  }
  return { network, schedule, arrivals, broken, sendAll }
}

/** When a partition comes and goes is nothing to the network. */
const TIMES = { atMs: 0, forMs: 0 }

const idsOf = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ requestId }) => requestId)
const inOrder = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

test('a quiet network delivers everything once, in order and a little later', () => {
  const { network, sendAll } = networkWith({})
  const arrivals = sendAll(200)
  assert.deepEqual(idsOf(arrivals), inOrder(200))
  assert.ok(arrivals.every(({ timeMs }) => timeMs >= 1 && timeMs < 60))
  assert.equal(network.lost, 0)
  assert.equal(network.messages.get('get-blocks'), 200)
  assert.equal(network.bytes, 200 * 6)
})

test('each receiver gets its own copy at its own time', () => {
  const arrivals = networkWith({}).sendAll(1, ['b', 'c'])
  assert.deepEqual(arrivals.map(({ to }) => to).sort(), ['b', 'c'])
  assert.notEqual(arrivals[0]!.timeMs, arrivals[1]!.timeMs)
})

test('loss loses its share', () => {
  const { network, sendAll } = networkWith({ lossRate: 0.25 })
  const got = sendAll(2_000).length
  assert.ok(got > 1_400 && got < 1_600, String(got))
  assert.equal(network.lost, 2_000 - got)
})

test('duplication sends some twice', () => {
  const got = networkWith({ duplicateRate: 0.25 }).sendAll(2_000).length
  assert.ok(got > 2_400 && got < 2_600, String(got))
})

test('delay has its least time, and its tail of ten seconds', () => {
  const arrivals = networkWith({ delayMinMs: 30, delayMeanMs: 50, tailRate: 0.1, mayReorder: true }).sendAll(
    500,
  )
  assert.ok(arrivals.every(({ timeMs }) => timeMs >= 30))
  const late = arrivals.filter(({ timeMs }) => timeMs >= 10_000).length
  assert.ok(late > 20 && late < 90, String(late))
})

test('only with reordering does a later message overtake', () => {
  assert.deepEqual(idsOf(networkWith({ delayMeanMs: 50 }).sendAll(200)), inOrder(200))
  const reordered = idsOf(networkWith({ delayMeanMs: 50, mayReorder: true }).sendAll(200))
  assert.notDeepEqual(reordered, inOrder(200))
  assert.deepEqual(
    reordered.toSorted((a, b) => a - b),
    inOrder(200),
  )
})

test('a partition cuts what crosses it until it heals, and lets the rest through', () => {
  const { network, sendAll } = networkWith({})
  network.part(apartIn({ type: 'cut', side: ['a', 'b'], ...TIMES }))
  assert.deepEqual(
    sendAll(3, ['b', 'c']).map(({ to }) => to),
    ['b', 'b', 'b'],
  )
  assert.equal(network.lost, 3)
  network.heal()
  assert.equal(sendAll(3, ['b', 'c']).length, 3 + 6)
})

test('a bridge reaches both sides, and no other node reaches beyond it', () => {
  const { network, schedule, arrivals } = networkWith({})
  network.part(apartIn({ type: 'bridge', side: ['a'], node: 'b', ...TIMES }))
  network.send('a', ['b', 'c'], message(1))
  network.send('b', ['a', 'c'], message(2))
  network.send('c', ['a', 'b'], message(3))
  while (schedule.advance());
  assert.deepEqual(arrivals.map(({ to, requestId }) => `${to} ${requestId}`).sort(), [
    'a 2',
    'b 1',
    'b 3',
    'c 2',
  ])
  network.heal()
  network.send('a', ['c'], message(4))
  while (schedule.advance());
  assert.equal(arrivals.at(-1)!.requestId, 4)
})

test('a message that is replayed comes once more within a minute, and holds up nothing that was sent after it', () => {
  const { network, schedule, arrivals } = networkWith({ replayRate: 1 })
  network.send('a', ['b'], message(1))
  network.faults = { ...network.faults, replayRate: 0 }
  network.send('a', ['b'], message(2))
  while (schedule.advance());
  assert.deepEqual(idsOf(arrivals), [1, 2, 1])
  assert.ok(schedule.nowMs <= 60_000)
})

test('a muted node receives everything, and only muted nodes receive what it sends', () => {
  const { network, schedule, arrivals } = networkWith({})
  network.part(apartIn({ type: 'mute', side: ['a', 'b'], ...TIMES }))
  network.send('a', ['b', 'c'], message(1))
  network.send('c', ['a'], message(2))
  while (schedule.advance());
  assert.deepEqual(arrivals.map(({ to, requestId }) => `${to} ${requestId}`).sort(), ['a 2', 'b 1'])
})

test('what is sent on a closed link waits there until it is open as often as it was closed, and keeps its order', () => {
  const { network, schedule, arrivals } = networkWith({})
  network.clog('a', 'b')
  network.clog('a', 'b')
  for (let id = 0; id < 20; id++) network.send('a', ['b', 'c'], message(id))
  network.unclog('a', 'b')
  while (schedule.advance());
  assert.deepEqual(idsOf(arrivals.filter(({ to }) => to === 'c')), inOrder(20))
  assert.equal(arrivals.length, 20)
  network.unclog('a', 'b')
  while (schedule.advance());
  assert.deepEqual(idsOf(arrivals.filter(({ to }) => to === 'b')), inOrder(20))
  assert.equal(network.lost, 0)
})

test('healing opens every link and ends every silence', () => {
  const { network, schedule, arrivals } = networkWith({})
  network.clog('a', 'b')
  network.part(apartIn({ type: 'mute', side: ['a'], ...TIMES }))
  network.heal()
  network.send('a', ['b'], message(1))
  while (schedule.advance());
  assert.equal(arrivals.length, 1)
})

test('two partitions hold at a time, and each ends alone', () => {
  const { network, sendAll } = networkWith({})
  const heal = network.part(apartIn({ type: 'cut', side: ['a', 'b'], ...TIMES }))
  const unmute = network.part(apartIn({ type: 'mute', side: ['a'], ...TIMES }))
  heal()
  assert.equal(sendAll(1, ['b', 'c']).length, 0)
  unmute()
  assert.equal(sendAll(1, ['b', 'c']).length, 2)
})

test('in a ring of majorities each node reaches one, and no two of five reach the same', () => {
  const ring = ['a', 'b', 'c', 'd', 'e']
  const apart = apartIn({ type: 'ring', ring, ...TIMES })
  const reached = ring.map(from => ring.filter(to => !apart(from, to)).join(''))
  assert.deepEqual(reached, ['abe', 'abc', 'bcd', 'cde', 'ade'])
  for (const size of [4, 6, 7, 10]) {
    const ring = Array.from({ length: size }, (_, place) => `n${place}`)
    const apart = apartIn({ type: 'ring', ring, ...TIMES })
    for (const from of ring) assert.ok(ring.filter(to => !apart(from, to)).length > size / 2)
    assert.ok(ring.some(to => apart('n0', to)))
  }
})

test('a message that arrives damaged is not handed over: its connection ends', () => {
  const { network, arrivals, broken, sendAll } = networkWith({ damageRate: 1 })
  assert.equal(sendAll(3).length, 0)
  assert.deepEqual(broken, ['a>b', 'a>b', 'a>b'])
  assert.equal(network.broken, 3)
  network.faults = NO_FAULTS
  sendAll(1)
  assert.equal(arrivals.length, 1)
})

test('a full link takes nothing in until something on it has arrived', () => {
  const { network, arrivals, sendAll } = networkWith({ linkCapacity: 2 })
  assert.deepEqual(idsOf(sendAll(5)), [0, 1])
  assert.equal(network.lost, 3)
  sendAll(1, ['b', 'c'])
  assert.equal(arrivals.length, 4)
})

test('messages that wait on a closed link fill it', () => {
  const { network, sendAll } = networkWith({ linkCapacity: 2 })
  network.clog('a', 'b')
  sendAll(5)
  network.heal()
  assert.deepEqual(idsOf(sendAll(0)), [0, 1])
})
