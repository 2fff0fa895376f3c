import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  drawFaults,
  FAULT_KINDS,
  type FaultKind,
  NO_FAULTS,
  RARE_FAULT_KINDS,
} from '../../../src/lab/faults/fault-plan.ts'
import { Random } from '../../../src/lab/virtual/random.ts'

const plan = (kinds: readonly FaultKind[], seed = 1) =>
  drawFaults(new Set(kinds), new Random(`seed/${seed}`), 2_000)

const SHOWS: Readonly<Record<FaultKind, (drawn: ReturnType<typeof plan>) => boolean>> = {
  loss: ({ lossRate }) => lossRate > 0,
  delay: ({ delayMeanMs, tailRate }) => delayMeanMs >= 30 && tailRate > 0,
  duplication: ({ duplicateRate }) => duplicateRate > 0,
  reordering: ({ mayReorder }) => mayReorder,
  partition: ({ partitionEveryMs }) => partitionEveryMs !== null,
  crash: ({ crashEveryMs }) => crashEveryMs !== null,
  clock: ({ clockOffsetMaxMs }) => clockOffsetMaxMs > 0,
  disk: ({ keepsUnsynced }) => keepsUnsynced,
  mute: ({ muteEveryMs }) => muteEveryMs !== null,
  clog: ({ clogEveryMs }) => clogEveryMs !== null,
  pause: ({ pauseEveryMs }) => pauseEveryMs !== null,
  'clock-step': ({ clockStepEveryMs }) => clockStepEveryMs !== null,
  'disk-loss': ({ diskLossEveryMs }) => diskLossEveryMs !== null,
  bridge: ({ bridgeEveryMs }) => bridgeEveryMs !== null,
  replay: ({ replayRate }) => replayRate > 0,
  'slow-disk': ({ syncMeanMs }) => syncMeanMs > 1,
  ring: ({ ringEveryMs }) => ringEveryMs !== null,
  flap: ({ flapEveryMs }) => flapEveryMs !== null,
  damage: ({ damageRate }) => damageRate > 0,
  'full-link': ({ linkCapacity }) => linkCapacity !== null,
  'slow-cpu': ({ stepMaxMs }) => stepMaxMs > 0,
  'crash-loop': ({ crashLoopEveryMs }) => crashLoopEveryMs !== null,
  'disk-failure': ({ diskFailureEveryMs }) => diskFailureEveryMs !== null,
  'clock-stop': ({ clockStopEveryMs }) => clockStopEveryMs !== null,
  'bit-rot': ({ bitRotEveryMs }) => bitRotEveryMs !== null,
  strangers: ({ strangers }) => strangers > 0,
  'wrong-hour': ({ wrongHourEveryMs }) => wrongHourEveryMs !== null,
}

const KINDS: readonly FaultKind[] = [...FAULT_KINDS, ...RARE_FAULT_KINDS]

for (const kind of KINDS) {
  test(`asked for ${kind} alone, a plan has that and no other fault`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const drawn = plan([kind], seed)
      assert.deepEqual(
        KINDS.filter(other => SHOWS[other](drawn)),
        [kind],
      )
    }
  })
}

test('without faults the network is quiet, whatever the seed', () => {
  const { partitionMeanMs: _partition, downMeanMs: _down, ...drawn } = plan([])
  const { partitionMeanMs, downMeanMs, ...quiet } = NO_FAULTS
  assert.deepEqual(drawn, quiet)
  assert.deepEqual([partitionMeanMs, downMeanMs], [0, 0])
})

test('how bad a fault is depends on the seed, within the bounds of the table', () => {
  const rates = Array.from({ length: 100 }, (_, seed) => plan(['loss'], seed).lossRate)
  assert.ok(Math.min(...rates) < 0.05 && Math.max(...rates) > 0.25 && Math.max(...rates) <= 0.3)
})
