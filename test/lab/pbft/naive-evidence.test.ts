import assert from 'node:assert/strict'
import { test } from 'node:test'
import { referenceRecover } from '../../../src/finality/signing.ts'
import { NaiveVotes } from '../../../src/lab/oracle/naive-votes.ts'
import { NaiveEvidence } from '../../../src/lab/pbft/naive-evidence.ts'
import { idOf, TestValidators } from '../../finality/test-validators.ts'

const committee = new TestValidators(4)
const vote = { phase: 'commit', sequence: 5, view: 2, value: idOf('block') } as const
const fresh = () => new NaiveEvidence(new NaiveVotes(committee.genesis, referenceRecover))

test('two votes of one place for different values convict their signer, and nothing else does', () => {
  const evidence = fresh()
  const signed = (changes: object, member = 1) => {
    const changed = { ...vote, ...changes }
    return { ...changed, signature: committee.signing(member).sign(changed) }
  }
  const first = signed({})
  const convicts = (second: typeof first, member = 1): boolean =>
    evidence.convicts({ type: 'contradiction', member, first, second })
  assert.ok(convicts(signed({ value: idOf('other') })))
  assert.ok(!convicts(signed({})))
  assert.ok(!convicts(signed({ value: idOf('other'), view: 3 })))
  assert.ok(!convicts(signed({ value: idOf('other') }, 2)))
  assert.ok(!convicts(signed({ value: idOf('other') }), 0))
})

type Signer = ReturnType<typeof committee.signing>

test('a commit and a later view change that leaves it out convict their signer, and nothing else does', () => {
  const evidence = fresh()
  const commit = { ...vote, phase: 'commit', sequence: 7, view: 2 } as const
  const leaving = {
    view: 4,
    sequence: 5,
    prepared: [{ sequence: 6, view: 3, value: idOf('other') }],
    suspects: [],
  }
  const claim = (changes: object) => ({
    prepared: [{ sequence: 7, view: 2, value: commit.value, ...changes }],
  })
  const convicts = (changes: object, left: object = {}, signers = [1, 1]): boolean => {
    const changed = { ...commit, ...changes }
    const departure = { ...leaving, ...left }
    const [one, two] = signers.map(signer => committee.signing(signer)) as [Signer, Signer]
    return evidence.convicts({
      type: 'omission',
      member: 1,
      vote: { ...changed, signature: one.sign(changed) },
      departure: { ...departure, signature: two.sign({ phase: 'view-change', ...departure }) },
    })
  }
  assert.ok(convicts({}))
  assert.ok(convicts({}, claim({ view: 1 })))
  assert.ok(convicts({}, claim({ value: idOf('other') })))
  assert.ok(!convicts({ phase: 'prepare' }))
  assert.ok(!convicts({}, { view: 2 }))
  assert.ok(!convicts({}, { sequence: 7 }))
  assert.ok(!convicts({}, claim({})))
  assert.ok(!convicts({}, claim({ view: 3, value: idOf('other') })))
  assert.ok(!convicts({}, {}, [2, 1]))
  assert.ok(!convicts({}, {}, [1, 2]))
})
