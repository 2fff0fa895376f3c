// Small files that hold secrets: read with a bound, written whole or not at all and never over another.
//
// A path may have been prepared by somebody else: a link would lead a write elsewhere, a pipe or a device would hold or
// flood a reader. What the program itself writes and finds again is therefore only ever a regular file.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A file's first bytes and its permission bits. */
export interface SmallFile {
  /** The whole file. The caller clears it when it is secret. */
  readonly bytes: Buffer
  /** Such as 0o600. */
  readonly mode: number
}

/** A file is longer than is sensible for what it should hold. */
export class FileTooLarge extends Error {
  override name = 'FileTooLarge'

  constructor(path: string, bytesMax: number) {
    super(`${path} is not what was expected: it has more than ${bytesMax} bytes`)
  }
}

/** A file is a link, a pipe or a device where only a regular file is safe. */
export class NotRegularFile extends Error {
  override name = 'NotRegularFile'

  constructor(path: string, options?: ErrorOptions) {
    super(`${path} is not a regular file: links, pipes and devices are not followed here`, options)
  }
}

/** Reads whatever the path leads to, a pipe too. Throws `FileTooLarge` and what Node throws. */
export async function readSmallFile(path: string, bytesMax: number): Promise<SmallFile> {
  return await readOpened(await open(path, 'r'), path, bytesMax)
}

/** Reads a regular file and follows no link to it. Throws `NotRegularFile`, `FileTooLarge` and what Node throws. */
export async function readRegularFile(path: string, bytesMax: number): Promise<SmallFile> {
  // Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? new NotRegularFile(path, { cause: error }) : error
  })
  if ((await file.stat()).isFile()) return await readOpened(file, path, bytesMax)
  await file.close()
  throw new NotRegularFile(path)
}

/**
 * Writes a new file that only its owner can read. After a crash it is there whole or not at all. Throws Node's error
 * EEXIST when anything, a link too, has that name.
 */
export async function writeNewFile(path: string, text: string): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `.${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    // Not rename, which would silently take the place of a file that appeared meanwhile.
    await link(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(directory)
}

async function readOpened(file: FileHandle, path: string, bytesMax: number): Promise<SmallFile> {
  const buffer = Buffer.alloc(bytesMax + 1)
  try {
    let size = 0
    while (size <= bytesMax) {
      const { bytesRead } = await file.read(buffer, size, buffer.length - size, null)
      if (bytesRead === 0) return { bytes: buffer.subarray(0, size), mode: (await file.stat()).mode & 0o777 }
      size += bytesRead
    }
    buffer.fill(0)
    throw new FileTooLarge(path, bytesMax)
  } finally {
    await file.close()
  }
}

/** Makes the directory's list of names durable. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
