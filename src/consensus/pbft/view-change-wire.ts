// View changes and new views in bytes. Messages contain them, and records keep what began a view; the bounds of both are
// here.

import type { ByteReader, ByteWriter } from '../../encoding/bytes.ts'
import {
  MEMBERS_MAX,
  readFlag,
  readList,
  readMember,
  readNumber,
  readSignature,
  readValue,
  writeFlag,
  writeList,
  writeMember,
  writeNumber,
  writeSignature,
  writeValue,
} from '../wire-fields.ts'
import { encodeCertificate, readCertificate } from './certificate-record.ts'
import type { NewView, ViewChange } from './messages.ts'
import { readSuspects, writeSuspects } from './vote-fields.ts'
import type { Certificate } from './votes.ts'

/** Bytes in a message or a record at most. */
export const PBFT_BYTES_MAX = 4 * 1024 * 1024

/** Sequence numbers that a view change or a new view speaks of at most. */
export const SLOTS_MAX = 512

/** Writes a view change without its type. */
export function writeViewChange(writer: ByteWriter, message: ViewChange): void {
  const { view, from, stable, prepared, suspects, signature } = message
  writeNumber(writer, view)
  writeMember(writer, from)
  writeCertificateOrNull(writer, stable)
  writeList(writer, SLOTS_MAX, prepared, certificate => writer.bytes(encodeCertificate(certificate)))
  writeSuspects(writer, suspects)
  writeSignature(writer, signature)
}

/** What `writeViewChange` wrote. */
export function readViewChange(reader: ByteReader): ViewChange {
  const place = { view: readNumber(reader), from: readMember(reader) }
  const stable = readCertificateOrNull(reader)
  const prepared = readList(reader, SLOTS_MAX, () => readCertificate(reader))
  const suspects = readSuspects(reader)
  return { type: 'view-change', ...place, stable, prepared, suspects, signature: readSignature(reader) }
}

/** Writes a new view without its type. */
export function writeNewView(writer: ByteWriter, { view, viewChanges, proposals, signature }: NewView): void {
  writeNumber(writer, view)
  writeList(writer, MEMBERS_MAX, viewChanges, viewChange => writeViewChange(writer, viewChange))
  writeList(writer, SLOTS_MAX, proposals, proposal => {
    writeNumber(writer, proposal.sequence)
    writeValue(writer, proposal.value)
    writeSignature(writer, proposal.signature)
  })
  writeSignature(writer, signature)
}

/** What `writeNewView` wrote. */
export function readNewView(reader: ByteReader): NewView {
  const view = readNumber(reader)
  const viewChanges = readList(reader, MEMBERS_MAX, () => readViewChange(reader))
  const proposals = readList(reader, SLOTS_MAX, () => {
    const slot = { sequence: readNumber(reader), value: readValue(reader) }
    return { ...slot, signature: readSignature(reader) }
  })
  return { type: 'new-view', view, viewChanges, proposals, signature: readSignature(reader) }
}

/** A certificate, or none. */
export function writeCertificateOrNull(writer: ByteWriter, certificate: Certificate | null): void {
  writeFlag(writer, certificate !== null)
  if (certificate !== null) writer.bytes(encodeCertificate(certificate))
}

/** What `writeCertificateOrNull` wrote. */
export function readCertificateOrNull(reader: ByteReader): Certificate | null {
  return readFlag(reader) ? readCertificate(reader) : null
}
