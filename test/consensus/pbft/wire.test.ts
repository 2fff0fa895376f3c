import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NewView, PbftMessage, Status, ViewChange } from '../../../src/consensus/pbft/messages.ts'
import { decodePbftRecord, encodePbftRecord } from '../../../src/consensus/pbft/record-wire.ts'
import { PBFT_BYTES_MAX } from '../../../src/consensus/pbft/view-change-wire.ts'
import type { Certificate } from '../../../src/consensus/pbft/votes.ts'
import { decodePbftMessage, encodePbftMessage } from '../../../src/consensus/pbft/wire.ts'
import { concatBytes } from '../../../src/encoding/bytes.ts'
import { idOf } from '../../finality/test-validators.ts'
import { message as anyMessage, record as anyRecord } from './arbitraries.ts'

const signature = new Uint8Array(65).fill(7)
const certificate: Certificate = {
  phase: 'prepare',
  sequence: 3,
  view: 1,
  value: idOf('a'),
  signatures: [0, 1, 2].map(member => ({ member, signature })),
}
const viewChange: ViewChange = {
  type: 'view-change',
  view: 2,
  from: 1,
  stable: { ...certificate, phase: 'checkpoint', view: 0 },
  prepared: [certificate],
  suspects: [{ member: 2, until: 40 }],
  signature,
}
const proposal = { sequence: 3, value: idOf('a'), signature }
const newView: NewView = {
  type: 'new-view',
  view: 2,
  viewChanges: [viewChange, viewChange],
  proposals: [proposal],
  signature,
}
const status: Status = {
  type: 'status',
  from: null,
  view: 1,
  isActive: true,
  votes: true,
  decided: 3,
  value: idOf('a'),
  timeoutMs: 1_000,
}
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)

test('a message reads as it was written', () => {
  const property = fc.property(anyMessage, message => {
    assert.deepEqual(decodePbftMessage(encodePbftMessage(message)), message)
  })
  fc.assert(property, { seed: 1, numRuns: 500 })
})

test('a record reads as it was written', () => {
  const property = fc.property(anyRecord, record => {
    assert.deepEqual(decodePbftRecord(encodePbftRecord(record)), record)
  })
  fc.assert(property, { seed: 2, numRuns: 300 })
})

test('a message cut off anywhere, or with a byte more, is none', () => {
  for (const message of [newView, status, { type: 'proof', certificate } as const]) {
    const bytes = encodePbftMessage(message)
    for (let size = 0; size < bytes.length; size++)
      assert.equal(decodePbftMessage(bytes.subarray(0, size)), null)
    assert.equal(decodePbftMessage(concatBytes(bytes, Uint8Array.of(0))), null)
  }
})

test('bytes with one changed are no message or another one, in its only form', () => {
  const cases = fc.record({ message: anyMessage, at: fc.nat(), byte: fc.nat(255) })
  const property = fc.property(cases, ({ message, at, byte }) => {
    const bytes = encodePbftMessage(message)
    bytes[at % bytes.length] = byte
    assertOneForm(bytes)
  })
  fc.assert(property, { seed: 3, numRuns: 2_000 })
})

test('random bytes are no message or one in its only form, never an error', () => {
  const type = fc.nat(9).map(byte => Uint8Array.of(byte))
  const random = fc.tuple(type, fc.uint8Array({ maxLength: 300 })).map(parts => concatBytes(...parts))
  const sparse = fc.tuple(type, fc.array(fc.constantFrom(0, 0, 0, 0, 1, 2), { maxLength: 400 }))
  const mostlyZero = sparse.map(([first, rest]) => concatBytes(first, Uint8Array.from(rest)))
  fc.assert(fc.property(fc.oneof(random, mostlyZero), assertOneForm), { seed: 4, numRuns: 5_000 })
})

function assertOneForm(bytes: Uint8Array): void {
  const message = decodePbftMessage(bytes)
  if (message !== null) assert.deepEqual(encodePbftMessage(message), bytes)
}

test('a record cut off anywhere, or with a byte more, is none', () => {
  const bytes = encodePbftRecord({ type: 'stable', certificate })
  for (let size = 0; size < bytes.length; size++)
    assert.equal(decodePbftRecord(bytes.subarray(0, size)), null)
  assert.equal(decodePbftRecord(concatBytes(bytes, Uint8Array.of(0))), null)
})

test('random bytes are no record or one in its only form, never an error', () => {
  const type = fc.nat(5).map(byte => Uint8Array.of(byte))
  const random = fc.tuple(type, fc.uint8Array({ maxLength: 300 })).map(parts => concatBytes(...parts))
  const property = fc.property(random, bytes => {
    const record = decodePbftRecord(bytes)
    if (record !== null) assert.deepEqual(encodePbftRecord(record), bytes)
  })
  fc.assert(property, { seed: 5, numRuns: 1_000 })
})

test('a flag is 0 or 1', () => {
  const bytes = encodePbftMessage(status)
  assert.equal(bytes[1], 0)
  bytes[1] = 2
  assert.equal(decodePbftMessage(bytes), null)
})

const TOO_MANY: readonly [says: string, message: PbftMessage][] = [
  ['513 prepared certificates', { ...viewChange, prepared: many(513, certificate) }],
  ['101 view changes', { ...newView, viewChanges: many(101, viewChange) }],
  ['513 proposals', { ...newView, proposals: many(513, proposal) }],
]
for (const [says, message] of TOO_MANY) {
  test(`${says} have no form in bytes`, () => {
    assert.throws(() => encodePbftMessage(message), RangeError)
  })
}

const COUNTS: readonly [says: string, full: PbftMessage, at: number][] = [
  // The place of the count's two lower bytes after 0xfd, from the fields before it.
  [
    'prepared certificates',
    { ...viewChange, stable: null, prepared: many(512, certificate) },
    1 + 8 + 1 + 1 + 1,
  ],
  ['proposals', { ...newView, viewChanges: [], proposals: many(512, proposal) }, 1 + 8 + 1 + 1],
]
for (const [says, full, at] of COUNTS) {
  test(`512 ${says} are read, and a count above is refused at once`, () => {
    const bytes = encodePbftMessage(full)
    assert.deepEqual(decodePbftMessage(bytes), full)
    assert.deepEqual([...bytes.subarray(at - 1, at + 2)], [0xfd, 0, 2])
    bytes[at] = 1
    assert.equal(decodePbftMessage(concatBytes(bytes, bytes)), null)
  })
}

test('100 view changes are read, and a count above is refused', () => {
  const bytes = encodePbftMessage({ ...newView, viewChanges: many(100, viewChange) })
  assert.notEqual(decodePbftMessage(bytes), null)
  assert.equal(bytes[9], 100)
  bytes[9] = 101
  assert.equal(decodePbftMessage(bytes), null)
})

test('a message of more than 4 MiB is none, well formed though it is', () => {
  const fullCertificate = {
    ...certificate,
    signatures: Array.from({ length: 100 }, (_, member) => ({ member, signature })),
  }
  const fits = { ...viewChange, prepared: many(512, fullCertificate) }
  assert.notEqual(decodePbftMessage(encodePbftMessage(fits)), null)
  const bytes = encodePbftMessage({ ...newView, viewChanges: [fits, fits] })
  assert.ok(bytes.length > PBFT_BYTES_MAX)
  assert.equal(decodePbftMessage(bytes), null)
})

test('each message has a first byte of its own', () => {
  const bytes = fc.sample(anyMessage, { seed: 6, numRuns: 400 }).map(message => {
    return `${message.type} ${encodePbftMessage(message)[0]}`
  })
  assert.deepEqual([...new Set(bytes)].sort(), [
    'answer 10',
    'checkpoint 4',
    'commit 3',
    'complaint 11',
    'new-view 6',
    'pre-prepare 1',
    'prepare 2',
    'proof 8',
    'query 9',
    'status 7',
    'view-change 5',
  ])
})
