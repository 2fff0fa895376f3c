import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NO_VALUE } from '../../../src/consensus/log.ts'
import { encodeCertificate, readCertificate } from '../../../src/consensus/pbft/certificate-record.ts'
import type { Certificate } from '../../../src/consensus/pbft/votes.ts'
import { ByteReader, concatBytes, MalformedBytes } from '../../../src/encoding/bytes.ts'
import { idOf } from '../../finality/test-validators.ts'
import { certificate as anyCertificate } from './arbitraries.ts'

const signatureOf = (byte: number): Uint8Array => new Uint8Array(65).fill(byte)
const certificate: Certificate = {
  phase: 'commit',
  sequence: 7,
  view: 2,
  value: idOf('a'),
  signatures: [0, 2, 99].map(member => ({ member, signature: signatureOf(member) })),
}
const bytes = encodeCertificate(certificate)

/** Where each field begins. */
const AT = { phase: 0, sequence: 1, view: 9, value: 17, count: 49, members: [50, 116, 182] } as const

function readWhole(input: Uint8Array): Certificate {
  const reader = new ByteReader(input)
  const result = readCertificate(reader)
  reader.end()
  return result
}

function withBytes(...changes: readonly (readonly [at: number, byte: number])[]): Uint8Array {
  const changed = bytes.slice()
  for (const [at, byte] of changes) changed[at] = byte
  return changed
}

test('a certificate reads as it was written', () => {
  const property = fc.property(anyCertificate, any => {
    assert.deepEqual(readWhole(encodeCertificate(any)), any)
  })
  fc.assert(property, { seed: 1 })
})

test('its bytes are where the head of the file says', () => {
  assert.equal(bytes.length, 50 + 3 * 66)
  assert.equal(bytes[AT.phase], 2)
  assert.equal(bytes[AT.sequence], 7)
  assert.equal(bytes[AT.view], 2)
  const id = Buffer.from(idOf('a').slice(2), 'hex').reverse()
  assert.deepEqual(Buffer.from(bytes.subarray(AT.value, AT.count)), id)
  assert.equal(bytes[AT.count], 3)
  assert.deepEqual(
    AT.members.map(at => bytes[at]),
    [0, 2, 99],
  )
})

test('no value is 32 zeros', () => {
  const none = encodeCertificate({ ...certificate, value: NO_VALUE })
  assert.ok(none.subarray(AT.value, AT.count).every(byte => byte === 0))
  assert.equal(readWhole(none).value, NO_VALUE)
})

const OTHER_FORMS: readonly [says: string, bytes: Uint8Array][] = [
  ['phase 0', withBytes([AT.phase, 0])],
  ['the phase of a view change', withBytes([AT.phase, 4])],
  ['a sequence number above 2^48', withBytes([AT.sequence, 1], [AT.sequence + 6, 1])],
  ['a view above 2^48', withBytes([AT.view + 7, 1])],
  ['more signatures than there can be validators', withBytes([AT.count, 101])],
  [
    'a count in a longer form',
    concatBytes(bytes.subarray(0, AT.count), Uint8Array.of(0xfd, 3, 0), bytes.subarray(50)),
  ],
  ['one signature too few for the count', withBytes([AT.count, 4])],
  ['one signature too many for the count', withBytes([AT.count, 2])],
  ['a member twice', withBytes([AT.members[0], 2])],
  ['members in another order', withBytes([AT.members[0], 3])],
  ['member 100', withBytes([AT.members[2], 100])],
  ['a byte too many', concatBytes(bytes, Uint8Array.of(0))],
]
for (const [says, input] of OTHER_FORMS) {
  test(`${says}: refused`, () => assert.throws(() => readWhole(input), MalformedBytes))
}

test('a part of a certificate is refused at every length', () => {
  for (let size = 0; size < bytes.length; size++)
    assert.throws(() => readWhole(bytes.subarray(0, size)), MalformedBytes, `${size}`)
})

test('bytes with one changed are refused or another certificate, and then in their only form', () => {
  const change = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255) })
  const property = fc.property(change, ({ at, byte }) => assertOneForm(withBytes([at, byte])))
  fc.assert(property, { seed: 2, numRuns: 2_000 })
})

test('random bytes are malformed or a certificate in its only form, never another error', () => {
  const random = fc.uint8Array({ maxLength: 300 })
  const likely = random.map(rest => concatBytes(bytes.subarray(0, 49), rest))
  fc.assert(fc.property(fc.oneof(random, likely), assertOneForm), { seed: 3, numRuns: 2_000 })
})

function assertOneForm(input: Uint8Array): void {
  try {
    assert.deepEqual(encodeCertificate(readWhole(input)), input)
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
  }
}

test('signatures keep nothing of the message they came in', () => {
  const read = readWhole(bytes)
  assert.equal(read.signatures[0]!.signature.buffer.byteLength, 65)
})

const UNWRITABLE: readonly [says: string, certificate: Certificate][] = [
  ['a fraction', { ...certificate, sequence: 0.5 }],
  ['a negative view', { ...certificate, view: -1 }],
  ['a number above 2^48', { ...certificate, view: 2 ** 48 + 1 }],
  ['a value that is no id', { ...certificate, value: 'b' }],
  ['the id of nothing', { ...certificate, value: `0x${'00'.repeat(32)}` }],
  ['members out of order', { ...certificate, signatures: certificate.signatures.toReversed() }],
  [
    'a member twice',
    { ...certificate, signatures: [certificate.signatures[0]!, certificate.signatures[0]!] },
  ],
  ['member 100', { ...certificate, signatures: [{ member: 100, signature: signatureOf(1) }] }],
  ['a short signature', { ...certificate, signatures: [{ member: 1, signature: new Uint8Array(64) }] }],
]
for (const [says, unwritable] of UNWRITABLE) {
  test(`${says} has no form in bytes`, () => {
    assert.throws(() => encodeCertificate(unwritable), RangeError)
  })
}
