// Log lines that peers cause by connecting, leaving and breaking rules. Peer ids cost nothing, so strangers could fill
// the disk with such lines: they are limited in rate, and the next line says how many were omitted. Lines about
// privileged peers are always logged.

import type { Logger } from 'pino'
import { TokenBucket, type TokenRate } from '../defence/token-bucket.ts'
import type { PeerId } from '../replica/effects.ts'

/** Lines about peers that are not privileged: some megabytes a day. */
export const PEER_LINES: TokenRate = { burst: 60, perSecond: 0.5 }

/** Fields besides the peer id. */
type Details = Readonly<Record<string, string>>

/** Logs what peers do. */
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
