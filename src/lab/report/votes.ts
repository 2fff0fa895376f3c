// The votes of validators as they leave them: decoded from what the finality layer says, each kept once. What is said
// again because it may be lost, or passed on to one who is behind, is no vote any more.

import { NO_VALUE } from '../../consensus/log.ts'
import { PBFT } from '../../consensus/pbft/kit.ts'
import type { PbftMessage } from '../../consensus/pbft/messages.ts'
import type { Hex } from '../../encoding/bytes.ts'
import { decodeEnvelope } from '../../finality/envelope.ts'

/** One vote, or the message of a primary that begins or ends a round of them. */
export interface TimelineVote {
  readonly node: number
  readonly ms: number
  readonly type: 'pre-prepare' | 'prepare' | 'commit' | 'proof' | 'view-change' | 'new-view'
  /** What a proof collects, where the leader collects the votes; null of everything else. */
  readonly phase: 'prepare' | 'commit' | null
  /** The decision that it is about; null of a change of view. */
  readonly sequence: number | null
  readonly view: number
  /** The block that it is about; null where it is about none. */
  readonly block: string | null
}

/** Keeps the first of each vote, in the order in which they leave. */
export class VoteRecorder {
  readonly votes: TimelineVote[] = []
  readonly #said = new Set<string>()
  readonly #shorten: (id: Hex) => string

  constructor(shorten: (id: Hex) => string) {
    this.#shorten = shorten
  }

  /** A message of the finality layer leaves a node. */
  note({
    node,
    ms,
    body,
    isToAll,
  }: {
    readonly node: number
    readonly ms: number
    readonly body: Uint8Array
    readonly isToAll: boolean
  }): void {
    const content = decodeEnvelope(body, PBFT.codec)?.content
    if (content?.type !== 'protocol') return
    const said = this.#read(content.message, node, isToAll)
    if (said === null) return
    const key = `${node} ${said.type} ${said.phase} ${said.sequence}/${said.view}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.votes.push({ node, ms, ...said })
  }

  /** What is recorded of a message; null when it is no vote of this node. */
  #read(message: PbftMessage, node: number, isToAll: boolean): Omit<TimelineVote, 'node' | 'ms'> | null {
    switch (message.type) {
      case 'pre-prepare': {
        const { type, sequence, view, value } = message
        return { type, phase: null, sequence, view, block: this.#blockOf(value) }
      }
      case 'prepare':
      case 'commit': {
        const { type, sequence, view, value, from } = message
        return from === node ? { type, phase: null, sequence, view, block: this.#blockOf(value) } : null
      }
      case 'proof': {
        const { phase, sequence, view, value } = message.certificate
        // To one alone it goes because he has not got it.
        if (phase === 'checkpoint' || !isToAll) return null
        return { type: 'proof', phase, sequence, view, block: this.#blockOf(value) }
      }
      case 'view-change': {
        const { type, view, from } = message
        return from === node ? { type, phase: null, sequence: null, view, block: null } : null
      }
      case 'new-view':
        return isToAll
          ? { type: 'new-view', phase: null, sequence: null, view: message.view, block: null }
          : null
      case 'checkpoint':
      case 'status':
      case 'complaint':
      case 'query':
      case 'answer':
        return null
    }
  }

  #blockOf(value: string): string | null {
    return value === NO_VALUE ? null : this.#shorten(value as Hex)
  }
}
