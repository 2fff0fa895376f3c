// PBFT's messages in bytes. Each has one form only, every list has a cap, and what has bytes left over or missing is no
// message: bytes from outside give a message or null, never an error.
//
// The first byte says which message follows; then its fields in the order of their definition.

import { type ByteReader, ByteWriter } from '../../encoding/bytes.ts'
import type { MemberIndex } from '../process.ts'
import {
  decodeWhole,
  readFlag,
  readList,
  readMember,
  readNumber,
  readSignature,
  readType,
  readValue,
  writeFlag,
  writeList,
  writeMember,
  writeNumber,
  writeSignature,
  writeValue,
} from '../wire-fields.ts'
import { encodeCertificate, readCertificate } from './certificate-record.ts'
import type { Answer, PbftMessage } from './messages.ts'
import {
  PBFT_BYTES_MAX,
  readNewView,
  readViewChange,
  SLOTS_MAX,
  writeNewView,
  writeViewChange,
} from './view-change-wire.ts'
import { PHASE_BYTES, readVote, readVotePhase, writeVote } from './vote-fields.ts'

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

/** The bytes of a message. Throws a RangeError when it has no form in bytes. */
export function encodePbftMessage(message: PbftMessage): Uint8Array {
  const writer = new ByteWriter().u8(MESSAGE_BYTES[message.type])
  writeMessage(writer, message)
  return writer.finish()
}

/** The message in these bytes, or null when they are none. */
export function decodePbftMessage(bytes: Uint8Array): PbftMessage | null {
  return decodeWhole(bytes, PBFT_BYTES_MAX, readMessage)
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

function writeMemberOrNull(writer: ByteWriter, member: MemberIndex | null): void {
  writeFlag(writer, member !== null)
  if (member !== null) writeMember(writer, member)
}

function readMemberOrNull(reader: ByteReader): MemberIndex | null {
  return readFlag(reader) ? readMember(reader) : null
}
