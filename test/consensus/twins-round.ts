// One round of a Twins scenario. Validators 0 to 3 have an instance each, and one of them a second one, its twin, with
// the same key and index and a mind of its own. In a round the timers of all fire, and what they say and all that
// follows is carried to the end, but only between instances of the same part; what goes to another part is lost.
//
// A round may also lose the votes of one phase, and the certificates made of them, on their way to all but one
// instance. That is how one is prepared, or decides, alone: by partitions only it takes many rounds.

import type { PbftMessage } from '../../src/consensus/pbft/messages.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import type { Told } from './twins-instance.ts'
import type { Life, Moment, Said } from './twins-life.ts'

/** Validators. The instance that comes after theirs is the twin. */
export const N = 4
export const INSTANCES = N + 1
export const EVERYBODY: Part = 2 ** INSTANCES - 1

/** A set of instances: bit i stands for instance i. */
export type Part = number

/** Which votes are lost: those of a phase, but on their way to one instance. */
export interface Loss {
  readonly phase: 'prepare' | 'commit'
  readonly but: number
}

export interface Round {
  /** Disjoint; an instance in none sends and receives nothing. */
  readonly parts: readonly Part[]
  readonly loss: Loss | null
}

/** Messages of one part in one round; a quiet end takes a few hundred. */
const MESSAGES_MAX = 5_000

/** A round in which instances answer each other without end. */
export class Endless extends Error {}

/** All instances at one time. */
export type World = readonly Moment[]

/** What a round made of a part, and the phases whose votes were heard there. */
interface Played {
  readonly moments: World
  readonly heard: ReadonlySet<Loss['phase']>
}

/** The instances of one search. */
export class Roster {
  readonly lives: readonly Life[]
  /** The validator that has a twin. */
  readonly liar: MemberIndex
  /** What happens in a part depends on those in it only, so it is found out once. */
  readonly #played = new Map<string, Played>()

  constructor(lives: readonly Life[], liar: MemberIndex) {
    this.lives = lives
    this.liar = liar
  }

  memberOf(instance: number): MemberIndex {
    return instance < N ? instance : this.liar
  }

  get honest(): number[] {
    return [...this.lives.keys()].filter(instance => this.memberOf(instance) !== this.liar)
  }

  /** What a round makes of a world. */
  play(world: World, { parts, loss }: Round): World {
    const moments = [...world]
    for (const part of parts) {
      const played = this.#playPart(world, part, loss)
      for (let instance = 0; instance < INSTANCES; instance++)
        if (isIn(part, instance)) moments[instance] = played.moments[instance]!
    }
    return moments
  }

  /** Whether a round without loss carries votes that this loss could lose. */
  canLose(world: World, parts: readonly Part[], { phase }: Loss): boolean {
    return parts.some(part => this.#playPart(world, part, null).heard.has(phase))
  }

  #playPart(world: World, part: Part, loss: Loss | null): Played {
    const but = loss !== null && isIn(part, loss.but) ? loss.but : 'nobody'
    const key = `${part} ${loss?.phase} ${but} ${world.map(({ id }, instance) => (isIn(part, instance) ? id : '')).join()}`
    const known = this.#played.get(key)
    if (known !== undefined) return known
    const played = new Playing(this, world, part, loss).run()
    this.#played.set(key, played)
    return played
  }
}

/** One part in one round. */
class Playing {
  readonly #cast: Roster
  readonly #part: Part
  readonly #loss: Loss | null
  readonly #moments: Moment[]
  readonly #heard = new Set<Loss['phase']>()
  readonly #waiting: { readonly from: number; readonly to: number; readonly said: Said }[] = []

  constructor(cast: Roster, world: World, part: Part, loss: Loss | null) {
    this.#cast = cast
    this.#part = part
    this.#loss = loss
    this.#moments = [...world]
  }

  run(): Played {
    for (let instance = 0; instance < INSTANCES; instance++)
      if (isIn(this.#part, instance)) this.#begin(instance)
    // In the order in which it was said; what is said meanwhile comes after it.
    for (const { from, to, said } of this.#waiting) {
      if (this.#waiting.length > MESSAGES_MAX) throw new Endless()
      const { message, letter } = said
      const phase = phaseOf(message)
      if (phase !== null && this.#loss?.phase === phase && this.#loss.but !== to) continue
      if (phase !== null) this.#heard.add(phase)
      this.#step(to, `${letter} ${from}`, { type: 'message', from: String(from), message })
    }
    return { moments: this.#moments, heard: this.#heard }
  }

  /** At its birth an instance says what it says by itself; later its timers fire, the shorter one first. */
  #begin(instance: number): void {
    const moment = this.#moments[instance]!
    if (moment.before === null) return this.#say(instance, moment.said)
    for (const name of ['retransmit', 'progress'] as const)
      if (moment.timers.includes(name)) this.#step(instance, name, { type: 'timeout', name })
  }

  #step(instance: number, key: string, told: Told): void {
    const moment = this.#cast.lives[instance]!.after(this.#moments[instance]!, key, told)
    this.#moments[instance] = moment
    this.#say(instance, moment.said)
  }

  #say(from: number, all: readonly Said[]): void {
    for (const said of all)
      for (let instance = 0; instance < INSTANCES; instance++)
        if (isIn(this.#part, instance) && this.#isMeant(from, said.to, instance))
          this.#waiting.push({ from, to: instance, said })
  }

  /** Both copies of the twin get all that goes to their validator; no instance sends to itself. */
  #isMeant(from: number, to: Said['to'], instance: number): boolean {
    const member = this.#cast.memberOf(instance)
    if (to === 'all') return member !== this.#cast.memberOf(from)
    return 'member' in to ? member === to.member : instance === to.instance
  }
}

/** Whether an instance is in a part. */
export function isIn(part: Part, instance: number): boolean {
  return ((part >> instance) & 1) === 1
}

/** The phase whose votes a message carries. */
function phaseOf(message: PbftMessage): Loss['phase'] | null {
  if (message.type === 'prepare' || message.type === 'commit') return message.type
  if (message.type !== 'proof' || message.certificate.phase === 'checkpoint') return null
  return message.certificate.phase
}

// ---- which rounds there are

/**
 * All partitions into at most two parts. The copies of the liar differ by their names only, so with the names exchanged
 * a scenario is the same: the copy that is with the lowest honest validator in the first round is called the first.
 * That is exact where they part before anything is said. Once both have spoken to one honest validator they differ,
 * because the one with the lower name is heard first: so the names are exchanged in the first round and in no later
 * one. Honest validators can't be exchanged at all: (view + sequence) mod n tells them apart.
 */
export function partitions(cast: Roster, isFirst: boolean): Part[][] {
  const lowest = cast.honest[0]!
  return Array.from({ length: 2 ** (INSTANCES - 1) }, (_, index) => index << 1)
    .map(part => [EVERYBODY & ~part, part])
    .filter(([part = 0]) => {
      const [first, second] = [isIn(part, cast.liar), isIn(part, N)]
      return !isFirst || first === second || first === isIn(part, lowest)
    })
}

/**
 * Which votes may be lost, and that none are. Only where all are together but at most one honest validator, which
 * is where few rounds are enough to leave one alone with what it knows.
 */
export function losses(cast: Roster, parts: readonly Part[]): (Loss | null)[] {
  const isTogether = parts.some(part => {
    const honest = cast.honest.filter(instance => isIn(part, instance))
    return honest.length >= 2 && isIn(part, cast.liar) && isIn(part, N)
  })
  if (!isTogether) return [null]
  return [
    null,
    ...(['prepare', 'commit'] as const).flatMap(phase => cast.honest.map(but => ({ phase, but }))),
  ]
}

// ---- for people

/** As `{0 1 2 | 3 2'}, commits reach only 0`. */
export function showRound({ parts, loss }: Round, cast: Roster): string {
  const name = (instance: number): string => (instance < N ? `${instance}` : `${cast.liar}'`)
  const members = (part: Part): string =>
    [...cast.lives.keys()]
      .filter(instance => isIn(part, instance))
      .map(name)
      .join(' ')
  const lost = loss === null ? '' : `, ${loss.phase}s reach only ${name(loss.but)}`
  return `{${parts.map(members).join(' | ')}}${lost}`
}
