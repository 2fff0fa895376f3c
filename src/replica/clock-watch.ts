// Whether the clock of this node looks wrong. Headers with valid work that are too far ahead of it say so: either those that
// mined them have wrong clocks, or this node has, and then it follows nothing that is mined. What is kept are times of
// blocks, so that the suspicion ends by itself when the clock is set. One block from the future is cheap to mine, and
// identities cost nothing: peers of one group are one voice, and one voice counts alone only where we chose the peer.

import type { PeerOrigin } from './claims.ts'
import type { PeerId } from './effects.ts'

/** Groups that must speak against the clock where no peer does that this node chose. */
const GROUPS_MIN = 2

/** How far the clock seems to be behind. */
export interface ClockDoubt {
  /** Seconds that it is behind at least, if the blocks are right. */
  readonly behindSeconds: number
  /** Peers that follow such blocks. */
  readonly peers: number
}

interface Voice extends PeerOrigin {
  /** The newest time of a header that the peer gave and that was too new, in seconds since 1970; null before the first. */
  time: number | null
}

/** Collects the times of headers that were refused as too new. */
export class ClockWatch {
  readonly #futureLimitSeconds: number
  /** Of the connected peers. */
  readonly #voices = new Map<PeerId, Voice>()

  constructor(futureLimitSeconds: number) {
    this.#futureLimitSeconds = futureLimitSeconds
  }

  add(peer: PeerId, { isOutbound, group }: PeerOrigin): void {
    this.#voices.set(peer, { isOutbound, group, time: null })
  }

  /** A peer follows a block of this time, which is too new. */
  note(peer: PeerId, timeSeconds: number): void {
    const voice = this.#voices.get(peer)
    if (voice !== undefined) voice.time = Math.max(timeSeconds, voice.time ?? 0)
  }

  forget(peer: PeerId): void {
    this.#voices.delete(peer)
  }

  /** What the peers say of this clock: of several groups the lesser middle one, so that one liar among three changes little. */
  doubt(nowSeconds: number): ClockDoubt | null {
    const groups = new Map<string, number>()
    let [peers, isChosen] = [0, false]
    for (const { isOutbound, group, time } of this.#voices.values()) {
      const seconds = (time ?? 0) - this.#futureLimitSeconds - nowSeconds
      if (seconds <= 0) continue
      peers += 1
      isChosen ||= isOutbound
      groups.set(group, Math.max(seconds, groups.get(group) ?? 0))
    }
    if (groups.size < GROUPS_MIN && !isChosen) return null
    const behind = [...groups.values()].toSorted((a, b) => a - b)
    return { behindSeconds: behind[(behind.length - 1) >> 1]!, peers }
  }
}
