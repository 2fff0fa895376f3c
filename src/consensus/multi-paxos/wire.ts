// The messages, records and decisions of Multi-Paxos in bytes. Each has one form only, every list has a cap, and what has
// bytes left over or missing is no message: bytes from outside give a message or null, never an error.
//
// The first byte says which message or record follows; then its fields in the order of their definition.

import { type ByteReader, ByteWriter } from '../../encoding/bytes.ts'
import {
  decodeWhole,
  readFlag,
  readList,
  readMember,
  readNumber,
  readType,
  readValue,
  writeFlag,
  writeList,
  writeMember,
  writeNumber,
  writeValue,
} from '../wire-fields.ts'
import type { Accepted, PaxosDecision, PaxosMessage, PaxosRecord } from './messages.ts'
import { SLOTS_MAX } from './replica.ts'

/** Bytes in a message or a record at most. */
const PAXOS_BYTES_MAX = 64 * 1024

const MESSAGE_BYTES = {
  prepare: 1,
  promise: 2,
  accept: 3,
  accepted: 4,
  chosen: 5,
  heartbeat: 6,
  reject: 7,
  status: 8,
} as const

/** The kinds of message. */
export const PAXOS_MESSAGE_TYPES = Object.keys(MESSAGE_BYTES) as readonly PaxosMessage['type'][]

const RECORD_BYTES = { promise: 1, accepted: 2 } as const

/** The bytes of a message. Throws a RangeError when it has no form in bytes. */
export function encodePaxosMessage(message: PaxosMessage): Uint8Array {
  const writer = new ByteWriter().u8(MESSAGE_BYTES[message.type])
  writeMessage(writer, message)
  return writer.finish()
}

/** The message in these bytes, or null when they are none. */
export function decodePaxosMessage(bytes: Uint8Array): PaxosMessage | null {
  return decodeWhole(bytes, PAXOS_BYTES_MAX, readMessage)
}

/** The bytes of a record. Throws a RangeError when it has no form in bytes. */
export function encodePaxosRecord(record: PaxosRecord): Uint8Array {
  const writer = new ByteWriter().u8(RECORD_BYTES[record.type])
  switch (record.type) {
    case 'promise':
      writeNumber(writer, record.ballot)
      writeNumber(writer, record.stable)
      break
    case 'accepted':
      writeAccepted(writer, record)
      break
  }
  return writer.finish()
}

/** The record in these bytes, or null when they are none. */
export function decodePaxosRecord(bytes: Uint8Array): PaxosRecord | null {
  return decodeWhole(bytes, PAXOS_BYTES_MAX, readRecord)
}

/** The bytes of a decision. Throws a RangeError when it has no form in bytes. */
export function encodePaxosDecision(decision: PaxosDecision): Uint8Array {
  const writer = new ByteWriter()
  writeAccepted(writer, decision)
  return writer.finish()
}

/** What `encodePaxosDecision` wrote. Throws `MalformedBytes`. */
export function readPaxosDecision(reader: ByteReader): PaxosDecision {
  return readAccepted(reader)
}

function writeMessage(writer: ByteWriter, message: PaxosMessage): void {
  switch (message.type) {
    case 'prepare':
    case 'heartbeat':
      writeMember(writer, message.from)
      writeNumber(writer, message.ballot)
      writeNumber(writer, message.decided)
      return
    case 'promise':
      writeMember(writer, message.from)
      writeNumber(writer, message.ballot)
      writeNumber(writer, message.decided)
      writeList(writer, SLOTS_MAX, message.accepted, vote => writeAccepted(writer, vote))
      return
    case 'accept':
      writeMember(writer, message.from)
      writeAccepted(writer, message)
      writeFlag(writer, message.isReproposed)
      return
    case 'accepted':
      writeMember(writer, message.from)
      writeAccepted(writer, message)
      return
    case 'chosen':
      writeAccepted(writer, message.decision)
      return
    case 'reject':
      writeMember(writer, message.from)
      writeNumber(writer, message.ballot)
      return
    case 'status':
      writeFlag(writer, message.from !== null)
      if (message.from !== null) writeMember(writer, message.from)
      writeNumber(writer, message.ballot)
      writeFlag(writer, message.isActive)
      writeFlag(writer, message.votes)
      writeNumber(writer, message.decided)
      writeNumber(writer, message.timeoutMs)
  }
}

function readMessage(reader: ByteReader): PaxosMessage {
  const type = readType(reader, MESSAGE_BYTES)
  switch (type) {
    case 'prepare':
    case 'heartbeat':
      return { type, ...readPlace(reader), decided: readNumber(reader) }
    case 'promise': {
      const fields = { ...readPlace(reader), decided: readNumber(reader) }
      return { type, ...fields, accepted: readList(reader, SLOTS_MAX, () => readAccepted(reader)) }
    }
    case 'accept': {
      const fields = { from: readMember(reader), ...readAccepted(reader) }
      return { type, ...fields, isReproposed: readFlag(reader) }
    }
    case 'accepted':
      return { type, from: readMember(reader), ...readAccepted(reader) }
    case 'chosen':
      return { type, decision: readAccepted(reader) }
    case 'reject':
      return { type, ...readPlace(reader) }
    case 'status': {
      const from = readFlag(reader) ? readMember(reader) : null
      const ballot = readNumber(reader)
      const flags = { isActive: readFlag(reader), votes: readFlag(reader) }
      const decided = readNumber(reader)
      return { type, from, ballot, ...flags, decided, timeoutMs: readNumber(reader) }
    }
  }
}

function readRecord(reader: ByteReader): PaxosRecord {
  const type = readType(reader, RECORD_BYTES)
  switch (type) {
    case 'promise':
      return { type, ballot: readNumber(reader), stable: readNumber(reader) }
    case 'accepted':
      return { type, ...readAccepted(reader) }
  }
}

function readPlace(reader: ByteReader) {
  return { from: readMember(reader), ballot: readNumber(reader) }
}

function writeAccepted(writer: ByteWriter, { sequence, ballot, value }: Accepted): void {
  writeNumber(writer, sequence)
  writeNumber(writer, ballot)
  writeValue(writer, value)
}

function readAccepted(reader: ByteReader): Accepted {
  return { sequence: readNumber(reader), ballot: readNumber(reader), value: readValue(reader) }
}
