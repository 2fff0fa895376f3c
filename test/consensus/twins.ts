// Twins, exhaustively: S. Bano, A. Sonnino, A. Chursin, D. Perelman, Z. Li, A. Ching, D. Malkhi, "Twins: BFT Systems
// Made Robust" (OPODIS 2021). Of four validators one has a twin; all sequences of `depth` rounds are played, of which
// the first `lossy` may lose votes too (see twins-round.ts), and after each round the honest instances must agree. Then
// all is healed, and they must decide, with the twin and its likeness or without them.
//
//   bin/node24 test/consensus/twins.ts [--depth 3] [--lossy 2] [--healed 2] [--pattern all-to-all] [--twin 2]
//
// Worlds in which each instance was told the same are one world, so the search goes level by level over worlds that
// differ and counts the scenarios that lead to each.

import { parseArgs } from 'node:util'
import type { Value } from '../../src/consensus/log.ts'
import type { Pattern } from '../../src/consensus/pbft/pbft.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import { PATTERNS } from './pbft/maker.ts'
import { Seals } from './twins-instance.ts'
import { Life, Post } from './twins-life.ts'
import {
  Endless,
  EVERYBODY,
  INSTANCES,
  isIn,
  losses,
  N,
  type Part,
  partitions,
  Roster,
  type Round,
  showRound,
  type World,
} from './twins-round.ts'
import { SIGHTS, type Sight } from './twins-watch.ts'

export interface TwinsOptions {
  readonly pattern: Pattern
  /** The validator that has a twin. */
  readonly twin: MemberIndex
  /** Rounds of a scenario. */
  readonly depth: number
  /** The first so many of them may lose votes. */
  readonly lossy: number
  /**
   * All that can be reached in at most so many rounds must heal without the twin and its likeness; with them, in at
   * most one less. Less than `depth`.
   */
  readonly healed: number
}

export interface TwinsResult {
  /** Ways to choose all rounds that were gone. */
  readonly scenarios: number
  /** Different worlds in which a round was played. */
  readonly worlds: number
  /** In how many scenarios honest validators were seen to do what. */
  readonly sights: ReadonlyMap<Sight, number>
  readonly healings: number
  /** Rounds that healing took at most. */
  readonly healingRounds: number
  /** What went wrong first, and how to see it again; null when nothing did. */
  readonly wrong: string | null
}

/** A world that can be reached, how many scenarios lead there, and the last round of the first of them. */
interface Reached {
  readonly world: World
  scenarios: number
  readonly before: Reached | null
  readonly round: Round | null
}

/** Decided before the search begins: so another one proposes in view 0 than begins view 1. */
const PAST = 1
/** Two decisions: views that differ meet in one round, and of those that follow f may fail for each. */
const HEALING_ROUNDS_MAX = 5

/** Plays all scenarios, or all until something goes wrong. */
export function searchTwins(options: TwinsOptions): TwinsResult {
  return new Search(options).run()
}

class Search {
  readonly #options: TwinsOptions
  readonly #cast: Roster
  readonly #sights = new Map<Sight, number>(SIGHTS.map(sight => [sight, 0]))
  /** Instances that are known to heal together, as the ids of their moments. */
  readonly #healed = new Set<string>()
  #scenarios = 0
  #worlds = 0
  #healings = 0
  #healingRounds = 0

  constructor(options: TwinsOptions) {
    this.#options = options
    this.#cast = castOf(options)
  }

  run(): TwinsResult {
    const wrong = this.#search()
    return {
      scenarios: this.#scenarios,
      worlds: this.#worlds,
      sights: this.#sights,
      healings: this.#healings,
      healingRounds: this.#healingRounds,
      wrong,
    }
  }

  #search(): string | null {
    const births = this.#cast.lives.map(({ birth }) => birth)
    let level: Reached[] = [{ world: births, scenarios: 1, before: null, round: null }]
    for (let depth = 1; depth <= this.#options.depth; depth++) {
      const next = new Map<string, Reached>()
      this.#scenarios = 0
      this.#worlds += level.length
      for (const reached of level) {
        const wrong = this.#extend(reached, depth, next) ?? this.#healAfter(reached, depth - 1)
        if (wrong !== null) return wrong
      }
      level = [...next.values()]
    }
    return null
  }

  /** Plays every round from a world. */
  #extend(reached: Reached, depth: number, next: Map<string, Reached>): string | null {
    const { world, scenarios } = reached
    const isLast = depth === this.#options.depth
    for (const parts of partitions(this.#cast, depth === 1))
      for (const loss of depth <= this.#options.lossy ? losses(this.#cast, parts) : [null]) {
        this.#scenarios += scenarios
        const isLost = loss !== null && this.#cast.canLose(world, parts, loss)
        const round = { parts, loss: isLost ? loss : null }
        const after = this.#play(world, round)
        const found: Reached = { world: after ?? world, scenarios, before: reached, round }
        if (after === null) return this.#tell('a round has no end', found)
        const key = isLast ? '' : found.world.map(({ id }) => id).join()
        const known = next.get(key)
        if (known !== undefined) known.scenarios += scenarios
        else {
          const wrong = checkWorld(this.#cast, found.world)
          if (wrong !== null) return this.#tell(wrong, found)
          if (!isLast) next.set(key, found)
        }
        if (isLast) this.#look(found)
      }
    return null
  }

  /** Null when a round has no end. */
  #play(world: World, round: Round): World | null {
    try {
      return this.#cast.play(world, round)
    } catch (error) {
      if (error instanceof Endless) return null
      throw error
    }
  }

  /** At birth nothing was lost yet. */
  #healAfter(reached: Reached, depth: number): string | null {
    const { healed } = this.#options
    const honest = this.#cast.honest.reduce((part, instance) => part | (1 << instance), 0)
    const parts = depth === 0 ? [] : depth < healed ? [honest, EVERYBODY] : depth === healed ? [honest] : []
    for (const part of parts) {
      const wrong = this.#heal(reached, part)
      if (wrong !== null) return wrong
    }
    return null
  }

  /** Nothing is lost from now on: all honest instances must decide what is open and one more. */
  #heal(reached: Reached, part: Part): string | null {
    const { lives, honest } = this.#cast
    const those = reached.world.map(({ id }, instance) => (isIn(part, instance) ? id : '')).join()
    if (this.#healed.has(those)) return null
    this.#healed.add(those)
    this.#healings += 1
    let world: World = reached.world.map((moment, instance) =>
      lives[instance]!.after(moment, 'want', { type: 'want' }),
    )
    for (let rounds = 0; ; rounds++) {
      this.#healingRounds = Math.max(this.#healingRounds, rounds)
      const wrong = checkWorld(this.#cast, world)
      if (wrong !== null) return this.#tell(`${wrong}, healed`, reached)
      if (honest.every(instance => world[instance]!.decisions.length >= PAST + 2)) return null
      if (rounds === HEALING_ROUNDS_MAX)
        return this.#tell(`not all decide in ${rounds} rounds, healed`, reached)
      const after = this.#play(world, { parts: [part], loss: null })
      if (after === null) return this.#tell('a round has no end, healed', reached)
      world = after
    }
  }

  /** Counts what happened on the way to a world. */
  #look({ world, scenarios }: Reached): void {
    for (const sight of SIGHTS)
      if (this.#cast.honest.some(instance => world[instance]!.seen.sights.has(sight)))
        this.#sights.set(sight, this.#sights.get(sight)! + scenarios)
  }

  #tell(wrong: string, reached: Reached): string {
    const rounds: string[] = []
    for (let at: Reached | null = reached; at?.round != null; at = at.before)
      rounds.unshift(showRound(at.round, this.#cast))
    const { pattern, twin } = this.#options
    const where = `${pattern}, twin of ${twin}, depth ${rounds.length}, after ${this.#scenarios} scenarios`
    return [`${wrong} (${where})`, ...rounds].join('\n  ')
  }
}

// ---- the instances

function castOf({ pattern, twin }: TwinsOptions): Roster {
  const [seals, post] = [new Seals(), new Post()]
  const past = Array.from({ length: PAST }, (_, index) => pastDecision(seals, index + 1))
  const lives = Array.from({ length: INSTANCES }, (_, instance) => {
    const member = instance < N ? instance : twin
    const watched = member === twin ? null : { n: N, seals, member, liar: twin }
    const name = instance < N ? `${member}` : `${member}'`
    return new Life({ n: N, pattern, signing: seals.keyOf(member), name, past, post, watched })
  })
  return new Roster(lives, twin)
}

function pastDecision(seals: Seals, sequence: number): Certificate {
  const vote = { phase: 'commit' as const, sequence, view: 0, value: `${sequence}:past` }
  const signatures = [0, 1, 2].map(member => ({ member, signature: seals.keyOf(member).sign(vote) }))
  return { ...vote, signatures }
}

// ---- what must be true

/** What is wrong with a world, or null: an honest validator by itself, or two of them together. */
function checkWorld(cast: Roster, world: World): string | null {
  const known = new Map<string, Value>()
  for (const instance of cast.honest) {
    const { decisions, seen } = world[instance]!
    const { wrong, prepared } = seen
    if (wrong !== null) return wrong
    const decided = decisions.map(({ sequence, value }) => [`${sequence} decided`, value] as const)
    for (const [about, value] of [...decided, ...prepared]) {
      if ((known.get(about) ?? value) !== value) return `${about}: ${known.get(about)} and ${value}`
      known.set(about, value)
    }
  }
  return null
}

// ---- for people

function main(): void {
  const option = { type: 'string' } as const
  const { values } = parseArgs({
    options: { depth: option, lossy: option, healed: option, pattern: option, twin: option },
  })
  const [depth, lossy, healed] = [values.depth ?? 3, values.lossy ?? 2, values.healed ?? 2].map(Number)
  for (const pattern of PATTERNS.filter(pattern => (values.pattern ?? pattern) === pattern))
    for (const twin of [0, 1, 2, 3].filter(twin => Number(values.twin ?? twin) === twin)) {
      const startMs = performance.now()
      const { wrong, sights, ...counts } = searchTwins({
        pattern,
        twin,
        depth: depth!,
        lossy: lossy!,
        healed: healed!,
      })
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
      console.log(`${pattern}, twin of ${twin}, ${seconds} s`, { ...counts, ...Object.fromEntries(sights) })
      if (wrong !== null) console.log(wrong)
    }
}

if (import.meta.main) main()
