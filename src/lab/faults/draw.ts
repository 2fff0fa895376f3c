// What every draw of faults has: the nodes, and how a fault comes about as long as the faults have not ended. Those of
// links and those of nodes share one (fault-draw.ts).

import type { Roster } from '../adversary/roster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { FaultEvent } from './fault-events.ts'
import type { FaultPlan } from './fault-plan.ts'

/** What a draw needs of its run. */
export interface DrawOptions {
  readonly plan: FaultPlan
  /** The stream of the whole run. */
  readonly random: Random
  readonly schedule: Schedule
  readonly roster: Roster
  /** Whether validators take turns, so that the one whose turn it is can be cut off. */
  readonly isAgreed: boolean
  /** Brings a fault about. */
  readonly happen: (event: FaultEvent) => void
  /** Whether the faults have ended. */
  readonly isOver: () => boolean
}

/** The hand that draws. */
export class Draw {
  readonly options: DrawOptions
  nodes: readonly SimNode[] = []

  constructor(options: DrawOptions) {
    this.options = options
  }

  /** Brings a fault about now; one that follows a vote is told by the number of the vote. */
  happen(event: WithoutTime<FaultEvent>): void {
    const when = event.type === 'vote-crash' ? {} : { atMs: this.options.schedule.nowMs }
    this.options.happen({ ...event, ...when } as FaultEvent)
  }

  /** Does something so many milliseconds from now, unless the faults have ended by then. */
  after(delayMs: number, action: () => void): void {
    this.options.schedule.after(delayMs, () => {
      if (!this.options.isOver()) action()
    })
  }

  /** Does something again and again until the faults end, so far apart on average; null is never. */
  repeat(random: Random, everyMs: number | null, action: (random: Random) => void): void {
    if (everyMs === null) return
    this.after(random.exponential(everyMs), () => {
      action(random)
      this.repeat(random, everyMs, action)
    })
  }

  /** Milliseconds that a partition of this run lasts. */
  partitionMs(random: Random): number {
    const { partitionMeanMs } = this.options.plan
    return Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
  }

  /** Milliseconds that a node stays down after its next crash. */
  nextDownMs(node: SimNode): number {
    const { random, plan } = this.options
    return random.stream(`down ${node.id} ${node.crashes + 1}`).exponential(plan.downMeanMs)
  }
}

/** An event that happens now. */
type WithoutTime<E> = E extends unknown ? Omit<E, 'atMs'> : never
