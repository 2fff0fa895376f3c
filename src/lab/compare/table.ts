// Rows of cells as a table that fits a terminal: what is too long for its column goes on below, word by word, so that
// a narrow terminal makes it longer and not unreadable.

/** Characters of a cell's lines, at least and at most. */
const CELL_MIN = 12
const CELL_MAX = 24
const GAP_MIN = 2
const GAP_MAX = 3

/**
 * Rows in columns that are as wide as they need to be, in `columns` characters if their words allow it. The first
 * cell of a row is its label and is never broken. A row of one cell is a heading and makes no column wider.
 */
export function alignRows(rows: readonly (readonly string[])[], columns: number): string {
  const full = rows.filter(row => row.length > 1)
  const labelWidth = Math.max(...full.map(([label]) => [...label!].length))
  const share = Math.floor((columns - labelWidth) / (full[0]!.length - 1))
  const gap = share > CELL_MIN + 2 * GAP_MAX ? GAP_MAX : GAP_MIN
  const lines = rows.flatMap(row => wrapRow(row, Math.min(CELL_MAX, Math.max(CELL_MIN, share - gap))))
  const widths = full[0]!.map((_, column) =>
    Math.max(...lines.filter(line => line.length > 1).map(line => [...line[column]!].length)),
  )
  const pad = (cell: string, column: number): string => cell + ' '.repeat(widths[column]! - [...cell].length)
  return lines
    .map(line => (line.length === 1 ? line[0]! : line.map(pad).join(' '.repeat(gap)).trimEnd()))
    .join('\n')
}

/** A text in lines of at most so many characters, if no word is longer. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last === '') lines[lines.length - 1] = word
    else if ([...last].length + 1 + [...word].length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function wrapRow(row: readonly string[], width: number): string[][] {
  const [label = '', ...cells] = row
  if (cells.length === 0) return [[label]]
  const wrapped = cells.map(cell => wrapWords(cell, width))
  const height = Math.max(...wrapped.map(cell => cell.length))
  return Array.from({ length: height }, (_, line) => [
    line === 0 ? label : '',
    ...wrapped.map(cell => cell[line] ?? ''),
  ])
}
