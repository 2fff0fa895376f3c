// Leaders that overlap for long: messages take up to several timeouts, so that old ACCEPTs, votes and promises arrive in
// later ballots, and members crash in between. Nothing need be decided here; the oracle must see nothing wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf, TIMEOUT_MS } from '../seeded-run.ts'
import { MULTI_PAXOS_MAKER } from './maker.ts'

const SEEDS = Number(process.env.SEEDS ?? 300)

for (const n of [3, 5])
  test(`${n} members agree while leaders overlap, for ${SEEDS} seeds`, () => {
    let ballots = 0
    let decisions = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const weather = { drop: 0.2, double: 0.2, delayMs: [1, 1500], crash: 0.02, cut: 0, lag: 0 } as const
      const run = networkOf(MULTI_PAXOS_MAKER, {
        n,
        seed,
        weather,
        pipeline: 1 + (seed % 3),
        goal: 1000,
        timeoutMs: 400,
      })
      run.runUntil(() => false, 40 * TIMEOUT_MS)
      ballots += Math.max(...run.nodes.map(({ index }) => run.view(index)))
      decisions += run.oracle.decided.size
    }
    // The runs are worth something only if leaders change often and decide often.
    assert.ok(ballots > 50 * SEEDS && decisions > 3 * SEEDS, `${ballots} ballots, ${decisions} decisions`)
  })
