// What binds a member whose disk was put back: what it has said since, and what it was shown of its own before it voted
// again. What it had said to members that did not answer it cannot know, and is not held to.

import { decodeEnvelope } from '../../finality/envelope.ts'
import type { Input, PeerId } from '../../replica/effects.ts'
import type { Cast } from '../adversary/cast.ts'
import type { Protocol } from '../network/costs.ts'
import type { SimNode } from '../node/sim-node.ts'

/** What an honest member shows another of its own votes. */
export type Answer = Extract<Protocol, { type: 'answer' }>

/** The answers that each member has taken since its last start, until it votes. */
export class RecalledVotes {
  readonly #cast: Cast
  /** Told of each answer once the member that took it votes. */
  readonly #onRecalled: (answer: Answer) => void
  readonly #rolledBack = new Set<PeerId>()
  readonly #asking = new Map<PeerId, { challenge: number; readonly answers: Map<number, Answer> }>()

  constructor(cast: Cast, onRecalled: (answer: Answer) => void) {
    this.#cast = cast
    this.#onRecalled = onRecalled
  }

  /** A member's disk was put back. */
  rollBack(node: SimNode): void {
    this.#rolledBack.add(node.id)
    this.#asking.delete(node.id)
  }

  /** A node has just started: answers to an earlier life count for nothing. */
  afterStart(node: SimNode): void {
    this.#asking.delete(node.id)
  }

  /** A member asks for its votes. */
  onQuery(node: SimNode, challenge: number): void {
    if (!this.#rolledBack.has(node.id) || this.#asking.get(node.id)?.challenge === challenge) return
    this.#asking.set(node.id, { challenge, answers: new Map() })
  }

  /** Looks at a node after it took something in. */
  afterStep(node: SimNode, input: Input): void {
    const asking = this.#asking.get(node.id)
    if (asking === undefined) return
    const answer = answerIn(input)
    const isTaken = answer?.challenge === asking.challenge && answer.to === this.#cast.memberOf(node)
    if (isTaken && !asking.answers.has(answer.from)) asking.answers.set(answer.from, answer)
    if (node.replica!.finality.report(0)?.muted !== null) return
    this.#asking.delete(node.id)
    for (const [from, shown] of asking.answers) if (this.#cast.isHonestMember(from)) this.#onRecalled(shown)
  }
}

function answerIn(input: Input): Answer | null {
  if (input.type !== 'message' || input.message.type !== 'finality') return null
  const content = decodeEnvelope(input.message.body)?.content
  return content?.type === 'protocol' && content.message.type === 'answer' ? content.message : null
}
