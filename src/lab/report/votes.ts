// The votes of validators as they leave them: decoded from what the finality layer sends, each kept once. A vote that is
// retransmitted, or passed on to a node that is behind, does not count again.

import type { LogKit, MessageFacts, MessageRole } from '../../consensus/kit.ts'
import { NO_VALUE } from '../../consensus/log.ts'
import type { Hex } from '../../encoding/bytes.ts'
import { decodeEnvelope } from '../../finality/envelope.ts'

/** One vote, or the message of a primary that begins or ends a round of them. */
export interface TimelineVote {
  readonly node: number
  readonly ms: number
  /** The kind of the message, by the protocol's name for it. */
  readonly type: string
  /** What it is for. */
  readonly role: MessageRole
  /** The phase whose votes a certificate collects, where the leader collects them; null of everything else. */
  readonly phase: string | null
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
  /** Null where there are no votes. */
  readonly #kit: LogKit | null
  readonly #shorten: (id: Hex) => string

  constructor(kit: LogKit | null, shorten: (id: Hex) => string) {
    this.#kit = kit
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
    if (this.#kit === null) return
    const content = decodeEnvelope(body, this.#kit.codec)?.content
    if (content?.type !== 'protocol') return
    const said = this.#read(this.#kit.anatomy.message(content.message), {
      type: content.message.type,
      node,
      isToAll,
    })
    if (said === null) return
    const key = `${node} ${said.type} ${said.phase} ${said.sequence}/${said.view}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.votes.push({ node, ms, ...said })
  }

  /** What is recorded of a message; null when it is no vote of this node. */
  #read(
    { role, phase, sequence, view, value, from, isDeciding }: MessageFacts,
    { type, node, isToAll }: { readonly type: string; readonly node: number; readonly isToAll: boolean },
  ): Omit<TimelineVote, 'node' | 'ms'> | null {
    if (view === null) return null
    const block = value === null || value === NO_VALUE ? null : this.#shorten(value as Hex)
    switch (role) {
      case 'proposal':
        return { role, type, phase: null, sequence, view, block }
      case 'vote':
        return from === node ? { role, type, phase: null, sequence, view, block } : null
      // To one node alone it goes because that missed it.
      case 'certificate':
        return isDeciding && isToAll ? { role, type, phase, sequence, view, block } : null
      case 'departure':
        return from === node ? { role, type, phase: null, sequence: null, view, block: null } : null
      case 'beginning':
        return isToAll ? { role, type, phase: null, sequence: null, view, block: null } : null
      case 'checkpoint':
      case 'status':
      case 'other':
        return null
    }
  }
}
