// Small files that are written whole or not at all: a temporary file beside them, synced, then renamed over them.
// The directory is synced too, for until then the new name may be lost with the power.

import { constants } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces the file's content by this text, readable by its owner alone, durably. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** The text of a file, or null when there is none. Throws for what is no file, such as a pipe, without waiting for it. */
export async function readFileOrNull(path: string, bytesMax: number): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    },
  )
  if (file === null) return null
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error(`${path} is not a file`)
    const { size } = stats
    if (size > bytesMax) throw new Error(`${path} has ${size} bytes, more than ${bytesMax}`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
