// Small files, read with a bound. Another user may have prepared the path: a link would lead elsewhere, a pipe or a device
// would block or flood the reader, and the size that a file system reports is not always true.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Opening never waits: without O_NONBLOCK, opening a pipe that has no writer waits for ever. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK

/** A file's bytes, without a byte order mark before them, and its permission bits. */
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

/** A pipe that should be read has no writer. */
class SilentPipe extends Error {
  override name = 'SilentPipe'

  constructor(path: string) {
    super(`${path} is a pipe without a writer`)
  }
}

/** The name that stands for standard input where a file is read, and for standard output where one is written. */
export const STANDARD_STREAM = '-'

/**
 * Reads what the path leads to, also a pipe; `-` is standard input, which must have no other reader. A pipe without a writer
 * is given up after a few seconds. Throws `FileTooLarge`, `SilentPipe` and what Node throws.
 */
export function readAnyFile(path: string, bytesMax: number): SmallFile {
  if (path === STANDARD_STREAM) return { bytes: readStandardInput(bytesMax), mode: 0o600 }
  const file = openSync(path, READ)
  try {
    const stats = fstatSync(file)
    const waits = stats.isFIFO() ? WRITER_WAITS : 0
    return { bytes: readUpTo(file, { path, bytesMax, waits }), mode: stats.mode & 0o777 }
  } finally {
    closeSync(file)
  }
}

/** The same as a promise. */
export async function readSmallFile(path: string, bytesMax: number): Promise<SmallFile> {
  return readAnyFile(path, bytesMax)
}

/** Reads a regular file and follows no link to it. Throws `NotRegularFile`, `FileTooLarge` and what Node throws. */
export async function readRegularFile(path: string, bytesMax: number): Promise<SmallFile> {
  const file = await open(path, READ | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? new NotRegularFile(path, { cause: error }) : error
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new NotRegularFile(path)
    return { bytes: withoutMark(await readBounded(file, path, bytesMax)), mode: stats.mode & 0o777 }
  } finally {
    await file.close()
  }
}

/** The text of a regular file, or of what a link to one leads to; null when there is none. Throws for a pipe or a device. */
export async function readFileOrNull(path: string, bytesMax: number): Promise<string | null> {
  const file = await open(path, READ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a file`)
    return (await readBounded(file, path, bytesMax)).toString('utf8')
  } finally {
    await file.close()
  }
}

/** Standard input was read before: what there was has been taken. */
export class InputTaken extends Error {
  override name = 'InputTaken'

  constructor() {
    super('- is given for two files, and standard input can be read only once')
  }
}

let isInputTaken = false

/** All of standard input. The caller clears it when it is secret. Throws `FileTooLarge`, `InputTaken` and what Node throws. */
function readStandardInput(bytesMax: number): Buffer {
  if (isInputTaken) throw new InputTaken()
  isInputTaken = true
  return readUpTo(STANDARD_INPUT, { path: 'standard input', bytesMax, waits: 0 })
}

/** Reads to the end. At a beginning without bytes it looks again so many times, for its writer may not have come yet. */
function readUpTo(
  file: number,
  { path, bytesMax, waits }: { readonly path: string; readonly bytesMax: number; readonly waits: number },
): Buffer {
  const buffer = Buffer.alloc(bytesMax + 1)
  let size = 0
  for (let looks = 0; size <= bytesMax; looks++) {
    const bytesRead = readSome(file, buffer, size)
    size += bytesRead
    if (bytesRead > 0) continue
    if (size > 0 || waits === 0) return withoutMark(buffer.subarray(0, size))
    if (looks >= waits) throw new SilentPipe(path)
    pause()
  }
  buffer.fill(0)
  throw new FileTooLarge(path, bytesMax)
}

/** Bytes read into the buffer from `offset` on; 0 at the end. */
function readSome(file: number, buffer: Buffer, offset: number): number {
  for (;;) {
    try {
      return readSync(file, buffer, offset, buffer.length - offset, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      // The pipe was opened non-blocking by its creator, but this reader waits.
      pause()
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
}

const STANDARD_INPUT = 0
const RETRY_MS = 20
/** Looks at a pipe that has no writer: five seconds. */
const WRITER_WAITS = 250

/** What follows the byte order mark that some editors put before a text; all of it where there is none. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? bytes.subarray(BYTE_ORDER_MARK.length)
    : bytes
}

/** U+FEFF in UTF-8. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** All bytes of a file, not by the size that the file system gives: files of /proc have none. */
async function readBounded(file: FileHandle, path: string, bytesMax: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytesMax + 1)
  let size = 0
  while (size <= bytesMax) {
    const { bytesRead } = await file.read(buffer, size, buffer.length - size, null)
    if (bytesRead === 0) return buffer.subarray(0, size)
    size += bytesRead
  }
  // It may be a secret.
  buffer.fill(0)
  throw new FileTooLarge(path, bytesMax)
}
