// Strangers that claim more work than there is, to a node that joins: whatever they answer, and however often they come
// back, it has the chain of the one honest peer within a bounded number of ticks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import type { Message, OutgoingMessage } from '../../src/replica/messages.ts'
import { ANSWER_TICKS } from '../../src/replica/sync-requests.ts'
import { ChainBuilder, START_MS, tipOf } from './small-chain.ts'
import { sentOf, TestNode } from './test-node.ts'

const builder = new ChainBuilder()
/** More than one peer is asked for at once, so that liars are asked for bodies too. */
const main = builder.extend(builder.root, 100)
/** A header that can be checked, and is worth nothing to a node that has the first blocks of the chain. */
const worthless = builder.mine(builder.root, { extra: 1 })
const FIRST = 2

/** What a peer answers; null is silence. */
type Answer = (request: OutgoingMessage) => Message | null

const honest: Answer = request => {
  if (request.type === 'get-headers') {
    const known = main.findLastIndex(entry => request.locator.includes(entry.chained.id))
    const headers = main.slice(known + 1).map(entry => entry.chained.header)
    return { type: 'headers', requestId: request.requestId, headers }
  }
  if (request.type !== 'get-blocks') return null
  const blocks = main.filter(entry => request.ids.includes(entry.chained.id)).map(entry => entry.block)
  return { type: 'blocks', requestId: request.requestId, blocks }
}

const LIARS: Readonly<Record<string, Answer>> = {
  'never answer': () => null,
  'answer with nothing': request => {
    const answer = honest(request)
    if (answer?.type === 'headers') return { ...answer, headers: [] }
    return answer?.type === 'blocks' ? { ...answer, blocks: [] } : null
  },
  'drip a header of no worth at a time': request =>
    request.type === 'get-headers'
      ? { type: 'headers', requestId: request.requestId, headers: [worthless.chained.header] }
      : null,
  'drip a true header at a time, and keep its block back': request => {
    const answer = honest(request)
    return answer?.type === 'headers' ? { ...answer, headers: answer.headers.slice(0, 1) } : null
  },
  'drip a true block at a time': request => {
    const answer = honest(request)
    return answer?.type === 'headers' ? { ...answer, headers: answer.headers.slice(0, 1) } : answer
  },
}

const RETURNS = [
  'stay',
  'come back under the same id each tick',
  'come back under a new id each tick',
] as const

function statusOf(entry: TreeBlock, work = entry.chained.work): Message {
  const { block, blocks } = builder.genesis
  const { id: headId, height } = entry.chained
  return { type: 'status', status: { genesisId: block.id, chainId: blocks.chainId, headId, height, work } }
}

/** A node that joins, the honest peer, and liars that are connected before it and claim again in every tick. */
class Joining {
  readonly node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
  /** Requests for headers, by whether the honest peer was asked. */
  readonly asked = { honest: 0, liars: 0 }
  readonly #answer: Answer
  readonly #returns: (typeof RETURNS)[number]
  #liars: PeerId[]
  #names = 0
  /** Answers of liars come in the next tick: as late as they may be without being late. */
  #late: { readonly from: PeerId; readonly answer: Message }[] = []

  constructor(liars: number, answer: Answer, returns: (typeof RETURNS)[number]) {
    this.#answer = answer
    this.#returns = returns
    this.#liars = Array.from({ length: liars }, () => this.#newName())
    for (const entry of main.slice(0, FIRST)) this.node.feed([entry])
    for (const liar of this.#liars) this.#join(liar)
    this.#do(this.node.connect('honest'))
    this.#do(this.node.receive('honest', statusOf(tipOf(main))))
  }

  tick(): void {
    const late = this.#late
    this.#late = []
    for (const { from, answer } of late)
      if (this.#liars.includes(from)) this.#do(this.node.receive(from, answer))
    this.#liars = this.#liars.map(liar => this.#again(liar))
    this.#do(this.node.receive('honest', statusOf(tipOf(main))))
    this.#do(this.node.timeout('sync'))
  }

  #again(liar: PeerId): PeerId {
    if (this.#returns === 'stay') {
      this.#do(this.node.receive(liar, statusOf(tipOf(main), 2n ** 200n)))
      return liar
    }
    this.#do(this.node.step({ type: 'peer-disconnected', peer: liar }))
    const name = this.#returns === 'come back under a new id each tick' ? this.#newName() : liar
    this.#join(name)
    return name
  }

  #join(liar: PeerId): void {
    this.#do(this.node.connect(liar))
    this.#do(this.node.receive(liar, statusOf(tipOf(main), 2n ** 200n)))
  }

  #newName(): PeerId {
    this.#names += 1
    return `liar ${this.#names}`
  }

  #do(effects: readonly Effect[]): void {
    for (const { to } of sentOf(effects, 'get-headers')) this.asked[to === 'honest' ? 'honest' : 'liars'] += 1
    for (const effect of effects) {
      if (effect.type !== 'send') continue
      const answer = (effect.to === 'honest' ? honest : this.#answer)(effect.message)
      if (answer === null) continue
      if (effect.to === 'honest') this.#do(this.node.receive('honest', answer))
      else this.#late.push({ from: effect.to, answer })
    }
  }
}

for (const liars of [2, 8]) {
  for (const [what, answer] of Object.entries(LIARS)) {
    for (const returns of RETURNS) {
      test(`${liars} strangers that claim much work, ${what} and ${returns} do not keep a joiner from the chain`, t => {
        const joining = new Joining(liars, answer, returns)
        let ticks = 0
        while (joining.node.headId !== tipOf(main).chained.id && ticks < 1_000) {
          joining.tick()
          ticks += 1
        }
        t.diagnostic(
          `${ticks} ticks, ${joining.asked.liars} requests to liars, ${joining.asked.honest} to the honest peer`,
        )
        // Each of them has its turn, three at a time, and answers as late as it may.
        const bound = 2 * ANSWER_TICKS * Math.ceil((liars + 1) / 3) + 2 * liars + ANSWER_TICKS
        assert.ok(ticks <= bound, `${ticks} ticks, and not ${bound} at most`)
      })
    }
  }
}

test('a branch of its own whose blocks a stranger keeps back does not hold up that of an honest peer for longer than a tick', () => {
  const node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
  const own = builder.mine(builder.root, { extra: 2 })
  node.connect('liar', 'honest')
  const [request] = sentOf(node.receive('liar', statusOf(own, 2n ** 200n)), 'get-headers')
  const { requestId } = request!.message
  const asked = node.receive('liar', { type: 'headers', requestId, headers: [own.chained.header] })
  assert.equal(sentOf(asked, 'get-blocks').length, 1)
  const pending = [
    ...node.receive('honest', statusOf(tipOf(main))),
    ...node.timeout('sync'),
    ...node.timeout('sync'),
  ]
  for (let effect = pending.shift(); effect !== undefined; effect = pending.shift()) {
    if (effect.type !== 'send' || effect.to !== 'honest') continue
    const answer = honest(effect.message)
    if (answer !== null) pending.push(...node.receive('honest', answer))
  }
  assert.equal(node.headId, tipOf(main).chained.id)
})

test('a peer that copies the headers of others, and gives no body, is asked for them a few times and not in a loop', () => {
  const node = new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000 }).start()
  node.connect('liar')
  let asked = 0
  const perform = (first: readonly Effect[]): void => {
    const left = [...first]
    for (let effect = left.shift(); effect !== undefined && asked < 100; effect = left.shift()) {
      if (effect.type !== 'send' || effect.message.type !== 'get-headers') continue
      asked += 1
      left.push(...node.receive('liar', honest(effect.message)!))
    }
  }
  perform(node.receive('liar', statusOf(tipOf(main))))
  for (let tick = 0; tick < ANSWER_TICKS; tick++) perform(node.timeout('sync'))
  assert.ok(asked <= 3, `${asked} times`)
})
