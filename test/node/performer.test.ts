import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DurableStore, type OutwardEffect, Performer } from '../../src/node/performer.ts'
import { Timers } from '../../src/node/timers.ts'
import type { Effect, TimerName, Write } from '../../src/replica/effects.ts'

/** A disk that becomes durable only when the test says so, and a record of everything in its order. */
class SlowStore implements DurableStore {
  readonly durable: string[] = []
  #staged: string[] = []
  #finish: { resolve(): void; reject(error: Error): void } | null = null

  stage(writes: readonly Write[]): void {
    this.#staged.push(...writes.map(write => write.key))
  }

  flush(): Promise<void> {
    assert.equal(this.#finish, null, 'one flush at a time')
    const keys = this.#staged
    this.#staged = []
    return new Promise((resolve, reject) => {
      this.#finish = {
        resolve: () => {
          this.durable.push(...keys)
          resolve()
        },
        reject,
      }
    })
  }

  get isFlushing(): boolean {
    return this.#finish !== null
  }

  /** The flush that runs succeeds, or fails. */
  async finish(error?: Error): Promise<void> {
    const finish = this.#finish
    assert.ok(finish !== null, 'nothing is being flushed')
    this.#finish = null
    if (error === undefined) finish.resolve()
    else finish.reject(error)
    await new Promise(setImmediate)
  }
}

function setUp() {
  const store = new SlowStore()
  const done: string[] = []
  const fired: TimerName[] = []
  const faults: unknown[] = []
  const timers = new Timers<TimerName>(name => fired.push(name))
  const perform = (effect: OutwardEffect) => {
    if (effect.type === 'alarm' && effect.text === 'throw') throw new Error('a mistake')
    done.push(effect.type === 'alarm' ? effect.text : effect.type)
  }
  const performer = new Performer({ store, timers, perform, onFault: error => faults.push(error) })
  return { store, done, fired, faults, timers, performer }
}

const persist = (...keys: string[]): Effect => ({
  type: 'persist',
  writes: keys.map(key => ({ key, value: null })),
})
const say = (text: string): Effect => ({ type: 'alarm', text })
const setTimer = (name: TimerName, delayMs: number): Effect => ({ type: 'set-timer', name, delayMs })
const clearTimer = (name: TimerName): Effect => ({ type: 'clear-timer', name })

test('what needs no disk is performed before the call returns', () => {
  const { done, performer } = setUp()
  void performer.perform([say('a'), say('b')], () => {})
  assert.deepEqual(done, ['a', 'b'])
})

test('nothing leaves before what is persisted in the same step is durable', async () => {
  const { store, done, performer } = setUp()
  const performed = performer.perform([persist('k'), say('a'), { type: 'relay' }], () => done.push('relay'))
  await new Promise(setImmediate)
  assert.deepEqual([store.durable, done], [[], []])
  await store.finish()
  assert.deepEqual([store.durable, done], [['k'], ['a', 'relay']])
  assert.equal(await performed, true)
})

test('nothing leaves before what earlier steps persist is durable', async () => {
  const { store, done, performer } = setUp()
  void performer.perform([persist('k'), say('a')])
  void performer.perform([say('b')])
  await new Promise(setImmediate)
  assert.deepEqual(done, [])
  await store.finish()
  assert.deepEqual(done, ['a', 'b'])
})

test('steps that come while the disk is waited for share the next batch and stay in order', async () => {
  const { store, done, performer } = setUp()
  void performer.perform([persist('k1'), say('a')])
  void performer.perform([persist('k2'), say('b')])
  void performer.perform([persist('k3'), say('c')])
  await store.finish()
  assert.deepEqual([store.durable, done], [['k1'], ['a']])
  await store.finish()
  assert.deepEqual(store.durable, ['k1', 'k2', 'k3'])
  assert.deepEqual(done, ['a', 'b', 'c'])
  assert.equal(store.isFlushing, false)
})

test('a crash in the midst of a write leaves nothing said that is not durable', async () => {
  const { store, done, performer } = setUp()
  for (let step = 0; step < 5; step++) void performer.perform([persist(`${step}`), say(`${step}`)])
  await store.finish()
  // Here the power goes: step 0 is durable and said, the others are neither.
  assert.deepEqual([store.durable, done], [['0'], ['0']])
  await store.finish()
  for (const said of done) assert.ok(store.durable.includes(said))
})

test('steps that effects cause are performed after the effects that stand before them', () => {
  const done: string[] = []
  const { store, timers } = setUp()
  const performer: Performer = new Performer({
    store,
    timers,
    perform: effect => {
      if (effect.type === 'head') void performer.perform([say('inner')])
      done.push(effect.type === 'alarm' ? effect.text : effect.type)
    },
    onFault: error => assert.fail(String(error)),
  })
  void performer.perform([{ type: 'head', id: '0x', height: 1, reorganised: 0 }, say('outer')])
  assert.deepEqual(done, ['head', 'outer', 'inner'])
})

test('after a write that failed nothing is performed any more', async () => {
  const { store, done, faults, performer } = setUp()
  const failing = performer.perform([persist('k'), say('a')])
  const behind = performer.perform([say('b')])
  await store.finish(new Error('no space left on device'))
  assert.deepEqual(await Promise.all([failing, behind, performer.perform([say('c')])]), [false, false, false])
  assert.deepEqual(done, [])
  assert.match(String(faults), /no space left/)
})

test('an effect that throws stops everything behind it', async () => {
  const { done, faults, performer } = setUp()
  assert.equal(await performer.perform([say('a'), say('throw'), say('b')]), false)
  assert.equal(await performer.perform([say('c')]), false)
  assert.deepEqual(done, ['a'])
  assert.match(String(faults), /a mistake/)
})

test('stopping performs all that has come and nothing that comes', async () => {
  const { store, done, performer } = setUp()
  void performer.perform([persist('k'), say('a')])
  const stopped = performer.stop()
  void performer.perform([say('b')])
  await store.finish()
  await stopped
  assert.equal(await performer.perform([say('c')]), false)
  assert.deepEqual(done, ['a', 'b'])
})

test('a timer fires once, replaced ones and cleared ones never', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { fired, performer } = setUp()
  void performer.perform([setTimer('sync', 10), setTimer('status', 10), setTimer('gossip', 10)])
  void performer.perform([setTimer('sync', 100), clearTimer('status')])
  t.mock.timers.tick(99)
  assert.deepEqual(fired, ['gossip'])
  t.mock.timers.tick(1)
  t.mock.timers.tick(1_000)
  assert.deepEqual(fired, ['gossip', 'sync'])
})

test('a timer that a step clears does not fire while the disk is waited for', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { store, fired, performer } = setUp()
  void performer.perform([setTimer('gossip', 10)])
  void performer.perform([persist('k'), clearTimer('gossip')])
  void performer.perform([setTimer('template', 10)])
  void performer.perform([setTimer('template', 1_000)])
  t.mock.timers.tick(100)
  assert.deepEqual(fired, [])
  await store.finish()
  t.mock.timers.tick(899)
  assert.deepEqual(fired, [])
  t.mock.timers.tick(1)
  assert.deepEqual(fired, ['template'])
})

test('cleared together, no timer fires', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { fired, timers } = setUp()
  timers.set('sync', 10)
  timers.set('status', 10)
  timers.clearAll()
  t.mock.timers.tick(100)
  assert.deepEqual(fired, [])
})
