// Theory against the code: with the papers' formulas and our code every claim holds; with a formula that is changed, or
// with code that counts, forks or decides in another way, the claim that it touches fails, and no other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsTolerated, quorumOf } from '../../../src/consensus/quorum.ts'
import { exactReversal, nakamotoReversal } from '../../../src/finality/reversal.ts'
import type { NetworkCut } from '../../../src/lab/compare/measurement.ts'
import { judgeAgreements, runAgreements } from '../../../src/lab/theory/agreement.ts'
import type { ClaimGroup } from '../../../src/lab/theory/claim.ts'
import { THEORY } from '../../../src/lab/theory/formulas.ts'
import { judgeCuts, judgeForks, judgeLags } from '../../../src/lab/theory/mining.ts'
import { judgeQuorums } from '../../../src/lab/theory/quorums.ts'
import { judgeReversal, raceForTheory } from '../../../src/lab/theory/reversal.ts'
import { EFFORT, runTheory, showTheory } from '../../../src/lab/theory/theory.ts'

/** What the claims that fail say. */
const failing = (...groups: readonly ClaimGroup[]): string[] =>
  groups.flatMap(({ claims }) => claims.filter(({ isTrue }) => !isTrue).map(({ says }) => says))

test('every claim holds on the code as it is, and the report says so', async () => {
  const words = new Set<string>()
  const shares: number[] = []
  const result = await runTheory({
    seed: 1,
    effort: { races: 100, heights: 150, repeats: 1, partMs: 10_000 },
    onProgress: (share, word) => {
      shares.push(share)
      words.add(word)
    },
  })
  assert.deepEqual(failing(...result.groups), [])
  assert.equal(result.isTrue, true)
  assert.ok(words.size > 8)
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  )
  assert.ok(shares.at(-1)! <= 1.000_001)
  const text = showTheory(result, { columns: 80 })
  assert.match(text, /\d+ claims, seed 1: all hold$/)
  for (const { source } of result.groups) assert.ok(source.length > 0)
  assert.ok(EFFORT.races >= 5_000)
  const [first, ...rest] = result.groups
  const [claim, ...claims] = first!.claims
  const broken = { ...first!, claims: [{ ...claim!, isTrue: false }, ...claims] }
  const red = showTheory({ ...result, groups: [broken, ...rest] }, { columns: 80 })
  assert.match(red, /FAILS {2}with 3f \+ 1/)
  assert.match(red, /: 1 FAIL$/)
})

// ---- quorums

test('quorums of 2f + 1, of all members, and a third that may lie are found out', () => {
  assert.deepEqual(failing(judgeQuorums(THEORY)), [])
  const counting = { faultsTolerated, quorumOf }
  const short = judgeQuorums(THEORY, { ...counting, quorumOf: n => 2 * faultsTolerated(n) + 1 })
  assert.match(failing(short).join(), /^two quorums share f \+ 1/)
  assert.match(short.claims[1]!.measured, /^not for n = 2, 3, 5, 6, 8/)
  const strict = judgeQuorums(THEORY, { ...counting, quorumOf: n => n })
  assert.match(failing(strict).join(), /^the honest alone are a quorum/)
  const bold = judgeQuorums(THEORY, { ...counting, faultsTolerated: n => Math.floor(n / 3) })
  assert.match(failing(bold).join(), /^with 3f \+ 1 members/)
})

test('two quorums share what the formula says, by trying all pairs', () => {
  for (let n = 1; n <= 8; n++) {
    const quorums = Array.from({ length: 2 ** n }, (_, set) => set).filter(set => count(set) === quorumOf(n))
    const least = Math.min(...quorums.flatMap(a => quorums.map(b => count(a & b))))
    assert.ok(least >= THEORY.shared(n), `n = ${n}`)
    assert.equal(least, 2 * quorumOf(n) - n)
  }
})

function count(set: number): number {
  return set === 0 ? 0 : (set & 1) + count(set >> 1)
}

// ---- agreement

test('another number of messages, or committees with a liar too many, are found out', async () => {
  const runs = await runAgreements({ seed: 1, repeats: 1 }, () => {})
  assert.deepEqual(failing(...judgeAgreements(THEORY, runs)), [])
  const dearer = { ...THEORY.allToAll, messages: (n: number) => (2 * n + 1) * (n - 1) }
  assert.deepEqual(failing(...judgeAgreements({ ...THEORY, allToAll: dearer }, runs)), [
    'messages of a decision, all to all, for n = 4, 7, 10, 16',
    'messages of a decision, all to all over mined blocks, for n = 4, 7, 10, 16',
  ])
  const faster = { ...THEORY.leaderCollected, delays: 4 }
  assert.match(
    failing(...judgeAgreements({ ...THEORY, leaderCollected: faster }, runs)).join(),
    /^message delays until all know, collected/,
  )
  const { equivocating, silent, liars } = runs
  const judge = (changes: Partial<typeof runs>): string =>
    failing(...judgeAgreements(THEORY, { ...runs, ...changes })).join()
  assert.match(judge({ liars: [...liars, ...equivocating] }), /^f liars of every kind/)
  assert.match(judge({ silent: [...silent, ...liars] }), /^f \+ 1 silent/)
  assert.match(judge({ equivocating: liars }), /^f \+ 1 equivocating/)
  assert.match(judge({ unstable: silent }), /^before GST/)
  assert.match(
    judge({ allToAll: runs.leaderCollected }),
    /^messages of a decision, all to all.*message delays/,
  )
})

// ---- reversal

test('a formula of reversal that is one block off, or Nakamoto’s in its place, is found out', () => {
  const races = raceForTheory(300, 1, () => {})
  const code = { exact: exactReversal, nakamoto: nakamotoReversal }
  assert.deepEqual(failing(judgeReversal(THEORY, races)), [])
  const later = { ...THEORY, reversal: (q: number, z: number) => THEORY.reversal(q, z + 1) }
  assert.equal(failing(judgeReversal(later, races)).length, 4)
  const errsLow = judgeReversal(THEORY, races, { ...code, exact: nakamotoReversal })
  assert.deepEqual(failing(errsLow), [
    'the same exactly',
    'the negative binomial sum is the incomplete beta function',
  ])
  const swapped = judgeReversal(THEORY, races, { ...code, nakamoto: exactReversal })
  assert.match(failing(swapped).join(), /^confirmations for P < 0.1 % by Nakamoto/)
  const lucky = races.map(row => ({ ...row, reversed: Math.min(row.races, 2 * row.reversed) }))
  assert.equal(failing(judgeReversal(THEORY, lucky)).length, 2)
  assert.equal(failing(judgeReversal(THEORY, [])).length, 2)
})

// ---- networks that mine

test('twice as many stale blocks as the delay allows are found out', () => {
  const seen = { latencyMs: 40, heights: 1_000, contested: 75, stale: 76, delayMs: 42 }
  assert.deepEqual(failing(judgeForks(THEORY, [seen])), [])
  assert.equal(failing(judgeForks(THEORY, [{ ...seen, contested: 150 }])).length, 1)
  const double = { ...THEORY, contested: (n: number, ratio: number) => THEORY.contested(n, 2 * ratio) }
  assert.equal(failing(judgeForks(double, [seen])).length, 1)
})

test('finality that falls behind, stops, or goes on without a quorum is found out', () => {
  const lags = {
    depth: 2,
    interval: 1,
    allUp: [2, 3, 4],
    someDead: [2, 4],
    tooManyDead: { mined: 9, final: 0 },
  }
  assert.deepEqual(failing(judgeLags(THEORY, lags)), [])
  assert.match(failing(judgeLags(THEORY, { ...lags, allUp: [2, 5] })).join(), /^all n up/)
  assert.match(failing(judgeLags(THEORY, { ...lags, someDead: [] })).join(), /^n − f up/)
  for (const tooManyDead of [
    { mined: 0, final: 0 },
    { mined: 9, final: 1 },
  ])
    assert.match(failing(judgeLags(THEORY, { ...lags, tooManyDead })).join(), /^n − f − 1 up/)
  assert.equal(failing(judgeLags({ ...THEORY, lag: depth => depth }, lags)).length, 2)
})

test('a variant that does under a cut what its kind can’t do, or fails to do what it must, is found out', () => {
  const half = { nodes: [1, 2], blocks: 0, final: 0 }
  const halted: NetworkCut = {
    lastedMs: 8_000,
    halves: [half, half],
    isForked: false,
    oneChainAfterMs: 0,
    finalAgainAfterMs: 500,
    reversed: 0,
    deepestReorganisation: 0,
  }
  const went = {
    ...halted,
    halves: [
      { ...half, blocks: 5 },
      { ...half, blocks: 6 },
    ] as const,
    isForked: true,
  }
  const judge = (variant: string, cut: NetworkCut | null): number =>
    failing(judgeCuts([{ variant, cut }])).length
  for (const name of ['pbft', 'pbft-leader']) {
    assert.equal(judge(name, halted), 0)
    assert.equal(judge(name, went), 1)
    assert.equal(judge(name, { ...halted, finalAgainAfterMs: null }), 1)
    assert.equal(judge(name, { ...halted, reversed: 1 }), 1)
  }
  assert.equal(judge('hybrid', went), 0)
  assert.equal(judge('hybrid', halted), 1)
  assert.equal(judge('hybrid', { ...went, halves: [half, { ...half, blocks: 3, final: 1 }] }), 1)
  assert.equal(judge('longest-chain', { ...went, reversed: 4 }), 0)
  assert.equal(judge('longest-chain', halted), 1)
  assert.equal(judge('longest-chain', { ...went, oneChainAfterMs: null }), 1)
  assert.equal(judge('pbft', null), 1)
})
