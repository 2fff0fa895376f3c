// Validators that lie on purpose, for tests: each role is a way in which a member of a committee may break the rules.
// A liar stands between an honest replica and everybody else and changes what is said; what it is told it takes in as
// anybody does, so that it always knows where the others are.
//
// The equivocator tells one half of the others one thing and the other half another, and with accomplices enough it gets both
// decided: the attack that f + 1 liars can make and f can't.

import type {
  Certificate,
  MemberIndex,
  ProtocolEffect,
  ProtocolInput,
  Signing,
  Value,
  Vote,
} from '../consensus/contract.ts'
import type { PbftMessage, PbftRecord, Statement } from '../consensus/pbft/messages.ts'
import type { Pbft, PbftState } from '../consensus/pbft/pbft.ts'
import { quorumOf } from '../consensus/pbft/quorum.ts'

/** The roles, by the names the command line knows. */
export const BYZANTINE_ROLES = ['silent', 'equivocate', 'delay', 'withhold', 'forge', 'replay'] as const

/** One way to lie. */
export type ByzantineRole = (typeof BYZANTINE_ROLES)[number]

/** What a replica says and wants, and a timer of the liar's own. */
export type LiarEffect =
  | ProtocolEffect<PbftMessage, PbftRecord>
  | { readonly type: 'set-timer'; readonly name: 'mischief'; readonly delayMs: number }

/** What happens to it. */
export type LiarInput =
  | ProtocolInput<PbftMessage, PbftRecord>
  | { readonly type: 'timeout'; readonly name: 'mischief' }

/** What a committee drives: an honest replica, or a liar with one inside. */
export interface Member {
  readonly turn: number | null
  readonly state: PbftState
  step(input: LiarInput): LiarEffect[]
}

/** What a liar is given. */
export interface LiarOptions {
  readonly role: ByzantineRole
  readonly n: number
  readonly signing: Signing<Statement>
  readonly timeoutMs: number
  /** Other members who lie in the same way: they are told both stories. */
  readonly accomplices: readonly MemberIndex[]
  /** Another value that could be proposed in place of this one; null when there is none. */
  alternative(value: Value): Value | null
}

type Said = Extract<LiarEffect, { type: 'send' | 'broadcast' | 'reply' }>

/** Messages that a replayer remembers, and says again at a time. */
const REMEMBERED_MAX = 200
const REPLAYED = 5
/** Shares of the timeout by which a liar is late: just in time for nobody to leave, and enough to hear both stories. */
const DELAY_SHARE = 0.9
const STORY_SHARE = 0.05
/** Places in which an equivocator's stories are kept. */
const PLACES_MAX = 64

/** An honest replica in the hands of a liar. */
export class Liar implements Member {
  readonly #honest: Pbft
  readonly #options: LiarOptions
  readonly #self: MemberIndex
  /** What a delayer holds back, or a replayer has heard. */
  #held: Said[] = []
  readonly #heard: PbftMessage[] = []
  #isTimed = false
  readonly #stories = new Map<string, Story>()

  /** Throws when the signing is nobody's: only a member can lie. */
  constructor(honest: Pbft, options: LiarOptions) {
    if (options.signing.self === null) throw new Error('only a member can lie')
    this.#honest = honest
    this.#options = options
    this.#self = options.signing.self
  }

  get turn(): number | null {
    return this.#honest.turn
  }

  get state(): PbftState {
    return this.#honest.state
  }

  step(input: LiarInput): LiarEffect[] {
    if (input.type === 'timeout' && input.name === 'mischief') return this.#onMischief()
    const heard = input.type === 'message' ? this.#hear(input.message) : []
    const honest = this.#honest.step(input as ProtocolInput<PbftMessage, PbftRecord>)
    const isTick = input.type === 'timeout' && input.name === 'retransmit'
    return [...honest.flatMap(effect => this.#twist(effect)), ...heard, ...(isTick ? this.#replay() : [])]
  }

  /** What becomes of one thing that the honest replica wants done. */
  #twist(effect: LiarEffect): LiarEffect[] {
    if (effect.type !== 'send' && effect.type !== 'broadcast' && effect.type !== 'reply') return [effect]
    switch (this.#options.role) {
      case 'silent':
        return []
      case 'delay':
        return this.#hold(effect)
      case 'withhold':
        return this.#half(0).map(to => ({ type: 'send', to, message: effect.message }))
      case 'forge':
        return [...this.#forge(effect.message), effect]
      case 'replay':
        this.#remember(effect.message)
        return [effect]
      case 'equivocate':
        return this.#equivocate(effect)
    }
  }

  // ---- late, and again

  #hold(effect: Said): LiarEffect[] {
    this.#held.push(effect)
    return this.#wait(DELAY_SHARE)
  }

  #wait(share: number): LiarEffect[] {
    if (this.#isTimed) return []
    this.#isTimed = true
    return [{ type: 'set-timer', name: 'mischief', delayMs: Math.ceil(this.#options.timeoutMs * share) }]
  }

  #onMischief(): LiarEffect[] {
    this.#isTimed = false
    const held = this.#held
    this.#held = []
    return [...held, ...[...this.#stories.values()].flatMap(story => this.#tell(story))]
  }

  #hear(message: PbftMessage): LiarEffect[] {
    if (this.#options.role === 'replay') this.#remember(message)
    return this.#options.role === 'equivocate' ? this.#listen(message) : []
  }

  #remember(message: PbftMessage): void {
    this.#heard.push(message)
    if (this.#heard.length > REMEMBERED_MAX) this.#heard.shift()
  }

  /** Old words of everybody, the oldest that are remembered first. */
  #replay(): LiarEffect[] {
    const again = this.#heard.splice(0, REPLAYED)
    return again.map(message => ({ type: 'broadcast', message }))
  }

  // ---- what was never signed

  /** Votes in the name of others, with broken signatures, and certificates that lack what makes them proofs. */
  #forge(message: PbftMessage): LiarEffect[] {
    if (message.type !== 'prepare' && message.type !== 'commit') return []
    const other = (this.#self + 1) % this.#options.n
    const { sequence, view, value } = message
    const signature = message.signature.map((byte, index) => (index === 7 ? byte ^ 1 : byte))
    const signatures = Array.from({ length: this.#options.n }, (_, member) => ({
      member,
      signature: message.signature,
    }))
    const certificate: Certificate = { phase: 'commit', sequence, view, value, signatures }
    const forged: PbftMessage[] = [
      { ...message, from: other },
      { ...message, signature },
      { type: 'proof', certificate },
      { type: 'proof', certificate: { ...certificate, signatures: signatures.slice(0, 1) } },
    ]
    return this.#others().flatMap(to => forged.map(message => ({ type: 'send' as const, to, message })))
  }

  // ---- two stories

  #equivocate(effect: Said): LiarEffect[] {
    const { message } = effect
    switch (message.type) {
      case 'pre-prepare':
        return this.#begin(message)
      // Told to each half as its own story, later.
      case 'prepare':
      case 'commit':
        return []
      case 'proof':
        return effect.type === 'broadcast' ? [] : [effect]
      case 'checkpoint':
      case 'view-change':
      case 'new-view':
      case 'status':
        return [effect]
    }
  }

  /** Proposes one value to one half and another to the other. */
  #begin({ sequence, view, value, signature }: Extract<PbftMessage, { type: 'pre-prepare' }>): LiarEffect[] {
    const story = this.#story(sequence, view)
    const proposal = { type: 'pre-prepare' as const, sequence, view, value, signature }
    const other = this.#options.alternative(value)
    story.values.add(value)
    if (other === null) return [{ type: 'broadcast', message: proposal }, ...this.#wait(STORY_SHARE)]
    story.values.add(other)
    const effects = [...story.values].toSorted().flatMap((told, half) => {
      const vote: Vote = { phase: 'prepare', sequence, view, value: told }
      const message: PbftMessage = {
        type: 'pre-prepare',
        sequence,
        view,
        value: told,
        signature: this.#options.signing.sign(vote),
      }
      return this.#audience(half).map(to => ({ type: 'send' as const, to, message }))
    })
    return [...effects, ...this.#wait(STORY_SHARE)]
  }

  /** Learns what is proposed and voted, to vote for all of it. */
  #listen(message: PbftMessage): LiarEffect[] {
    if (message.type !== 'pre-prepare' && message.type !== 'prepare' && message.type !== 'commit') return []
    const { sequence, view, value } = message
    if (sequence <= this.state.decided || view !== this.state.view) return []
    const story = this.#story(sequence, view)
    if (message.type === 'pre-prepare') story.proposal ??= message.signature
    if (message.type === 'prepare') story.proposal ??= message.proposal
    story.values.add(value)
    if (message.type === 'pre-prepare') return this.#wait(STORY_SHARE)
    const vote: Vote = { phase: message.type, sequence, view, value }
    if (!this.#options.signing.isSigned(vote, message.from, message.signature)) return []
    story.note(vote, message.from, message.signature)
    return [...this.#wait(STORY_SHARE), ...this.#prove(story)]
  }

  /** Votes for one story before one half and for the other before the other half. */
  #tell(story: Story): LiarEffect[] {
    const values = [...story.values].toSorted()
    const { sequence, view } = story
    return values.flatMap((value, half) => {
      if (story.told.has(value)) return []
      story.told.add(value)
      const audience = values.length === 1 ? this.#others() : this.#audience(half)
      const votes = (['prepare', 'commit'] as const).flatMap((phase): PbftMessage[] => {
        const vote: Vote = { phase, sequence, view, value }
        const signature = this.#options.signing.sign(vote)
        story.note(vote, this.#self, signature)
        const from = this.#self
        if (phase === 'commit') return [{ type: 'commit', sequence, view, value, from, signature }]
        const proposal = story.proposal ?? signature
        return [{ type: 'prepare', sequence, view, value, from, signature, proposal }]
      })
      const messages = audience.flatMap(to => votes.map(message => ({ type: 'send' as const, to, message })))
      return [...messages, ...this.#prove(story)]
    })
  }

  /** Spreads the certificates that the votes for either story make: in one pattern nobody else would. */
  #prove(story: Story): LiarEffect[] {
    const values = [...story.values].toSorted()
    return values.flatMap((value, half) =>
      (['prepare', 'commit'] as const).flatMap(phase => {
        const certificate = story.certificate(phase, value, quorumOf(this.#options.n))
        if (certificate === null) return []
        const audience = values.length === 1 ? this.#others() : this.#audience(half)
        return audience.map(to => ({
          type: 'send' as const,
          to,
          message: { type: 'proof' as const, certificate },
        }))
      }),
    )
  }

  #story(sequence: number, view: number): Story {
    const key = `${sequence}/${view}`
    const story = this.#stories.get(key) ?? new Story(sequence, view)
    this.#stories.set(key, story)
    for (const oldest of this.#stories.keys())
      if (this.#stories.size > PLACES_MAX) this.#stories.delete(oldest)
    return story
  }

  // ---- who is told

  #others(): MemberIndex[] {
    return Array.from({ length: this.#options.n }, (_, member) => member).filter(
      member => member !== this.#self,
    )
  }

  /** Every second one of those who are no accomplices. */
  #half(half: number): MemberIndex[] {
    const honest = this.#others().filter(member => !this.#options.accomplices.includes(member))
    return honest.filter((_, index) => index % 2 === half % 2)
  }

  #audience(half: number): MemberIndex[] {
    return [...new Set([...this.#half(half), ...this.#options.accomplices])].filter(
      member => member !== this.#self,
    )
  }
}

/** What an equivocator knows of one place: the values that are about, and who voted for which. */
class Story {
  readonly sequence: number
  readonly view: number
  readonly values = new Set<Value>()
  readonly told = new Set<Value>()
  /** The proposer's signature, as votes carry it. */
  proposal: Uint8Array | null = null
  readonly #votes = new Map<string, Map<MemberIndex, Uint8Array>>()
  readonly #proved = new Set<string>()

  constructor(sequence: number, view: number) {
    this.sequence = sequence
    this.view = view
  }

  note({ phase, value }: Vote, member: MemberIndex, signature: Uint8Array): void {
    const key = `${phase}/${value}`
    const votes = this.#votes.get(key) ?? new Map<MemberIndex, Uint8Array>()
    this.#votes.set(key, votes.set(member, signature))
  }

  /** The certificate for a value, once. */
  certificate(phase: 'prepare' | 'commit', value: Value, quorum: number): Certificate | null {
    const key = `${phase}/${value}`
    const votes = [...(this.#votes.get(key) ?? [])].sort(([a], [b]) => a - b)
    if (votes.length < quorum || this.#proved.has(key)) return null
    this.#proved.add(key)
    const signatures = votes.map(([member, signature]) => ({ member, signature }))
    return { phase, sequence: this.sequence, view: this.view, value, signatures }
  }
}
