// Which mined blocks honest members vote for. The name is that of docs/invariants.md: H1 what a member prepares of its own
// judgement, and not because a new view proposes it again, stands on the last final block, lies as deep as the genesis
// file asks for, and that under a branch with nearly as much work as the head that the member then follows.
//
// All blocks of a run are known, so the rule is written as it is said: nothing here knows how a member finds out.

import type { BlockId } from '../../chain/header.ts'
import { PBFT } from '../../consensus/pbft/kit.ts'
import type { PbftMessage } from '../../consensus/pbft/messages.ts'
import { decodePbftRecord } from '../../consensus/pbft/record-wire.ts'
import type { Genesis } from '../../execution/genesis.ts'
import { decodeEnvelope } from '../../finality/envelope.ts'
import type { Effect } from '../../replica/effects.ts'
import type { Roster } from '../adversary/roster.ts'
import { VOTE_RECORDS } from '../cluster/finality-keys.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { NaiveChain } from '../oracle/naive-chain.ts'
import { Violation } from '../oracle/violation.ts'

/** A block that a member voted for, and where. */
interface Candidate {
  readonly sequence: number
  readonly view: number
  readonly id: BlockId
}

/** Where a node stood after its last step. */
interface Place {
  readonly head: BlockId
  readonly final: BlockId
}

/** Watches what the honest members of one committee prepare. */
export class CandidateOracle {
  readonly #chain: NaiveChain
  readonly #roster: Roster
  readonly #depth: number
  readonly #interval: number
  /** What some new view proposes again. */
  readonly #reproposed = new Set<string>()
  /** Votes that were looked at; what is said or written again is the same vote. */
  readonly #seen = new Set<string>()
  readonly #places = new Map<SimNode, Place>()

  constructor(genesis: Genesis, chain: NaiveChain, roster: Roster) {
    this.#chain = chain
    this.#roster = roster
    this.#depth = genesis.finality.depth as number
    this.#interval = genesis.finality.interval as number
  }

  /** Looks at the beginning of a view, when it is first said. */
  noteNewView({ view, proposals }: Extract<PbftMessage, { type: 'new-view' }>): void {
    for (const { sequence, value } of proposals) this.#reproposed.add(`${sequence}/${view} ${value}`)
  }

  /** Looks at an honest node that has just started again: what it voted before counts no more than once. */
  afterStart(node: SimNode): void {
    this.#places.set(node, placeOf(node))
  }

  /** Looks at what an honest node voted for in a step. */
  afterStep(node: SimNode, effects: readonly Effect[]): void {
    const before = this.#places.get(node)
    const after = placeOf(node)
    this.#places.set(node, after)
    for (const candidate of candidatesIn(effects)) {
      const { sequence, view, id } = candidate
      const key = `${node.id} ${sequence}/${view} ${id}`
      if (this.#seen.has(key)) continue
      this.#seen.add(key)
      // What is decided a member may vote for whatever it thinks of it.
      if (node.replica!.finality.report(0)!.sequence >= sequence) continue
      if (before === undefined || isProposed(effects, candidate) || this.#isReproposed(node, candidate))
        continue
      const reason = this.#reasonAgainst(node, id, before, headsIn(effects, before))
      if (reason !== null)
        throw new Violation('H1', `${node.id} prepares ${id} for ${sequence}/${view}, which ${reason}`)
    }
  }

  /** The primary votes for what it proposes again before it says so. */
  #isReproposed(node: SimNode, { sequence, view, id }: Candidate): boolean {
    const isPrimary = view > 0 && this.#roster.memberOf(node) === view % this.#roster.validators
    return isPrimary || this.#reproposed.has(`${sequence}/${view} ${id}`)
  }

  /** `heads` are all that the node followed in this step: the one with the least work counts. */
  #reasonAgainst(node: SimNode, id: BlockId, { final }: Place, heads: readonly BlockId[]): string | null {
    const chain = this.#chain
    const { tree } = node.replica!
    if (!chain.isAbove(id, final)) return 'is beside the last final block'
    const height = chain.heightOf(id)
    if (height < chain.heightOf(final) + this.#interval) return 'is too close above the last final block'
    const head = heads.reduce((least, other) => (chain.workOf(other) < chain.workOf(least) ? other : least))
    const blockWork =
      chain.workOf(head) - (chain.heightOf(head) === 0 ? 0n : chain.workOf(chain.parentOf(head)))
    const leastWork = chain.workOf(head) - BigInt(this.#depth) * blockWork
    const deep = [...tree.blocks()].filter(({ chained }) => {
      return chain.heightOf(chained.id) >= height + this.#depth && chain.isAbove(chained.id, id)
    })
    if (deep.length === 0) return `has not ${this.#depth} blocks above it`
    if (deep.some(({ chained }) => chain.workOf(chained.id) >= leastWork)) return null
    return `is only on branches with less work than ${leastWork}`
  }
}

/** The blocks that records of votes name. */
function candidatesIn(effects: readonly Effect[]): Candidate[] {
  return effects.flatMap(effect => {
    if (effect.type !== 'persist') return []
    return effect.writes.flatMap(({ key, value }) => {
      if (!key.startsWith(`${VOTE_RECORDS}slot/`) || value === null) return []
      const record = decodePbftRecord(value)
      if (record?.type !== 'slot' || record.value === '') return []
      const { sequence, view } = record
      return [{ sequence, view, id: record.value as BlockId }]
    })
  })
}

/** Whether the node proposes this block itself in the same step. */
function isProposed(effects: readonly Effect[], { sequence, view, id }: Candidate): boolean {
  return effects.some(effect => {
    if (effect.type !== 'broadcast' || effect.message.type !== 'finality') return false
    const content = decodeEnvelope(effect.message.body, PBFT.codec)?.content
    if (content?.type !== 'protocol' || content.message.type !== 'pre-prepare') return false
    const { message } = content
    return message.sequence === sequence && message.view === view && message.value === id
  })
}

function headsIn(effects: readonly Effect[], { head }: Place): BlockId[] {
  return [head, ...effects.flatMap(effect => (effect.type === 'head' ? [effect.id] : []))]
}

function placeOf({ replica }: SimNode): Place {
  const { tree } = replica!
  return { head: tree.head.chained.id, final: tree.base.chained.id }
}
