// What a member may say: its own disk must hold it first. The names are those of docs/invariants.md: S5 durable before
// visible, and C7 where a node goes on from a decision that it does not follow.

import type { PbftMessage, PbftRecord } from '../../consensus/pbft/messages.ts'
import { decodePbftRecord } from '../../consensus/pbft/record-wire.ts'
import type { Vote } from '../../consensus/pbft/votes.ts'
import { KEYS } from '../../replica/records.ts'
import type { Roster } from '../adversary/roster.ts'
import { EMPTY_DECISIONS, VOTE_RECORDS } from '../cluster/finality-keys.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { NaiveVotes } from '../oracle/naive-votes.ts'
import type { ViewOracle } from '../oracle/view-oracle.ts'
import { Violation } from '../oracle/violation.ts'
import type { VoteOracle } from '../oracle/vote-oracle.ts'

/** Compares what honest members of one committee say with their disks. */
export class DurabilityOracle {
  readonly #votes: NaiveVotes
  readonly #roster: Roster
  readonly #signed: VoteOracle
  readonly #views: ViewOracle

  constructor(votes: NaiveVotes, roster: Roster, signed: VoteOracle, views: ViewOracle) {
    this.#votes = votes
    this.#roster = roster
    this.#signed = signed
    this.#views = views
  }

  /** Looks at a message of an honest node just before it leaves. */
  beforeMessage(node: SimNode, message: PbftMessage): void {
    const self = this.#roster.memberOf(node)
    if (self === null) return
    const n = this.#votes.validators.length
    switch (message.type) {
      case 'pre-prepare': {
        const vote: Vote = { ...message, phase: 'prepare' }
        if (this.#votes.isCast(vote, self, message.signature)) this.#checkVote(node, vote)
        return
      }
      case 'prepare':
        if (message.from === self) this.#checkVote(node, { ...message, phase: 'prepare' })
        return
      case 'commit':
        if (message.from === self) this.#checkVote(node, { ...message, phase: 'commit' })
        return
      case 'checkpoint':
        if (message.from === self) this.#checkExecuted(node, message.sequence)
        return
      case 'view-change':
        if (message.from === self) this.#checkView(node, message.view, false)
        return
      case 'new-view':
        // A member that lost its votes relays what it began itself before, as every member does.
        if (message.view % n !== self || this.#hasForgotten(node, self)) return
        return this.#checkView(node, message.view, true)
      case 'status':
      case 'complaint':
      case 'query':
      case 'answer':
        return this.#checkFollowed(node)
      case 'proof':
        return
    }
  }

  /** The record of a slot must cover the vote; what is below the last stable checkpoint is decided. */
  #checkVote(node: SimNode, { phase, sequence, view, value }: Vote): void {
    const record = this.#record(node, `slot/${sequence.toString().padStart(15, '0')}`)
    const stable = this.#record(node, 'stable')
    if (stable?.type === 'stable' && stable.certificate.sequence >= sequence) return
    const what = `${node.id} sends its ${phase} for ${sequence}/${view}`
    if (record?.type !== 'slot') throw new Violation('S5', `${what} before anything of it is on disk`)
    const isCovered =
      phase === 'prepare'
        ? record.view === view && record.value === value
        : record.prepared?.view === view && record.prepared.value === value
    // A later view's record stands for an earlier vote only where the vote came first.
    if (!isCovered && record.view <= view) throw new Violation('S5', `${what}, and its disk holds another`)
    this.#views.note(node, view)
  }

  /** A view change needs the record that the old view was left, a new view the one that it was entered. */
  #checkView(node: SimNode, view: number, isEntered: boolean): void {
    const record = this.#record(node, 'view')
    const isCovered =
      record?.type === 'view' &&
      (record.view > view || (record.view === view && (record.isActive || !isEntered)))
    if (!isCovered) throw new Violation('S5', `${node.id} speaks of view ${view} before it is on disk`)
    this.#views.note(node, view)
  }

  #checkExecuted(node: SimNode, sequence: number): void {
    const isDurable =
      node.disk.isDurable(KEYS.decision(sequence)) || node.disk.isDurable(`${EMPTY_DECISIONS}${sequence}`)
    if (!isDurable) throw new Violation('S5', `${node.id} attests decision ${sequence} before it is on disk`)
  }

  /** A node that has applied a decision follows its block: a certificate overrides work. */
  #checkFollowed(node: SimNode): void {
    const sequence = node.replica?.finality.report(0)?.sequence ?? 0
    const isKept =
      node.disk.get(KEYS.decision(sequence)) !== null ||
      node.disk.get(`${EMPTY_DECISIONS}${sequence}`) !== null
    if (sequence > 0 && !isKept)
      throw new Violation(
        'C7',
        `${node.id} goes on from decision ${sequence}, whose block is not final there`,
      )
  }

  #hasForgotten(node: SimNode, member: number): boolean {
    return this.#roster.hasForgotten(node) || this.#signed.isExcused(member, null)
  }

  #record(node: SimNode, key: string): PbftRecord | null {
    const bytes = node.disk.durable(VOTE_RECORDS + key)
    return bytes === null ? null : decodePbftRecord(bytes)
  }
}
