// A sign of life for long work: a bar on a terminal, nothing where nobody looks.
// It is drawn on stderr and wiped away at the end.

import { stderr } from 'node:process'

/** A bar of work that is under way. */
export interface Progress {
  /** How much is done, and a word about it. */
  update(done: number, word?: string): void
  /** Removes the bar. */
  end(): void
}

const BAR_WIDTH = 24
const REDRAW_MS = 100

/** A bar up to `total`; it draws on stderr, and only when that is a terminal. */
export function createProgress(title: string, total: number, isShown = stderr.isTTY === true): Progress {
  let drawnMs = 0
  return {
    update(done, word = '') {
      if (!isShown || (Date.now() - drawnMs < REDRAW_MS && done < total)) return
      drawnMs = Date.now()
      const share = total === 0 ? 1 : Math.min(1, done / total)
      const filled = Math.round(share * BAR_WIDTH)
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
      stderr.write(`\r\x1b[K${title} ${bar} ${done}/${total} ${word}`)
    },
    end() {
      if (isShown) stderr.write('\r\x1b[K')
    },
  }
}
