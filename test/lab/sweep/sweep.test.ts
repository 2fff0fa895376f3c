// Sweeps: what varies is what was asked for, every value is run with every seed, and means come with the interval in
// which they can be trusted.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompareSettings } from '../../../src/lab/compare/measurement.ts'
import { simulatedStage } from '../../../src/lab/compare/stage-kinds.ts'
import { VARIANTS } from '../../../src/lab/stage/variant.ts'
import { meanInterval } from '../../../src/lab/sweep/mean.ts'
import { METRICS } from '../../../src/lab/sweep/metrics.ts'
import { showSweep, sweepCsv } from '../../../src/lab/sweep/report.ts'
import { countSweepSteps, runSweep, type Sweep, type SweepResult } from '../../../src/lab/sweep/sweep.ts'

const SETTINGS: CompareSettings = { nodes: 4, transfers: 20, rate: 20, seed: 3, hasFaults: false }
const stage = simulatedStage()

async function sweepPbft(sweep: Sweep, repeat: number, changes: Partial<CompareSettings> = {}) {
  const variants = VARIANTS.filter(({ name }) => name === 'pbft')
  const options = { variants, settings: { ...SETTINGS, ...changes }, stage, sweep, repeat }
  const words: string[] = []
  const result = await runSweep({ ...options, onProgress: (_done, word) => words.push(word) })
  assert.equal(words.length, countSweepSteps(options))
  return { result, words }
}

const means = ({ points }: SweepResult, name: string): number[] =>
  points.map(({ metrics }) => metrics[name]!.mean)

test('more nodes send more messages for a block, in every seed, and the same seeds give the same figures', async () => {
  const sweep = { axis: 'nodes', values: [4, 7] } as const
  const { result, words } = await sweepPbft(sweep, 2)
  assert.deepEqual(result.seeds, [3, 4])
  assert.deepEqual(
    result.points.map(({ value, measurements }) => [value, measurements.length]),
    [
      [4, 2],
      [7, 2],
    ],
  )
  const [four, seven] = means(result, 'messages_per_block')
  assert.ok(seven! > 2 * four!)
  assert.ok(result.points.every(({ metrics }) => metrics.messages_per_block!.halfWidth! > 0))
  assert.equal(words[0], 'pbft, nodes 4, seed 3: signing')
  assert.deepEqual((await sweepPbft(sweep, 2)).result, result)
})

test('finality takes longer where messages do, and where some of them are lost', async () => {
  const delay = await sweepPbft({ axis: 'latency', values: [1, 100] }, 1)
  const [near, far] = means(delay.result, 'finality_p50_ms')
  assert.ok(far! > near! + 200)
  const lossy = await sweepPbft({ axis: 'loss', values: [0, 200] }, 1)
  const [clean, lost] = means(lossy.result, 'finality_p95_ms')
  assert.ok(lost! > clean!)
  assert.deepEqual(means(lossy.result, 'never_final'), [0, 0])
})

test('the rate is what is submitted, and senders may be few', async () => {
  const { result } = await sweepPbft({ axis: 'rate', values: [5, 50] }, 1, { senders: 'zipf' })
  const [slow, fast] = means(result, 'final_per_second')
  assert.ok(fast! > 3 * slow!)
  assert.deepEqual(means(result, 'never_final'), [0, 0])
})

test('a rate may be max, which the table and CSV show, and no other axis may', async () => {
  const { result } = await sweepPbft({ axis: 'rate', values: [5, 'max'] }, 1)
  const [slow, fast] = means(result, 'final_per_second')
  assert.ok(fast! > 3 * slow!)
  assert.match(showSweep(result, { stage, columns: 100 }), /^ +rate 5 +rate max$/m)
  assert.match(sweepCsv(result), /^pbft,rate,max,finality_p50_ms,ms,/m)
  assert.deepEqual(JSON.parse(JSON.stringify(result)).values, [5, 'max'])
  await assert.rejects(sweepPbft({ axis: 'nodes', values: ['max'] }, 1), /only a rate/)
})

test('finality takes longer where blocks are seldom, mined or not', async () => {
  const variants = VARIANTS.filter(({ name }) => ['longest-chain', 'pbft'].includes(name))
  const sweep = { axis: 'block', values: [200, 4_000] } as const
  const result = await runSweep({
    variants,
    settings: SETTINGS,
    stage,
    sweep,
    repeat: 1,
    onProgress: () => {},
  })
  const [fastChain, fastVotes, slowChain, slowVotes] = means(result, 'finality_p95_ms')
  assert.ok(slowChain! > 4 * fastChain!)
  assert.ok(slowVotes! > 4 * fastVotes!)
  assert.deepEqual(means(result, 'never_final'), [0, 0, 0, 0])
})

test('the longer a network is cut, the more the longest chain reverses, and a certificate never', async () => {
  const variants = VARIANTS.filter(({ name }) => ['longest-chain', 'pbft'].includes(name))
  const sweep = { axis: 'cut', values: [2, 12] } as const
  const settings = { ...SETTINGS, hasFaults: true }
  const result = await runSweep({ variants, settings, stage, sweep, repeat: 1, onProgress: () => {} })
  const lasted = result.points.map(({ measurements }) => Math.round(measurements[0]!.cut!.lastedMs / 1_000))
  assert.deepEqual(lasted, [2, 2, 12, 12])
  const [shortChain, shortVotes, longChain, longVotes] = means(result, 'cut_reversed')
  assert.ok(longChain! > shortChain!)
  assert.deepEqual([shortVotes, longVotes], [0, 0])
})

test('without an axis the seeds are all that is repeated, and one seed has no interval', async () => {
  const { result } = await sweepPbft({ axis: null, values: [] }, 1)
  const [point, ...rest] = result.points
  assert.deepEqual(rest, [])
  assert.equal(point!.value, null)
  assert.equal(point!.metrics.finality_p50_ms!.halfWidth, null)
  // Nothing was killed.
  assert.equal(point!.metrics.killed_lost, null)
  const text = showSweep(result, { stage, columns: 100 })
  assert.match(text, /one seed\.\n/)
  assert.doesNotMatch(text, /±|leader killed/)
})

test('a table for each figure has a column for each value, and CSV a line for each mean', async () => {
  const { result } = await sweepPbft({ axis: 'transfers', values: [10, 20] }, 2)
  const text = showSweep(result, { stage, columns: 100 })
  assert.match(text, /^ +transfers 10 +transfers 20$/m)
  assert.match(text, /^final after, p50\n {2}pbft +\d+ ± \d+ ms +\d+ ± \d+ ms$/m)
  const [head, ...lines] = sweepCsv(result)
    .split('\n')
    .map(line => line.split(','))
  assert.deepEqual(head, ['variant', 'axis', 'value', 'metric', 'unit', 'mean', 'low', 'high', 'runs'])
  assert.equal(lines.length, 2 * METRICS.length)
  assert.ok(lines.every(line => line.length === head!.length))
  const line = lines.find(([, , value, metric]) => value === '20' && metric === 'finality_p50_ms')!
  const [mean, low, high, runs] = line.slice(5).map(Number)
  assert.ok(low! < mean! && mean! < high!)
  assert.equal(runs, 2)
})

// ---- means

test('the interval of a mean is Student’s', () => {
  assert.deepEqual(meanInterval([7]), { mean: 7, halfWidth: null, runs: 1 })
  const { mean, halfWidth } = meanInterval([1, 2, 3])
  assert.equal(mean, 2)
  // s = 1, so t / √3 with two degrees of freedom.
  assert.ok(Math.abs(halfWidth! - 4.303 / Math.sqrt(3)) < 1e-12)
  assert.equal(meanInterval([4, 4, 4, 4]).halfWidth, 0)
  const many = Array.from({ length: 50 }, (_, index) => index % 2)
  assert.ok(meanInterval(many).halfWidth! < 0.16)
  assert.throws(() => meanInterval([]), RangeError)
})
