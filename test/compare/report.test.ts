import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Measurement, QuietPart } from '../../src/compare/measurement.ts'
import { showMeasurements } from '../../src/compare/report.ts'

const quiet: QuietPart = {
  handedIn: 300,
  final: 299,
  inclusionMs: { p50: 12.4, p95: 80, p99: 123.6 },
  finalityMs: { p50: 900, p95: 1_500, p99: 12_345 },
  finalPerSecond: 48.25,
  cost: {
    messagesPerTransfer: 9.96,
    bytesPerTransfer: 2_228,
    messagesPerBlock: 203.4,
    bytesPerBlock: 47_700,
    hashesPerTransfer: 1_234_567,
    signaturesPerTransfer: 4,
  },
  blocks: 14,
  staleBlocks: 1,
  deepestReorganisation: 1,
}

const broken: Measurement = {
  contender: 'longest-chain',
  finalMeans: '6 blocks deep: P(reversal) < 0.1 %',
  quiet,
  leaderKilled: { node: 2, blockPauseMs: 850, finalityPauseMs: 2_140, lost: 0, acknowledged: 150 },
  cut: {
    lastedMs: 9_000,
    halves: [
      { nodes: [1, 2], blocks: 8, final: 50 },
      { nodes: [3, 4], blocks: 0, final: 0 },
    ],
    isForked: true,
    oneChainAfterMs: 683,
    finalAgainAfterMs: null,
    reversed: 50,
    deepestReorganisation: 8,
  },
}

const costless = {
  messagesPerTransfer: null,
  bytesPerTransfer: null,
  messagesPerBlock: null,
  bytesPerBlock: null,
  hashesPerTransfer: null,
  signaturesPerTransfer: null,
}
const idle: Measurement = {
  contender: 'pbft',
  finalMeans: 'a certificate',
  quiet: { ...quiet, final: 0, inclusionMs: null, finalityMs: null, finalPerSecond: null, cost: costless },
  leaderKilled: null,
  cut: null,
}

test('the table has a column for each contender and a group for each part', () => {
  assert.equal(
    `\n${showMeasurements([broken, idle])}\n`,
    `
                             longest-chain           pbft
final means                  6 blocks deep:          a certificate
                             P(reversal) < 0.1 %

Undisturbed (times: p50 / p95 / p99)
  transfers final            299 of 300              0 of 300
  in a block after           12 / 80 / 124 ms        –
  final after                0.90 / 1.50 / 12.35 s   –
  final transfers a second   48.3                    –
  messages per transfer      10.0                    –
  bytes per transfer         2228                    –
  messages per block         203                     –
  bytes per block            47.7 k                  –
  hashes per transfer        1.23 M                  –
  signatures per transfer    4.0                     –
  blocks, stale              14, 1                   14, 1
  deepest reorganisation     1 block                 1 block

Leader killed
  killed                     node 2                  –
  no new block for           850 ms                  –
  nothing final for          2.1 s                   –
  acknowledged and lost      0 of 150                –

Network cut in half, every sender paying twice
  cut for                    9.0 s                   –
  first half                 8 blocks, 50 final      –
  second half                stopped                 –
  forked                     yes                     –
  one chain again after      683 ms                  –
  final again after          never                   –
  final transfers reversed   50                      –
  deepest reorganisation     8 blocks                –
`,
  )
})

test('a part that no contender has is left out', () => {
  const table = showMeasurements([idle, { ...broken, leaderKilled: null, cut: null }])
  assert.doesNotMatch(table, /Leader|cut/)
  assert.match(table, /Undisturbed/)
})
