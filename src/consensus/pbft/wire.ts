// PBFT's messages and records in bytes. Each has one form only, every list has a cap, and what has bytes left over or
// missing is no message: a stranger's bytes give a message or null, never an error.
//
// The first byte says which message or record follows; then its fields in the order of their definition.

import { ByteReader, ByteWriter, MalformedBytes, readOrNull } from '../../encoding/bytes.ts'
import type { MemberIndex } from '../process.ts'
import {
  MEMBERS_MAX,
  readList,
  readMember,
  readNumber,
  readSignature,
  readValue,
  writeList,
  writeMember,
  writeNumber,
  writeSignature,
  writeValue,
} from '../wire-fields.ts'
import { encodeCertificate, readCertificate } from './certificate-record.ts'
import type { Answer, NewView, PbftMessage, PbftRecord, ViewChange } from './messages.ts'
import { PHASE_BYTES, readSuspects, readVotePhase, writeSuspects } from './vote-fields.ts'
import type { Certificate } from './votes.ts'

/** Bytes in a message or a record at most. */
export const PBFT_BYTES_MAX = 4 * 1024 * 1024

/** Sequence numbers that a view change or a new view speaks of at most. */
export const SLOTS_MAX = 512

/** Votes in an answer at most: two of each sequence number. */
const ANSWER_VOTES_MAX = 2 * SLOTS_MAX

const MESSAGE_BYTES = {
  'pre-prepare': 1,
  prepare: 2,
  commit: 3,
  checkpoint: 4,
  'view-change': 5,
  'new-view': 6,
  status: 7,
  proof: 8,
  query: 9,
  answer: 10,
  complaint: 11,
} as const

/** The kinds of message. */
export const PBFT_MESSAGE_TYPES = Object.keys(MESSAGE_BYTES) as readonly PbftMessage['type'][]

const RECORD_BYTES = { view: 1, slot: 2, stable: 3, 'new-view': 4 } as const

/** The bytes of a message. Throws a RangeError when it has no form in bytes. */
export function encodePbftMessage(message: PbftMessage): Uint8Array {
  const writer = new ByteWriter().u8(MESSAGE_BYTES[message.type])
  writeMessage(writer, message)
  return writer.finish()
}

/** The message in these bytes, or null when they are none. */
export function decodePbftMessage(bytes: Uint8Array): PbftMessage | null {
  return decodeWhole(bytes, readMessage)
}

/** The bytes of a record. */
export function encodePbftRecord(record: PbftRecord): Uint8Array {
  const writer = new ByteWriter().u8(RECORD_BYTES[record.type])
  writeRecord(writer, record)
  return writer.finish()
}

/** The record in these bytes, or null when they are none. */
export function decodePbftRecord(bytes: Uint8Array): PbftRecord | null {
  return decodeWhole(bytes, readRecord)
}

function decodeWhole<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T | null {
  if (bytes.length > PBFT_BYTES_MAX) return null
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const result = read(reader)
    reader.end()
    return result
  })
}

function writeMessage(writer: ByteWriter, message: PbftMessage): void {
  switch (message.type) {
    case 'pre-prepare':
    case 'commit':
      writeVote(writer, message)
      writeMember(writer, message.from)
      writeSignature(writer, message.signature)
      return
    case 'prepare':
      writeVote(writer, message)
      writeMember(writer, message.from)
      writeSignature(writer, message.signature)
      writeMember(writer, message.proposer)
      writeSignature(writer, message.proposal)
      return
    case 'checkpoint':
      writeNumber(writer, message.sequence)
      writeValue(writer, message.value)
      writeMember(writer, message.from)
      writeSignature(writer, message.signature)
      return
    case 'view-change':
      writeViewChange(writer, message)
      return
    case 'new-view':
      writeNewView(writer, message)
      return
    case 'status':
      writeMemberOrNull(writer, message.from)
      writeNumber(writer, message.view)
      writeFlag(writer, message.isActive)
      writeFlag(writer, message.votes)
      writeNumber(writer, message.decided)
      writeValue(writer, message.value)
      writeNumber(writer, message.timeoutMs)
      return
    case 'proof':
      writer.bytes(encodeCertificate(message.certificate))
      return
    case 'query':
      writeMember(writer, message.from)
      writeNumber(writer, message.challenge)
      return
    case 'complaint':
      writeNumber(writer, message.view)
      writeMember(writer, message.from)
      writeSignature(writer, message.signature)
      return
    case 'answer':
      writeAnswer(writer, message)
  }
}

function readMessage(reader: ByteReader): PbftMessage {
  const type = readType(reader, MESSAGE_BYTES)
  switch (type) {
    case 'prepare': {
      const vote = { type, ...readVote(reader), from: readMember(reader), signature: readSignature(reader) }
      return { ...vote, proposer: readMember(reader), proposal: readSignature(reader) }
    }
    case 'pre-prepare':
    case 'commit':
      return { type, ...readVote(reader), from: readMember(reader), signature: readSignature(reader) }
    case 'checkpoint': {
      const state = { sequence: readNumber(reader), value: readValue(reader) }
      return { type, ...state, from: readMember(reader), signature: readSignature(reader) }
    }
    case 'view-change':
      return readViewChange(reader)
    case 'new-view':
      return readNewView(reader)
    case 'status': {
      const place = { from: readMemberOrNull(reader), view: readNumber(reader), isActive: readFlag(reader) }
      const votes = readFlag(reader)
      const decision = { decided: readNumber(reader), value: readValue(reader) }
      return { type, ...place, votes, ...decision, timeoutMs: readNumber(reader) }
    }
    case 'proof':
      return { type, certificate: readCertificate(reader) }
    case 'query':
      return { type, from: readMember(reader), challenge: readNumber(reader) }
    case 'complaint':
      return { type, view: readNumber(reader), from: readMember(reader), signature: readSignature(reader) }
    case 'answer':
      return readAnswer(reader)
  }
}

function writeAnswer(writer: ByteWriter, message: Answer): void {
  writeMember(writer, message.from)
  writeMember(writer, message.to)
  writeNumber(writer, message.challenge)
  writeNumber(writer, message.decided)
  writeList(writer, ANSWER_VOTES_MAX, message.votes, ({ phase, signature, ...vote }) => {
    writer.u8(PHASE_BYTES[phase])
    writeVote(writer, vote)
    writeSignature(writer, signature)
  })
  writeFlag(writer, message.viewChange !== null)
  if (message.viewChange !== null) writeViewChange(writer, message.viewChange)
  writeSignature(writer, message.signature)
}

function readAnswer(reader: ByteReader): Answer {
  const members = { from: readMember(reader), to: readMember(reader) }
  const place = { challenge: readNumber(reader), decided: readNumber(reader) }
  const votes = readList(reader, ANSWER_VOTES_MAX, () => {
    const vote = { phase: readVotePhase(reader), ...readVote(reader) }
    return { ...vote, signature: readSignature(reader) }
  })
  const viewChange = readFlag(reader) ? readViewChange(reader) : null
  return { type: 'answer', ...members, ...place, votes, viewChange, signature: readSignature(reader) }
}

function writeViewChange(writer: ByteWriter, message: ViewChange): void {
  const { view, from, stable, prepared, suspects, signature } = message
  writeNumber(writer, view)
  writeMember(writer, from)
  writeCertificateOrNull(writer, stable)
  writeList(writer, SLOTS_MAX, prepared, certificate => writer.bytes(encodeCertificate(certificate)))
  writeSuspects(writer, suspects)
  writeSignature(writer, signature)
}

function readViewChange(reader: ByteReader): ViewChange {
  const place = { view: readNumber(reader), from: readMember(reader) }
  const stable = readCertificateOrNull(reader)
  const prepared = readList(reader, SLOTS_MAX, () => readCertificate(reader))
  const suspects = readSuspects(reader)
  return { type: 'view-change', ...place, stable, prepared, suspects, signature: readSignature(reader) }
}

function writeNewView(writer: ByteWriter, { view, viewChanges, proposals, signature }: NewView): void {
  writeNumber(writer, view)
  writeList(writer, MEMBERS_MAX, viewChanges, viewChange => writeViewChange(writer, viewChange))
  writeList(writer, SLOTS_MAX, proposals, proposal => {
    writeNumber(writer, proposal.sequence)
    writeValue(writer, proposal.value)
    writeSignature(writer, proposal.signature)
  })
  writeSignature(writer, signature)
}

function readNewView(reader: ByteReader): NewView {
  const view = readNumber(reader)
  const viewChanges = readList(reader, MEMBERS_MAX, () => readViewChange(reader))
  const proposals = readList(reader, SLOTS_MAX, () => {
    const slot = { sequence: readNumber(reader), value: readValue(reader) }
    return { ...slot, signature: readSignature(reader) }
  })
  return { type: 'new-view', view, viewChanges, proposals, signature: readSignature(reader) }
}

function writeRecord(writer: ByteWriter, record: PbftRecord): void {
  switch (record.type) {
    case 'view':
      writeNumber(writer, record.view)
      writeFlag(writer, record.isActive)
      writeNumber(writer, record.reproposed)
      return
    case 'slot':
      writeVote(writer, record)
      writeSignature(writer, record.proposal)
      writeCertificateOrNull(writer, record.prepared)
      return
    case 'stable':
      writer.bytes(encodeCertificate(record.certificate))
      return
    case 'new-view':
      writeNewView(writer, record.message)
  }
}

function readRecord(reader: ByteReader): PbftRecord {
  const type = readType(reader, RECORD_BYTES)
  switch (type) {
    case 'view': {
      const place = { view: readNumber(reader), isActive: readFlag(reader) }
      return { type, ...place, reproposed: readNumber(reader) }
    }
    case 'slot': {
      const vote = { ...readVote(reader), proposal: readSignature(reader) }
      return { type, ...vote, prepared: readCertificateOrNull(reader) }
    }
    case 'stable':
      return { type, certificate: readCertificate(reader) }
    case 'new-view':
      return { type, message: readNewView(reader) }
  }
}

type VoteFields = { readonly sequence: number; readonly view: number; readonly value: string }

function writeVote(writer: ByteWriter, { sequence, view, value }: VoteFields): void {
  writeNumber(writer, sequence)
  writeNumber(writer, view)
  writeValue(writer, value)
}

function readVote(reader: ByteReader): VoteFields {
  return { sequence: readNumber(reader), view: readNumber(reader), value: readValue(reader) }
}

function writeCertificateOrNull(writer: ByteWriter, certificate: Certificate | null): void {
  writeFlag(writer, certificate !== null)
  if (certificate !== null) writer.bytes(encodeCertificate(certificate))
}

function readCertificateOrNull(reader: ByteReader): Certificate | null {
  return readFlag(reader) ? readCertificate(reader) : null
}

function writeMemberOrNull(writer: ByteWriter, member: MemberIndex | null): void {
  writeFlag(writer, member !== null)
  if (member !== null) writeMember(writer, member)
}

function readMemberOrNull(reader: ByteReader): MemberIndex | null {
  return readFlag(reader) ? readMember(reader) : null
}

function writeFlag(writer: ByteWriter, flag: boolean): void {
  writer.u8(flag ? 1 : 0)
}

function readFlag(reader: ByteReader): boolean {
  const byte = reader.u8()
  if (byte > 1) throw new MalformedBytes('neither yes nor no')
  return byte === 1
}

function readType<T extends string>(reader: ByteReader, bytes: Readonly<Record<T, number>>): T {
  const byte = reader.u8()
  for (const type of Object.keys(bytes) as T[]) if (bytes[type] === byte) return type
  throw new MalformedBytes('unknown type')
}
