// `quorate compare --live`: whether it comes to an end with all its parts. Nothing is asserted about time, nor about
// what chance decides.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quorate } from './network.ts'

test('the longest chain is compared on real processes, with its leader killed and its network cut', async () => {
  const modes = ['--modes', 'longest-chain', '--transfers', '40', '--rate', '20']
  const { code, stdout, stderr } = await quorate(['compare', '--live', '--json', ...modes])
  assert.equal(code, 0, stderr)
  const { settings, contenders } = JSON.parse(stdout)
  assert.deepEqual(settings, { nodes: 4, transfers: 40, rate: 20, seed: 1, hasFaults: true })
  const [{ contender, finalMeans, quiet, leaderKilled, cut }] = contenders
  assert.equal(contenders.length, 1)
  assert.equal(contender, 'longest-chain')
  assert.match(finalMeans, /6 blocks deep/)
  assert.deepEqual([quiet.handedIn, quiet.final], [40, 40])
  assert.ok(quiet.inclusionMs.p50 <= quiet.finalityMs.p50)
  for (const [name, value] of Object.entries(quiet.cost)) assert.ok((value as number) > 0, name)
  assert.ok(quiet.blocks >= 6)
  assert.equal(leaderKilled.node, 2)
  assert.deepEqual([leaderKilled.lost, leaderKilled.acknowledged], [0, 60])
  assert.deepEqual(
    cut.halves.map(({ nodes }: { nodes: number[] }) => nodes),
    [
      [1, 2],
      [3, 4],
    ],
  )
  assert.equal(cut.isForked, true)
  assert.ok(cut.deepestReorganisation > 0)
  assert.notEqual(cut.oneChainAfterMs, null)
})

test('a mode that does not exist is refused with those that do', async () => {
  const { code, stderr } = await quorate(['compare', '--live', '--modes', 'longest-chain,coin-toss'])
  assert.equal(code, 2)
  assert.match(stderr, /unknown mode coin-toss\n +Known: longest-chain/)
})
