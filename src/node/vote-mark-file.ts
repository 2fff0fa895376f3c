// The file that says how far a validator's key has voted on one network: two lines of JSON of one sector each, written by
// turns and in place, so that a write costs one sync, and one that is torn by a crash leaves the line before it.
//
// It stands beside the key, for it belongs to the key: whoever copies the key elsewhere takes it along. Where nothing can be
// written there (a key that is mounted to be read only) it stands in the data folder; what is found in either place counts.

import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { Address } from '../chain/address.ts'
import { furthest, type VoteMark } from '../finality/vote-mark.ts'
import { readFileOrNull, writeFileAtomically } from './atomic-file.ts'

/** The file holds no mark of this key, or can't be read or written. */
export class VoteMarkUnusable extends Error {
  override name = 'VoteMarkUnusable'
}

/** Whose votes are marked, and on which network. */
export interface MarkOwner {
  readonly address: Address
  readonly genesisId: string
}

/** Bytes of a line: what a disk writes whole or not at all. */
const LINE_BYTES = 512
const LINES = 2
/** What is said by systems where a file can't be made. */
const READ_ONLY: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT'])

interface Line {
  readonly count: number
  readonly mark: VoteMark
}

/** The open file. */
export class VoteMarkFile {
  readonly path: string
  readonly found: VoteMark | null
  readonly #file: FileHandle
  readonly #owner: MarkOwner
  /** Lines that were written so far; each goes where the one before the last was. */
  #count: number

  private constructor(path: string, file: FileHandle, owner: MarkOwner, found: Line | null) {
    this.path = path
    this.#file = file
    this.#owner = owner
    this.#count = found?.count ?? 0
    this.found = found?.mark ?? null
  }

  /** Opens the first of these files that can be written, with the furthest mark of them all. Throws `VoteMarkUnusable`. */
  static async open(paths: readonly string[], owner: MarkOwner): Promise<VoteMarkFile> {
    const lines: Line[] = []
    for (const path of paths) {
      const line = await readLast(path, owner)
      if (line !== null) lines.push(line)
    }
    const found = lines.reduce<Line | null>((one, other) => (one === null ? other : join(one, other)), null)
    for (const [index, path] of paths.entries()) {
      try {
        const file = await openForWriting(path, owner, found)
        // What they held is in this one now.
        for (const other of paths.slice(index + 1)) await rm(other, { force: true })
        return new VoteMarkFile(path, file, owner, found)
      } catch (error) {
        const isLast = index === paths.length - 1
        if (isLast || !READ_ONLY.has((error as NodeJS.ErrnoException).code)) throw unusable(path, error)
      }
    }
    throw new Error('no path was given')
  }

  /** Resolves when the mark is durable. One call at a time. */
  async write(mark: VoteMark): Promise<void> {
    this.#count += 1
    const line = formatLine(this.#owner, { count: this.#count, mark })
    await this.#file.write(line, 0, LINE_BYTES, (this.#count % LINES) * LINE_BYTES)
    await this.#file.datasync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function openForWriting(path: string, owner: MarkOwner, found: Line | null): Promise<FileHandle> {
  // What stood there before is in `found`.
  const text =
    found === null ? ' '.repeat(LINE_BYTES * LINES) : formatLine(owner, found).toString().repeat(LINES)
  await writeFileAtomically(path, text)
  return await open(path, constants.O_RDWR | constants.O_NOFOLLOW)
}

function join(one: Line, other: Line): Line {
  return { count: Math.max(one.count, other.count), mark: furthest(one.mark, other.mark) }
}

/** The last whole line of a file; null where there is no file, or nothing was written to it yet. */
async function readLast(path: string, owner: MarkOwner): Promise<Line | null> {
  const text = await readFileOrNull(path, LINE_BYTES * LINES).catch(error => {
    throw unusable(path, error)
  })
  if (text === null || text.trim() === '') return null
  const lines = [text.slice(0, LINE_BYTES), text.slice(LINE_BYTES)]
    .map(line => parseLine(line, owner))
    .filter(line => line !== null)
    .sort((one, other) => other.count - one.count)
  const [last] = lines
  if (last === undefined) throw unusable(path, new Error('it holds no mark of this key and this network'))
  return last
}

function formatLine({ address, genesisId }: MarkOwner, { count, mark }: Line): Buffer {
  const text = JSON.stringify({ address, genesisId, count, ...mark })
  const check = crc32(text).toString(16).padStart(8, '0')
  return Buffer.from(`${check} ${text}`.padEnd(LINE_BYTES - 1).concat('\n'))
}

function parseLine(line: string, owner: MarkOwner): Line | null {
  const [, check, text] = /^([0-9a-f]{8}) (\{.*\}) *\n$/.exec(line) ?? []
  if (check === undefined || text === undefined || Number.parseInt(check, 16) !== crc32(text)) return null
  const fields = parseFields(text)
  if (fields.get('address') !== owner.address || fields.get('genesisId') !== owner.genesisId) return null
  const [count, sequence, view, lastView] = ['count', 'sequence', 'view', 'lastView'].map(name =>
    fields.get(name),
  )
  const [hasCommitted, hasEntered] = [fields.get('hasCommitted'), fields.get('hasEntered')]
  if (!isCount(count) || !isCount(sequence) || !isCount(view) || !isCount(lastView)) return null
  if (typeof hasCommitted !== 'boolean' || typeof hasEntered !== 'boolean') return null
  return { count, mark: { sequence, view, hasCommitted, lastView, hasEntered } }
}

function parseFields(text: string): Map<string, unknown> {
  try {
    return new Map<string, unknown>(Object.entries(JSON.parse(text) as object))
  } catch {
    return new Map()
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function unusable(path: string, cause: unknown): VoteMarkUnusable {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const remedy =
    'if you know that all that this key voted for is decided, remove the file; else put back the newest copy of it'
  return new VoteMarkUnusable(
    `can't use ${path}, which says how far this key has voted (${reason}): ${remedy}`,
    {
      cause,
    },
  )
}
