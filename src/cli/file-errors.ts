// Errors of the operating system on files and folders, in words: the cause and, if there is one, the remedy. They are no
// faults of quorate, in any command.

/** An error of a file, as a person reads it. */
export interface FileError {
  readonly cause: string
  readonly remedy: string | null
}

const ELSEWHERE = 'Choose a place that you may write to.'

const CAUSES: ReadonlyMap<string, FileError> = new Map(
  (
    [
      ['EACCES', 'permission denied', 'See its owner and mode with ls -l, or choose another place.'],
      ['EPERM', 'it is not permitted', 'See its owner and mode with ls -l, or choose another place.'],
      ['EROFS', 'the file system is read-only', ELSEWHERE],
      [
        'ENOSPC',
        'there is no space left on the device',
        'Make room, and try again; nothing is half-written.',
      ],
      ['EDQUOT', 'the disk quota is used up', 'Make room, and try again; nothing is half-written.'],
      ['EFBIG', 'the file would be larger than is allowed', 'See the limit with ulimit -f.'],
      ['ENOTDIR', 'a part of the path is a file, not a folder', null],
      ['EISDIR', 'it is a folder, not a file', null],
      ['ENOENT', 'there is no such file or folder', null],
      ['EEXIST', 'there is a file of this name', null],
      ['ENXIO', 'there is nothing behind this name that could be read', null],
      ['ELOOP', 'it is a link that leads in a circle', null],
      ['ENAMETOOLONG', 'the name is too long', null],
      ['EBUSY', 'it is in use', null],
      ['EMFILE', 'too many files are open', 'See the limit with ulimit -n.'],
      ['ENFILE', 'too many files are open on this machine', null],
      ['EIO', 'the device does not answer as it should', 'The disk may be damaged.'],
    ] as const
  ).map(([code, cause, remedy]) => [code, { cause, remedy }]),
)

/** Calls of the system that are about addresses and processes, where the same codes mean other things. */
const NOT_FILES = /^(?:listen|bind|connect|getaddrinfo|spawn|send|recv|accept|kill)/

/** The words for an error of a file or folder, its path first where it is known; null for any other. */
export function describeFileError(error: unknown): FileError | null {
  if (!(error instanceof Error)) return null
  const { code, path, syscall } = error as NodeJS.ErrnoException
  const known = code === undefined ? undefined : CAUSES.get(code)
  if (known === undefined || syscall === undefined || NOT_FILES.test(syscall)) return null
  return path === undefined ? known : { ...known, cause: `${path}: ${known.cause}` }
}

/** The message of anything that was thrown, in one line; of an error of a file, what it means, without its path. */
export function messageOf(error: unknown): string {
  const { code } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  if (code !== undefined && describeFileError(error) !== null) return CAUSES.get(code)!.cause
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!
}
