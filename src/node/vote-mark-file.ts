// The file that says how far a validator's key has voted on one network: two lines of JSON of one sector each, written by
// turns and in place, so that a write costs one sync, and one that is torn by a crash leaves the line before it.
//
// A process that opens it replaces it by a new file. A process that had it open detects that after its next write, and ends
// before the vote is sent. So only one node of a machine votes with a key at a time, and it knows of all earlier votes.
//
// It is kept beside the key, to which it belongs, and is copied along with it. If that folder is read only (a mounted
// secret), it is kept in the data folder; a mark found in either place counts.

import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rm } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { Address } from '../chain/address.ts'
import { readFileOrNull } from '../files/read-file.ts'
import { replaceFile } from '../files/write-file.ts'
import { furthest, type VoteMark } from '../finality/vote-mark.ts'

/** The file holds no mark of this key, or can't be read or written. */
export class VoteMarkUnusable extends Error {
  override name = 'VoteMarkUnusable'
}

/** The validator whose votes are marked, and the network. */
export interface MarkOwner {
  readonly address: Address
  readonly genesisId: string
}

/** Bytes of a line: what a disk writes whole or not at all. */
const LINE_BYTES = 512
const LINES = 2
/** Error codes of places where no file can be created. */
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
        const { file, last } = await takeOver(path, owner, found)
        // What they held is in this one now.
        for (const other of paths.slice(index + 1)) await rm(other, { force: true })
        return new VoteMarkFile(path, file, owner, last)
      } catch (error) {
        const isLast = index === paths.length - 1
        if (isLast || !READ_ONLY.has((error as NodeJS.ErrnoException).code)) throw unusable(path, error)
      }
    }
    throw new Error('no path was given')
  }

  /** Resolves when the mark is durable. One call at a time. Throws `VoteMarkUnusable` where another file has taken its place. */
  async write(mark: VoteMark): Promise<void> {
    this.#count += 1
    const line = formatLine(this.#owner, { count: this.#count, mark })
    await this.#file.write(line, 0, LINE_BYTES, (this.#count % LINES) * LINE_BYTES)
    await this.#file.datasync()
    // Only now: what was written before the file was replaced, the other one has read.
    if (!(await isAt(this.path, this.#file))) throw replacedError(this.path)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** Puts a new file in place of the one that is there, with all that was written to that until then. */
async function takeOver(
  path: string,
  owner: MarkOwner,
  found: Line | null,
): Promise<{ readonly file: FileHandle; readonly last: Line | null }> {
  const before = await openOrNull(path)
  try {
    const file = await replaceFile(path, textOf(owner, found))
    // A node that has the other file open may have written to it since it was read. It does so no more (see `write`).
    const missed = before === null ? null : lastLine(await readAll(before), owner)
    if (missed === null) return { file, last: found }
    const last = found === null ? missed : join(found, missed)
    await file.write(textOf(owner, last), 0)
    await file.datasync()
    return { file, last }
  } finally {
    await before?.close()
  }
}

/** The content of a file with this mark. */
function textOf(owner: MarkOwner, line: Line | null): string {
  return line === null ? ' '.repeat(LINE_BYTES * LINES) : formatLine(owner, line).toString().repeat(LINES)
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

async function readAll(file: FileHandle): Promise<string> {
  const bytes = Buffer.alloc(LINE_BYTES * LINES)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
  return bytes.toString('utf8', 0, bytesRead)
}

/** Whether the path leads to this very file. */
async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const own = await file.stat({ bigint: true })
  const there = await lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return there !== null && there.ino === own.ino && there.dev === own.dev
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
  const last = lastLine(text, owner)
  if (last === null) throw unusable(path, new Error('it holds no mark of this key and this network'))
  return last
}

/** The last whole line of these; null for none. */
function lastLine(text: string, owner: MarkOwner): Line | null {
  const lines = [text.slice(0, LINE_BYTES), text.slice(LINE_BYTES)]
    .map(line => parseLine(line, owner))
    .filter(line => line !== null)
    .sort((one, other) => other.count - one.count)
  return lines[0] ?? null
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

/** Only a file that holds something else is worth removing: of one that the system does not give, it says why. */
function unusable(path: string, cause: unknown): VoteMarkUnusable {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const isOfSystem = cause instanceof Error && 'code' in cause
  const remedy = isOfSystem
    ? ''
    : ': if you know that all that this key voted for is decided, remove the file; else put back the newest copy of it'
  const text = `can't use ${path}, which says how far this key has voted (${reason})${remedy}`
  return new VoteMarkUnusable(text, { cause })
}

function replacedError(path: string): VoteMarkUnusable {
  return new VoteMarkUnusable(
    `${path}, which says how far this key has voted, was replaced or removed while this node ran: run one node with a key, and put back no copy of the file while one runs`,
  )
}
