// Draws faults from the seed while a run goes on: when each comes, whom it hits and for how long. How often says the
// plan (see faults.ts). Every kind has a stream of its own, so that one does not shift the others.

import type { PeerId } from '../replica/effects.ts'
import type { FaultEvent } from './fault-events.ts'
import type { FaultInjector, FaultInjectorOptions } from './fault-injector.ts'
import type { Random } from './random.ts'
import type { SimNode } from './sim-node.ts'

/** Effects within which a planned crash happens. */
const CRASH_WITHIN_EFFECTS = 12
/** Effects within which a node crashes that has just voted. */
const CRASH_AFTER_VOTE = 2
/** Share of the cuts that leave the one alone whose turn it is to propose. */
const ISOLATION_RATE = 0.25
/** Milliseconds that a node does nothing at most, as in a pause of its garbage collector. */
const PAUSE_MAX_MS = 10_000
/** Milliseconds that a single link is closed on average, and within which those of one swizzle are closed. */
const CLOG_MEAN_MS = 4_000
const SWIZZLE_MS = 3_000
/** Milliseconds by which a clock is off at most after it was set wrong: see faults.ts. */
const CLOCK_OFFSET_MAX_MS = 25_000

/** The faults that one seed brings about. */
export class FaultDraw {
  readonly #injector: FaultInjector
  readonly #options: FaultInjectorOptions
  readonly #voteCrashes: Random
  #nodes: readonly SimNode[] = []

  constructor(injector: FaultInjector, options: FaultInjectorOptions) {
    this.#injector = injector
    this.#options = options
    this.#voteCrashes = options.random.stream('vote crashes')
  }

  /** Draws from now on; `withinMs` is how long the run takes if hardly anything goes wrong. */
  start(nodes: readonly SimNode[], withinMs: number): void {
    const { plan, random } = this.#options
    this.#nodes = nodes
    this.#planPartitions(random.stream('partitions'))
    this.#repeat(random.stream('crashes'), plan.crashEveryMs, stream => this.#crash(stream))
    this.#planAmnesia(random.stream('amnesia'), withinMs)
    this.#repeat(random.stream('mutes'), plan.muteEveryMs, stream => this.#mute(stream))
    this.#repeat(random.stream('clogs'), plan.clogEveryMs, stream => this.#swizzle(stream))
    this.#repeat(random.stream('pauses'), plan.pauseEveryMs, stream =>
      this.#happen({
        type: 'pause',
        node: stream.pick(this.#nodes).id,
        forMs: stream.between(0, PAUSE_MAX_MS),
      }),
    )
    this.#repeat(random.stream('clock steps'), plan.clockStepEveryMs, stream =>
      this.#happen({
        type: 'clock',
        node: stream.pick(this.#nodes).id,
        offsetMs: stream.between(-CLOCK_OFFSET_MAX_MS, CLOCK_OFFSET_MAX_MS),
      }),
    )
    this.#repeat(random.stream('bridges'), plan.bridgeEveryMs, stream => this.#bridge(stream))
    this.#repeat(random.stream('disk losses'), plan.diskLossEveryMs, stream => this.#loseDisk(stream))
  }

  /** A node sent its so many-th vote. */
  afterVote(node: SimNode, vote: number): void {
    const { voteCrashRate } = this.#options.plan
    if (voteCrashRate === 0 || !this.#voteCrashes.chance(voteCrashRate)) return
    const effects = this.#voteCrashes.integer(0, CRASH_AFTER_VOTE)
    this.#injector.happen({
      type: 'vote-crash',
      vote,
      node: node.id,
      effects,
      downMs: this.#nextDownMs(node),
    })
  }

  #planPartitions(random: Random): void {
    const { plan, schedule } = this.#options
    const { partitionEveryMs, partitionMeanMs } = plan
    if (partitionEveryMs === null) return
    schedule.after(random.exponential(partitionEveryMs), () => {
      if (this.#injector.endedAtMs !== null) return
      const side = this.#drawSide(random)
      const forMs = Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
      this.#happen({ type: 'cut', side, forMs })
      schedule.after(forMs, () => this.#planPartitions(random))
    })
  }

  /** Those of one side; sometimes the proposer is alone on his. */
  #drawSide(random: Random): PeerId[] {
    const order = random.shuffle(this.#nodes)
    const proposer = this.#options.isAgreed && random.chance(ISOLATION_RATE) ? this.#proposer() : null
    const size = proposer === null ? random.integer(1, order.length - 1) : 1
    if (proposer !== null) order.sort((a, b) => Number(b === proposer) - Number(a === proposer))
    return order.slice(0, size).map(({ id }) => id)
  }

  /** The node whose turn it is to propose, as the first honest one that is up sees it. */
  #proposer(): SimNode | null {
    const { cast } = this.#options
    const witness = this.#nodes.find(node => cast.isHonest(node) && node.isUp)
    const report = witness?.replica?.finality.report(0)
    return report == null ? null : this.#nodes[report.proposer]!
  }

  /** Two sides that only one node reaches both of: two quorums may overlap in it alone. */
  #bridge(random: Random): void {
    const { partitionMeanMs } = this.#options.plan
    const [bridge, ...others] = random.shuffle(this.#nodes)
    const forMs = Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
    if (bridge === undefined || others.length < 2) return
    const side = others.slice(0, random.integer(1, others.length - 1))
    this.#happen({ type: 'bridge', side: side.map(({ id }) => id), node: bridge.id, forMs })
  }

  #crash(random: Random): void {
    const node = random.pick(this.#nodes)
    const effects = random.integer(0, CRASH_WITHIN_EFFECTS)
    this.#happen({ type: 'crash', node: node.id, effects, downMs: this.#nextDownMs(node) })
  }

  #mute(random: Random): void {
    const { partitionMeanMs } = this.#options.plan
    if (this.#nodes.length === 1) return
    const side = random.shuffle(this.#nodes).slice(0, random.integer(1, this.#nodes.length - 1))
    const forMs = Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
    this.#happen({ type: 'mute', side: side.map(({ id }) => id), forMs })
  }

  /** Links of some nodes are closed one by one, and opened in another order (FoundationDB's swizzle-clogging). */
  #swizzle(random: Random): void {
    const { schedule } = this.#options
    const some = random.shuffle(this.#nodes).slice(0, random.integer(2, Math.max(2, this.#nodes.length)))
    for (const from of some)
      for (const to of some) {
        const waitMs = random.between(0, SWIZZLE_MS)
        const forMs = Math.min(random.exponential(CLOG_MEAN_MS), 3 * CLOG_MEAN_MS)
        if (from === to || random.chance(0.5)) continue
        schedule.after(waitMs, () => {
          if (this.#injector.endedAtMs === null)
            this.#happen({ type: 'clog', from: from.id, to: to.id, forMs })
        })
      }
  }

  /** A node that votes must not forget what it said; anybody else may lose everything. */
  #loseDisk(random: Random): void {
    const { cast, isAgreed } = this.#options
    const mayLose = this.#nodes.filter(node => !isAgreed || cast.memberOf(node) === null)
    const [isEmpty, luck] = [random.chance(0.5), random.next()]
    const node = mayLose[Math.floor(luck * mayLose.length)]
    // What all know must not be lost with one or two disks.
    if (node === undefined || this.#nodes.length <= 2) return
    this.#happen({ type: 'disk-loss', node: node.id, isEmpty, downMs: this.#nextDownMs(node) })
  }

  /** Each forgetful validator crashes once at least, and comes back without its votes from then on. */
  #planAmnesia(random: Random, withinMs: number): void {
    const { cast, schedule } = this.#options
    for (const [index, role] of cast.liars) {
      if (role !== 'amnesia') continue
      schedule.after(random.between(0.1, 0.9) * withinMs, () => {
        const node = this.#nodes[index]!
        const effects = node.isUp ? random.integer(0, CRASH_WITHIN_EFFECTS) : 0
        this.#happen({ type: 'amnesia', node: node.id, effects, downMs: this.#nextDownMs(node) })
      })
    }
  }

  /** Does something again and again until the faults end, so far apart on average; null is never. */
  #repeat(random: Random, everyMs: number | null, action: (random: Random) => void): void {
    if (everyMs === null) return
    this.#options.schedule.after(random.exponential(everyMs), () => {
      if (this.#injector.endedAtMs !== null) return
      action(random)
      this.#repeat(random, everyMs, action)
    })
  }

  /** Milliseconds that a node stays down after its next crash. */
  #nextDownMs(node: SimNode): number {
    const { random, plan } = this.#options
    return random.stream(`down ${node.id} ${node.crashes + 1}`).exponential(plan.downMeanMs)
  }

  #happen(event: WithoutTime<FaultEvent>): void {
    this.#injector.happen({ ...event, atMs: this.#options.schedule.nowMs } as FaultEvent)
  }
}

/** An event that happens now. */
type WithoutTime<E> = E extends unknown ? Omit<E, 'atMs'> : never
