// A command's output: data on stdout, as text or as one line of JSON; everything else on stderr. So a pipe gets only the
// data.
//
// A reader may close the pipe before the end (`| head`): then output is dropped, and the command runs to its end and its
// own exit code, since a transfer or a node must not be ended by it. An answer that can't be written for any other reason
// is a failure with an exit code of its own.

import process, { stderr, stdout } from 'node:process'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { describeFileError } from './file-errors.ts'
import { terminalJson, terminalText } from './terminal-text.ts'

/** Where a command's answers go. */
export interface Output {
  readonly isJson: boolean
  /** The answer: `data` as one JSON line with --json, otherwise what `text` makes of it. */
  data(data: unknown, text: () => string): void
  /** A word on the way, for people: on stderr. */
  note(text: string): void
}

/** Whether stdout has been given to a file that a person named `-`: then the answer is a word on the way. */
let isDocument = false
/** Why the answer could not be written; null while it could. */
let failure: string | null = null

/** The output of a command that was called with or without --json. */
export function createOutput(isJson: boolean): Output {
  return {
    isJson,
    data: (data, text) => {
      if (!isDocument)
        stdout.write(`${isJson ? terminalJson(JSON.stringify(data, jsonValue)) : terminalText(text())}\n`)
      else if (!isJson) stderr.write(`${terminalText(text())}\n`)
    },
    note: text => void stderr.write(`${terminalText(text)}\n`),
  }
}

/** Writes a file that is to go to stdout: it has stdout for itself. */
export function writeDocument(text: string): void {
  isDocument = true
  stdout.write(text)
}

/** Makes the process outlive its readers. Called once, before any output. */
export function guardStreams(): void {
  // If stderr fails there is nowhere left to report to.
  stderr.on('error', () => {})
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || failure !== null) return
    failure = describeFileError(error)?.cause ?? error.message
    stderr.write(`quorate: cannot write the answer: ${failure}\n`)
    endWith(process.exitCode === undefined ? EXIT.done : (process.exitCode as ExitCode))
  })
}

/** Sets the code that the process ends with; an answer that was not written makes a failure of a success. */
export function endWith(code: ExitCode): void {
  process.exitCode = code === EXIT.done && failure !== null ? EXIT.file : code
}

/** Lines of `name  value`, the values one below the other. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

/** Rows of cells as columns; the first row is the head. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Amounts are written as decimal strings: a JSON number would round them. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
