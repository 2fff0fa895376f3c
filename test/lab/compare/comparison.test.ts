// What a comparison says of how it was made.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, showComparison } from '../../../src/lab/compare/comparison.ts'
import type { CompareSettings } from '../../../src/lab/compare/measurement.ts'
import { liveStage, simulatedStage } from '../../../src/lab/compare/stage-kinds.ts'
import { VARIANTS } from '../../../src/lab/stage/variant.ts'

const SETTINGS: CompareSettings = { nodes: 4, transfers: 5, rate: 20, seed: 3, hasFaults: false }
const stage = simulatedStage()
const variants = VARIANTS.filter(({ name }) => name === 'pbft')

async function head(changes: Partial<CompareSettings>): Promise<{ words: string; blockMs: unknown }> {
  const settings = { ...SETTINGS, ...changes }
  const comparison = await compare({ variants, settings, stage, onProgress: () => {} })
  const text = showComparison(comparison, { stage, columns: 1_000 })
  return { words: text.split('\n')[0]!, blockMs: comparison.stage.blockMs }
}

test('block time and rate are said as they are, asked for or not', async () => {
  const usual = await head({})
  assert.match(
    usual.words,
    /; one block in 400 ms where blocks are mined, of 256 hashes\. 5 transfers, 20 a second,/,
  )
  assert.equal(usual.blockMs, 400)
  const asked = await head({ blockMs: 800, rate: 'max' })
  assert.match(
    asked.words,
    /; one block in 800 ms where blocks are mined, of 256 hashes, and at least 800 ms between two where validators take turns\. 5 transfers, all at once,/,
  )
  assert.equal(asked.blockMs, 800)
})

test('real processes say a block time that was asked for, and none otherwise', () => {
  assert.doesNotMatch(liveStage().means({}), / ms/)
  assert.match(
    liveStage().means({ blockMs: 800 }),
    /about 800 ms where blocks are mined, and at least 800 ms between/,
  )
})

test('real processes say a latency that was asked for, and none otherwise', () => {
  assert.match(liveStage(100).means({}), /; what they send takes 100 ms more on average$/)
  assert.deepEqual([liveStage(100).parameters, liveStage().parameters], [{ latencyMs: 100 }, {}])
})
