import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, MalformedBytes } from '../../src/chain/bytes.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { type Evidence, NO_VALUE, type Vote } from '../../src/consensus/contract.ts'
import {
  describeEvidence,
  type EvidenceReport,
  encodeEvidence,
  readEvidence,
  verifyEvidence,
} from '../../src/finality/evidence.ts'
import { idOf, keyOf, TestValidators } from './test-validators.ts'

const network = new TestValidators(4)
const vote = { phase: 'prepare', sequence: 7, view: 2, value: idOf('a') } as const
const other = { ...vote, value: idOf('b') } as const

/** The evidence of these two votes, signed by the member, or each by the signer given. */
function evidenceOf(
  first: Vote,
  second: Vote,
  member = 1,
  signers = [member, member],
  of = network,
): Evidence {
  const [one, two] = signers.map(signer => of.signing(signer)) as [
    ReturnType<TestValidators['signing']>,
    ReturnType<TestValidators['signing']>,
  ]
  return {
    member,
    first: { ...first, signature: one.sign(first) },
    second: { ...second, signature: two.sign(second) },
  }
}

const report = (evidence: Evidence, of = network): EvidenceReport =>
  describeEvidence(evidence, { genesisId: of.genesis.block.id, validators: of.validators })

function refusal(value: unknown): string {
  const result = verifyEvidence(network.file, JSON.parse(JSON.stringify(value)))
  assert.ok('refused' in result, JSON.stringify(result))
  assert.ok(!result.refused.includes('\n'))
  return result.refused
}

const valid = report(evidenceOf(vote, other))

for (const phase of ['prepare', 'commit', 'checkpoint'] as const) {
  test(`two ${phase}s for two values convict their validator`, () => {
    const view = phase === 'checkpoint' ? 0 : 2
    const evidence = evidenceOf({ ...vote, phase, view }, { ...other, phase, view })
    const result = verifyEvidence(network.file, JSON.parse(JSON.stringify(report(evidence))))
    const validator = { name: 'ben', address: network.validators.validators[1]!.address }
    assert.deepEqual(result, { validator, phase, sequence: 7, view })
  })
}

test('a vote for a value and one for none contradict each other as well', () => {
  const result = verifyEvidence(network.file, report(evidenceOf(vote, { ...vote, value: NO_VALUE })))
  assert.ok('validator' in result)
})

const INNOCENT: readonly [says: string, second: Vote, reason: RegExp][] = [
  ['of two phases', { ...other, phase: 'commit' }, /^the votes are of different phases$/],
  ['of two sequence numbers', { ...other, sequence: 8 }, /^the votes are about different sequence numbers$/],
  ['of two views', { ...other, view: 3 }, /^the votes are of different views$/],
  ['for one value', vote, /^the votes are for the same value$/],
]
for (const [says, second, reason] of INNOCENT) {
  test(`two votes ${says} convict nobody`, () => {
    assert.match(refusal(report(evidenceOf(vote, second))), reason)
  })
}

test('a checkpoint of a view other than 0 is nothing that anybody signs', () => {
  const evidence = evidenceOf({ ...vote, phase: 'checkpoint' }, { ...other, phase: 'checkpoint' })
  assert.equal(refusal(report(evidence)), 'a checkpoint has no view other than 0')
})

test('a validator is not convicted by what another signed', () => {
  assert.equal(refusal(report(evidenceOf(vote, other, 1, [0, 1]))), 'ben did not sign the first vote')
  assert.equal(refusal(report(evidenceOf(vote, other, 1, [1, 0]))), 'ben did not sign the second vote')
  assert.equal(refusal(report(evidenceOf(vote, other, 1, [0, 0]))), 'ben did not sign the first vote')
})

test('signatures that were exchanged, or belong to other votes, convict nobody', () => {
  const { first, second } = valid
  const exchanged = {
    ...valid,
    first: { ...first, signature: second.signature },
    second: { ...second, signature: first.signature },
  }
  assert.equal(refusal(exchanged), 'ben did not sign the first vote')
  const third = { ...second, value: idOf('c') }
  assert.equal(refusal({ ...valid, second: third }), 'ben did not sign the second vote')
})

test('a stranger, or a validator under the name of another, is not convicted', () => {
  const stranger = { name: 'ben', address: addressOfSecretKey(keyOf('a stranger')) }
  assert.match(refusal({ ...valid, validator: stranger }), /^ben \(0x[0-9a-f]{40}\) is not a validator$/)
  const renamed = { ...valid.validator, name: 'ada' }
  assert.match(refusal({ ...valid, validator: renamed }), /^ada \(0x[0-9a-f]{40}\) is not a validator$/)
})

const OTHER_NETWORKS: readonly [says: string, of: TestValidators][] = [
  ['chain id', new TestValidators(4, { chainId: 20_263 })],
  ['genesis', new TestValidators(4, { time: 1_767_225_601 })],
  ['set of validators', new TestValidators(5)],
]
for (const [says, of] of OTHER_NETWORKS) {
  test(`what was signed for another ${says} convicts nobody here`, () => {
    const foreign = report(evidenceOf(vote, other, 1, [1, 1], of), of)
    assert.equal(refusal(foreign), 'the evidence is about another network')
    const claimed = { ...foreign, genesisId: valid.genesisId }
    assert.equal(refusal(claimed), 'ben did not sign the first vote')
  })
}

const FORMS: readonly [says: string, report: unknown, reason: RegExp][] = [
  ['a list', [valid], /^not evidence: file: expected an object/],
  ['no second vote', { ...valid, second: undefined }, /^not evidence: second: missing$/],
  ['an unknown field', { ...valid, third: valid.first }, /^not evidence: third: unknown field$/],
  [
    'the phase of a view change',
    { ...valid, first: { ...valid.first, phase: 'view-change' } },
    /: first\.phase: exp/,
  ],
  ['a view below zero', { ...valid, second: { ...valid.second, view: -1 } }, /: second\.view: expected/],
  ['a value that is no id', { ...valid, first: { ...valid.first, value: 'b' } }, /: first\.value: expected/],
  [
    'a short signature',
    { ...valid, first: { ...valid.first, signature: '0x' } },
    /: first\.signature: expected/,
  ],
  [
    'a name of two lines',
    { ...valid, validator: { ...valid.validator, name: 'a\nb' } },
    /: validator\.name: exp/,
  ],
]
for (const [says, value, reason] of FORMS) {
  test(`${says}: refused, and the reason names the field`, () => assert.match(refusal(value), reason))
}

test('a genesis file without validators is a wrong file, not wrong evidence', () => {
  const file = { ...network.file, finality: { mode: 'longest-chain' } }
  assert.throws(() => verifyEvidence(file, valid), { name: 'InvalidField', field: 'finality.validators' })
})

const stored = encodeEvidence(evidenceOf(vote, other))

test('evidence reads as it was stored', () => {
  const reader = new ByteReader(stored)
  assert.deepEqual(readEvidence(reader), evidenceOf(vote, other))
  reader.end()
})

test('evidence cut off anywhere is malformed', () => {
  for (let size = 0; size < stored.length; size++)
    assert.throws(() => readEvidence(new ByteReader(stored.subarray(0, size))), MalformedBytes)
})

test('stored bytes with one changed are malformed or other evidence in its only form', () => {
  const change = fc.record({ at: fc.nat(stored.length - 1), byte: fc.nat(255) })
  const property = fc.property(change, ({ at, byte }) => {
    const changed = stored.slice()
    changed[at] = byte
    try {
      assert.deepEqual(encodeEvidence(readEvidence(new ByteReader(changed))), changed)
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error
    }
  })
  fc.assert(property, { seed: 1, numRuns: 1_000 })
})

test('votes that do not contradict each other have no form in storage', () => {
  for (const [, second] of INNOCENT) assert.throws(() => encodeEvidence(evidenceOf(vote, second)), RangeError)
  const value = stored.subarray(18, 50)
  const same = stored.slice()
  same.set(value, 50 + 65)
  assert.throws(() => readEvidence(new ByteReader(same)), MalformedBytes)
})
