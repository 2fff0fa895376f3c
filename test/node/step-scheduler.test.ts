import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Steps } from '../../src/chain/steps.ts'
import { StepScheduler } from '../../src/node/step-scheduler.ts'
import { decodeMessageInSteps, encodeMessage } from '../../src/replica/message-codec.ts'
import { ChainBuilder, transfer } from '../replica/small-chain.ts'

/** StepScheduler in virtual time: each step takes a millisecond. */
function inVirtualTime() {
  let [nowMs, turn] = [0, 0]
  const turns = new StepScheduler({
    now: () => nowMs,
    nextTurn: () => Promise.resolve().then(() => (turn += 1)),
  })
  const done: string[] = []
  function* work(name: string, steps: number): Steps<string> {
    for (let step = 0; step < steps; step++) {
      done.push(`${name} in turn ${turn}`)
      nowMs += 1
      yield
    }
    return name
  }
  return { turns, work, done, turn: () => turn }
}

test('little work is done at once, more takes as many turns as it needs', async () => {
  const { turns, work, turn } = inVirtualTime()
  assert.equal((await turns.run('p', work('a', 3))).value, 'a')
  assert.equal(turn(), 0)
  assert.equal((await turns.run('p', work('b', 40))).value, 'b')
  assert.equal(turn(), 10)
})

test('the work of many takes no more of a turn than that of one', async () => {
  const { turns, work, done } = inVirtualTime()
  await Promise.all(['a', 'b', 'c'].map(name => turns.run(name, work(name, 20))))
  const inTurn = new Map<string, number>()
  for (const step of done) {
    const turn = step.slice(2)
    inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1)
  }
  inTurn.delete('in turn 0')
  assert.ok(Math.max(...inTurn.values()) <= 4)
})

test('a peer with much to do waits for itself: another has every second turn', async () => {
  const { turns, work, turn } = inVirtualTime()
  const much = Array.from({ length: 20 }, (_, index) => turns.run('much', work(`m${index}`, 40)))
  const beganTurn = turn()
  const { value, spentMs } = await turns.run('little', work('l', 40))
  assert.deepEqual([value, spentMs], ['l', 40])
  assert.ok(turn() - beganTurn <= 2 * 10 + 1, `${turn() - beganTurn} turns`)
  assert.equal((await Promise.all(much)).length, 20)
})

test('the work of one peer is done in the order in which it came', async () => {
  const { turns, work } = inVirtualTime()
  const order: string[] = []
  const names = ['a', 'b', 'c']
  await Promise.all(
    names.map(async (name, index) => {
      await turns.run('p', work(name, 30 - 5 * index))
      order.push(name)
    }),
  )
  assert.deepEqual(order, names)
})

test('work that throws keeps no other from being done', async () => {
  const { turns, work } = inVirtualTime()
  function* failing(): Steps<string> {
    yield* work('a', 10)
    throw new Error('no')
  }
  const [failed, other] = await Promise.allSettled([turns.run('p', failing()), turns.run('p', work('b', 10))])
  assert.deepEqual([failed.status, other.status], ['rejected', 'fulfilled'])
})

test('a large block is decoded in many steps, in whatever message it comes', () => {
  const builder = new ChainBuilder()
  const transactions = Array.from({ length: 1_000 }, (_, index) =>
    transfer(1 + (index % 9), Math.floor(index / 9)),
  )
  const { block } = builder.mine(builder.root, { transactions })
  for (const message of [
    { type: 'block', block },
    { type: 'blocks', requestId: 1, blocks: [block] },
    { type: 'finality', body: new Uint8Array(), block },
  ] as const) {
    const steps = decodeMessageInSteps(encodeMessage(message))
    let count = 0
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) count += 1
    assert.deepEqual(step.value, message)
    assert.ok(count >= 2 * Math.floor(1_000 / 16), `${message.type}: ${count}`)
  }
})
