// What binds a member whose disk was put back to an earlier day. It asks the others for its own votes before it gives any,
// so it is held to what it was shown, to what more than f honest others hold, for one of them is among any that answer,
// and to what it has said since. Of what it had said to fewer it cannot know.

import { PBFT } from '../../consensus/pbft/kit.ts'
import type { PbftMessage } from '../../consensus/pbft/messages.ts'
import type { SomeVote as Vote } from '../../consensus/signed.ts'
import { decodeEnvelope } from '../../finality/envelope.ts'
import type { Input, PeerId } from '../../replica/effects.ts'
import { isForgetful } from '../adversary/adversary.ts'
import type { Roster } from '../adversary/roster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { keyOf, type VoteOracle } from '../oracle/vote-oracle.ts'
import type { ViewChangeOracle } from './view-change-oracle.ts'

/** What an honest member shows another of its own votes. */
type Answer = Extract<PbftMessage, { type: 'answer' }>

/** What is known of a member whose disk was put back and that does not vote yet. */
interface Absence {
  /** What it said before. */
  readonly lost: readonly Vote[]
  /** Of its last question; null before it asked. */
  challenge: number | null
  /** What it was shown in this life, by question and member. */
  readonly answers: Map<string, Answer>
}

/** The votes of members whose disks are put back in one committee. */
export class RecalledVotes {
  readonly #roster: Roster
  readonly #signed: VoteOracle
  readonly #viewChanges: ViewChangeOracle
  readonly #absences = new Map<PeerId, Absence>()
  /** The honest nodes that hold each vote of a member whose disk may be put back. */
  readonly #holders = new Map<string, Set<PeerId>>()

  constructor(roster: Roster, signed: VoteOracle, viewChanges: ViewChangeOracle) {
    this.#roster = roster
    this.#signed = signed
    this.#viewChanges = viewChanges
  }

  /** A member's disk was put back. */
  rollBack(node: SimNode, member: number): void {
    const before = this.#absences.get(node.id)?.lost ?? []
    const lost = [...before, ...this.#signed.rollBack(member)]
    this.#viewChanges.rollBack(member)
    this.#absences.set(node.id, { lost, challenge: null, answers: new Map() })
  }

  /** A node has just started: it holds nothing that others said, and was shown nothing in this life. */
  afterStart(node: SimNode): void {
    for (const holders of this.#holders.values()) holders.delete(node.id)
    const absence = this.#absences.get(node.id)
    if (absence === undefined) return
    absence.answers.clear()
    this.#considerReturn(node, absence)
  }

  /** A member asks for its votes. */
  onQuery(node: SimNode, challenge: number): void {
    const absence = this.#absences.get(node.id)
    if (absence === undefined || absence.challenge === challenge) return
    absence.challenge = challenge
  }

  /** Looks at a node after a step. */
  afterStep(node: SimNode, input: Input): void {
    if (![...this.#roster.liars.values()].some(isForgetful)) return
    const message = protocolIn(input)
    const absence = this.#absences.get(node.id)
    if (message !== null) this.#noteHolder(node, message)
    if (absence === undefined) return
    if (message?.type === 'answer') this.#noteAnswer(node, absence, message)
    this.#considerReturn(node, absence)
  }

  #noteAnswer(node: SimNode, { challenge, answers }: Absence, answer: Answer): void {
    const { from, to } = answer
    // Only the first answer to a question counts.
    const key = `${challenge} ${from}`
    if (answer.challenge === challenge && to === this.#roster.memberOf(node) && !answers.has(key))
      answers.set(key, answer)
  }

  /** A vote that arrives for what its receiver has not decided is held there. */
  #noteHolder(node: SimNode, message: PbftMessage): void {
    const roster = this.#roster
    if (message.type !== 'pre-prepare' && message.type !== 'prepare' && message.type !== 'commit') return
    const { from, sequence, view, value } = message
    const member = roster.memberOf(node)
    const report = node.replica!.finality.report(0)
    const role = roster.liars.get(from)
    if (role === undefined || !isForgetful(role) || member === null || member === from || report === null)
      return
    const phase = message.type === 'commit' ? 'commit' : 'prepare'
    if (sequence !== report.sequence + 1 || (phase === 'prepare' && view < report.view)) return
    const key = keyOf({ phase, sequence, view, value }, from)
    const holders = this.#holders.get(key) ?? new Set()
    this.#holders.set(key, holders.add(node.id))
  }

  /** Once it votes again, it is bound. */
  #considerReturn(node: SimNode, { lost, answers }: Absence): void {
    if (node.replica!.finality.report(0)?.muted !== null) return
    this.#absences.delete(node.id)
    const member = this.#roster.memberOf(node)!
    const faultyMax = Math.floor((this.#roster.validators - 1) / 3)
    for (const vote of lost) {
      const holders = this.#holders.get(keyOf(vote, member))?.size ?? 0
      if (holders > faultyMax) this.#signed.bind(vote, member)
    }
    for (const { from, votes, viewChange } of answers.values()) {
      if (!this.#roster.isHonestMember(from)) continue
      for (const vote of votes) this.#signed.bind(vote, member)
      if (viewChange?.from === member) this.#viewChanges.noteViewChange(viewChange, null, member)
    }
  }
}

function protocolIn(input: Input): PbftMessage | null {
  if (input.type !== 'message' || input.message.type !== 'finality') return null
  const content = decodeEnvelope(input.message.body, PBFT.codec)?.content
  return content?.type === 'protocol' ? content.message : null
}
