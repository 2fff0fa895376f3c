// What PBFT's members sign, as bytes (integers little-endian). The application prepends what binds a statement to one
// network.
//
//   phase 1 | view 8 | sequence 8 |
//   vote: value 32      view-change: count 4, then (sequence 8, view 8, value 32) of each, then
//                                    count 4, then (member 1, until 8) of each suspect
//                       new-view:    count 4, then (sequence 8, value 32) of each; complaint: nothing
//                       answer:      challenge 8, member 1, count 4, then (phase 1, sequence 8, view 8, value 32) of each

import { ByteWriter } from '../../encoding/bytes.ts'
import { isMember, isNumber, isValue, writeMember, writeNumber, writeValue } from '../wire-fields.ts'
import type { Statement } from './messages.ts'
import { PHASE_BYTES } from './vote-fields.ts'

/** A statement in bytes. Throws a RangeError for what has no form in bytes. */
export function encodeStatement(statement: Statement): Uint8Array {
  const writer = new ByteWriter().u8(PHASE_BYTES[statement.phase])
  writeNumber(writer, statement.view)
  writeNumber(writer, statement.sequence)
  writeContent(writer, statement)
  return writer.finish()
}

/** Whether all that a statement says has a form in bytes. */
export function isStatement(statement: Statement): boolean {
  if (!isNumber(statement.view) || !isNumber(statement.sequence)) return false
  switch (statement.phase) {
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      return isValue(statement.value)
    case 'view-change':
      return (
        statement.prepared.every(
          ({ sequence, view, value }) => isNumber(sequence) && isNumber(view) && isValue(value),
        ) && statement.suspects.every(({ member, until }) => isMember(member) && isNumber(until))
      )
    case 'new-view':
      return statement.proposals.every(({ sequence, value }) => isNumber(sequence) && isValue(value))
    case 'complaint':
      return true
    case 'answer':
      return (
        isNumber(statement.challenge) &&
        isMember(statement.member) &&
        statement.votes.every(
          ({ sequence, view, value }) => isNumber(sequence) && isNumber(view) && isValue(value),
        )
      )
  }
}

function writeContent(writer: ByteWriter, statement: Statement): void {
  switch (statement.phase) {
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      writeValue(writer, statement.value)
      return
    case 'view-change':
      writer.u32(statement.prepared.length)
      for (const { sequence, view, value } of statement.prepared) {
        writeNumber(writer, sequence)
        writeNumber(writer, view)
        writeValue(writer, value)
      }
      writer.u32(statement.suspects.length)
      for (const { member, until } of statement.suspects) {
        writeMember(writer, member)
        writeNumber(writer, until)
      }
      return
    case 'new-view':
      writer.u32(statement.proposals.length)
      for (const { sequence, value } of statement.proposals) {
        writeNumber(writer, sequence)
        writeValue(writer, value)
      }
      return
    case 'complaint':
      return
    case 'answer':
      writeNumber(writer, statement.challenge)
      writeMember(writer, statement.member)
      writer.u32(statement.votes.length)
      for (const { phase, sequence, view, value } of statement.votes) {
        writer.u8(PHASE_BYTES[phase])
        writeNumber(writer, sequence)
        writeNumber(writer, view)
        writeValue(writer, value)
      }
  }
}
