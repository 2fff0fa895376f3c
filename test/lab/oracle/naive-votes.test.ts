import assert from 'node:assert/strict'
import { test } from 'node:test'
import { referenceRecover } from '../../../src/finality/signing.ts'
import { NaiveVotes } from '../../../src/lab/oracle/naive-votes.ts'
import { idOf, TestValidators } from '../../finality/test-validators.ts'

const committee = new TestValidators(4)
const vote = { phase: 'commit', sequence: 5, view: 2, value: idOf('block') } as const
const good = committee.certify(vote, [0, 1, 3])
const fresh = () => new NaiveVotes(committee.genesis, referenceRecover)

test('n − f distinct signatures under one vote are a certificate', () => {
  assert.equal(fresh().reasonAgainst(good), null)
  assert.equal(fresh().reasonAgainst(committee.certify(vote, [0, 1, 2, 3])), null)
})

test('whatever is not exactly that proves nothing, and the naive votes say why', () => {
  const votes = fresh()
  const [first, second] = good.signatures
  const mixed = { ...good, signatures: [...good.signatures] }
  mixed.signatures[2] = committee.certify({ ...vote, view: 3 }, [3]).signatures[0]!
  const cases = [
    [committee.certify(vote, [0, 1]), /^2 of the 3 signatures/],
    [{ ...good, view: 3 }, /^member 0 did not sign it/],
    [{ ...good, phase: 'prepare' as const }, /^member 0 did not sign it/],
    [{ ...good, signatures: [first!, { ...second!, member: 2 }] }, /^member 2 did not sign it/],
    [mixed, /^member 3 did not sign it/],
    [new TestValidators(4, {}, 'other').certify(vote, [0, 1, 2]), /^member 0 did not sign it/],
  ] as const
  for (const [certificate, reason] of cases) {
    assert.match(votes.reasonAgainst(certificate) ?? '', reason)
    // Remembered, it is as wrong as before.
    assert.match(votes.reasonAgainst(certificate) ?? '', reason)
  }
})
