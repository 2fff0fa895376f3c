// Networks whose validators agree, in the simulator: what a decision costs, what every fault and liar together do not
// break, and what too many of them do.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIAR_ROLES } from '../../../src/lab/adversary/adversary.ts'
import type { FaultKind } from '../../../src/lab/faults/fault-plan.ts'
import { assertPass, CONFIGURATIONS, runCommittee } from './committees.ts'

const plain = { faults: new Set<FaultKind>(), adversary: null, transfers: 10 }

// ---- what a decision costs

for (const n of [4, 7, 10, 16]) {
  test(`without faults ${n} validators decide with 2n(n − 1) messages in 3 delays, or 5(n − 1) in 5`, () => {
    for (const mode of ['pbft', 'hybrid'] as const) {
      const run = (pattern: string) => runCommittee(mode, 1, { ...plain, validators: n, nodes: n, pattern })
      const all = run('all-to-all')
      assertPass(all)
      assert.equal(all.agreement.messagesPerDecision, 2 * n * (n - 1))
      assert.deepEqual(all.agreement.delaysPerDecision, { mean: 3, max: 3 })
      const collected = run('leader-collected')
      assertPass(collected)
      assert.equal(collected.agreement.messagesPerDecision, 5 * (n - 1))
      assert.deepEqual(collected.agreement.delaysPerDecision, { mean: 5, max: 5 })
      assert.equal(all.agreement.repeatedMessages, 0)
      // f members tell the next proposer as well what was decided: the last may be on its way.
      const f = Math.floor((n - 1) / 3)
      const { decisions, repeatedMessages } = collected.agreement
      assert.ok(repeatedMessages <= f * decisions && repeatedMessages >= f * (decisions - 1))
      for (const { agreement } of [all, collected]) {
        assert.ok(agreement.decisions >= 3)
        assert.equal(agreement.viewChanges, 0)
        assert.ok(agreement.certificates >= agreement.decisions)
      }
    }
  })
}

// ---- determinism

test('a run with liars is the same to the byte when it is made again', () => {
  for (const [mode, pattern] of CONFIGURATIONS)
    assert.equal(runCommittee(mode, 7, { pattern }).traceHash, runCommittee(mode, 7, { pattern }).traceHash)
})

// ---- each role alone

for (const [index, role] of LIAR_ROLES.entries()) {
  test(`with f validators of the role ${role}, everything becomes final all the same`, () => {
    for (const [turn, [mode, pattern]] of CONFIGURATIONS.entries()) {
      // Both sizes with each role, and with each configuration.
      const validators = (index + turn) % 2 === 0 ? 4 : 7
      const result = runCommittee(mode, 3, { pattern, validators, adversary: { role, count: null } })
      assertPass(result)
      assert.equal(Object.keys(result.agreement.liars).length, (validators - 1) / 3)
      for (const name of result.agreement.evidence) assert.ok(name in result.agreement.liars)
    }
  })
}

test('a member that hides in a view change what it committed to is convicted by that, and no other is', () => {
  for (const [mode, pattern] of CONFIGURATIONS) {
    const isFound = [1, 2, 3, 4, 5, 6].some(seed => {
      const adversary = { role: 'usurp', count: null } as const
      const result = runCommittee(mode, seed, { pattern, validators: 4, adversary })
      assertPass(result)
      for (const name of result.agreement.evidence) assert.ok(name in result.agreement.liars)
      return result.agreement.omissionsStored > 0
    })
    assert.ok(isFound, `${mode} ${pattern}`)
  }
})

// ---- all faults, all sizes, all roles

/** `.ci/run` has the same of sixty seeds. */
const SEEDS = 13

for (const [mode, pattern] of CONFIGURATIONS) {
  test(`${mode} ${pattern} passes ${SEEDS} seeds with every fault and liar, and all that is rare happened`, () => {
    const results = Array.from({ length: SEEDS }, (_, index) => runCommittee(mode, 105 + index, { pattern }))
    for (const result of results) assertPass(result)
    const runs = (holds: (result: (typeof results)[number]) => boolean): number =>
      results.filter(holds).length
    const rare: Record<string, number> = {
      'a view that began with something prepared before': runs(({ agreement }) => agreement.reproposals > 0),
      'a certificate that was asked for': runs(({ agreement }) => agreement.pulledCertificates > 0),
      'evidence of a lie': runs(({ agreement }) => agreement.evidenceStored > 0),
      'a crash of a node that was just starting': runs(({ startCrashes }) => startCrashes > 0),
      'a branch that was left for a final block': runs(
        ({ agreement }) => mode === 'pbft' || agreement.forcedReorganisations > 0,
      ),
    }
    for (const [name, seen] of Object.entries(rare)) assert.ok(seen > 0, `${name}: never in ${SEEDS} runs`)
  })
}

// ---- more than f liars

const quiet = { faults: new Set<FaultKind>(), validators: 4, nodes: 4 }

for (const mode of ['pbft', 'hybrid'] as const) {
  test(`${mode}: while f + 1 validators are silent nothing is final, and nothing is wrong`, () => {
    const result = runCommittee(mode, 1, { ...quiet, blocks: 3, adversary: { role: 'silent', count: 2 } })
    assert.equal(result.verdict, 'LIVENESS', result.reason ?? '')
    assert.match(result.reason ?? '', /^L1: \d+ owed transfers are not final at height 0$/)
    assert.deepEqual([result.finalHeight, result.agreement.certificates], [0, 0])
    // Miners need no quorum.
    assert.ok(mode === 'pbft' ? result.headHeight === 0 : result.headHeight > 50)
  })

  test(`${mode}: f + 1 validators that fall silent later leave what is final as it is`, () => {
    const result = runCommittee(mode, 1, {
      validators: 4,
      nodes: 4,
      faults: new Set(['crash']),
      adversary: { role: 'amnesia', count: 2 },
      blocks: 20,
    })
    assert.equal(result.verdict, 'LIVENESS', result.reason ?? '')
    assert.ok(result.finalHeight > 0)
    assert.equal(result.finalHeight, result.agreement.finalHeightAtHeal)
  })

  test(`${mode}: f + 1 validators that tell two stories are found out, and named`, () => {
    // A liar that is convicted in time leads no more, and where blocks are mined its second story is told in vain until it
    // is buried: it takes some decisions, and not every run has them.
    const blocks = mode === 'pbft' ? 5 : 15
    for (const validators of [4, 7]) {
      const adversary = { role: 'equivocate', count: Math.floor((validators - 1) / 3) + 1 } as const
      const results = [1, 2, 3, 4, 5].map(seed =>
        runCommittee(mode, seed, { ...quiet, blocks, validators, nodes: validators, adversary }),
      )
      const found = results.filter(({ verdict }) => verdict === 'SAFETY')
      assert.ok(
        found.length >= (mode === 'pbft' ? results.length - 1 : 1),
        `${found.length} of ${validators}`,
      )
      for (const { reason, agreement } of found) {
        assert.match(reason ?? '', /^(P1|C7): two (prepare|commit) certificates/)
        assert.deepEqual(agreement.evidence, Object.keys(agreement.liars))
      }
    }
  })
}

test('of f + 1 validators that usurp only those are convicted', () => {
  const adversary = { role: 'usurp', count: 2 } as const
  const results = [1, 2, 3, 4].map(seed => runCommittee('pbft', seed, { ...quiet, blocks: 20, adversary }))
  for (const { agreement } of results)
    for (const name of agreement.evidence) assert.ok(name in agreement.liars)
  assert.ok(results.some(({ agreement }) => agreement.evidence.length === 2))
})

// ---- votes that are lost

test('a validator that lost its votes, and is told to vote all the same, asks the others first and contradicts nothing', () => {
  const found = Array.from({ length: 12 }, (_, seed) =>
    runCommittee('pbft', seed, {
      validators: 4,
      adversary: { role: 'amnesia', count: 1 },
      mayForgetVotes: true,
    }),
  ).filter(({ verdict }) => verdict === 'SAFETY' || verdict === 'ERROR')
  assert.deepEqual(
    found.map(({ reason }) => reason),
    [],
  )
})

// ---- seeds that failed once

test('seed 314: of a peer that left nothing is kept when the body that it gave proves wrong', () => {
  const changes = { adversary: null, validators: 5, nodes: 5, blocks: 30, transfers: 60 }
  assertPass(runCommittee('hybrid', 314, changes))
})
