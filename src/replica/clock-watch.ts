// Whether the clock of this node looks wrong. Headers with valid work that are too far ahead of it are evidence: either the
// clocks of their miners are wrong, or this one is, and then this node follows nothing that is mined. Only times of blocks
// are kept, so that the suspicion ends when the clock is set right. One block from the future is cheap to mine, and
// identities cost nothing: all peers of one group count once, and one group is enough only if this node chose the peer.

import type { PeerOrigin } from './claims.ts'
import type { PeerId } from './effects.ts'

/** Groups needed as evidence against the clock, where no peer that this node chose gives any. */
const GROUPS_MIN = 2
/** Calls of `alarm` from one alarm to the next: ten minutes of status messages. */
const ALARM_INTERVAL = 120

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
  /** Calls of `alarm` since the clock began to look wrong. */
  #doubtfulCount = 0

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

  /** The lower median over groups, so that one liar among three changes little; null without enough evidence. */
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

  /** The text of an alarm when the clock begins to look wrong, and again from time to time; else null. Called regularly. */
  alarm(nowSeconds: number): string | null {
    const doubt = this.doubt(nowSeconds)
    if (doubt === null) this.#doubtfulCount = 0
    if (doubt === null || this.#doubtfulCount++ % ALARM_INTERVAL !== 0) return null
    return `the clock of this node looks wrong: ${doubt.peers} of its peers follow blocks for which it is ${doubt.behindSeconds} seconds behind at least; what is mined after its time is not followed`
  }
}
