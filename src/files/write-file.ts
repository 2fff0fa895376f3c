// Small files that are written whole or not at all: a temporary file beside them, synced, then renamed. The directory is
// synced too, since until then a power failure may lose the new name.
//
// Other users who can write to the folder may have placed something where a file is expected. So the temporary file has an
// unpredictable name, and is only ever created; a rename replaces the name, also a link, and not what a link leads to.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Creates a file and follows no link: O_EXCL refuses any name that exists, a link too. */
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
/** Milliseconds after which a temporary file is not being written any more: its writer was killed. */
const LEFT_BEHIND_MS = 60_000

/** Replaces the file's content by this text, readable by its owner alone, durably. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  await (await replaceFile(path, text)).close()
}

/** The same; the new file stays open, to be read and written in place. */
export async function replaceFile(path: string, text: string): Promise<FileHandle> {
  return writeBeside(path, { text, mode: 0o600, giveName: rename })
}

/**
 * Writes a new file, which only its owner can read unless `mode` says otherwise. After a crash, or on a full disk, it is
 * there whole or not at all. Throws Node's error EEXIST when anything, a link too, has that name.
 */
export async function writeNewFile(path: string, text: string, mode = 0o600): Promise<void> {
  await (await writeBeside(path, { text, mode, giveName: giveNewName })).close()
}

interface WritePlan {
  readonly text: string
  /** Permission bits. */
  readonly mode: number
  giveName(temporary: string, path: string): Promise<void>
}

async function writeBeside(path: string, { text, mode, giveName }: WritePlan): Promise<FileHandle> {
  await removeLeftBehind(path)
  const temporary = `${path}.${randomUUID()}.tmp`
  let file: FileHandle | null = null
  try {
    file = await open(temporary, CREATE, mode)
    await file.writeFile(text)
    await file.sync()
    await giveName(temporary, path)
    await syncDirectory(dirname(path))
    return file
  } catch (error) {
    await file?.close()
    await rm(temporary, { force: true })
    throw error
  }
}

/** Not rename alone, which would silently replace a file that appeared meanwhile. */
async function giveNewName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
    await rm(temporary)
  } catch (error) {
    if (!WITHOUT_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    await (await open(path, 'wx', 0o600)).close()
    await rename(temporary, path)
  }
}

/** Errors of file systems on which a file has one name only: FAT, and some network file systems. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Removes temporary files of this one that a killed process left some time ago. */
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
