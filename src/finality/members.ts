// Which peer speaks for which validator, and what each validator said last of itself. A validator
// is bound to a peer by a hello that it signed over the peer's id (envelope.ts).

import type { MemberStatus } from '../consensus/kit.ts'
import type { MemberIndex } from '../consensus/process.ts'
import type { ChainAccess, Holders, PeerId } from './contract.ts'

/** What a validator said last of itself, and how its clock differs from ours. */
export interface LastStatus {
  readonly status: MemberStatus
  /** Milliseconds that its clock is ahead, give or take the way of the message. */
  readonly clockAheadMs: number
  /** Milliseconds since 1970 by our clock. */
  readonly atMs: number
}

/** The peers of one node, and the validators among them. */
export class Members {
  readonly #connected = new Set<PeerId>()
  readonly #peers = new Map<MemberIndex, PeerId>()
  readonly #statuses = new Map<MemberIndex, LastStatus>()
  /** Validators that were met at two peers. */
  readonly #twins = new Set<MemberIndex>()

  connect(peer: PeerId): void {
    this.#connected.add(peer)
  }

  disconnect(peer: PeerId): void {
    this.#connected.delete(peer)
    for (const [member, its] of this.#peers) if (its === peer) this.#peers.delete(member)
  }

  /** A peer has proved that it speaks for a validator. One that left meanwhile is bound to none. */
  bind(member: MemberIndex, peer: PeerId): void {
    if (this.#connected.has(peer)) this.#peers.set(member, peer)
  }

  isConnected(peer: PeerId): boolean {
    return this.#connected.has(peer)
  }

  /** Whether this is the first time that a validator is met at two peers. */
  isNewTwin(member: MemberIndex): boolean {
    return !this.#twins.has(member) && this.#twins.add(member).has(member)
  }

  /** Validators that are bound to a peer. */
  get count(): number {
    return this.#peers.size
  }

  /** Where a validator is connected. */
  peerOf(member: MemberIndex): PeerId | undefined {
    return this.#peers.get(member)
  }

  isValidator(peer: PeerId): boolean {
    return [...this.#peers.values()].some(its => its === peer)
  }

  lastStatus(member: MemberIndex): LastStatus | undefined {
    return this.#statuses.get(member)
  }

  /** Notes what a validator says of itself, if it is the one that says it. */
  note(
    status: MemberStatus,
    from: PeerId,
    { clockMs, chain }: { clockMs: number; chain: ChainAccess },
  ): void {
    if (status.from === null || this.#peers.get(status.from) !== from) return
    const { nowMs } = chain
    this.#statuses.set(status.from, { status, clockAheadMs: clockMs - nowMs, atMs: nowMs })
  }

  /** The peers that speak for no validator. */
  followers(): PeerId[] {
    const voters = new Set(this.#peers.values())
    return [...this.#connected].filter(peer => !voters.has(peer))
  }

  /**
   * Which peers should have a block: of the validators those that voted for it, whose vote promises that it can be had,
   * and the one that speaks of it; where no validator is connected, the peer that speaks of it.
   */
  holders(voters: readonly MemberIndex[], speaker: PeerId | null): Holders {
    const promising = new Set<PeerId | null | undefined>([
      speaker,
      ...voters.map(member => this.#peers.get(member)),
    ])
    const known = [...(this.#peers.size > 0 ? this.#peers.values() : this.#connected)]
    return {
      promised: known.filter(peer => promising.has(peer)),
      others: known.filter(peer => !promising.has(peer)),
    }
  }
}
