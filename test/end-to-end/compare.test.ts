// `quorate compare`, as it is called: in the simulator, and on real processes, whether it comes to an end with all its
// parts. Nothing is asserted about time, nor about what chance decides.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Comparison } from '../../src/lab/compare/comparison.ts'
import type { Measurement } from '../../src/lab/compare/measurement.ts'
import { quorate } from './network.ts'

/** One mode on real processes, and what every mode must show. */
async function compareLive(mode: string): Promise<Measurement> {
  const args = ['--modes', mode, '--transfers', '40', '--rate', '20']
  const { code, stdout, stderr } = await quorate(['compare', '--live', '--json', ...args])
  assert.equal(code, 0, stderr)
  const { stage, settings, variants }: Comparison = JSON.parse(stdout)
  assert.deepEqual(stage, { name: 'live' })
  assert.deepEqual(settings, {
    nodes: 4,
    transfers: 40,
    rate: 20,
    seed: 1,
    senders: 'turns',
    hasFaults: true,
  })
  assert.equal(variants.length, 1)
  const { variant, quiet, leaderKilled, cut } = variants[0]!
  assert.equal(variant, mode)
  assert.deepEqual([quiet.submitted, quiet.final], [40, 40])
  assert.ok(quiet.inclusionMs!.p50 <= quiet.finalityMs!.p50)
  const { hashesPerTransfer: _, ...costs } = quiet.cost
  for (const [name, cost] of Object.entries(costs)) assert.ok(cost! > 0, name)
  assert.deepEqual([leaderKilled!.lost, leaderKilled!.acknowledged], [0, 60])
  assert.deepEqual(
    cut!.halves.map(({ nodes }) => nodes),
    [
      [1, 2],
      [3, 4],
    ],
  )
  assert.notEqual(cut!.oneChainAfterMs, null)
  return variants[0]!
}

test('on real processes the longest chain forks when it is cut, and loses nothing with a dead miner', async () => {
  const { quiet, leaderKilled, cut } = await compareLive('longest-chain')
  assert.ok(quiet.cost.hashesPerTransfer! > 0)
  assert.equal(leaderKilled!.node, 2)
  assert.equal(cut!.isForked, true)
  assert.ok(cut!.deepestReorganisation > 0)
})

test('on real processes pbft stops when it is cut, and loses nothing with its primary', async () => {
  const { quiet, leaderKilled, cut } = await compareLive('pbft')
  assert.equal(quiet.cost.hashesPerTransfer, 0)
  assert.ok(leaderKilled!.node >= 1 && leaderKilled!.node <= 4)
  assert.deepEqual([cut!.isForked, cut!.reversed, cut!.deepestReorganisation], [false, 0, 0])
  assert.deepEqual(
    cut!.halves.map(({ final }) => final),
    [0, 0],
  )
})

test('in the simulator the same seed says the same, as a table and as data', async () => {
  const args = ['compare', '--modes', 'pbft', '--transfers', '40', '--seed', '3']
  const first = await quorate([...args, '--json'])
  assert.equal(first.code, 0, first.stderr)
  assert.equal((await quorate([...args, '--json'])).stdout, first.stdout)
  const { stage } = JSON.parse(first.stdout)
  assert.equal(stage.name, 'simulator')
  const { stdout } = await quorate(args)
  assert.match(stdout, /^4 simulated nodes: a message takes 3 ms/)
  assert.match(stdout, /40 transfers, 50 a second, seed 3\./)
  assert.match(stdout, /pbft stopped in both halves; it did not fork, and nothing final was reversed\./)
})

test('what makes no sense is refused with what would', async () => {
  const unknown = await quorate(['compare', '--live', '--modes', 'longest-chain,coin-toss'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /unknown mode coin-toss\n +Known: longest-chain/)
  const latency = await quorate(['compare', '--live', '--latency', '501'])
  assert.equal(latency.code, 2)
  assert.match(latency.stderr, /--latency: expected a whole number from 1 to 500/)
})
