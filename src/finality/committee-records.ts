// What a committee persists, by key: this validator's votes and its address, proofs of lies, decisions on nothing, and the
// reason for which it has stopped.

import type { LogCodec, LogKit } from '../consensus/kit.ts'
import type { Decision } from '../consensus/log.ts'
import { ByteReader, MalformedBytes } from '../encoding/bytes.ts'
import { EvidenceLog } from './evidence-log.ts'
import { decodeMark, type VoteMark } from './vote-mark.ts'

/** The keys, and what they begin with. */
export const COMMITTEE_KEYS = {
  /** Votes of the protocol. */
  vote: (key: string) => `${VOTES}${key}`,
  /** How far this validator has voted. A node keeps it in a file beside the key, and not in its database. */
  mark: 'mark',
  /** The address of the validator whose votes these are. */
  voter: 'voter',
  /** Is there as long as the folder was new when it started, and no vote has been given from it. */
  untried: 'untried',
  evidence: (key: string) => `${EVIDENCE}${key}`,
  /** A decision on nothing, by its sequence number. */
  empty: (sequence: number) => `${EMPTY}${sequence}`,
  /** Why finality has stopped. */
  conflict: 'conflict',
} as const

const VOTES = 'vote/'
const EVIDENCE = 'evidence/'
const EMPTY = 'empty/'

/** Records of a committee can't be read: this validator must not vote. */
export class DamagedVotes extends Error {
  override name = 'DamagedVotes'
}

/** What a start finds. */
export interface CommitteeRecords {
  readonly votes: Map<string, unknown>
  readonly voter: Uint8Array | null
  /** Whether the folder was new at an earlier start, and no vote had been given from it since. */
  readonly isUntried: boolean
  /** Null where none was kept. */
  readonly mark: VoteMark | null
  /** Null where nothing is signed. */
  readonly evidence: EvidenceLog | null
  /** Decisions on nothing, by sequence number. */
  readonly empty: Map<number, Decision>
  readonly conflict: string | null
}

/** Reads all records. Throws `DamagedVotes` naming the first that is damaged. */
export function readCommitteeRecords(
  records: ReadonlyMap<string, Uint8Array>,
  { codec, signed }: Pick<LogKit, 'codec' | 'signed'>,
): CommitteeRecords {
  const votes = new Map<string, unknown>()
  const evidence = signed === null ? null : new EvidenceLog(signed.evidence)
  const empty = new Map<number, Decision>()
  for (const [key, bytes] of records) {
    if (key.startsWith(VOTES)) votes.set(key.slice(VOTES.length), readVote(key, bytes, codec))
    else if (key.startsWith(EVIDENCE)) readOrThrow(key, () => evidence?.restore(bytes))
    else if (key.startsWith(EMPTY)) {
      const decision = readStoredDecision(key, bytes, codec)
      empty.set(decision.sequence, decision)
    }
  }
  const conflict = records.get(COMMITTEE_KEYS.conflict)
  return {
    votes,
    voter: records.get(COMMITTEE_KEYS.voter) ?? null,
    isUntried: records.has(COMMITTEE_KEYS.untried),
    mark: readMark(records.get(COMMITTEE_KEYS.mark)),
    evidence,
    empty,
    conflict: conflict === undefined ? null : new TextDecoder().decode(conflict),
  }
}

/** A decision from the disk. Throws `DamagedVotes` naming the record. */
export function readStoredDecision(key: string, bytes: Uint8Array, codec: LogCodec): Decision {
  return readOrThrow(key, () => {
    const reader = new ByteReader(bytes)
    const decision = codec.readDecision(reader)
    reader.end()
    return decision
  })
}

function readVote(key: string, bytes: Uint8Array, codec: LogCodec): unknown {
  const record = codec.decodeRecord(bytes)
  if (record === null) throw new DamagedVotes(`the record ${key} of this validator's votes is damaged`)
  return record
}

function readMark(bytes: Uint8Array | undefined): VoteMark | null {
  const mark = bytes === undefined ? null : decodeMark(bytes)
  if (bytes !== undefined && mark === null) throw new DamagedVotes('the mark of the last vote is damaged')
  return mark
}

function readOrThrow<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof MalformedBytes)) throw cause
    throw new DamagedVotes(`the record ${key} of the finality layer is damaged`, { cause })
  }
}
