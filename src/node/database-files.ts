// Checks the files of a database before LevelDB opens it.
//
// LevelDB makes a new database if its file CURRENT is missing, skips a missing log, and then removes unknown files:
// opening a folder that lost one file would lose the rest. So the files that LevelDB's manifest names are checked first;
// nothing is written, and an incomplete folder is not opened. Only a second log, which exists while the first is written
// into a table, is not named in the manifest.

import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readFileOrNull } from '../files/read-file.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { firstDamage } from './write-ahead-log.ts'

/** Bytes in CURRENT at most: the name of a manifest. */
const CURRENT_BYTES_MAX = 1_000
/** The manifest of a database that is being made: until CURRENT names it, nothing was written. */
const FIRST_MANIFEST = 'MANIFEST-000001'

/** Looks at most, each longer than LevelDB needs to remove a file: a folder that is never still has an end, too. */
const LOOKS_MAX = 50

/** What of the database in this directory is missing or damaged; null where it is whole, or there is none. */
export async function findDamage(directory: string): Promise<string | null> {
  return findLasting(
    () => look(directory),
    () => stateOf(directory),
  )
}

/**
 * What is found twice in a row while nothing changes. A node that runs, and that LevelDB's lock will tell of, may replace
 * files between two looks at them, for as long as it compacts them.
 */
export async function findLasting(
  find: () => Promise<string | null>,
  state: () => Promise<string>,
): Promise<string | null> {
  let before = await state()
  let previous: string | null = null
  for (let looks = 1; ; looks++) {
    const found = await find()
    const after = await state()
    if (found === null || looks === LOOKS_MAX || (found === previous && after === before)) return found
    previous = found
    before = after
  }
}

/** What changes with every file that LevelDB makes or removes: their names, and the size of the manifest. */
async function stateOf(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter(name => DATA.test(name)).sort()
  const sizes = names
    .filter(name => name.startsWith('MANIFEST'))
    .map(name =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => null,
      ),
    )
  return JSON.stringify([names, await Promise.all(sizes)])
}

async function look(directory: string): Promise<string | null> {
  try {
    return await inspect(directory)
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' || path === undefined) throw error
    return `${basename(path)} is missing`
  }
}

async function inspect(directory: string): Promise<string | null> {
  const files = new Set((await readdir(directory)).filter(name => DATA.test(name)))
  const name = await readFileOrNull(join(directory, 'CURRENT'), CURRENT_BYTES_MAX)
  if (name === null) {
    const isUnmade = [...files].every(file => file === FIRST_MANIFEST)
    return isUnmade ? null : 'CURRENT is missing'
  }
  const current = /^(MANIFEST-\d+)\n$/.exec(name)?.[1]
  if (current === undefined) return 'CURRENT names no manifest'
  if (!files.has(current)) return `${current} is missing, which CURRENT names`
  const bytes = await readFile(join(directory, current))
  const manifest = firstDamage(bytes) === null ? readManifest(bytes) : null
  if (manifest === null) return `${current} is damaged`
  return (await findMissing(directory, files, manifest)) ?? (await findDamagedLog(directory, files))
}

/** Files that hold records, or say which do. */
const DATA = /^(?:MANIFEST-\d+|\d+\.(?:ldb|sst|log))$/

async function findMissing(
  directory: string,
  files: ReadonlySet<string>,
  { tables, log }: Manifest,
): Promise<string | null> {
  for (const [number, size] of tables) {
    const table = [fileName(number, 'ldb'), fileName(number, 'sst')].find(name => files.has(name))
    if (table === undefined) return `${fileName(number, 'ldb')} is missing`
    const { size: found } = await stat(join(directory, table))
    if (found !== size) return `${table} has ${found} bytes instead of ${size}`
  }
  return log === 0 || files.has(fileName(log, 'log')) ? null : `${fileName(log, 'log')} is missing`
}

/** The first log that is damaged, with the place. */
async function findDamagedLog(directory: string, files: ReadonlySet<string>): Promise<string | null> {
  for (const file of [...files].filter(name => name.endsWith('.log')).sort()) {
    const offset = firstDamage(await readFile(join(directory, file)))
    if (offset !== null) return `${file} at byte ${offset}`
  }
  return null
}

function fileName(number: number, ending: string): string {
  return `${String(number).padStart(6, '0')}.${ending}`
}
