import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Measurement, NetworkCut, QuietPart } from '../../../src/lab/compare/measurement.ts'
import { showMeasurements } from '../../../src/lab/compare/report.ts'

const quiet: QuietPart = {
  submitted: 300,
  final: 299,
  inclusionMs: { p50: 12.4, p95: 80, p99: 123.6 },
  finalityMs: { p50: 900, p95: 1_500, p99: 12_345 },
  finalityTimesMs: [],
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
  variant: 'longest-chain',
  finalMeans: '6 blocks deep: P(reversal) < 0.1 %',
  quiet,
  leaderKilled: { node: 2, blockPauseMs: 850, finalityPauseMs: 2_140, lost: 0, acknowledged: 150 },
  cut: {
    lastedMs: 9_000,
    halves: [
      { nodes: [1, 2], blocks: 8, final: 50 },
      { nodes: [3, 4], blocks: 9, final: 0 },
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
  variant: 'pbft',
  finalMeans: 'a certificate',
  quiet: { ...quiet, final: 0, inclusionMs: null, finalityMs: null, finalPerSecond: null, cost: costless },
  leaderKilled: null,
  cut: null,
}

test('the table has a column for each variant and a group for each part, and says what the cut did', () => {
  assert.equal(
    `\n${showMeasurements([broken, idle], { columns: 80 })}\n`,
    `
                          longest-chain          pbft
final means               6 blocks deep:         a certificate
                          P(reversal) < 0.1 %

Undisturbed
  transfers final         299 of 300             0 of 300
  in a block after, p50   12 ms                  –
                    p95   80 ms                  –
                    p99   124 ms                 –
  final after, p50        0.90 s                 –
               p95        1.50 s                 –
               p99        12.35 s                –
  final each second       48.3                   –
  messages a transfer     10.0                   –
  bytes a transfer        2228                   –
  messages a block        203                    –
  bytes a block           47.7 k                 –
  hashes a transfer       1.23 M                 –
  signatures a transfer   4.0                    –
  blocks                  14, 1 stale            14, 1 stale
  deepest reorg           1 block                1 block

Leader killed, and started again
  killed                  node 2                 –
  no new block for        850 ms                 –
  nothing final for       2.1 s                  –
  lost                    0 of 150               –

Network cut in half for 9.0 s, every sender paying twice
  first half              8 blocks, 50 final     –
  second half             9 blocks, none final   –
  forked                  yes                    –
  final, then reversed    50 transfers           –
  deepest reorg           8 blocks               –
  one chain after         683 ms                 –
  final again after       did not stop           –

Cut in half:
longest-chain went on in both halves and forked; 50 transfers that had been
final were reversed.
`,
  )
})

test('a part that no variant has is left out', () => {
  const table = showMeasurements([idle, { ...broken, leaderKilled: null, cut: null }], { columns: 80 })
  assert.doesNotMatch(table, /Leader|[Cc]ut/)
  assert.match(table, /Undisturbed/)
})

test('a leader that is never replaced is missed all the time', () => {
  const leaderKilled = { ...broken.leaderKilled!, blockPauseMs: null, finalityPauseMs: null }
  const table = showMeasurements([{ ...broken, leaderKilled }], { columns: 80 })
  assert.match(table, /no new block for +all the time\n +nothing final for +all the time\n/)
})

test('in words: which stopped, which forked, what was reversed', () => {
  const cut = broken.cut!
  const say = (changes: Partial<NetworkCut>): string =>
    showMeasurements([{ ...broken, cut: { ...cut, ...changes } }], { columns: 200 })
      .split('\n')
      .at(-1)!
  const none = { nodes: [1, 2], blocks: 0, final: 0 }
  const mined = { nodes: [1, 2], blocks: 9, final: 0 }
  assert.equal(
    say({ halves: [none, none], isForked: false, reversed: 0 }),
    'longest-chain stopped in both halves; it did not fork, and nothing final was reversed.',
  )
  assert.equal(
    say({ halves: [mined, mined], reversed: 0 }),
    'longest-chain went on in both halves and forked, but called nothing final; nothing final was reversed.',
  )
  assert.equal(
    say({ halves: [mined, { ...mined, final: 1 }], reversed: 1 }),
    'longest-chain went on in both halves and forked; 1 transfer that had been final was reversed.',
  )
  assert.equal(
    say({ halves: [{ ...mined, final: 2 }, none], isForked: false, reversed: 0 }),
    'longest-chain went on in one half; nothing final was reversed.',
  )
})
