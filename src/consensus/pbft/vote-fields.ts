// The bytes of what PBFT's messages, records and statements have in common: the phases of votes and other statements, what
// is voted for, and the members that a view change names.

import { type ByteReader, type ByteWriter, MalformedBytes } from '../../encoding/bytes.ts'
import {
  MEMBERS_MAX,
  readList,
  readMember,
  readNumber,
  readValue,
  writeList,
  writeMember,
  writeNumber,
  writeValue,
} from '../wire-fields.ts'
import type { Suspect, Vote, VotePhase } from './votes.ts'

/** The byte of every phase in which something is signed. */
export const PHASE_BYTES = {
  prepare: 1,
  commit: 2,
  checkpoint: 3,
  'view-change': 4,
  'new-view': 5,
  answer: 6,
  complaint: 7,
} as const

/** The phases in which members vote. */
export const VOTE_PHASES: readonly VotePhase[] = ['prepare', 'commit', 'checkpoint']

/** A phase in which members vote. */
export function readVotePhase(reader: ByteReader): VotePhase {
  return votePhaseOf(reader.u8())
}

/** The phase in which members vote that has this byte. Throws `MalformedBytes`. */
export function votePhaseOf(byte: number): VotePhase {
  const phase = VOTE_PHASES.find(name => PHASE_BYTES[name] === byte)
  if (phase === undefined) throw new MalformedBytes('no phase of a vote')
  return phase
}

/** The members that a view change names, each with the sequence number up to which it is passed over. */
export function writeSuspects(writer: ByteWriter, suspects: readonly Suspect[]): void {
  writeList(writer, MEMBERS_MAX, suspects, ({ member, until }) => {
    writeMember(writer, member)
    writeNumber(writer, until)
  })
}

/** What `writeSuspects` wrote. */
export function readSuspects(reader: ByteReader): Suspect[] {
  return readList(reader, MEMBERS_MAX, () => {
    const member = readMember(reader)
    return { member, until: readNumber(reader) }
  })
}

/** What is voted for, whatever the phase. */
export type VoteFields = Pick<Vote, 'sequence' | 'view' | 'value'>

/** The sequence number, view and value of a vote. */
export function writeVote(writer: ByteWriter, { sequence, view, value }: VoteFields): void {
  writeNumber(writer, sequence)
  writeNumber(writer, view)
  writeValue(writer, value)
}

/** What `writeVote` wrote. */
export function readVote(reader: ByteReader): VoteFields {
  return { sequence: readNumber(reader), view: readNumber(reader), value: readValue(reader) }
}
