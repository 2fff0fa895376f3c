// The database of one node: LevelDB as the replica's store.
//
// What a step wants written is staged: reads see it at once, and `flush` writes all of it in one synced batch, so
// a crash leaves either all of a batch or nothing. LevelDB reads one key synchronously but has no synchronous
// iterator; the replica reads by prefix only when it starts, so those entries are loaded before and dropped after.
//
// On disk each record has its seal (src/replica/record-seal.ts): what comes back without it is not handed on.
//
// A directory is opened once per process: LevelDB's lock is a POSIX record lock, which the process loses as soon
// as it closes any descriptor of the lock file, as a second open that fails does.

import { mkdir, realpath } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type DatabaseOptions, Level } from 'level'
import type { Store, Write } from '../replica/effects.ts'
import { openRecord, sealRecord } from '../replica/record-seal.ts'
import { CorruptStore } from '../replica/records.ts'
import { findDamage } from './database-files.ts'
import type { DurableStore } from './performer.ts'

/** Another process, or this one, has the database open. */
export class DatabaseLocked extends Error {
  override name = 'DatabaseLocked'
}

/** The files of the database are not what LevelDB wrote, or belong to no quorate node. */
export class DatabaseCorrupt extends Error {
  override name = 'DatabaseCorrupt'
}

/** The database was written with another layout than this program knows. */
export class DatabaseVersionUnknown extends Error {
  override name = 'DatabaseVersionUnknown'
}

/** The directory can't be created, read or written. */
export class DatabaseUnusable extends Error {
  override name = 'DatabaseUnusable'
}

/** The layout of the records (src/replica/records.ts) that this program reads and writes. */
export const DATABASE_VERSION = '2'

const VERSION_KEY = 'version'
/** Sorts after every key: all of them are ASCII. */
const AFTER_ALL = '\uffff'
const OPTIONS: DatabaseOptions<string, Uint8Array> = {
  keyEncoding: 'utf8',
  valueEncoding: 'view',
  // Blocks are mostly signatures and hashes, which don't shrink.
  compression: false,
  cacheSize: 32 * 1024 * 1024,
  writeBufferSize: 16 * 1024 * 1024,
}

const openDirectories = new Set<string>()

type Entries = readonly (readonly [string, Uint8Array])[]
type Changes = Map<string, Uint8Array | null>

/** An open database. */
export class Database implements Store, DurableStore {
  readonly #level: Level<string, Uint8Array>
  readonly #directory: string
  readonly #preloaded = new Map<string, Entries>()
  /** Wanted written, and not yet given to LevelDB. */
  #staged: Changes = new Map()
  /** Given to LevelDB, and not yet durable. */
  #flushing: Changes = new Map()

  private constructor(level: Level<string, Uint8Array>, directory: string) {
    this.#level = level
    this.#directory = directory
  }

  /**
   * Opens the database in this directory, which is created when it does not exist. Throws `DatabaseLocked`,
   * `DatabaseCorrupt`, `DatabaseVersionUnknown` or `DatabaseUnusable`.
   */
  static async open(path: string): Promise<Database> {
    const directory = await makeDirectory(path)
    if (openDirectories.has(directory)) throw lockedError(directory)
    openDirectories.add(directory)
    try {
      const damage = await findDamage(directory)
      if (damage !== null) throw damagedError(directory, damage)
      const level = new Level<string, Uint8Array>(directory, OPTIONS)
      await level.open()
      const database = new Database(level, directory)
      await database.#checkVersion()
      return database
    } catch (error) {
      openDirectories.delete(directory)
      throw openError(directory, error)
    }
  }

  get(key: string): Uint8Array | null {
    const staged = this.#staged.get(key) ?? (this.#staged.has(key) ? null : undefined)
    if (staged !== undefined) return staged
    const flushing = this.#flushing.get(key) ?? (this.#flushing.has(key) ? null : undefined)
    if (flushing !== undefined) return flushing
    const sealed = this.#read(key)
    return sealed === undefined ? null : openRecord(key, plainBytes(sealed), crc32)
  }

  /** All entries with a prefix that was given to `preload`, as they are now. Throws for any other. */
  entries(prefix: string): Iterable<readonly [string, Uint8Array]> {
    const preloaded = this.#preloaded.get(prefix)
    if (preloaded === undefined) throw new Error(`the entries of ${prefix} were not preloaded`)
    const changed = [...this.#flushing, ...this.#staged].filter(([key]) => key.startsWith(prefix))
    if (changed.length === 0) return preloaded
    const merged = new Map<string, Uint8Array | null>([...preloaded, ...changed])
    return [...merged]
      .filter((entry): entry is [string, Uint8Array] => entry[1] !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /**
   * Reads all entries with these prefixes into memory, for `entries`. Nothing may be flushed until `forget`. Throws
   * `CorruptStore`.
   */
  async preload(prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) {
      const entries: (readonly [string, Uint8Array])[] = []
      try {
        for await (const [key, sealed] of this.#level.iterator({ gte: prefix, lt: prefix + AFTER_ALL }))
          entries.push([key, openRecord(key, plainBytes(sealed), crc32)])
      } catch (error) {
        throw readError(`records ${prefix}`, error)
      }
      this.#preloaded.set(prefix, entries)
    }
  }

  /** Forgets what was preloaded. */
  forget(): void {
    this.#preloaded.clear()
  }

  stage(writes: readonly Write[]): void {
    for (const { key, value } of writes) this.#staged.set(key, value)
  }

  async flush(): Promise<void> {
    if (this.#staged.size === 0) return
    this.#flushing = this.#staged
    this.#staged = new Map()
    const operations = [...this.#flushing].map(([key, value]) =>
      value === null
        ? { type: 'del' as const, key }
        : { type: 'put' as const, key, value: sealRecord(key, value, crc32) },
    )
    await this.#level.batch(operations, { sync: true })
    this.#flushing = new Map()
  }

  /** Closes the database; what is staged and not flushed is lost. */
  async close(): Promise<void> {
    await this.#level.close()
    openDirectories.delete(this.#directory)
  }

  #read(key: string): Uint8Array | undefined {
    try {
      return this.#level.getSync(key)
    } catch (error) {
      throw readError(`record ${key}`, error)
    }
  }

  async #checkVersion(): Promise<void> {
    const record = this.#level.getSync(VERSION_KEY)
    const version = record === undefined ? null : new TextDecoder().decode(record)
    if (version === DATABASE_VERSION) return
    const isEmpty = version === null && (await this.#level.keys({ limit: 1 }).all()).length === 0
    if (isEmpty) {
      await this.#level.put(VERSION_KEY, new TextEncoder().encode(DATABASE_VERSION), { sync: true })
      return
    }
    await this.#level.close()
    throw version === null
      ? new DatabaseCorrupt(`${this.#directory} holds a database of something else than quorate`)
      : new DatabaseVersionUnknown(
          `${this.#directory} was written with layout ${JSON.stringify(version.slice(0, 20))}, and this quorate ` +
            `reads layout ${DATABASE_VERSION}: use the quorate that wrote it, or another directory`,
        )
  }
}

async function makeDirectory(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    return await realpath(path)
  } catch (cause) {
    throw new DatabaseUnusable(`can't use ${path} as the data directory: ${reasonOf(cause)}`, { cause })
  }
}

/** LevelDB's error, as an error with a remedy. */
function openError(directory: string, error: unknown): Error {
  if (!(error instanceof Error) || !('code' in error)) return error as Error
  const cause = error.cause ?? error
  const code = cause instanceof Error && 'code' in cause ? cause.code : null
  if (code === 'LEVEL_LOCKED') return lockedError(directory, cause)
  if (code === 'LEVEL_CORRUPTION') return damagedError(directory, reasonOf(cause), cause)
  return new DatabaseUnusable(`can't open the database in ${directory}: ${reasonOf(cause)}`, { cause })
}

/** LevelDB could not read: what is damaged is how it keeps its records, or a file of it is gone. */
function readError(what: string, error: unknown): Error {
  if (!(error instanceof Error) || !('code' in error)) return error as Error
  return new CorruptStore(`${what} can't be read: ${error.message}`, { cause: error })
}

function damagedError(directory: string, damage: string, cause?: unknown): DatabaseCorrupt {
  return new DatabaseCorrupt(`${directory} holds no whole database: ${damage}`, { cause })
}

function lockedError(directory: string, cause?: unknown): DatabaseLocked {
  return new DatabaseLocked(`another quorate node is using ${directory}`, { cause })
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** The same memory without the ways of a Buffer, whose `slice` does not copy. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
