// Honest peers that are late: behind a narrow line, or once, while others that give nothing change their identities.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import type { Message, OutgoingMessage } from '../../src/replica/messages.ts'
import { SYNC_TICK_MS } from '../../src/replica/sync-requests.ts'
import { blocksOf, ChainBuilder, idsOf, START_MS, tipOf } from './small-chain.ts'
import { sentOf, TestNode } from './test-node.ts'

const builder = new ChainBuilder()
const main = builder.extend(builder.root, 60)
const tip = tipOf(main)

function statusOf({ chained }: TreeBlock, work = chained.work): Message {
  const { block, blocks } = builder.genesis
  const { id: headId, height } = chained
  return { type: 'status', status: { genesisId: block.id, chainId: blocks.chainId, headId, height, work } }
}

function answerTo(request: OutgoingMessage): Message | null {
  if (request.type === 'get-headers') {
    const known = main.findLastIndex(({ chained }) => request.locator.includes(chained.id))
    const headers = main.slice(known + 1).map(({ chained }) => chained.header)
    return { type: 'headers', requestId: request.requestId, headers }
  }
  if (request.type !== 'get-blocks') return null
  const found = blocksOf(main.filter(({ chained }) => request.ids.includes(chained.id)))
  return { type: 'blocks', requestId: request.requestId, blocks: found }
}

/** A node that knows one honest peer, whose answers come one after the other: each body takes so long on the line. */
class NarrowLine {
  readonly node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
  readonly #bodyMs: number
  #freeAtMs = 0
  #answers: { readonly atMs: number; readonly message: Message }[] = []
  disconnects = 0

  constructor(bodyMs: number) {
    this.#bodyMs = bodyMs
    this.#join()
  }

  tick(): void {
    const { node } = this
    node.nowMs += SYNC_TICK_MS
    for (
      let next = this.#answers[0];
      next !== undefined && next.atMs <= node.nowMs;
      next = this.#answers[0]
    ) {
      this.#answers.shift()
      this.#do(node.receive('honest', next.message))
    }
    this.#do(node.receive('honest', statusOf(tip)))
    this.#do(node.timeout('sync'))
  }

  #join(): void {
    this.#answers = []
    this.#freeAtMs = this.node.nowMs
    this.#do(this.node.connect('honest'))
    this.#do(this.node.receive('honest', statusOf(tip)))
  }

  #do(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const message = effect.type === 'send' ? answerTo(effect.message) : null
      if (message === null) continue
      const bodies = message.type === 'blocks' ? message.blocks.length : 0
      this.#freeAtMs = Math.max(this.#freeAtMs, this.node.nowMs) + bodies * this.#bodyMs
      this.#answers.push({ atMs: this.#freeAtMs, message })
    }
    if (!effects.some(({ type }) => type === 'disconnect')) return
    this.disconnects += 1
    this.#do(this.node.step({ type: 'peer-disconnected', peer: 'honest' }))
    this.#join()
  }
}

const LINES = [
  { bodies: 'sixteen of whose bodies take a second longer than an answer may', bodyMs: 330, disconnects: 0 },
  {
    bodies: 'each of whose bodies takes more than twice as long as an answer may',
    bodyMs: 10_400,
    disconnects: 2,
  },
]

for (const { bodies, bodyMs, disconnects } of LINES) {
  test(`a node catches up over a line ${bodies}`, () => {
    const line = new NarrowLine(bodyMs)
    // Twice as long as the bodies take, and a minute to find out how many may be asked for.
    const ticksMax = (main.length * bodyMs * 4 + 60_000) / SYNC_TICK_MS
    for (let tick = 0; tick < ticksMax && line.node.headId !== tip.chained.id; tick++) line.tick()
    assert.equal(line.node.height, tip.chained.height)
    assert.ok(line.disconnects <= disconnects, `the honest peer was disconnected ${line.disconnects} times`)
  })
}

// ---- late once

for (const rotateEvery of [1, 2, 4]) {
  test(`the source of a download that was late once is asked again, though two peers change identity every ${rotateEvery} ticks`, () => {
    const node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
    let isAnswering = false
    const left: Effect[] = []
    const perform = (effects: readonly Effect[]): void => {
      left.push(...effects)
      for (let effect = left.shift(); effect !== undefined; effect = left.shift()) {
        if (effect.type !== 'send' || effect.to !== 'honest') continue
        const message = answerTo(effect.message)
        if (message !== null && (isAnswering || message.type === 'headers'))
          left.push(...node.receive('honest', message))
      }
    }
    let names = 0
    const change = (): void => {
      if (names > 1) perform(node.step({ type: 'peer-disconnected', peer: `s${names - 2}` }))
      perform(node.connect(`s${names}`))
      perform(node.receive(`s${names}`, statusOf(tip, 2n ** 200n)))
      names += 1
    }
    perform(node.connect('honest'))
    perform(node.receive('honest', statusOf(tip)))
    change()
    change()
    let ticks = 0
    for (; ticks < 60 && node.headId !== tip.chained.id; ticks++) {
      if (ticks % rotateEvery === 0) change()
      perform(node.receive('honest', statusOf(tip)))
      isAnswering = ticks > 10
      perform(node.timeout('sync'))
    }
    assert.equal(node.headId, tip.chained.id)
  })
}

/** Strangers that claim much and give nothing come while the source is left alone, which was late at ticks 9 and 19. */
const STRANGERS = [
  { what: 'take all the places that they can get', count: 8, atTick: 19 },
  { what: 'are not late yet', count: 1, atTick: 22 },
]

for (const { what, count, atTick } of STRANGERS) {
  test(`the source is asked again for what is needed next as soon as its delay is over, though strangers ${what}`, () => {
    const node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
    node.connect('honest')
    const [request] = sentOf(node.receive('honest', statusOf(tip)), 'get-headers')
    node.receive('honest', answerTo(request!.message)!)
    const asked: number[] = []
    for (let tick = 1; tick <= 24; tick++) {
      const bodies = sentOf(node.timeout('sync'), 'get-blocks')
      const isNext = bodies.some(
        ({ to, message }) => to === 'honest' && message.ids[0] === main[0]!.chained.id,
      )
      if (isNext) asked.push(tick)
      if (tick !== atTick) continue
      for (let name = 1; name <= count; name++) {
        node.connect(`s${name}`)
        node.receive(`s${name}`, statusOf(tip, 2n ** 200n))
      }
    }
    assert.deepEqual(asked, [11, 23])
  })
}

// ---- what is asked

/** Headers are here, and the first bodies are asked for. */
function downloading(...peers: readonly PeerId[]) {
  const node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
  node.connect(...peers)
  const [request] = sentOf(
    peers.flatMap(peer => node.receive(peer, statusOf(tip))),
    'get-headers',
  )
  const asked = sentOf(node.receive('p', answerTo(request!.message)!), 'get-blocks')
  const pass = (ticks: number) =>
    sentOf(
      Array.from({ length: ticks }, () => node.timeout('sync')).flatMap(effects => [...effects]),
      'get-blocks',
    )
  return { node, asked, pass }
}

test('a late answer halves what is asked of its peer, and a good one adds to it', () => {
  const { node, asked, pass } = downloading('p')
  const [again] = pass(12)
  assert.deepEqual([asked[0]!.message.ids.length, again!.message.ids.length], [16, 8])
  const [next] = sentOf(node.receive('p', answerTo(again!.message)!), 'get-blocks')
  assert.equal(next!.message.ids.length, 9)
})

test('a late answer whose bodies are here by now is not decoded, and one that is needed is', () => {
  const { node, asked, pass } = downloading('p')
  pass(12)
  const { requestId, ids } = asked[0]!.message
  assert.equal(node.replica.sync.isAsked('p', 'blocks', requestId), true)
  assert.equal(node.replica.sync.asksFor('p', requestId, ids[0]!), true)
  node.feed(main.slice(0, 16))
  assert.equal(node.replica.sync.isAsked('p', 'blocks', requestId), false)
})

test('a late answer is taken though its bodies are asked of another peer meanwhile', () => {
  const { node, asked, pass } = downloading('p', 'q')
  assert.deepEqual(
    asked.map(({ to }) => to),
    ['p', 'q'],
  )
  pass(10)
  const [first] = asked
  node.receive('p', answerTo(first!.message)!)
  assert.equal(node.height, 16)
  assert.deepEqual(first!.message.ids, idsOf(main.slice(0, 16)))
})
