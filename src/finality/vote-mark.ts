// How far a validator has voted: a few numbers that a node keeps beside the key, apart from the records of the votes.
//
// They are written after the votes that they speak of, and before those leave. So a mark never tells of more than the
// records of an untouched folder do, and where it does, the folder was emptied, or is an older copy: what the validator
// signed there it has forgotten. It then stays out of all that it may have signed, until the others have decided it.
//
// Votes are given in the order of sequence number, view and phase, but for those by which a new view repeats what is
// decided: they are of a view that was entered, which has its own mark. Two phases are told apart: no protocol here has more.

import type { RecordFacts } from '../consensus/kit.ts'
import { ByteReader, ByteWriter, readOrNull } from '../encoding/bytes.ts'

/** How far a validator has voted. */
export interface VoteMark {
  /** The greatest sequence number that it voted for, the last view in which it did, and whether in the last phase. */
  readonly sequence: number
  readonly view: number
  readonly hasCommitted: boolean
  /** The last view that it asked for, and whether that has begun. */
  readonly lastView: number
  readonly hasEntered: boolean
}

/** Of one that has not voted. */
export const NO_VOTES: VoteMark = {
  sequence: 0,
  view: 0,
  hasCommitted: false,
  lastView: 0,
  hasEntered: true,
}

/** What was signed and is not remembered: the last sequence number, and the last view; 0 for none. */
export interface Forgotten {
  readonly sequence: number
  readonly view: number
}

/** The mark after this record was written; the same object when it tells nothing new. */
export function advanceMark(mark: VoteMark, { vote, view }: RecordFacts): VoteMark {
  const voted = vote !== null && compareVotes(vote, mark) > 0 ? { ...mark, ...vote } : mark
  return view !== null && compareViews(view, voted) > 0 ? { ...voted, ...view } : voted
}

/** The mark that records of votes tell. */
export function markOf(records: Iterable<RecordFacts>): VoteMark {
  return [...records].reduce(advanceMark, NO_VOTES)
}

/** The further of both marks, of votes and of views each. */
export function furthest(one: VoteMark, other: VoteMark): VoteMark {
  const { sequence, view, hasCommitted } = compareVotes(one, other) >= 0 ? one : other
  const { lastView, hasEntered } = compareViews(one, other) >= 0 ? one : other
  return { sequence, view, hasCommitted, lastView, hasEntered }
}

/** What a mark tells and records of votes do not, where all up to `decided` is decided; null when that is nothing. */
export function forgottenOf(mark: VoteMark, known: VoteMark, decided: number): Forgotten | null {
  const sequence = compareVotes(mark, known) > 0 && mark.sequence > decided ? mark.sequence : 0
  // Of a view that it remembers to have asked for, but not how it began, nothing more is signed.
  const isBegun = mark.lastView === known.lastView
  const view = compareViews(mark, known) > 0 ? mark.lastView + (isBegun ? 1 : 0) : 0
  return sequence === 0 && view === 0 ? null : { sequence, view }
}

/**
 * Whether a mark tells of this COMMIT of its validator. A current mark tells of all of them; one that does not is an older
 * copy, and what else was signed after it is not known.
 */
export function tellsOfCommit(
  mark: VoteMark,
  { sequence, view }: { sequence: number; view: number },
): boolean {
  const isVoted = compareVotes({ sequence, view, hasCommitted: true }, mark) <= 0
  // What a new view repeats is of a lower sequence number than the last vote, and of a view that was entered.
  return isVoted && compareViews({ lastView: view, hasEntered: true }, mark) <= 0
}

/** A mark as bytes: sequence number 8, view 8, last view 8, flags 1. */
export function encodeMark({ sequence, view, hasCommitted, lastView, hasEntered }: VoteMark): Uint8Array {
  return new ByteWriter()
    .u64(BigInt(sequence))
    .u64(BigInt(view))
    .u64(BigInt(lastView))
    .u8((hasCommitted ? 1 : 0) + (hasEntered ? 2 : 0))
    .finish()
}

/** The mark in these bytes; null when they are none. */
export function decodeMark(bytes: Uint8Array): VoteMark | null {
  const numbers = readOrNull(() => {
    const reader = new ByteReader(bytes)
    const read = [reader.u64(), reader.u64(), reader.u64()].map(Number)
    const flags = reader.u8()
    reader.end()
    return [...read, flags]
  })
  if (numbers?.every(number => Number.isSafeInteger(number)) !== true) return null
  const [sequence, view, lastView, flags] = numbers as [number, number, number, number]
  if (flags > 3) return null
  return { sequence, view, hasCommitted: (flags & 1) !== 0, lastView, hasEntered: (flags & 2) !== 0 }
}

type LastVote = Pick<VoteMark, 'sequence' | 'view' | 'hasCommitted'>
type LastView = Pick<VoteMark, 'lastView' | 'hasEntered'>

function compareVotes(one: LastVote, other: LastVote): number {
  return (
    one.sequence - other.sequence ||
    one.view - other.view ||
    Number(one.hasCommitted) - Number(other.hasCommitted)
  )
}

function compareViews(one: LastView, other: LastView): number {
  return one.lastView - other.lastView || Number(one.hasEntered) - Number(other.hasEntered)
}
