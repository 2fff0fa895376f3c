import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Disk } from '../../../src/lab/cluster/disk.ts'
import { EffectPerformer } from '../../../src/lab/cluster/effect-performer.ts'
import type { SimHost } from '../../../src/lab/cluster/sim-host.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'
import type { Effect, Input } from '../../../src/replica/effects.ts'

/** A performer whose node notes its inputs, and whose host notes answers. */
function performerOf() {
  const schedule = new Schedule()
  const seen: string[] = []
  const node = {
    id: 'n1',
    disk: new Disk(),
    syncMeanMs: 10,
    input: (input: Input) =>
      void seen.push(`${input.type === 'timeout' ? input.name : input.type} at ${schedule.nowMs}`),
  } as unknown as SimNode
  const host = {
    schedule,
    trace: null,
    observer: {},
    reply: (_node: SimNode, token: string) => void seen.push(`${token} at ${schedule.nowMs}`),
  } as unknown as SimHost
  const performer = new EffectPerformer({
    node,
    host,
    random: new Random('performer'),
    hashrate: 0,
    isPunctual: true,
    later: (delayMs, action) => schedule.after(delayMs, action),
    crash: reason => void seen.push(`${reason} at ${schedule.nowMs}`),
  })
  const perform = (...effects: readonly Effect[]): void => {
    performer.add({ type: 'start' }, effects, null)
    performer.perform()
  }
  const runAll = (): void => {
    while (schedule.advance());
  }
  return { performer, perform, runAll, seen, schedule, node }
}

const timer = (delayMs: number): Effect => ({ type: 'set-timer', name: 'template', delayMs })
const persist: Effect = { type: 'persist', writes: [{ key: 'k', value: Uint8Array.of(1) }] }
const reply = (token: string): Effect => ({
  type: 'reply',
  token,
  result: { id: `0x${'0'.repeat(64)}` },
})

test('a timer that is set again fires once, at its last time, and one that is cleared never', () => {
  const { perform, runAll, seen } = performerOf()
  perform(timer(10), timer(30))
  runAll()
  assert.deepEqual(seen, ['template at 30'])
  perform(timer(10), { type: 'clear-timer', name: 'template' })
  runAll()
  assert.equal(seen.length, 1)
})

test('a timer is set at once, and what stands behind a persist waits for the sync', () => {
  const { perform, runAll, seen } = performerOf()
  perform(reply('before'), persist, reply('behind'), timer(5))
  perform(reply('next step'))
  runAll()
  assert.deepEqual(seen, ['before at 0', 'template at 5', 'behind at 10', 'next step at 10'])
})

test('a planned crash comes between two effects, and a disk that fails crashes the node when it syncs', () => {
  const { performer, perform, runAll, seen } = performerOf()
  performer.planCrash(1)
  perform(reply('one'), reply('two'))
  assert.deepEqual(seen, ['one at 0', 'planned at 0'])
  performer.clear()
  performer.failDisk(100)
  perform(persist, reply('never'))
  runAll()
  assert.deepEqual(seen.slice(2), ['sync-failed at 10'])
  performer.clear()
  performer.healDisk()
  perform(persist, reply('well'))
  runAll()
  assert.deepEqual(seen.slice(3), ['well at 20'])
})

test('effects of a start are told apart until all are performed', () => {
  const { performer, perform, runAll } = performerOf()
  performer.start()
  perform(persist, reply('started'))
  assert.ok(performer.isStarting)
  runAll()
  assert.ok(!performer.isStarting)
})
