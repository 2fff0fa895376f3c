import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlockId } from '../../src/chain/header.ts'
import { readCertificate } from '../../src/consensus/pbft/certificate-record.ts'
import { ByteReader } from '../../src/encoding/bytes.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import type { Message, OutgoingMessage } from '../../src/replica/messages.ts'
import { WantedBlocks } from '../../src/replica/wanted-blocks.ts'
import { decodeEnvelope } from '../finality/pbft-envelope.ts'
import { blocksOf, ChainBuilder, START_MS, transfer } from './small-chain.ts'
import { overTheWire, sentOf, TestNetwork, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

const id = (number: number): BlockId => `0x${String(number).padStart(64, '0')}`
const NOBODY: readonly PeerId[] = []
/** All peers here but those whose names begin so. */
const isValidator = (peer: PeerId): boolean => !peer.startsWith('s')

/** Wanted blocks of a node with all peers that the tests name. */
function wantedOf(): WantedBlocks {
  const wanted = new WantedBlocks(isValidator)
  for (const peer of ['a', 'b', 'c', 'd', 'v1', 'v2', 'v3', 'v4', 's', 's1', 's2', 's3']) wanted.addPeer(peer)
  return wanted
}

// ---- which peer is asked next

/** One block that is wanted, and in which order free peers are asked for it when each fails. */
function order(wanted: WantedBlocks, free: readonly PeerId[]): PeerId[] {
  const asked: PeerId[] = []
  for (;;) {
    const next = wanted.next(wanted.get(id(1))!, free, NOBODY)
    if (next === null) return asked
    asked.push(next)
    wanted.onFailed(id(1), next)
  }
}

test('peers that promised a block are asked before the other validators, and these before strangers, each once', () => {
  const wanted = wantedOf()
  wanted.add(id(1), { promised: ['v2'], others: ['v1'] })
  assert.deepEqual(order(wanted, ['s', 'v1', 'v2']), ['v2', 'v1', 's'])
})

test('how a peer did is forgotten with its connection, and nothing is kept of it after: new names do not add up', () => {
  const wanted = wantedOf()
  wanted.add(id(1), { promised: [], others: [] })
  const want = wanted.get(id(1))!
  const before = wanted.standings
  for (let name = 1; name <= 20; name++) {
    const peer = `x${name}`
    wanted.addPeer(peer)
    wanted.onLate(id(7), peer)
    wanted.onFailed(id(1), peer)
    wanted.addHolder(want, peer)
    assert.deepEqual([wanted.standings, want.failed.size, want.promised.size], [before + 1, 1, 1])
    wanted.forgetPeer(peer)
    // A body that it gave may prove wrong, or have a parent that is wanted, after its connection has ended.
    wanted.onFailed(id(1), peer)
    wanted.onLate(id(7), peer)
    wanted.addHolder(want, peer)
    assert.deepEqual([wanted.standings, want.failed.size, want.promised.size], [before, 0, 0])
  }
})

test('a peer that failed is asked last the next time, and one that was late after all others of its kind', () => {
  const wanted = wantedOf()
  wanted.onFailed(id(7), 'v1')
  wanted.onLate(id(7), 'v3')
  wanted.onFailed(id(7), 'v2')
  wanted.add(id(1), { promised: ['v1', 'v2', 'v3', 'v4'], others: [] })
  assert.deepEqual(order(wanted, ['s', 'v1', 'v2', 'v3', 'v4']), ['v4', 'v1', 'v2', 'v3', 's'])
})

test('a peer that gives a block in time is late no more', () => {
  const wanted = wantedOf()
  wanted.onLate(id(7), 'a')
  wanted.onFailed(id(7), 'b')
  wanted.onGiven('a')
  wanted.add(id(1), { promised: ['a', 'b'], others: [] })
  assert.equal(order(wanted, ['a', 'b'])[0], 'a')
})

test('another peer is asked as well when one is late, or fails, or promises again, and three at most', () => {
  const wanted = wantedOf()
  const holders = { promised: ['a'], others: ['b', 'c', 'd'] }
  wanted.add(id(1), holders)
  const want = wanted.get(id(1))!
  const next = (asked: readonly PeerId[]): PeerId | null => wanted.next(want, ['a', 'b', 'c', 'd'], asked)
  assert.equal(next([]), 'a')
  want.isDue = false
  wanted.add(id(1), holders)
  assert.equal(next(['a']), null, 'it promised before')
  wanted.onLate(id(1), 'a')
  assert.equal(next(['a']), 'b')
  want.isDue = false
  wanted.onFailed(id(1), 'b')
  assert.equal(next(['a']), 'c')
  want.isDue = false
  wanted.add(id(1), { promised: ['b'], others: ['a', 'c', 'd'] })
  assert.equal(next(['a', 'c']), 'b', 'it may have the block by now')
  assert.equal(next(['a', 'b', 'c']), null, 'three are asked')
})

test('of three that are asked two at most were late before', () => {
  const wanted = wantedOf()
  for (const peer of ['a', 'b', 'c']) wanted.onLate(id(7), peer)
  wanted.add(id(1), { promised: ['a', 'b', 'c'], others: ['d'] })
  const want = wanted.get(id(1))!
  assert.equal(wanted.next(want, ['c'], ['a', 'b']), null)
  assert.equal(wanted.next(want, ['c', 'd'], ['a', 'b']), 'd')
})

test('a block that no peer has does not keep out another, and of very many the newest are wanted', () => {
  const wanted = wantedOf()
  for (let number = 1; number <= 9; number++) wanted.add(id(number), { promised: [], others: [] })
  assert.deepEqual(
    wanted.all().map(want => want.id),
    [6, 7, 8, 9].map(id),
  )
})

test('once all validators have failed they are asked again in the next tick, whatever strangers are connected', () => {
  const wanted = wantedOf()
  wanted.add(id(1), { promised: ['v1'], others: ['v2'] })
  const peers = ['s1', 'v1', 'v2']
  assert.deepEqual(order(wanted, ['v1']), ['v1'])
  wanted.onTick(peers)
  assert.deepEqual(order(wanted, ['v1']), [], 'v2 has not failed yet')
  assert.deepEqual(order(wanted, ['v2']), ['v2'])
  wanted.onTick(peers)
  assert.deepEqual(order(wanted, peers), ['v1', 'v2', 's1'])
})

test('the failure of a stranger lasts some ticks, and ends with its connection', () => {
  const wanted = wantedOf()
  wanted.add(id(1), { promised: [], others: ['s1', 's2'] })
  assert.deepEqual(order(wanted, ['s1', 's2']), ['s1', 's2'])
  const again: number[] = []
  for (let tick = 1; tick <= 20; tick++) {
    wanted.onTick(['s1', 's2'])
    if (order(wanted, ['s1']).length > 0) again.push(tick)
  }
  assert.deepEqual(again, [8, 16])
  wanted.forgetPeer('s1')
  assert.equal(wanted.get(id(1))!.failed.has('s1'), false)
})

test('of peers that are no validators every second one that is asked is the one that has waited longest', () => {
  const wanted = wantedOf()
  wanted.addPeer('s honest')
  wanted.onLate(id(7), 's honest')
  const asked: PeerId[] = []
  for (let name = 1; name <= 4; name++) {
    wanted.addPeer(`s${name}`)
    wanted.add(id(1), { promised: [`s${name}`], others: ['s honest'] })
    const next = wanted.next(wanted.get(id(1))!, ['s honest', `s${name}`], NOBODY)!
    asked.push(next)
    wanted.forgetPeer(`s${name}`)
  }
  assert.deepEqual(asked, ['s1', 's honest', 's3', 's honest'])
})

test('strangers take no place from validators: neither all three, nor those of peers that were late', () => {
  const wanted = wantedOf()
  for (const peer of ['v1', 's1', 's2']) wanted.onLate(id(7), peer)
  wanted.add(id(1), { promised: ['v1'], others: ['v2'] })
  const want = wanted.get(id(1))!
  assert.equal(wanted.next(want, ['v1', 's3'], ['s1', 's2']), 'v1')
  wanted.onFailed(id(1), 'v1')
  assert.equal(wanted.next(want, ['v1', 's3'], ['s1', 's2']), null, 'the last place is kept')
  assert.equal(wanted.next(want, ['s3'], ['s1', 's2']), 's3', 'no validator is connected')
})

// ---- peers that hold up what finality needs

const SECONDS = 20
/** As late as an answer may be without being a fault. */
const LATE_MS = 3_400

/** Four validators of which v1 is given a transfer at a time, as often as it can be decided. */
function fourValidators() {
  const network = new ValidatedNetwork('pbft', 4)
  const net = new TestNetwork(network.genesis, undefined, { identityOf: peer => network.identityOf(peer) })
  let count = 0
  const submit = (): void => {
    const { raw } = transfer(1 + (count % 9), Math.floor(count / 9))
    net.input('v1', { type: 'submit', raw, token: `${count++}` })
    net.schedule.after(200, submit)
  }
  net.schedule.after(100, submit)
  const later = (from: PeerId, to: PeerId, message: Message, ms: number): void =>
    net.schedule.after(ms, () => net.input(to, { type: 'message', from, message }))
  const heightOf = (peer: PeerId): number => net.nodes.get(peer)!.replica.tree.base.chained.height
  return { network, net, later, heightOf }
}

/** The answer without anything in it, to a request for blocks or headers; null for any other message. */
function emptied(message: OutgoingMessage): Message | null {
  if (message.type === 'blocks') return { ...message, blocks: [] }
  return message.type === 'headers' ? { ...message, headers: [] } : null
}

/**
 * The blocks that are final after a while where v3 votes for its own proposals only, and gives v0 these without their
 * blocks and without its other votes. Asked for them it answers with nothing, late.
 */
function finalWith(isHoldingUp: boolean): number {
  const { net, later, heightOf } = fourValidators()
  const own = new Set<number>()
  net.carries = (from, to, message) => {
    if (from !== 'v3') return true
    const empty = to === 'v0' && isHoldingUp ? emptied(message) : null
    if (empty !== null) later(from, to, empty, LATE_MS)
    if (empty !== null || message.type !== 'finality') return empty === null
    const content = decodeEnvelope(message.body)?.content
    if (content?.type !== 'protocol') return true
    const { message: word } = content
    if (word.type === 'prepare') return false
    if (word.type === 'commit') return own.has(word.sequence) && to !== 'v0'
    if (word.type === 'proof') return to !== 'v0'
    if (word.type !== 'pre-prepare') return true
    own.add(word.sequence)
    if (to !== 'v0' || !isHoldingUp) return true
    later(from, to, overTheWire({ ...message, block: null }), 5)
    return false
  }
  const ids = ['v0', 'v1', 'v2', 'v3']
  net.add(...ids)
  for (const [index, a] of ids.entries()) for (const b of ids.slice(index + 1)) net.connect(a, b)
  net.run(SECONDS * 1_000)
  return heightOf('v1')
}

test('a proposer that keeps its block from one validator, and answers late, does not slow finality down', () => {
  const [alone, heldUp] = [finalWith(false), finalWith(true)]
  assert.ok(heldUp >= 0.9 * alone, `${heldUp} blocks are final instead of ${alone}`)
})

/**
 * Milliseconds that v0 takes to catch up with over 32 decisions, needed for each further one, where these strangers know
 * all that there is, connect first and tell of each decision before anybody else, but give neither block nor header.
 */
function catchUpMs(strangers: readonly PeerId[], isSilent: boolean): number {
  const { network, net, later, heightOf } = fourValidators()
  net.carries = (from, to, message) => {
    const empty = to === 'v0' && strangers.includes(from) ? emptied(message) : null
    if (empty !== null && !isSilent) later(from, to, empty, LATE_MS)
    return empty === null
  }
  net.add('v0', 'v1', 'v2', 'v3', ...strangers)
  const all = [...strangers, 'v1', 'v2']
  for (const [index, a] of all.entries()) for (const b of all.slice(index + 1)) net.connect(a, b)
  for (const a of ['v1', 'v2']) net.connect(a, 'v3')
  net.run(12_000)
  for (const a of ['v1', 'v2']) net.disconnect(a, 'v3')
  const target = heightOf('v1')
  assert.ok(target > 32)
  let told = 0
  const tell = (): void => {
    for (const stranger of strangers) {
      const bytes = net.nodes.get(stranger)!.replica.view.certificateOf(told + 1)
      if (bytes === null) continue
      const certificate = readCertificate(new ByteReader(bytes))
      later(stranger, 'v0', network.word({ type: 'proof', certificate }), 1)
    }
    told += 1
    net.schedule.after(10, tell)
  }
  for (const peer of all) net.connect('v0', peer)
  tell()
  const startMs = net.nowMs
  while (heightOf('v1') <= target + 1 && net.nowMs - startMs < 60_000) net.run(100)
  return net.nowMs - startMs
}

for (const mode of ['pbft', 'hybrid'] as const) {
  for (const areBound of [true, false]) {
    const holder = areBound ? 'its validator was late once' : 'the one peer that has it was late once'
    test(`${mode}: a decided block is fetched though ${holder} and a stranger changes its identity without end`, () => {
      const network = new ValidatedNetwork(mode, 4)
      const node = new TestNode(network.genesis, { nowMs: START_MS + 10_000_000 }).start()
      const chain = new ChainBuilder(network.genesis)
      const [block] = chain.extend(chain.root, 1)
      let isAnswering = false
      const handle = (effects: readonly Effect[]): void => {
        for (const { to, message } of sentOf(effects, 'get-blocks')) {
          if (!isAnswering || to !== 'v1') continue
          const { requestId } = message
          handle(node.receive(to, { type: 'blocks', requestId, blocks: blocksOf([block!]) }))
        }
      }
      let names = 0
      const change = (): void => {
        if (names > 1) handle(node.step({ type: 'peer-disconnected', peer: `s${names - 2}` }))
        handle(node.connect(`s${names}`))
        // It knows what is decided, and speaks of it first.
        handle(node.receive(`s${names}`, network.proof(block!.chained.id)))
        names += 1
      }
      handle(node.connect('v1'))
      if (areBound) handle(node.receive('v1', network.hello(1)))
      handle(node.receive('v1', network.proof(block!.chained.id)))
      change()
      for (let tick = 1; tick <= 60; tick++) {
        if (tick % 3 === 0) change()
        isAnswering = tick > 10
        handle(node.timeout('sync'))
      }
      assert.equal(node.replica.tree.base.chained.id, block!.chained.id)
    })
  }
}

test('where honest answers take as long as they may, a validator catches up, and no block is asked of more than three at once', () => {
  const { net, later, heightOf } = fourValidators()
  const pending = new Map<BlockId, number>()
  let most = 0
  net.carries = (from, to, message) => {
    if (from === 'v0' && message.type === 'get-blocks') {
      for (const wanted of message.ids) {
        const count = (pending.get(wanted) ?? 0) + 1
        pending.set(wanted, count)
        most = Math.max(most, count)
        net.schedule.after(LATE_MS, () => pending.set(wanted, pending.get(wanted)! - 1))
      }
    }
    if (to !== 'v0' || (message.type !== 'blocks' && message.type !== 'headers')) return true
    later(from, to, overTheWire(message), LATE_MS)
    return false
  }
  const others = ['v1', 'v2', 'v3', 's0', 's1', 's2']
  net.add('v0', ...others)
  for (const [index, a] of others.entries()) for (const b of others.slice(index + 1)) net.connect(a, b)
  net.run(12_000)
  const target = heightOf('v1')
  for (const peer of others) net.connect('v0', peer)
  net.run(30_000)
  assert.ok(heightOf('v0') > target, `${heightOf('v0')} of ${target} blocks`)
  assert.ok(most <= 3, `${most} peers were asked for one block`)
  assert.deepEqual(net.done('v0', 'disconnect'), [])
})

for (const isSilent of [false, true]) {
  const how = isSilent ? 'never answer' : 'answer late with nothing'
  test(`a validator catches up within seconds, though strangers that ${how} tell it of each decision first`, () => {
    for (const count of [1, 4]) {
      const strangers = Array.from({ length: count }, (_, index) => `s${index}`)
      const ms = catchUpMs(strangers, isSilent)
      assert.ok(ms <= 4_000, `${ms} ms with ${count} strangers`)
    }
  })
}
