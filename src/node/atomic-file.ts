// Small files that are written whole or not at all: a temporary file beside them, synced, then renamed over them.
// The directory is synced too, for until then the new name may be lost with the power.
//
// Whoever can write to the folder may have put something where a file is expected. So the temporary file has a name that
// nobody can foresee, and is only ever made; what the rename replaces is the name, a link too, and not what it leads to.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Makes a file, and follows no link: O_EXCL refuses whatever has the name, a link too. */
const MAKE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
/** Never waits: a pipe without a writer is refused, not read. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK
/** Milliseconds after which a temporary file is not being written any more: its writer was killed. */
const LEFT_BEHIND_MS = 60_000

/** Replaces the file's content by this text, readable by its owner alone, durably. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  await (await replaceFile(path, text)).close()
}

/** The same; the new file stays open, to be read and written in place. */
export async function replaceFile(path: string, text: string): Promise<FileHandle> {
  await removeLeftBehind(path)
  const temporary = `${path}.${randomUUID()}.tmp`
  let file: FileHandle | null = null
  try {
    file = await open(temporary, MAKE, 0o600)
    await file.writeFile(text)
    await file.sync()
    await rename(temporary, path)
    await syncDirectory(dirname(path))
    return file
  } catch (error) {
    await file?.close()
    await rm(temporary, { force: true })
    throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Temporary files of this one that a process left which was killed, some time ago. */
async function removeLeftBehind(path: string): Promise<void> {
  const directory = dirname(path)
  const name = basename(path)
  for (const file of await readdir(directory)) {
    const isOurs = file.startsWith(`${name}.`) && TEMPORARY.test(file.slice(name.length))
    if (!isOurs) continue
    const other = join(directory, file)
    const ageMs = await stat(other).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (ageMs > LEFT_BEHIND_MS) await rm(other, { force: true })
  }
}

const TEMPORARY = /^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/** The text of a file, or null when there is none. Throws for what is no file, such as a pipe, without waiting for it. */
export async function readFileOrNull(path: string, bytesMax: number): Promise<string | null> {
  const file = await open(path, READ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a file`)
    return await readBounded(file, path, bytesMax)
  } finally {
    await file.close()
  }
}

/** Not by the size that the file system tells: files of /proc have none. */
async function readBounded(file: FileHandle, path: string, bytesMax: number): Promise<string> {
  const buffer = Buffer.alloc(bytesMax + 1)
  let size = 0
  while (size <= bytesMax) {
    const { bytesRead } = await file.read(buffer, size, buffer.length - size, null)
    if (bytesRead === 0) return buffer.toString('utf8', 0, size)
    size += bytesRead
  }
  throw new Error(`${path} has more than ${bytesMax} bytes`)
}
