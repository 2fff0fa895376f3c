// The options of a network's finality come from the modes: one for each setting, and what they say when modes share one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finalityDetailOptions, readFinality } from '../../src/cli/finality-option.ts'

const ADA = `ada=0x${'11'.repeat(20)}`
const NOTHING = { finality: undefined, validator: [] }

test('each setting has one option, which names its modes, and each default', () => {
  const says = Object.entries(finalityDetailOptions).map(([name, option]) => {
    const { describe, defaultDescription }: { describe: string; defaultDescription?: string } = option
    return [name, describe, defaultDescription]
  })
  assert.deepEqual(says, [
    ['finality', 'What makes a block final', undefined],
    ['pattern', 'How validators exchange votes: each with all, or all with the leader', 'all-to-all'],
    ['validator', 'A validator: NAME=ADDRESS (see quorate validator new); hybrid and pbft', undefined],
    [
      'timeout',
      'Milliseconds that validators wait for progress before they change their leader; hybrid and pbft',
      '1000',
    ],
    [
      'depth',
      'Blocks on top of one that may become final; hybrid and longest-chain',
      '2, and 256 for longest-chain',
    ],
    [
      'interval',
      'hybrid: blocks between two that validators vote on. pbft: milliseconds between two blocks',
      '1, and 250 for pbft',
    ],
    ['heartbeat', 'Seconds after which an empty block is made, 0 for never; pbft', '30'],
  ])
})

test('without options the longest chain is meant', () => {
  assert.deepEqual(readFinality(NOTHING), { mode: 'longest-chain', depth: 256 })
})

test('an option fills the setting that it has in the mode', () => {
  const interval = (finality: string, value: number) =>
    readFinality({ ...NOTHING, finality, validator: [ADA], interval: value })
  assert.equal(interval('hybrid', 7).interval, 7)
  assert.equal(interval('pbft', 700).intervalMs, 700)
  assert.throws(() => interval('hybrid', 1_001), {
    message: /^--interval: expected a whole number from 1 to 1000/,
  })
  assert.throws(() => interval('pbft', 7), { message: /^--interval: expected a whole number from 200/ })
})

test('a heartbeat of 0 is none', () => {
  const made = readFinality({ ...NOTHING, finality: 'pbft', validator: [ADA], heartbeat: 0 })
  assert.equal(made.heartbeatSeconds, null)
})

test('an option of other modes is refused with their names', () => {
  assert.throws(() => readFinality({ ...NOTHING, timeout: 100 }), {
    message: '--timeout: not for longest-chain',
    remedy: 'It belongs to --finality hybrid or pbft.',
  })
})
