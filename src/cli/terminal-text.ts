// What may reach a terminal. Names, reasons and addresses come from nodes, peers and files, and a terminal obeys some
// characters: it moves, recolours, retitles, hides, or shows text in another order than it has. All that commands and logs
// say goes through here, wherever it came from, and what a terminal would obey is shown by its number instead.

/** Control characters other than tabs and line ends, invisible ones that change the order of text, separators. */
const OBEYED = /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

/** Text for people: `\u{1b}` in place of an escape character. */
export function terminalText(text: string): string {
  return text.replace(OBEYED, character => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

/** The same in one line. */
export function terminalLine(text: string): string {
  return terminalText(text).replaceAll('\n', '\\u{a}')
}

/** The same JSON, in which all such characters are escaped as JSON does it: outside of texts there are none. */
export function terminalJson(json: string): string {
  return json.replace(OBEYED, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A time on a chain, in seconds since 1970, as people read it; one that no calendar holds as the number that it is. */
export function timeText(seconds: number | bigint): string {
  const date = new Date(Number(seconds) * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds} s after 1970` : date.toISOString()
}
