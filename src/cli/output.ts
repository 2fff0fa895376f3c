// What a command says: data on stdout, as text for people or as one line of JSON; everything else on stderr.
// So a pipe gets only what was asked for.

import { stderr, stdout } from 'node:process'

/** Where a command's answers go. */
export interface Output {
  readonly isJson: boolean
  /** The answer: `data` as one JSON line with --json, otherwise what `text` makes of it. */
  data(data: unknown, text: () => string): void
  /** A word on the way, for people: on stderr. */
  note(text: string): void
}

/** The output of a command that was called with or without --json. */
export function createOutput(isJson: boolean): Output {
  return {
    isJson,
    data: (data, text) => void stdout.write(`${isJson ? JSON.stringify(data, jsonValue) : text()}\n`),
    note: text => void stderr.write(`${text}\n`),
  }
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
