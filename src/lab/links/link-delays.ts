// When bytes arrive over a link that is slow and loses packets, on networks for tests.
//
// A delay is drawn as the simulator draws it: a third of the mean for sure, the rest as the time to the next event of
// a process without memory. What is lost is not gone, for these links are TCP's: a segment is retransmitted after the
// retransmission timeout, which doubles each time that it is lost again (RFC 6298, 5.5), and all that was sent after it
// waits. The timeout is a round trip and what Linux adds to it at least. That later segments can tell the sender
// sooner (fast retransmit) is left out, as is the opening of the TCP connection.

/** What each link of a node is like in the direction away from it. */
export interface LinkQuality {
  /** Milliseconds that bytes take on average; 0 adds none. */
  readonly latencyMs: number
  /** Share of the segments that are lost, and sent again, from 0 to 1. */
  readonly lossRate: number
}

/** Bytes of a segment: what an Ethernet frame holds. */
const SEGMENT_BYTES = 1_460
/** Milliseconds by which a retransmission timeout is longer than a round trip, at least (TCP_RTO_MIN of Linux). */
const TIMEOUT_MARGIN_MS = 200
/** Milliseconds of a timeout at most: RFC 6298, 2.5, allows to stop here. */
const TIMEOUT_MAX_MS = 60_000
/** Times that a segment is lost at most (tcp_retries2 of Linux, which then gives the connection up). */
const LOSSES_MAX = 15

/** One direction of one link. */
export class LinkDelays {
  readonly #quality: LinkQuality
  readonly #random: () => number
  #lastMs = 0

  /** `random` gives numbers from 0 up to, not including, 1. */
  constructor(quality: LinkQuality, random: () => number) {
    this.#quality = quality
    this.#random = random
  }

  /** When so many bytes have all arrived that are sent now, by the same clock: never before what was sent earlier. */
  arrivalMs(bytes: number, nowMs: number): number {
    const { latencyMs } = this.#quality
    const delayMs = latencyMs / 3 - ((latencyMs * 2) / 3) * Math.log(1 - this.#random())
    let resendingMs = 0
    for (let rest = bytes; rest > 0; rest -= SEGMENT_BYTES) {
      resendingMs = Math.max(resendingMs, this.#drawResendingMs())
    }
    this.#lastMs = Math.max(this.#lastMs, nowMs + delayMs + resendingMs)
    return this.#lastMs
  }

  /** Milliseconds until a segment is sent for the last time. */
  #drawResendingMs(): number {
    const { latencyMs, lossRate } = this.#quality
    let timeoutMs = 2 * latencyMs + TIMEOUT_MARGIN_MS
    let totalMs = 0
    for (let losses = 0; losses < LOSSES_MAX && this.#random() < lossRate; losses++) {
      totalMs += Math.min(timeoutMs, TIMEOUT_MAX_MS)
      timeoutMs *= 2
    }
    return totalMs
  }
}
