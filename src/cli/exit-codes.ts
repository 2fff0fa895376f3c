// How a command ends, for scripts: the codes are documented in README and never change their meaning.
// Errors of ours carry the cause in one line and, where there is one, the remedy in another.

/** The exit codes of `quorate`. The launcher adds 69 when there is no Node.js that fits. */
export const EXIT = {
  done: 0,
  /** The answer is no: a rule was broken, a transfer was refused, replaced or dropped, nothing was found. */
  no: 1,
  /** Unknown command or option, or a value that is invalid. */
  usage: 2,
  /** A file is missing, damaged, of another network, or can't be read or written: genesis, account, data directory. */
  file: 3,
  /** No node answers, or it answers with an error. */
  node: 4,
  password: 5,
  /** The port or the data directory is in use by another process. */
  inUse: 6,
  /** Not known yet: the time given ran out. */
  unknown: 7,
  /** A fault in quorate itself. */
  fault: 70,
  interrupted: 130,
} as const

/** A code that a command ends with. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a line of cause, a line of remedy and a code; the user sees no stack. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly code: ExitCode
  readonly remedy: string | null

  constructor(code: ExitCode, cause: string, remedy: string | null = null) {
    super(cause)
    this.code = code
    this.remedy = remedy
  }
}
