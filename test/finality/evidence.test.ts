import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { NO_VALUE } from '../../src/consensus/log.ts'
import { encodeEvidence, readEvidence } from '../../src/consensus/pbft/evidence-record.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { Contradiction, Departure, Evidence, Omission, Vote } from '../../src/consensus/pbft/votes.ts'
import { ByteReader, fromReversedHex, type Hex, MalformedBytes } from '../../src/encoding/bytes.ts'
import { lieOf, verifyEvidence } from '../../src/finality/evidence.ts'
import { describeEvidence, describeLie, type EvidenceReport } from '../../src/finality/evidence-report.ts'
import { idOf, keyOf, TestValidators } from './test-validators.ts'

type VoteReport = Vote & { readonly signature: Hex }
type ContradictionReport = EvidenceReport & { readonly first: VoteReport; readonly second: VoteReport }
type OmissionReport = EvidenceReport & {
  readonly vote: VoteReport
  readonly departure: Departure & { readonly signature: Hex }
}

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
): Contradiction {
  const [one, two] = signers.map(signer => of.signing(signer)) as [
    ReturnType<TestValidators['signing']>,
    ReturnType<TestValidators['signing']>,
  ]
  return {
    type: 'contradiction',
    member,
    first: { ...first, signature: one.sign(first) },
    second: { ...second, signature: two.sign(second) },
  }
}

const report = (evidence: Evidence, of = network): EvidenceReport =>
  describeEvidence(evidence, {
    genesisId: of.genesis.block.id,
    validators: of.validators,
    kit: PBFT.signed!.evidence,
  })

function refusal(value: unknown): string {
  const result = verifyEvidence(network.file, JSON.parse(JSON.stringify(value)))
  assert.ok('refused' in result, JSON.stringify(result))
  assert.ok(!result.refused.includes('\n'))
  return result.refused
}

const valid = report(evidenceOf(vote, other)) as ContradictionReport

for (const phase of ['prepare', 'commit', 'checkpoint'] as const) {
  test(`two ${phase}s for two values convict their validator`, () => {
    const view = phase === 'checkpoint' ? 0 : 2
    const evidence = evidenceOf({ ...vote, phase, view }, { ...other, phase, view })
    const result = verifyEvidence(network.file, JSON.parse(JSON.stringify(report(evidence))))
    const validator = { name: 'ben', address: network.validators.validators[1]!.address }
    const lie = { type: 'contradiction', phase, sequence: 7, view, leftFor: null }
    assert.deepEqual(result, { validator, ...lie })
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
  test(`two votes ${says} convict no member`, () => {
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

test('signatures that were exchanged, or belong to other votes, convict no member', () => {
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
  test(`what was signed for another ${says} convicts no member here`, () => {
    const foreign = report(evidenceOf(vote, other, 1, [1, 1], of), of)
    assert.equal(refusal(foreign), 'the evidence is about another network')
    const claimed = { ...foreign, genesisId: valid.genesisId }
    assert.equal(refusal(claimed), 'ben did not sign the first vote')
  })
}

const FORMS: readonly [says: string, report: unknown, reason: RegExp][] = [
  ['a list', [valid], /^not evidence: file: expected an object/],
  ['no second vote', { ...valid, second: undefined }, /^not evidence: second: missing$/],
  [
    'a kind that there is not',
    { ...valid, type: 'rumour' },
    /^not evidence: type: expected contradiction or/,
  ],
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
  for (const bytes of [stored, encodeEvidence(omissionOf())]) {
    const change = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255) })
    const property = fc.property(change, ({ at, byte }) => {
      const changed = bytes.slice()
      changed[at] = byte
      try {
        const reader = new ByteReader(changed)
        const evidence = readEvidence(reader)
        reader.end()
        assert.deepEqual(encodeEvidence(evidence), changed)
      } catch (error) {
        if (!(error instanceof MalformedBytes)) throw error
      }
    })
    fc.assert(property, { seed: 1, numRuns: 1_000 })
  }
})

test('a stored pair of votes has the bytes that it always had', () => {
  const { first, second } = evidenceOf(vote, other)
  const numbers = Uint8Array.of(1, 1, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0)
  const [a, b] = [vote, other].map(({ value }) => fromReversedHex(value))
  assert.deepEqual(
    stored,
    Uint8Array.from([...numbers, ...a!, ...first.signature, ...b!, ...second.signature]),
  )
})

test('votes that do not contradict each other have no form in storage', () => {
  for (const [, second] of INNOCENT) assert.throws(() => encodeEvidence(evidenceOf(vote, second)), RangeError)
  const value = stored.subarray(18, 50)
  const same = stored.slice()
  same.set(value, 50 + 65)
  assert.throws(() => readEvidence(new ByteReader(same)), MalformedBytes)
})

test('a file of two votes that says nothing of its kind convicts as it always did', () => {
  const { type: _, ...old } = valid
  assert.ok('validator' in verifyEvidence(network.file, old))
})

// ---- a view change that leaves out a commit

const commit = { ...vote, phase: 'commit' } as const
const [AFTER, UP_TO] = [4, 5]
const leaving: Departure = {
  view: AFTER,
  sequence: UP_TO,
  prepared: [
    { sequence: 6, view: 3, value: idOf('c') },
    { sequence: 7, view: 1, value: vote.value },
  ],
  suspects: [{ member: 2, until: 40 }],
}
const claiming = (changes: object): Departure => ({
  ...leaving,
  prepared: [{ sequence: 7, view: 2, value: vote.value, ...changes }],
})

/** The evidence of this commit and this view change, signed by the member, or each by the signer given. */
function omissionOf(
  cast: Vote = commit,
  left: Departure = leaving,
  signers = [1, 1],
  of = network,
): Omission {
  const [one, two] = signers.map(signer => of.signing(signer)) as [
    ReturnType<TestValidators['signing']>,
    ReturnType<TestValidators['signing']>,
  ]
  return {
    type: 'omission',
    member: 1,
    vote: { ...cast, signature: one.sign(cast) },
    departure: { ...left, signature: two.sign({ phase: 'view-change', ...left }) },
  }
}

const hidden = report(omissionOf()) as OmissionReport

test('a commit and a later view change that leaves it out convict their validator', () => {
  const result = verifyEvidence(network.file, JSON.parse(JSON.stringify(hidden)))
  const validator = { name: 'ben', address: network.validators.validators[1]!.address }
  const lie = { type: 'omission', phase: 'commit', sequence: 7, view: 2, leftFor: 4 } as const
  assert.deepEqual(result, { validator, ...lie })
  assert.equal(
    describeLie(lie),
    'signed a commit for decision 7 in view 2 and left it out when it left for view 4',
  )
  assert.deepEqual(PBFT.signed!.evidence.lie(omissionOf()), lieOf(hidden))
})

test('a view change that tells of another value of that view leaves the commit out', () => {
  assert.ok(
    'validator' in verifyEvidence(network.file, report(omissionOf(commit, claiming({ value: other.value })))),
  )
})

const HONEST: readonly [says: string, cast: Vote, left: Departure, reason: RegExp][] = [
  ['a prepare', vote, leaving, /^the vote is no commit$/],
  ['a checkpoint', { ...commit, phase: 'checkpoint', view: 0 }, leaving, /^the vote is no commit$/],
  [
    'a view change for the view of the commit',
    commit,
    { ...leaving, view: 2 },
    /^the view change is not for a/,
  ],
  ['one for an earlier view', commit, { ...leaving, view: 1 }, /^the view change is not for a later view/],
  [
    'one after it was stable',
    commit,
    { ...leaving, sequence: 7 },
    /^the sequence number of the vote is stable by the view change/,
  ],
  [
    'one long after',
    commit,
    { ...leaving, sequence: 8 },
    /^the sequence number of the vote is stable by the view change/,
  ],
  ['one that tells of it', commit, claiming({}), /^the view change tells of what was voted for$/],
  [
    'one that tells of a later view',
    commit,
    claiming({ view: 3, value: other.value }),
    /tells of a later view/,
  ],
]
for (const [says, cast, left, reason] of HONEST) {
  test(`a commit and a view change convict no member: ${says}`, () => {
    assert.match(refusal(report(omissionOf(cast, left))), reason)
    assert.throws(() => encodeEvidence(omissionOf(cast, left)), RangeError)
  })
}

test('a validator is not convicted by a commit or a view change that another signed', () => {
  assert.equal(refusal(report(omissionOf(commit, leaving, [0, 1]))), 'ben did not sign the vote')
  assert.equal(refusal(report(omissionOf(commit, leaving, [1, 0]))), 'ben did not sign the view change')
})

test('whatever is changed in an omission, it convicts no member', () => {
  const { vote: cast, departure } = hidden
  const votes = { sequence: 8, view: 3, value: other.value, signature: departure.signature }
  for (const [name, value] of Object.entries(votes))
    assert.equal(refusal({ ...hidden, vote: { ...cast, [name]: value } }), 'ben did not sign the vote', name)
  const [claim] = departure.prepared
  const lefts: Record<string, unknown> = {
    view: 5,
    sequence: 4,
    signature: cast.signature,
    prepared: departure.prepared.slice(1),
  }
  for (const [name, value] of Object.entries({ sequence: 5, view: 2, value: other.value }))
    lefts[`prepared ${name}`] = [{ ...claim!, [name]: value }, ...departure.prepared.slice(1)]
  for (const [name, value] of Object.entries(lefts)) {
    const changed = { ...departure, [name.split(' ')[0]!]: value }
    assert.equal(refusal({ ...hidden, departure: changed }), 'ben did not sign the view change', name)
  }
})

test('an omission of another network convicts no member here', () => {
  for (const [, of] of OTHER_NETWORKS) {
    const foreign = report(omissionOf(commit, leaving, [1, 1], of), of)
    assert.equal(refusal(foreign), 'the evidence is about another network')
    assert.equal(refusal({ ...foreign, genesisId: valid.genesisId }), 'ben did not sign the vote')
  }
})

const OMISSION_FORMS: readonly [says: string, report: unknown, reason: RegExp][] = [
  ['no view change', { ...hidden, departure: undefined }, /^not evidence: departure: missing$/],
  ['two votes besides', { ...hidden, first: valid.first }, /^not evidence: first: unknown field$/],
  ['another kind', { ...hidden, type: 'contradiction' }, /^not evidence: first: missing$/],
  [
    'claims that are no list',
    { ...hidden, departure: { ...hidden.departure, prepared: {} } },
    /: departure\.prepared: expected a list of at most 512, got \{\}$/,
  ],
  [
    'more claims than a view change has',
    { ...hidden, departure: { ...hidden.departure, prepared: Array(513).fill(leaving.prepared[0]) } },
    /: departure\.prepared: expected a list of at most 512/,
  ],
  [
    'a claim with a field too many',
    { ...hidden, departure: { ...hidden.departure, prepared: [{ ...leaving.prepared[0], phase: 'x' }] } },
    /: departure\.prepared\.0\.phase: unknown field$/,
  ],
]
for (const [says, value, reason] of OMISSION_FORMS) {
  test(`an omission with ${says}: refused, and the reason names the field`, () =>
    assert.match(refusal(value), reason))
}

test('an omission reads as it was stored, and cut off anywhere it is malformed', () => {
  const bytes = encodeEvidence(omissionOf())
  // No vote has this phase, so no older record of two votes begins so.
  assert.deepEqual([...bytes.subarray(0, 2)], [1, 4])
  const reader = new ByteReader(bytes)
  assert.deepEqual(readEvidence(reader), omissionOf())
  reader.end()
  for (let size = 0; size < bytes.length; size++)
    assert.throws(() => readEvidence(new ByteReader(bytes.subarray(0, size))), MalformedBytes)
})
