// Evidence in bytes, as a node stores it (see evidence.ts). It has one form only, and only what convicts has one.
//
//   member 1, then by the next byte
//   1 to 3, the phase of two votes:  sequence 8 | view 8 | (value 32, signature 65) of both
//   4, of a view change:             sequence 8 | view 8 | value 32 | signature 65, of the commit that it leaves out;
//                                    view 8 | stable 8 | count | (sequence 8, view 8, value 32) of each |
//                                    count | (member 1, until 8) of each suspect | signature 65

import { type ByteReader, ByteWriter, MalformedBytes } from '../../encoding/bytes.ts'
import {
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
import { lieOf, reasonAgainst } from './evidence.ts'
import { SLOTS_MAX } from './view-change-wire.ts'
import { PHASE_BYTES, readSuspects, readVote, votePhaseOf, writeSuspects, writeVote } from './vote-fields.ts'
import type { Contradiction, Evidence, Omission, VoteWithSignature } from './votes.ts'

/** In the place of the phase of two votes: no vote has it. */
const OMISSION_BYTE = PHASE_BYTES['view-change']

/** Evidence as it is stored. Throws a RangeError when it convicts nobody. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const reason = reasonAgainst(evidence)
  if (reason !== null) throw new RangeError(reason)
  const writer = new ByteWriter()
  writeMember(writer, evidence.member)
  const { phase, sequence, view } = lieOf(evidence)
  writer.u8(evidence.type === 'contradiction' ? PHASE_BYTES[phase] : OMISSION_BYTE)
  writeNumber(writer, sequence)
  writeNumber(writer, view)
  switch (evidence.type) {
    case 'contradiction':
      writeChoice(writer, evidence.first)
      writeChoice(writer, evidence.second)
      break
    case 'omission':
      writeChoice(writer, evidence.vote)
      writeDeparture(writer, evidence.departure)
  }
  return writer.finish()
}

/** The evidence in the next bytes. Throws `MalformedBytes`. */
export function readEvidence(reader: ByteReader): Evidence {
  const member = readMember(reader)
  const kind = reader.u8()
  const evidence =
    kind === OMISSION_BYTE ? readOmission(reader, member) : readContradiction(reader, member, kind)
  const reason = reasonAgainst(evidence)
  if (reason !== null) throw new MalformedBytes(reason)
  return evidence
}

function readContradiction(reader: ByteReader, member: number, kind: number): Contradiction {
  const slot = { phase: votePhaseOf(kind), sequence: readNumber(reader), view: readNumber(reader) }
  const first = { ...slot, ...readChoice(reader) }
  return { type: 'contradiction', member, first, second: { ...slot, ...readChoice(reader) } }
}

function readOmission(reader: ByteReader, member: number): Omission {
  const slot = { phase: 'commit', sequence: readNumber(reader), view: readNumber(reader) } as const
  const vote = { ...slot, ...readChoice(reader) }
  return { type: 'omission', member, vote, departure: readDeparture(reader) }
}

function writeChoice(writer: ByteWriter, { value, signature }: VoteWithSignature): void {
  writeValue(writer, value)
  writeSignature(writer, signature)
}

function readChoice(reader: ByteReader): Pick<VoteWithSignature, 'value' | 'signature'> {
  return { value: readValue(reader), signature: readSignature(reader) }
}

function writeDeparture(writer: ByteWriter, departure: Omission['departure']): void {
  writeNumber(writer, departure.view)
  writeNumber(writer, departure.sequence)
  writeList(writer, SLOTS_MAX, departure.prepared, claim => writeVote(writer, claim))
  writeSuspects(writer, departure.suspects)
  writeSignature(writer, departure.signature)
}

function readDeparture(reader: ByteReader): Omission['departure'] {
  const place = { view: readNumber(reader), sequence: readNumber(reader) }
  const prepared = readList(reader, SLOTS_MAX, () => readVote(reader))
  const suspects = readSuspects(reader)
  return { ...place, prepared, suspects, signature: readSignature(reader) }
}
