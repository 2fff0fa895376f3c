import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BlockHeader, blockId } from '../../src/chain/header.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import type { Vote } from '../../src/consensus/pbft/votes.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { describeFinalityProof, type FinalityProof } from '../../src/finality/finality-proof.ts'
import { verifyFinalityProof } from '../../src/finality/verify-proof.ts'
import { idOf, keyOf, TestValidators } from './test-validators.ts'

/** Headers of which each names the one before it; the first stands on a block that is not shown. */
function chainOf(length: number, label = 'a'): BlockHeader[] {
  const headers: BlockHeader[] = []
  for (let index = 0; index < length; index++) {
    const previous = index === 0 ? idOf(`before ${label}`) : blockId(headers[index - 1]!)
    const merkleRoot = idOf(`${label} ${index}`)
    headers.push({ version: 1, previous, merkleRoot, time: 1_000 + index, bits: 0x207fffff, nonce: 0 })
  }
  return headers
}

const headers = chainOf(3)
const value = blockId(headers[2]!)
const vote = { phase: 'commit', sequence: 12, view: 3, value } as const

function proofOf(network: TestValidators, members: readonly number[], about: Vote = vote): FinalityProof {
  return describeFinalityProof({
    genesisId: network.genesis.block.id,
    chainId: network.genesis.blocks.chainId,
    validators: network.validators,
    height: 10,
    headers,
    certificate: network.certify(about, members),
  })
}

type Entry = FinalityProof['certificate']['signatures'][number]

/** A member's signature over a statement of its own choice, as an entry of a proof. */
function entryOf(network: TestValidators, member: number, about: Vote): Entry {
  const signature = toHex(network.signing(member).sign(about))
  return { validator: network.validators.validators[member]!.address, signature }
}

function withSignatures(proof: FinalityProof, signatures: readonly Entry[]): FinalityProof {
  return { ...proof, certificate: { ...proof.certificate, signatures } }
}

/** Why the proof is refused, as read from a file; fails when it is not. */
function refusal(network: TestValidators, proof: unknown): string {
  const result = verifyFinalityProof(network.file, JSON.parse(JSON.stringify(proof)))
  assert.ok('refused' in result, JSON.stringify(result))
  assert.ok(!result.refused.includes('\n'))
  return result.refused
}

const four = new TestValidators(4)
const valid = proofOf(four, [0, 2, 3])

test('a proof of n − f commits shows its block to be final, and which validators signed', () => {
  const result = verifyFinalityProof(four.file, JSON.parse(JSON.stringify(valid)))
  assert.deepEqual(result, { block: blockId(headers[0]!), signers: ['ada', 'cem', 'dua'] })
})

test('the order of the signatures does not matter, and more than n − f do no harm', () => {
  const all = proofOf(four, [0, 1, 2, 3])
  const reversed = withSignatures(all, all.certificate.signatures.toReversed())
  assert.deepEqual(verifyFinalityProof(four.file, reversed), {
    block: blockId(headers[0]!),
    signers: ['ada', 'ben', 'cem', 'dua'],
  })
})

test('a proof with one header is about the block that was decided itself', () => {
  const header = headers[2]!
  const proof = { ...valid, block: { id: value, height: 12 }, headers: valid.headers.slice(2) }
  assert.deepEqual(verifyFinalityProof(four.file, proof), {
    block: blockId(header),
    signers: ['ada', 'cem', 'dua'],
  })
})

test('one signature short of n − f proves nothing', () => {
  assert.equal(refusal(four, proofOf(four, [0, 2])), '2 of the 3 signatures that it takes')
  assert.equal(refusal(four, proofOf(four, [])), '0 of the 3 signatures that it takes')
})

test('with six validators it takes five: 2f + 1 = 3 and even 4 are refused', () => {
  const six = new TestValidators(6)
  assert.equal(refusal(six, proofOf(six, [0, 1, 2])), '3 of the 5 signatures that it takes')
  assert.equal(refusal(six, proofOf(six, [0, 1, 2, 3])), '4 of the 5 signatures that it takes')
  assert.ok('block' in verifyFinalityProof(six.file, proofOf(six, [0, 1, 2, 3, 5])))
})

for (const [n, needed] of [1, 2, 3, 3, 4, 5, 5].entries()) {
  test(`with ${n + 1} validators it takes ${needed}`, () => {
    const network = new TestValidators(n + 1)
    const members = Array.from({ length: needed }, (_, member) => member)
    assert.ok('block' in verifyFinalityProof(network.file, proofOf(network, members)))
    assert.match(refusal(network, proofOf(network, members.slice(1))), / signatures that it takes$/)
  })
}

test('a validator counts once, however often it signs', () => {
  const [ada, cem] = valid.certificate.signatures as [Entry, Entry]
  assert.match(refusal(four, withSignatures(valid, [ada, cem, ada])), /is counted twice$/)
  const shouted = { ...ada, validator: ada.validator.toUpperCase().replace('0X', '0x') as Entry['validator'] }
  assert.match(refusal(four, withSignatures(valid, [ada, cem, shouted])), /is counted twice$/)
})

test('a stranger does not count, and neither does a stranger under a validator’s name', () => {
  const key = keyOf('a stranger')
  const [ada, cem, dua] = valid.certificate.signatures as [Entry, Entry, Entry]
  const stranger: Entry = { ...dua, validator: addressOfSecretKey(key) }
  assert.match(refusal(four, withSignatures(valid, [ada, cem, stranger])), /is not a validator$/)
  assert.match(refusal(four, withSignatures(valid, [ada, cem, dua, stranger])), /is not a validator$/)
  const other = new TestValidators(4, {}, ' of another set')
  const forged = { ...dua, signature: entryOf(other, 3, vote).signature }
  assert.match(refusal(four, withSignatures(valid, [ada, cem, forged])), /is not its COMMIT/)
})

test('commits of different views do not add up, as in the trace in which one faulty validator forks the chain', () => {
  // All steps are legal with f = 1: A commits b in view 1, C commits b in view 3, and D, which lies, signs anything.
  // Meanwhile A, B and D decide another block in view 4.
  for (const view of [1, 2, 3, 4]) {
    const collected = [
      entryOf(four, 0, { ...vote, view: 1 }),
      entryOf(four, 2, { ...vote, view: 3 }),
      entryOf(four, 3, { ...vote, view }),
    ]
    const proof = withSignatures(valid, collected)
    const mixed = { ...proof, certificate: { ...proof.certificate, view } }
    assert.match(refusal(four, mixed), /is not its COMMIT for this block, view and sequence number$/)
  }
})

const OTHER_VOTES: readonly [says: string, about: Vote][] = [
  ['a PREPARE', { ...vote, phase: 'prepare' }],
  ['a checkpoint', { ...vote, phase: 'checkpoint' }],
  ['a commit of another view', { ...vote, view: 2 }],
  ['a commit of another sequence number', { ...vote, sequence: 11 }],
  ['a commit of another block', { ...vote, value: idOf('another') }],
]
for (const [says, about] of OTHER_VOTES) {
  test(`${says} is no commit, be it one signature or all of them`, () => {
    const [ada, cem] = valid.certificate.signatures as [Entry, Entry]
    const one = [ada, cem, entryOf(four, 3, about)]
    const all = [0, 2, 3].map(member => entryOf(four, member, about))
    for (const signatures of [one, all])
      assert.match(refusal(four, withSignatures(valid, signatures)), /is not its COMMIT/)
  })
}

test('a bad signature beside enough good ones is refused all the same', () => {
  const bad = { ...entryOf(four, 1, { ...vote, view: 2 }) }
  assert.match(
    refusal(four, withSignatures(valid, [...valid.certificate.signatures, bad])),
    /is not its COMMIT/,
  )
})

const OTHER_NETWORKS: readonly [says: string, other: TestValidators][] = [
  ['chain id', new TestValidators(4, { chainId: 20_263 })],
  ['genesis', new TestValidators(4, { time: 1_767_225_601 })],
  ['set of validators', new TestValidators(4, {}, ' others')],
]
for (const [says, other] of OTHER_NETWORKS) {
  test(`a proof of another ${says} is refused, also when it claims to be of this one`, () => {
    const foreign = proofOf(other, [0, 2, 3])
    assert.equal(refusal(four, foreign), 'the proof is about another network')
    const claimed = { ...foreign, genesisId: valid.genesisId, chainId: valid.chainId }
    assert.match(refusal(four, claimed), /is not its COMMIT|is not a validator/)
  })
}

test('another genesis id or chain id than the signed one is refused', () => {
  assert.equal(refusal(four, { ...valid, genesisId: idOf('x') }), 'the proof is about another network')
  assert.equal(refusal(four, { ...valid, chainId: 1 }), 'the proof is about another network')
})

test('headers that do not lead from the block to what was decided are refused', () => {
  const [first, second, third] = valid.headers as [string, string, string]
  const other = describeFinalityProof({
    ...{ genesisId: valid.genesisId, chainId: 1n, validators: four.validators, height: 1 },
    ...{
      headers: chainOf(3, 'b'),
      certificate: { ...vote, value: blockId(chainOf(3, 'b')[2]!), signatures: [] },
    },
  }).headers as [string, string, string]
  const cases: readonly [string, readonly string[], RegExp][] = [
    ['a gap', [first, third], /^header 1 does not follow the one before it$/],
    ['two exchanged', [first, third, second], /^header 1 does not follow the one before it$/],
    ['a header of another chain', [first, other[1], third], /^header 1 does not follow/],
    ['another first header', [second, third], /^the first header is not the block$/],
    ['another chain', other, /^the first header is not the block$/],
    ['an end too early', [first, second], /^the certificate is about another block than the last header$/],
    ['a changed byte', [first, second, `${third.slice(0, -1)}1`], /^the certificate is about another block/],
    [
      'a changed byte in the first',
      [`${first.slice(0, -1)}1`, second, third],
      /^the first header is not the block$/,
    ],
  ]
  for (const [says, changed, reason] of cases) {
    assert.match(refusal(four, { ...valid, headers: changed }), reason, says)
  }
})

const withCertificate = (changes: object): unknown => ({
  ...valid,
  certificate: { ...valid.certificate, ...changes },
})
const FORMS: readonly [says: string, proof: unknown, reason: RegExp][] = [
  ['no object', [], /^not a finality proof: file: expected an object/],
  ['nothing', null, /^not a finality proof: file: expected an object/],
  ['an unknown field', { ...valid, extra: 1 }, /: extra: unknown field$/],
  ['no certificate', { ...valid, certificate: undefined }, /: certificate: missing$/],
  ['no headers', { ...valid, headers: [] }, /: headers: expected a list/],
  ['4,097 headers', { ...valid, headers: Array(4_097).fill(valid.headers[0]) }, /: headers: expected a list/],
  ['a header of 79 bytes', { ...valid, headers: [valid.headers[0]!.slice(0, -2)] }, /: headers: expected/],
  ['a height below zero', { ...valid, block: { ...valid.block, height: -1 } }, /: block\.height: expected/],
  ['a chain id in a text', { ...valid, chainId: '20262' }, /: chainId: expected/],
  ['a prepared certificate', withCertificate({ phase: 'prepare' }), /: certificate\.phase: expected commit/],
  ['a view with a fraction', withCertificate({ view: 0.5 }), /: certificate\.view: expected/],
  [
    'a sequence number above 2^48',
    withCertificate({ sequence: 2 ** 48 + 1 }),
    /: certificate\.sequence: expected/,
  ],
  ['a value of zeros', withCertificate({ value: `0x${'00'.repeat(32)}` }), /: certificate\.value: expected/],
  ['no value', withCertificate({ value: '' }), /: certificate\.value: expected/],
  [
    'a value in capitals',
    withCertificate({ value: `0x${'AB'.repeat(32)}` }),
    /: certificate\.value: expected/,
  ],
  ['signatures in an object', withCertificate({ signatures: {} }), /: certificate\.signatures: expected/],
  [
    'a short signature',
    withCertificate({ signatures: [{ ...valid.certificate.signatures[0], signature: '0x00' }] }),
    /: certificate\.signatures\[0\]\.signature: expected 65 bytes/,
  ],
  [
    '101 signatures',
    withCertificate({ signatures: Array(101).fill(valid.certificate.signatures[0]) }),
    /: certificate\.signatures: expected a list of at most 100/,
  ],
]
for (const [says, proof, reason] of FORMS) {
  test(`${says}: refused, and the reason names the field`, () => assert.match(refusal(four, proof), reason))
}

test('a genesis file without validators is a wrong file, not a wrong proof', () => {
  const file = { ...four.file, finality: { mode: 'longest-chain' } }
  assert.throws(() => verifyFinalityProof(file, valid), {
    name: 'InvalidField',
    field: 'finality.validators',
  })
  assert.throws(() => verifyFinalityProof({}, valid), { name: 'InvalidField', field: 'name' })
})

test('only a decision about the last header makes a proof', () => {
  const parts = {
    genesisId: four.genesis.block.id,
    chainId: four.genesis.blocks.chainId,
    validators: four.validators,
    height: 10,
    headers,
    certificate: four.certify(vote, [0, 2, 3]),
  }
  const prepared = four.certify({ ...vote, phase: 'prepare' }, [0, 2, 3])
  assert.throws(() => describeFinalityProof({ ...parts, headers: [] }), RangeError)
  assert.throws(() => describeFinalityProof({ ...parts, headers: headers.slice(0, 2) }), RangeError)
  assert.throws(() => describeFinalityProof({ ...parts, certificate: prepared }), RangeError)
})
