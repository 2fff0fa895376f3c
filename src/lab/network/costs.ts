// What agreement costs: the messages, bytes and message delays of each decision, as books count them. A message that
// is retransmitted, or that answers a node that is behind, is no part of a decision and is counted apart, by its kind.
//
// Delays are causal: every message about a sequence number carries one hop more than any its sender had received
// about that number, and the proposal is sent at zero (L. Lamport, "Time, Clocks, and the Ordering of Events", 1978).

import type { LogKit, LogTypes, MessageFacts, MessageRole } from '../../consensus/kit.ts'
import { decodeEnvelope, type Content as EnvelopeContent } from '../../finality/envelope.ts'
import type { Effect, PeerId } from '../../replica/effects.ts'
import { KEYS } from '../../replica/records.ts'

/** What a message of a committee says. */
export type Content = EnvelopeContent<LogTypes['message']>

/** What is known of a message besides its bytes. */
export interface Tag {
  /** Null when the bytes are no message. */
  readonly content: Content | null
  /** What it says in words that all protocols share; null for what is no message of the protocol. */
  readonly facts: MessageFacts | null
  /** Its kind, by the word with which the finality layer describes it. */
  readonly kind: string
  /** The sequence number that it helps to decide; null for any other message. */
  readonly sequence: number | null
  readonly hops: number
  /** Whether it answers a node that said where it stands. */
  readonly isAnswer: boolean
}

/** What deciding cost on average; null where nothing was decided. */
export interface DecisionCosts {
  readonly messages: number
  readonly bytes: number
  /** Message delays from the proposal until the last honest node knew, on average and at most. */
  readonly delays: { readonly mean: number; readonly max: number }
}

/** What a message that helps to decide is for. */
const DECIDING: ReadonlySet<MessageRole> = new Set(['proposal', 'vote', 'certificate'])

/** The counts of one run. */
export class Costs {
  /** Messages of the finality layer by kind, each receiver counted. */
  readonly kinds = new Map<string, number>()
  /** Messages about decisions that were retransmitted, or that answer a node that is behind. */
  repeated = 0
  readonly #kit: LogKit
  readonly #spent = new Map<number, { messages: number; bytes: number }>()
  readonly #hops = new Map<PeerId, Map<number, number>>()
  /** What each node said about decisions. */
  readonly #said = new Set<string>()
  /** When the last honest node decided, in hops. */
  readonly #decided = new Map<number, number>()

  /** Costs of deciding by this protocol. */
  constructor(kit: LogKit) {
    this.#kit = kit
  }

  /** What is known of an effect of a node, given what was known of the message that caused it. */
  tag(node: PeerId, effect: Effect, cause: Tag | null): Tag | null {
    if (effect.type !== 'send' && effect.type !== 'broadcast') return null
    const { message } = effect
    if (message.type !== 'finality') return null
    const content = decodeEnvelope(message.body, this.#kit.codec)?.content ?? null
    if (content === null || content.type === 'hello')
      return {
        content,
        facts: null,
        kind: content?.type ?? 'malformed',
        sequence: null,
        hops: 0,
        isAnswer: false,
      }
    const kind = content.message.type
    const facts = this.#kit.anatomy.message(content.message)
    const isAnswer = cause?.facts?.role === 'status' || cause?.facts?.role === 'checkpoint'
    const sequence = decidedBy(facts)
    const hops = sequence === null ? 0 : this.#hopsOf(node, sequence) + 1
    // A certificate that decides goes to all; to one node it goes because that missed it.
    const isAside = facts.role === 'certificate' && effect.type === 'send'
    const isDeciding =
      sequence !== null && !isAside && this.#isNew(`${node} ${kind} ${facts.phase} ${sequence}/${facts.view}`)
    return { content, facts, kind, sequence: isDeciding ? sequence : null, hops, isAnswer }
  }

  /** A message left for so many receivers. */
  sent({ kind, facts, sequence }: Tag, receivers: number, bytes: number): void {
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + receivers)
    if (sequence === null) {
      if (facts !== null && DECIDING.has(facts.role)) this.repeated += receivers
      return
    }
    const spent = this.#spent.get(sequence) ?? { messages: 0, bytes: 0 }
    this.#spent.set(sequence, spent)
    spent.messages += receivers
    spent.bytes += bytes * receivers
  }

  /** A message arrived. */
  received(node: PeerId, { facts, hops }: Tag): void {
    const sequence = decidedBy(facts)
    if (sequence === null || hops <= this.#hopsOf(node, sequence)) return
    const known = this.#hops.get(node) ?? new Map<number, number>()
    this.#hops.set(node, known.set(sequence, hops))
  }

  /** An honest node keeps a decision. */
  decided(node: PeerId, sequence: number): void {
    this.#decided.set(sequence, Math.max(this.#decided.get(sequence) ?? 0, this.#hopsOf(node, sequence)))
  }

  get decisions(): number {
    return this.#decided.size
  }

  perDecision(): DecisionCosts | null {
    const count = this.#decided.size
    if (count === 0) return null
    const spent = [...this.#decided.keys()].map(sequence => this.#spent.get(sequence))
    const messages = spent.reduce((sum, one) => sum + (one?.messages ?? 0), 0)
    const bytes = spent.reduce((sum, one) => sum + (one?.bytes ?? 0), 0)
    const delays = [...this.#decided.values()]
    const mean = delays.reduce((sum, one) => sum + one, 0) / count
    return {
      messages: messages / count,
      bytes: Math.round(bytes / count),
      delays: { mean, max: Math.max(...delays) },
    }
  }

  #isNew(said: string): boolean {
    const { size } = this.#said
    return this.#said.add(said).size > size
  }

  #hopsOf(node: PeerId, sequence: number): number {
    return this.#hops.get(node)?.get(sequence) ?? 0
  }
}

/** The sequence number of a decision that is among these writes; null when none is. */
export function decisionIn(effect: Effect): number | null {
  if (effect.type !== 'persist') return null
  const prefix = KEYS.decision(0).slice(0, -15)
  for (const { key, value } of effect.writes)
    if (value !== null && key.startsWith(prefix)) return Number(key.slice(prefix.length))
  return null
}

function decidedBy(facts: MessageFacts | null): number | null {
  return facts?.isDeciding === true ? facts.sequence : null
}
