import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOBODY } from '../../../src/finality/registry.ts'
import type { SimHost } from '../../../src/lab/cluster/sim-host.ts'
import { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'
import { Trace } from '../../../src/lab/virtual/trace.ts'
import type { TreeBlock } from '../../../src/replica/block-tree.ts'
import type { Effect, Input } from '../../../src/replica/effects.ts'
import { encodeMessage } from '../../../src/replica/message-codec.ts'
import type { OutgoingMessage } from '../../../src/replica/messages.ts'
import { KEYS } from '../../../src/replica/records.ts'
import { addressNumber } from '../../chain/examples.ts'
import { ChainBuilder, namedSender, START_MS, smallGenesis, transfer } from '../../replica/small-chain.ts'

/** About as many as make a block in two seconds. */
const HASHES_PER_MS = 0.016

/** A host of one node, which writes down what the node does and whether it was durable then. */
function hostOf(clockOffsetMs = 0, genesis = smallGenesis()) {
  const done: string[] = []
  const schedule = new Schedule()
  const steps: Input['type'][] = []
  const sent: OutgoingMessage[] = []
  const trace = new Trace(5)
  let crashes = 0
  const tx = transfer(1, 0)
  const note =
    (name: string) =>
    (from: SimNode): void =>
      void done.push(`${name} ${from.disk.isDurable(KEYS.pooled(tx.id)) ? 'durable' : 'not durable'}`)
  const host: SimHost = {
    genesis,
    schedule,
    trace,
    epochMs: START_MS,
    send: (from, _to, message) => {
      sent.push(message)
      note('send')(from)
    },
    broadcast: note('broadcast'),
    relay: () => {},
    disconnect: note('disconnect'),
    reply: note('reply'),
    mayBeBlamed: () => false,
    observer: {
      afterStep: (_node, input) => void steps.push(input.type),
      beforeEffect: (_node, effect: Effect) => void done.push(effect.type),
    },
    crashed: () => {
      crashes += 1
    },
  }
  const node = new SimNode(host, {
    id: 'n1',
    recoverSender: namedSender,
    beneficiary: addressNumber(0x500),
    identity: NOBODY,
    random: new Random('seed'),
    hashrate: HASHES_PER_MS,
    clockOffsetMs,
  })
  const runFor = (ms: number): void => {
    const endMs = schedule.nowMs + ms
    schedule.after(ms, () => {})
    while (schedule.nowMs < endMs) schedule.advance()
  }
  return { node, done, sent, steps, trace, runFor, tx, crashCount: () => crashes }
}

test('nothing behind a persist is done before the disk has synced', () => {
  const { node, done, runFor, tx } = hostOf()
  node.start()
  runFor(100)
  done.length = 0
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  assert.deepEqual(done, ['persist'])
  assert.ok(!node.disk.isDurable(KEYS.pooled(tx.id)))
  // What happens meanwhile has to wait as well.
  node.input({ type: 'peer-connected', peer: 'p' })
  assert.deepEqual(done, ['persist'])
  runFor(100)
  assert.deepEqual(done.slice(0, 6), [
    'persist',
    'set-timer',
    'reply',
    'reply durable',
    'send',
    'send durable',
  ])
})

test('a crash may come between any two effects, and takes back what was not synced', () => {
  const seen = new Set<string>()
  for (let after = 0; after < 5; after++) {
    const { node, done, runFor, tx, crashCount } = hostOf()
    node.start()
    runFor(100)
    done.length = 0
    node.planCrash(after)
    node.input({ type: 'submit', raw: tx.raw, token: 't' })
    runFor(10)
    seen.add(
      `${done.filter(name => !name.includes(' ')).join(' ')}, ${node.disk.isDurable(KEYS.pooled(tx.id))}`,
    )
    // There are three effects: a crash that is planned for later waits for the next.
    if (after > 2) continue
    assert.equal(node.disk.get(KEYS.pooled(tx.id)) !== null, after > 0)
    assert.equal(node.isUp, false)
    assert.equal(crashCount(), 1)
  }
  const all = 'persist set-timer reply, true'
  assert.deepEqual([...seen], [', false', 'persist, true', 'persist set-timer, true', all])
})

test('a node that is down hears nothing, its timers are gone, and it starts on what its disk holds', () => {
  const { node, steps, runFor, tx } = hostOf()
  node.start()
  runFor(100)
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  runFor(5)
  node.planCrash(0)
  node.input({ type: 'mining', beneficiary: addressNumber(1), blocks: null })
  assert.equal(node.isUp, false)
  steps.length = 0
  runFor(60_000)
  node.input({ type: 'peer-connected', peer: 'p' })
  assert.deepEqual(steps, [])
  node.start()
  assert.ok(node.replica?.pool.get(tx.id) !== undefined)
  assert.equal(node.crashes, 1)
})

test('a message is screened before it is decoded: a block that is here gives no step, and an orphan is told as one', () => {
  const { node, steps, runFor } = hostOf()
  node.start()
  runFor(100)
  const builder = new ChainBuilder()
  const [first, second] = builder.extend(builder.root, 2)
  node.input({ type: 'peer-connected', peer: 'p' })
  const receive = ({ block }: TreeBlock) => node.receive('p', encodeMessage({ type: 'block', block }))
  steps.length = 0
  receive(second!)
  receive(first!)
  receive(first!)
  assert.deepEqual(steps, ['orphan', 'message'])
})

test('a crash before all is done that a start asks for is counted apart', () => {
  const { node, runFor } = hostOf()
  node.planCrash(0)
  node.start()
  assert.deepEqual([node.isUp, node.crashes, node.startCrashes], [false, 1, 1])
  node.start()
  runFor(100)
  node.planCrash(0)
  node.input({ type: 'peer-connected', peer: 'p' })
  assert.deepEqual([node.isUp, node.crashes, node.startCrashes], [false, 2, 1])
})

test('a node whose disk is damaged does not start and is down', () => {
  const { node, runFor } = hostOf()
  node.start()
  runFor(100)
  node.disk.write([{ key: KEYS.base, value: null }])
  assert.throws(() => node.start(), { name: 'CorruptStore', message: 'record base is missing' })
  assert.equal(node.isUp, false)
})

test('a node that reads a damaged record when it starts stops by name, and starts on an emptied disk', () => {
  const { node, runFor, steps, trace, crashCount } = hostOf()
  node.start()
  runFor(100)
  node.crash()
  node.disk.damage(KEYS.base, 77)
  steps.length = 0
  node.start()
  assert.deepEqual([node.isUp, node.stoppedBy?.message], [false, 'record base is damaged'])
  assert.deepEqual([steps, crashCount(), node.startCrashes], [[], 2, 1])
  assert.match(trace.recent().join(' '), /! stops: record base is damaged .*! crash/)
  node.disk.wipe('')
  node.start()
  assert.deepEqual([node.isUp, node.stoppedBy], [true, null])
})

test('a node that is asked for a damaged block stops instead, and says nothing more', () => {
  const { node, runFor, done, steps, crashCount } = hostOf(0, smallGenesis({ finality: { depth: 2 } }))
  node.start()
  node.input({ type: 'mining', beneficiary: addressNumber(1), blocks: 4 })
  while (node.replica!.tree.base.chained.height < 2) runFor(1_000)
  const { id } = node.replica!.view.headerAt(1)!
  node.crash()
  node.disk.damage(KEYS.block(id), 1_000)
  node.start()
  runFor(100)
  assert.ok(node.isUp, 'not noticed yet')
  node.input({ type: 'peer-connected', peer: 'p' })
  runFor(100)
  done.length = 0
  steps.length = 0
  node.receive('p', encodeMessage({ type: 'get-blocks', requestId: 1, ids: [id] }))
  assert.equal(node.stoppedBy?.message, `record ${KEYS.block(id)} is damaged`)
  runFor(60_000)
  assert.deepEqual([node.isUp, done, steps, crashCount()], [false, [], [], 2])
})

test('a timer that was set again or cleared fires once or never', () => {
  const { node, steps, runFor, tx } = hostOf()
  node.start()
  runFor(10)
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  node.input({ type: 'submit', raw: transfer(2, 0).raw, token: 'u' })
  runFor(1_000)
  assert.equal(steps.filter(type => type === 'timeout').length, 1)
})

test('a job that was replaced finds nothing', () => {
  const { node, runFor, steps } = hostOf()
  node.start()
  node.input({ type: 'mining', beneficiary: addressNumber(1), blocks: 1 })
  node.input({ type: 'mining', beneficiary: null, blocks: null })
  steps.length = 0
  runFor(20_000)
  assert.ok(!steps.includes('mined'))
})

test('a miner finds blocks whose work is real, about as often as its hashes allow, and tells all of them', () => {
  const { node, runFor, done, steps } = hostOf()
  node.start()
  node.input({ type: 'mining', beneficiary: addressNumber(1), blocks: null })
  done.length = 0
  runFor(60_000)
  const { height } = node.replica!.tree.head.chained
  assert.ok(height > 20 && height < 45, String(height))
  assert.equal(steps.filter(type => type === 'mined').length, height)
  assert.equal(done.filter(name => name === 'broadcast').length, height)
})

test('a node reads its own clock', () => {
  const times = [-5_000, 0, 5_000].map(offset => {
    const { node, runFor } = hostOf(offset)
    node.start()
    runFor(1_000)
    node.input({ type: 'mining', beneficiary: addressNumber(1), blocks: 1 })
    while (node.replica!.tree.head.chained.height === 0) runFor(100)
    return node.replica!.tree.head.chained.header.time
  })
  assert.deepEqual(
    times.map(time => time - START_MS / 1000),
    [-4, 1, 6],
  )
})

test('what comes off the wire is taken in, and a peer of another network is left', () => {
  const { node, runFor, done, sent, tx } = hostOf()
  node.start()
  node.input({ type: 'peer-connected', peer: 'p' })
  runFor(100)
  node.receive('p', encodeMessage({ type: 'announce', ids: [tx.id] }))
  const request = sent.at(-1)
  assert.ok(request?.type === 'get-transactions')
  const { requestId } = request
  node.receive('p', encodeMessage({ type: 'transactions', requestId, transactions: [tx] }))
  assert.ok(node.replica!.pool.get(tx.id) !== undefined)
  const { id } = node.replica!.tree.head.chained
  const status = { genesisId: tx.id, chainId: 1n, headId: id, height: 0, work: 0n }
  node.receive('p', encodeMessage({ type: 'status', status }))
  assert.ok(done.includes('disconnect'))
})

test('bytes that are no message are a finding', () => {
  const { node } = hostOf()
  node.start()
  assert.throws(() => node.receive('p', Uint8Array.of(99)), /p sent what can't be decoded: message-malformed/)
})

test('a node that is paused does nothing, and afterwards all that happened to it meanwhile, in order', () => {
  const { node, steps, runFor, tx } = hostOf()
  node.start()
  runFor(100)
  steps.length = 0
  node.pause(5_000)
  node.input({ type: 'peer-connected', peer: 'p' })
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  runFor(4_990)
  assert.deepEqual(steps, [])
  runFor(20)
  assert.deepEqual(steps.slice(0, 2).concat(steps.filter(type => type === 'submit')), [
    'peer-connected',
    'submit',
    'submit',
  ])
})

test('a node that crashes in a pause forgets what waited, and its next life is not paused', () => {
  const { node, steps, runFor } = hostOf()
  node.start()
  runFor(100)
  node.pause(5_000)
  node.input({ type: 'peer-connected', peer: 'p' })
  node.crash()
  steps.length = 0
  node.start()
  assert.deepEqual(steps, ['start'])
  runFor(10_000)
  assert.ok(!steps.includes('peer-connected'))
})

test('a node that works a while at each thing does one after the other, in order', () => {
  const { node, steps, runFor, tx } = hostOf()
  node.stepMs = 100
  node.start()
  node.input({ type: 'peer-connected', peer: 'p' })
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  assert.deepEqual(steps, ['start'])
  runFor(100)
  assert.deepEqual(steps, ['start', 'peer-connected'])
  runFor(100)
  assert.deepEqual(steps.slice(0, 3), ['start', 'peer-connected', 'submit'])
  node.input({ type: 'peer-disconnected', peer: 'p' })
  node.heal()
  assert.deepEqual(steps.at(-1), 'peer-disconnected', 'it catches up at once when it is quick again')
})

test('a clock that stands still shows one moment, and then the right time', () => {
  const { node, runFor } = hostOf(1_000)
  const atMs = node.clock.nowMs
  node.clock.stop(500)
  runFor(499)
  assert.equal(node.clock.nowMs, atMs)
  runFor(1)
  assert.equal(node.clock.nowMs, atMs + 500)
  node.clock.stop(500)
  node.heal()
  runFor(10)
  assert.equal(node.clock.nowMs, atMs + 510)
})

test('a clock that is wrong by an hour is set right when faults end, and one that is a little off is not', () => {
  const { node } = hostOf()
  for (const [offsetMs, leftMs] of [
    [3_600_000, 0],
    [-25_001, 0],
    [-25_000, -25_000],
  ] as const) {
    node.clock.offsetMs = offsetMs
    node.heal()
    assert.equal(node.clock.offsetMs, leftMs)
  }
})

test('a node whose disk fails crashes, says nothing that hangs on it, and fails again until the disk is well', () => {
  const { node, done, runFor, tx, crashCount } = hostOf()
  node.start()
  runFor(100)
  node.failDisk(1_000)
  done.length = 0
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  runFor(500)
  assert.equal(crashCount(), 1)
  assert.equal(node.isUp, false)
  assert.ok(!done.includes('reply'))
  node.start()
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  runFor(100)
  assert.equal(crashCount(), 2)
  runFor(500)
  node.start()
  node.input({ type: 'submit', raw: tx.raw, token: 't' })
  runFor(500)
  assert.ok(node.isUp)
  assert.ok(done.includes('reply'))
})
