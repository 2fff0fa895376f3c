// What a peer or client has cost this node: milliseconds of the event loop, paid off by the passing of time. A peer's requests
// (request-queue.ts) and a client's calls (src/rpc/client-scheduler.ts) have their price in it.

/** How fast a debt is paid off, and how much may be owed before more has to wait. */
export interface Credit {
  /** Of the time that passes: 0.15 pays off 150 ms a second. */
  readonly share: number
  /** Milliseconds that may be spent at once. */
  readonly burstMs: number
}

/** What bytes that are sent or read cost, milliseconds each: encoding, encryption, parsing, and the line. */
export const MS_PER_BYTE = 10 / 1_048_576

/** What a debtor has cost, less what was paid off since. Times are milliseconds of a monotonic clock. */
export class Debt {
  readonly #credit: Credit
  #ms = 0
  #atMs = 0

  constructor(credit: Credit) {
    this.#credit = credit
  }

  add(ms: number, nowMs: number): void {
    this.#ms = this.leftMs(nowMs) + ms
    this.#atMs = nowMs
  }

  /** Milliseconds until more may be spent. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.leftMs(nowMs) - this.#credit.burstMs) / this.#credit.share
  }

  /** Milliseconds that are not paid off. */
  leftMs(nowMs: number): number {
    return Math.max(0, this.#ms - (nowMs - this.#atMs) * this.#credit.share)
  }
}
