import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { SECP256K1_N as N } from '../../src/chain/transaction.ts'
import { NO_VALUE } from '../../src/consensus/log.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { Statement } from '../../src/consensus/pbft/messages.ts'
import { encodeStatement } from '../../src/consensus/pbft/statements.ts'
import { bigintFromBytes, bigintToBytes, concatBytes, toHex } from '../../src/encoding/bytes.ts'
import {
  createSigning,
  type RecoverSigner,
  referenceRecover,
  referenceSign,
  type SigningDomain,
  statementDigest,
} from '../../src/finality/signing.ts'
import { idOf, keyOf, TestValidators } from './test-validators.ts'

const network = new TestValidators(4)
const domain: SigningDomain = {
  chainId: network.genesis.blocks.chainId,
  genesisId: network.genesis.block.id,
  validatorSetId: network.validators.id,
}
const vote = { phase: 'commit', sequence: 7, view: 2, value: idOf('a') } as const
const digestOf = (of: SigningDomain, statement: Statement): Uint8Array =>
  statementDigest(of, encodeStatement(statement))
const hexDigest = (statement: Statement, of = domain): string => toHex(digestOf(of, statement))
const claim = { sequence: 7, view: 2, value: idOf('a') }
const suspect = { member: 1, until: 9 }
const proposal = { sequence: 7, value: idOf('a') }

/** Counts how often a signer is recovered. */
const counting = (): { recover: RecoverSigner; count: () => number } => {
  let count = 0
  const recover: RecoverSigner = (digest, signature) => {
    count++
    return referenceRecover(digest, signature)
  }
  return { recover, count: () => count }
}

test('what a member signs all can check, and of no other member', () => {
  const checking = network.signing(null)
  for (const member of [0, 1, 2, 3]) {
    const signing = network.signing(member)
    assert.equal(signing.self, member)
    const signature = signing.sign(vote)
    assert.equal(signature.length, 65)
    for (const other of [0, 1, 2, 3])
      assert.equal(checking.isSigned(vote, other, signature), other === member)
  }
})

test('a node that only follows, or whose key is no validator’s, has no place and does not sign', () => {
  for (const key of [null, keyOf('a stranger')]) {
    const signing = network.signing(key)
    assert.equal(signing.self, null)
    assert.throws(() => signing.sign(vote), /only a validator signs/)
  }
})

const STATEMENTS: readonly Statement[] = [
  vote,
  { ...vote, phase: 'prepare' },
  { ...vote, phase: 'checkpoint' },
  { ...vote, sequence: 8 },
  { ...vote, view: 3 },
  { ...vote, sequence: 2, view: 7 },
  { ...vote, value: idOf('b') },
  { ...vote, value: NO_VALUE },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [], suspects: [] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [], suspects: [suspect] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [], suspects: [{ ...suspect, until: 10 }] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [], suspects: [{ ...suspect, member: 2 }] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [claim], suspects: [] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [{ ...claim, view: 1 }], suspects: [] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [{ ...claim, value: NO_VALUE }], suspects: [] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [claim, { ...claim, sequence: 8 }], suspects: [] },
  { phase: 'view-change', view: 2, sequence: 7, prepared: [{ ...claim, sequence: 8 }, claim], suspects: [] },
  { phase: 'new-view', view: 2, sequence: 7, proposals: [] },
  { phase: 'new-view', view: 2, sequence: 7, proposals: [proposal] },
  { phase: 'new-view', view: 2, sequence: 7, proposals: [{ ...proposal, value: idOf('b') }] },
  { phase: 'new-view', view: 2, sequence: 7, proposals: [{ ...proposal, sequence: 6 }] },
  { phase: 'complaint', view: 2, sequence: 0 },
  { phase: 'complaint', view: 3, sequence: 0 },
  { phase: 'answer', view: 0, sequence: 7, challenge: 1, member: 2, votes: [] },
  { phase: 'answer', view: 0, sequence: 7, challenge: 2, member: 1, votes: [] },
  { phase: 'answer', view: 0, sequence: 8, challenge: 2, member: 1, votes: [] },
  { phase: 'answer', view: 1, sequence: 8, challenge: 2, member: 1, votes: [] },
  { phase: 'answer', view: 0, sequence: 8, challenge: 2, member: 1, votes: [{ phase: 'prepare', ...claim }] },
  { phase: 'answer', view: 0, sequence: 8, challenge: 2, member: 1, votes: [{ phase: 'commit', ...claim }] },
  {
    phase: 'answer',
    view: 0,
    sequence: 8,
    challenge: 2,
    member: 1,
    votes: [
      { phase: 'prepare', ...claim },
      { phase: 'prepare', ...claim },
    ],
  },
]

test('no two statements have one digest', () => {
  assert.equal(new Set(STATEMENTS.map(statement => hexDigest(statement))).size, STATEMENTS.length)
})

test('a signature over one statement is good for no other', () => {
  const [member, checking] = [network.signing(1), network.signing(null)]
  for (const signed of STATEMENTS) {
    const signature = member.sign(signed)
    for (const other of STATEMENTS)
      assert.equal(checking.isSigned(other, 1, signature), other === signed, JSON.stringify(other))
  }
})

test('a signature of another chain, genesis or set of validators is not one here', () => {
  const others: readonly [string, TestValidators][] = [
    ['chain id', new TestValidators(4, { chainId: 20_263 })],
    ['genesis', new TestValidators(4, { time: 1_767_225_601 })],
    ['validators', new TestValidators(5)],
  ]
  for (const [says, other] of others) {
    const signature = other.signing(0).sign(vote)
    assert.ok(other.signing(null).isSigned(vote, 0, signature))
    assert.ok(!network.signing(null).isSigned(vote, 0, signature), says)
  }
})

test('each part of the domain is under the signature by itself', () => {
  const domains: readonly SigningDomain[] = [
    domain,
    { ...domain, chainId: domain.chainId + 1n },
    { ...domain, genesisId: idOf('another genesis') },
    { ...domain, validatorSetId: idOf('another set') },
  ]
  assert.equal(new Set(domains.map(of => hexDigest(vote, of))).size, domains.length)
})

test('the digest is the SHA-256 of what the head of the file says', () => {
  const number = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(value)
    return bytes
  }
  const reversed = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex').reverse()
  const beginning = (phase: number): Buffer =>
    Buffer.concat([
      Buffer.from([18]),
      Buffer.from('quorate/finality/1'),
      number(domain.chainId),
      reversed(domain.genesisId),
      Buffer.from(domain.validatorSetId.slice(2), 'hex'),
      Buffer.from([phase]),
      number(2n),
      number(7n),
    ])
  const hash = (...parts: readonly Uint8Array[]): string =>
    `0x${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`
  const [value, count] = [reversed(idOf('a')), Buffer.from([1, 0, 0, 0])]
  assert.equal(hexDigest({ ...vote, phase: 'prepare' }), hash(beginning(1), value))
  assert.equal(hexDigest(vote), hash(beginning(2), value))
  assert.equal(hexDigest({ ...vote, phase: 'checkpoint' }), hash(beginning(3), value))
  assert.equal(hexDigest({ ...vote, value: NO_VALUE }), hash(beginning(2), Buffer.alloc(32)))
  const viewChange = { phase: 'view-change', view: 2, sequence: 7, prepared: [claim], suspects: [] } as const
  assert.equal(
    hexDigest(viewChange),
    hash(beginning(4), count, number(7n), number(2n), value, Buffer.alloc(4)),
  )
  const newView = { phase: 'new-view', view: 2, sequence: 7, proposals: [proposal] } as const
  assert.equal(hexDigest(newView), hash(beginning(5), count, number(7n), value))
})

const BAD_NUMBERS = [-1, 1.5, NaN, Infinity, 2 ** 48 + 1, 2 ** 64]
const BAD_VALUES = [
  'x',
  '0x',
  idOf('a').slice(2),
  `${idOf('a')}00`,
  idOf('a').slice(0, -2),
  idOf('a').toUpperCase(),
  `0x${'AB'.repeat(32)}`,
  `0x${'0g'.repeat(32)}`,
  `${idOf('a')}\n`,
  // 32 zeros are how no value is written, so they can't be a value as well.
  `0x${'00'.repeat(32)}`,
]
const MALFORMED: readonly Statement[] = [
  ...BAD_NUMBERS.flatMap(number => [
    { ...vote, sequence: number },
    { ...vote, view: number },
    {
      phase: 'view-change' as const,
      view: 2,
      sequence: 7,
      prepared: [{ ...claim, view: number }],
      suspects: [],
    },
    {
      phase: 'view-change' as const,
      view: 2,
      sequence: 7,
      prepared: [{ ...claim, sequence: number }],
      suspects: [],
    },
    { phase: 'new-view' as const, view: 2, sequence: 7, proposals: [{ ...proposal, sequence: number }] },
  ]),
  ...BAD_VALUES.flatMap(value => [
    { ...vote, value },
    {
      phase: 'view-change' as const,
      view: 2,
      sequence: 7,
      prepared: [claim, { ...claim, value }],
      suspects: [],
    },
    { phase: 'new-view' as const, view: 2, sequence: 7, proposals: [proposal, { ...proposal, value }] },
  ]),
]

test('what has no form in bytes is signed by no member, and it is no error', () => {
  const [checking, signature] = [network.signing(null), network.signing(0).sign(vote)]
  for (const statement of MALFORMED) assert.equal(checking.isSigned(statement, 0, signature), false)
})

test('to sign what has no form in bytes is a mistake of the program', () => {
  for (const statement of MALFORMED) assert.throws(() => network.signing(0).sign(statement), RangeError)
})

test('the greatest number can be signed', () => {
  const statement = { ...vote, sequence: 2 ** 48, view: 2 ** 48 }
  assert.ok(network.signing(null).isSigned(statement, 2, network.signing(2).sign(statement)))
})

test('a member out of range signed nothing', () => {
  const [checking, signature] = [network.signing(null), network.signing(0).sign(vote)]
  for (const member of [-1, 4, 100, 0.5, NaN, Infinity])
    assert.equal(checking.isSigned(vote, member, signature), false)
})

test('a signature has one form: its twin with a high s, other lengths and parities are refused', () => {
  const [digest, key] = [digestOf(domain, vote), network.keys[0]!]
  const good = referenceSign(digest, key)
  const [r, s, parity] = [good.subarray(0, 32), good.subarray(32, 64), good[64]!]
  const highS = bigintToBytes(N - bigintFromBytes(s), 32)
  const zero = new Uint8Array(32)
  const forms: readonly [string, Uint8Array][] = [
    ['the twin with a high s', concatBytes(r, highS, Uint8Array.of(1 - parity))],
    ['a high s alone', concatBytes(r, highS, Uint8Array.of(parity))],
    ['the other parity', concatBytes(r, s, Uint8Array.of(1 - parity))],
    ['parity as in transactions before EIP-155', concatBytes(r, s, Uint8Array.of(27 + parity))],
    ['parity 2', concatBytes(r, s, Uint8Array.of(2))],
    ['r of zero', concatBytes(zero, s, Uint8Array.of(parity))],
    ['s of zero', concatBytes(r, zero, Uint8Array.of(parity))],
    ['r of n', concatBytes(bigintToBytes(N, 32), s, Uint8Array.of(parity))],
    ['a byte too few', good.subarray(0, 64)],
    ['a byte too many', concatBytes(good, Uint8Array.of(0))],
    ['nothing', new Uint8Array()],
  ]
  const checking = network.signing(null)
  assert.ok(checking.isSigned(vote, 0, good))
  for (const [says, signature] of forms) {
    assert.equal(checking.isSigned(vote, 0, signature), false, says)
    assert.notEqual(referenceRecover(digest, signature), addressOfSecretKey(key), says)
  }
})

test('a malformed signature is refused even when a careless back end would know its signer', () => {
  const careless: RecoverSigner = () => network.validators.validators[0]!.address
  const checking = network.signing(null, careless)
  const good = network.signing(0).sign(vote)
  assert.equal(checking.isSigned(vote, 0, good), true)
  assert.equal(checking.isSigned(vote, 0, concatBytes(good.subarray(0, 64), Uint8Array.of(2))), false)
})

test('random bytes are no signature and no error', () => {
  const checking = network.signing(null)
  const bytes = fc.oneof(fc.uint8Array({ minLength: 65, maxLength: 65 }), fc.uint8Array({ maxLength: 100 }))
  const property = fc.property(bytes, signature => !checking.isSigned(vote, 0, signature))
  fc.assert(property, { seed: 1, numRuns: 200 })
})

test('a good signature is recovered once, however often it is shown', () => {
  const { recover, count } = counting()
  const checking = network.signing(null, recover)
  const signature = network.signing(0).sign(vote)
  for (let time = 0; time < 5; time++) {
    assert.ok(checking.isSigned({ ...vote }, 0, signature.slice()))
    assert.ok(!checking.isSigned(vote, 1, signature))
  }
  assert.equal(count(), 1)
  assert.ok(!checking.isSigned({ ...vote, view: 3 }, 0, signature))
  assert.equal(count(), 2)
})

test('what strangers sign is not remembered, and what members sign only up to a cap', () => {
  let count = 0
  let signer = addressOfSecretKey(keyOf('a stranger'))
  const checking = network.signing(null, () => {
    count++
    return signer
  })
  const signature = network.signing(0).sign(vote)
  for (let time = 0; time < 3; time++) assert.ok(!checking.isSigned(vote, 0, signature))
  assert.equal(count, 3)
  signer = network.validators.validators[0]!.address
  for (let sequence = 0; sequence <= 4_096; sequence++) checking.isSigned({ ...vote, sequence }, 0, signature)
  const before = count
  checking.isSigned({ ...vote, sequence: 4_096 }, 0, signature)
  checking.isSigned({ ...vote, sequence: 1 }, 0, signature)
  assert.equal(count, before)
  checking.isSigned({ ...vote, sequence: 0 }, 0, signature)
  assert.equal(count, before + 1)
})

test('another way to sign is used when it is given', () => {
  const signing = createSigning(PBFT.signed!, {
    genesisId: domain.genesisId,
    chainId: domain.chainId,
    validators: network.validators,
    secretKey: network.keys[0]!,
    recover: referenceRecover,
    sign: digest => digest,
  })
  assert.deepEqual(signing.sign(vote), digestOf(domain, vote))
})
