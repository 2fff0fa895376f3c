// The lines of the log that peers cause by coming, going and breaking rules. Names cost nothing, so strangers could fill the
// disk with such lines: they are few in a second, and the next line says how many were left out. What privileged peers do is
// always told.

import type { Logger } from 'pino'
import type { PeerId } from '../replica/effects.ts'
import { TokenBucket, type TokenRate } from './token-bucket.ts'

/** Lines about peers that are not privileged: some megabytes a day. */
export const PEER_LINES: TokenRate = { burst: 60, perSecond: 0.5 }

/** What is told besides which peer it is. */
type Details = Readonly<Record<string, string>>

/** Tells what peers do. */
export class PeerLog {
  readonly #log: Pick<Logger, 'info' | 'warn'>
  readonly #isPrivileged: (peer: PeerId) => boolean
  readonly #now: () => number
  readonly #lines: TokenBucket
  #leftOut = 0

  /** `now` gives milliseconds of a clock that never steps back. */
  constructor(
    log: Pick<Logger, 'info' | 'warn'>,
    isPrivileged: (peer: PeerId) => boolean,
    now: () => number = () => performance.now(),
  ) {
    this.#log = log
    this.#isPrivileged = isPrivileged
    this.#now = now
    this.#lines = new TokenBucket(PEER_LINES, now())
  }

  info(peer: PeerId, text: string, details: Details = {}): void {
    this.#tell('info', peer, text, details)
  }

  warn(peer: PeerId, text: string, details: Details = {}): void {
    this.#tell('warn', peer, text, details)
  }

  #tell(level: 'info' | 'warn', peer: PeerId, text: string, details: Details): void {
    if (!this.#isPrivileged(peer) && !this.#lines.take(1, this.#now())) {
      this.#leftOut += 1
      return
    }
    const leftOut = this.#leftOut === 0 ? {} : { leftOut: this.#leftOut }
    this.#leftOut = 0
    this.#log[level]({ peer, ...details, ...leftOut }, text)
  }
}
