// The simulated stage, with all parts. Asserted is what theory says of every run, not what chance decided in this one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompareSettings, Measurement } from '../../../src/lab/compare/measurement.ts'
import { percentiles } from '../../../src/lab/compare/percentiles.ts'
import { simulatedStage } from '../../../src/lab/compare/stage-kinds.ts'
import { VARIANTS } from '../../../src/lab/stage/variant.ts'

const SETTINGS: CompareSettings = { nodes: 4, transfers: 60, rate: 30, seed: 1, hasFaults: true }

async function measure(name: string, settings: Partial<CompareSettings> = {}): Promise<Measurement> {
  const variant = VARIANTS.find(variant => variant.name === name)!
  const words: string[] = []
  const all = { ...SETTINGS, ...settings }
  const measurement = await simulatedStage().run(variant, all, word => words.push(word))
  assert.equal(words.length, all.hasFaults ? 5 : 3)
  return measurement
}

/** What holds for every variant while nothing is broken, and with its leader killed. */
function checkAll({ quiet, leaderKilled, cut }: Measurement): void {
  assert.deepEqual([quiet.submitted, quiet.final], [60, 60])
  assert.equal(quiet.finalityTimesMs.length, 60)
  assert.ok(quiet.inclusionMs!.p50 <= quiet.finalityMs!.p50)
  assert.ok(quiet.cost.messagesPerTransfer! > 0 && quiet.cost.bytesPerTransfer! > 0)
  // Each transaction is checked once by each of four nodes.
  assert.ok(quiet.cost.signaturesPerTransfer! >= 4)
  assert.deepEqual([leaderKilled!.lost, leaderKilled!.acknowledged], [0, 90])
  assert.notEqual(cut!.oneChainAfterMs, null)
  assert.notEqual(cut!.finalAgainAfterMs, null)
}

test('the longest chain forks when it is cut, and comes together again', async () => {
  const measurement = await measure('longest-chain')
  checkAll(measurement)
  const cut = measurement.cut!
  assert.equal(cut.isForked, true)
  assert.ok(cut.deepestReorganisation > 0)
  assert.ok(measurement.quiet.cost.hashesPerTransfer! > 0)
  // Only what one half had called final can be reversed.
  assert.ok(cut.reversed <= cut.halves[0].final + cut.halves[1].final)
})

test('hybrid goes on without finality in both halves, and reverses nothing final', async () => {
  const measurement = await measure('hybrid')
  checkAll(measurement)
  const cut = measurement.cut!
  assert.equal(cut.isForked, true)
  assert.deepEqual([cut.halves[0].final, cut.halves[1].final, cut.reversed], [0, 0, 0])
  assert.ok(measurement.quiet.cost.hashesPerTransfer! > 0)
})

for (const name of ['pbft', 'pbft-leader']) {
  test(`${name} stops in both halves of a cut network, never forks and reverses nothing`, async () => {
    const measurement = await measure(name)
    checkAll(measurement)
    const { quiet, leaderKilled } = measurement
    const cut = measurement.cut!
    assert.deepEqual(
      cut.halves.map(({ nodes, blocks, final }) => ({ nodes, blocks, final })),
      [
        { nodes: [1, 2], blocks: 0, final: 0 },
        { nodes: [3, 4], blocks: 0, final: 0 },
      ],
    )
    assert.deepEqual([cut.isForked, cut.reversed, cut.deepestReorganisation], [false, 0, 0])
    assert.deepEqual(quiet.inclusionMs, quiet.finalityMs)
    assert.deepEqual([quiet.staleBlocks, quiet.cost.hashesPerTransfer], [0, 0])
    // The others wait for the dead primary as long as the genesis file says, and change their view.
    assert.ok(leaderKilled!.blockPauseMs! >= 1_000)
  })
}

test('the same seed gives the same figures to the byte, another seed others', async () => {
  const run = async (seed: number): Promise<string> => JSON.stringify(await measure('hybrid', { seed }))
  const first = await run(7)
  assert.equal(await run(7), first)
  assert.notEqual(await run(8), first)
})

test('three validators can bear no dead one: nothing is final until it is back, and then everything', async () => {
  const { leaderKilled } = await measure('pbft', { nodes: 3 })
  // Null, unless a decision was on its way already when the node died: then it is the last one.
  assert.ok((leaderKilled!.finalityPauseMs ?? Number.POSITIVE_INFINITY) > 10_000)
  assert.deepEqual([leaderKilled!.lost, leaderKilled!.acknowledged], [0, 90])
})

test('without faults there is only the quiet part, also of seven nodes', async () => {
  const { quiet, leaderKilled, cut } = await measure('pbft', { nodes: 7, hasFaults: false })
  assert.equal(quiet.final, 60)
  assert.deepEqual([leaderKilled, cut], [null, null])
})

test('where messages take longer everything final does', async () => {
  const variant = VARIANTS.find(({ name }) => name === 'pbft')!
  const settings = { ...SETTINGS, hasFaults: false }
  const [near, far] = [
    await simulatedStage(3).run(variant, settings, () => {}),
    await simulatedStage(60).run(variant, settings, () => {}),
  ]
  assert.ok(far.quiet.finalityMs!.p50 > near.quiet.finalityMs!.p50 + 100)
})

test('blocks come as seldom as was asked for, and patience lasts until slow ones are final', async () => {
  const blockMs = 5_000
  const chain = await measure('longest-chain', { blockMs })
  checkAll(chain)
  // Six blocks, of which five come after the one that has the transfer; and the load took two seconds.
  assert.ok(chain.quiet.blocks >= 6)
  assert.ok(chain.quiet.finalityMs!.p50 > blockMs)
  const votes = await measure('pbft', { blockMs })
  checkAll(votes)
  // One block has what came first, and the next, so much later, has the rest.
  assert.equal(votes.quiet.blocks, 2)
  assert.ok(votes.quiet.finalityTimesMs.at(-1)! > blockMs - 100)
})

test('transfers submitted at once are final sooner than the last would come at a rate, and faults have a load', async () => {
  const { quiet, leaderKilled } = await measure('pbft', { rate: 'max' })
  assert.equal(quiet.final, 60)
  assert.ok(quiet.finalPerSecond! > 60)
  // Three seconds of fifty a second.
  assert.deepEqual([leaderKilled!.lost, leaderKilled!.acknowledged], [0, 150])
})

test('what a full pool refused is not waited for', async () => {
  // A node takes 128 transfers of one sender, and the most frequent payer pays more than that.
  const settings = { transfers: 1_000, rate: 'max', senders: 'zipf', hasFaults: false } as const
  const { quiet } = await measure('longest-chain', settings)
  assert.ok(quiet.final < quiet.submitted)
  assert.ok(quiet.blocks < 30)
})

test('the times of finality are those of the percentiles, ascending', async () => {
  const { quiet } = await measure('longest-chain', { hasFaults: false })
  const { finalityTimesMs } = quiet
  assert.deepEqual(
    finalityTimesMs,
    finalityTimesMs.toSorted((a, b) => a - b),
  )
  assert.deepEqual(percentiles(finalityTimesMs), quiet.finalityMs)
})
