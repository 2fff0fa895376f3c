// The lives of one instance. It is nothing but a function of what it was told, so two histories that are equal are one
// moment here, and what follows a moment is found out once: the search of twins.ts forks a state by keeping a
// reference to it.
//
// A protocol can't be copied. The one that stands at a moment goes on to the first moment that follows; for any other
// one the history is told to a new protocol.

import type { PbftMessage } from '../../src/consensus/pbft/messages.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import { type Effect, Instance, type InstanceOptions, type Told } from './twins-instance.ts'
import { NOTHING_SEEN, type Seen, see, type Watched } from './twins-watch.ts'

/** What an instance says: to all, to all instances of a member, or to the one instance that it answers. */
export interface Said {
  /** The same object for the same words of one instance at one moment. */
  readonly message: PbftMessage
  readonly letter: number
  readonly to: 'all' | { readonly member: MemberIndex } | { readonly instance: number }
}

/** One state of an instance. */
export interface Moment {
  readonly id: number
  readonly before: Moment | null
  readonly told: Told
  /** What it said at once. */
  readonly said: readonly Said[]
  readonly timers: readonly string[]
  readonly decisions: readonly Certificate[]
  readonly seen: Seen
  /** What follows it, as far as that is known. */
  next: Map<string, Moment> | null
}

/** Numbers for messages: equal ones have one. */
export class Post {
  readonly #letters = new Map<string, number>()

  letterOf(message: PbftMessage): number {
    const text = JSON.stringify(message)
    const letter = this.#letters.get(text) ?? this.#letters.size
    this.#letters.set(text, letter)
    return letter
  }
}

export interface LifeOptions extends InstanceOptions {
  readonly post: Post
  /** Null for an instance of the liar. */
  readonly watched: Watched | null
}

const NOTHING_SAID: readonly Said[] = []
/** Protocols that are kept at the moments where they stand. */
const STANDING_MAX = 100

/** All that may happen to one instance. */
export class Life {
  readonly birth: Moment
  readonly #options: LifeOptions
  readonly #standing = new Map<Moment, Instance>()
  #moments = 0

  constructor(options: LifeOptions) {
    this.#options = options
    this.birth = this.#live(new Instance(options), null, { type: 'begin' })
  }

  /** What a moment becomes by what is told; the key names it. */
  after(moment: Moment, key: string, told: Told): Moment {
    moment.next ??= new Map()
    const known = moment.next.get(key)
    if (known !== undefined) return known
    const instance = this.#standing.get(moment) ?? this.#again(moment)
    this.#standing.delete(moment)
    const found = this.#live(instance, moment, told)
    moment.next.set(key, found)
    return found
  }

  #live(instance: Instance, before: Moment | null, told: Told): Moment {
    const { watched } = this.#options
    const effects = instance.tell(told)
    const { decisions } = instance
    const timers = [...instance.timers]
    const said = effects.flatMap(effect => this.#said(effect))
    const seen = before?.seen ?? NOTHING_SEEN
    const moment: Moment = {
      id: this.#moments++,
      before,
      told,
      said: said.length === 0 ? NOTHING_SAID : said,
      timers: before?.timers.join() === timers.join() ? before.timers : timers,
      decisions: before?.decisions.length === decisions.length ? before.decisions : [...decisions],
      seen: watched === null ? seen : see(seen, effects, watched),
      next: null,
    }
    this.#stand(moment, instance)
    return moment
  }

  #stand(moment: Moment, instance: Instance): void {
    this.#standing.set(moment, instance)
    if (this.#standing.size <= STANDING_MAX) return
    for (const [oldest] of this.#standing) {
      this.#standing.delete(oldest)
      return
    }
  }

  #said(effect: Effect): Said[] {
    if (effect.type !== 'send' && effect.type !== 'reply' && effect.type !== 'broadcast') return []
    const { message } = effect
    const letter = this.#options.post.letterOf(message)
    if (effect.type === 'send') return [{ message, letter, to: { member: effect.to } }]
    if (effect.type === 'broadcast') return [{ message, letter, to: 'all' }]
    return effect.to === '' ? [] : [{ message, letter, to: { instance: Number(effect.to) } }]
  }

  /** A new instance to which all of a history was told. */
  #again(moment: Moment): Instance {
    const history: Told[] = []
    for (let at: Moment | null = moment; at !== null; at = at.before) history.push(at.told)
    const instance = new Instance(this.#options)
    for (const told of history.reverse()) instance.tell(told)
    return instance
  }
}
