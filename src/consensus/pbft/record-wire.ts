// PBFT's records in bytes, as the application persists them. The first byte says which record follows; then its fields in
// the order of their definition. As with messages (wire.ts), each has one form only.

import { type ByteReader, ByteWriter } from '../../encoding/bytes.ts'
import {
  decodeWhole,
  readFlag,
  readNumber,
  readSignature,
  readType,
  writeFlag,
  writeNumber,
  writeSignature,
} from '../wire-fields.ts'
import { encodeCertificate, readCertificate } from './certificate-record.ts'
import type { PbftRecord } from './messages.ts'
import {
  PBFT_BYTES_MAX,
  readCertificateOrNull,
  readNewView,
  writeCertificateOrNull,
  writeNewView,
} from './view-change-wire.ts'
import { readVote, writeVote } from './vote-fields.ts'

const RECORD_BYTES = { view: 1, slot: 2, stable: 3, 'new-view': 4 } as const

/** The bytes of a record. */
export function encodePbftRecord(record: PbftRecord): Uint8Array {
  const writer = new ByteWriter().u8(RECORD_BYTES[record.type])
  writeRecord(writer, record)
  return writer.finish()
}

/** The record in these bytes, or null when they are none. */
export function decodePbftRecord(bytes: Uint8Array): PbftRecord | null {
  return decodeWhole(bytes, PBFT_BYTES_MAX, readRecord)
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
