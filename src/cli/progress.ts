// Progress of long work, on stderr: a bar on a terminal, erased at the end; a line every ten seconds on a pipe or in a
// file.

import { stderr } from 'node:process'

/** A bar of work that is under way. */
export interface Progress {
  /** How much is done, a word about it, and of how much where that has changed. */
  update(done: number, word?: string, total?: number): void
  /** Removes the bar. */
  end(): void
}

/** Where progress is shown. */
export interface ProgressPlace {
  readonly isTerminal: boolean
  /** Takes what is drawn, escape sequences too. */
  readonly draw: (text: string) => void
  /** Takes a line where there is no terminal. */
  readonly say: (line: string) => void
  /** Milliseconds on any clock. */
  readonly now: () => number
}

const BAR_WIDTH = 24
const REDRAW_MS = 100
const LINE_MS = 10_000

/** Progress up to a total, on stderr by default. */
export function createProgress(
  title: string,
  totalAtFirst: number,
  place: Partial<ProgressPlace> = {},
): Progress {
  const { isTerminal, draw, say, now } = { ...STDERR, ...place }
  // The first line is not at once: work that is soon done has none.
  let shownMs = isTerminal ? Number.NEGATIVE_INFINITY : now()
  return {
    update(done, word = '', total = totalAtFirst) {
      const isDue = now() - shownMs >= (isTerminal ? REDRAW_MS : LINE_MS)
      if (!isDue && !(isTerminal && done >= total)) return
      shownMs = now()
      if (!isTerminal) return say(`${title}: ${done} of ${total} ${word}`.trimEnd())
      const share = total === 0 ? 1 : Math.min(1, done / total)
      const filled = Math.round(share * BAR_WIDTH)
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
      draw(`\r\x1b[K${title} ${bar} ${done}/${total} ${word}`)
    },
    end() {
      if (isTerminal) draw('\r\x1b[K')
    },
  }
}

const STDERR: ProgressPlace = {
  isTerminal: stderr.isTTY === true,
  draw: text => void stderr.write(text),
  say: line => void stderr.write(`${line}\n`),
  now: () => performance.now(),
}
