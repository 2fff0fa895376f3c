// When things go wrong in a run: partitions, crashes at a moment of their own or right after a vote, and disks that lose
// their votes. How bad each is says the plan (see faults.ts); what messages suffer, the network does by itself.

import type { Cast } from './cast.ts'
import type { Tag } from './costs.ts'
import { type FaultPlan, LOCKSTEP, NO_FAULTS } from './faults.ts'
import { VOTE_RECORDS } from './finality-keys.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import type { SimNode } from './sim-node.ts'
import type { Trace } from './trace.ts'

/** Effects within which a planned crash happens. */
const CRASH_WITHIN_EFFECTS = 12
/** Effects within which a node crashes that has just voted, and the messages that are votes. */
const CRASH_AFTER_VOTE = 2
const VOTE_KINDS: ReadonlySet<string> = new Set(['pre-prepare', 'prepare', 'commit', 'view-change'])
/** Share of the cuts that leave the one alone whose turn it is to propose. */
const ISOLATION_RATE = 0.25

/** What faults need of their run. */
export interface FaultInjectorOptions {
  readonly plan: FaultPlan
  /** The stream of the whole run. */
  readonly random: Random
  readonly schedule: Schedule
  readonly trace: Trace
  readonly network: Network
  readonly cast: Cast
  /** Whether validators take turns, so that the one whose turn it is can be cut off. */
  readonly isAgreed: boolean
}

/** The faults of one run. */
export class FaultInjector {
  readonly #options: FaultInjectorOptions
  readonly #voteCrashes: Random
  #nodes: readonly SimNode[] = []
  #isOver = false

  constructor(options: FaultInjectorOptions) {
    this.#options = options
    this.#voteCrashes = options.random.stream('vote crashes')
  }

  /** Lets things go wrong from now on; `withinMs` is how long the run takes if they hardly do. */
  start(nodes: readonly SimNode[], withinMs: number): void {
    const { random } = this.#options
    this.#nodes = nodes
    this.#planPartitions(random.stream('partitions'))
    this.#planCrashes(random.stream('crashes'))
    this.#planAmnesia(random.stream('amnesia'), withinMs)
  }

  /** Ends all faults: what is down comes back, and what was cut is whole again. */
  end(): void {
    const { network, plan } = this.#options
    this.#isOver = true
    network.faults = plan === LOCKSTEP ? LOCKSTEP : NO_FAULTS
    network.heal()
  }

  /** A node said something of its agreement: right after a vote it may crash. */
  afterSend(node: SimNode, { kind }: Tag): void {
    const { voteCrashRate } = this.#options.plan
    const isVote = VOTE_KINDS.has(kind) && !this.#isOver
    if (isVote && voteCrashRate > 0 && this.#voteCrashes.chance(voteCrashRate))
      node.planCrash(this.#voteCrashes.integer(0, CRASH_AFTER_VOTE))
  }

  /** A node crashed: takes the votes of a forgetful one. */
  afterCrash(node: SimNode): void {
    if (this.#options.cast.hasForgotten(node)) node.disk.wipe(VOTE_RECORDS)
  }

  /** Milliseconds that a node which has just crashed stays down. */
  downMs(node: SimNode): number {
    const { random, plan } = this.#options
    return random.stream(`down ${node.id} ${node.crashes}`).exponential(plan.downMeanMs)
  }

  #planPartitions(random: Random): void {
    const { plan, schedule, network } = this.#options
    const { partitionEveryMs, partitionMeanMs } = plan
    if (partitionEveryMs === null) return
    schedule.after(random.exponential(partitionEveryMs), () => {
      if (this.#isOver) return
      this.#cut(random)
      const lengthMs = Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
      schedule.after(lengthMs, () => {
        network.heal()
        this.#planPartitions(random)
      })
    })
  }

  /** Cuts the network in two; sometimes the proposer is alone on its side. */
  #cut(random: Random): void {
    const { isAgreed, network, schedule, trace } = this.#options
    const order = random.shuffle(this.#nodes)
    const proposer = isAgreed && random.chance(ISOLATION_RATE) ? this.#proposer() : null
    const size = proposer === null ? random.integer(1, order.length - 1) : 1
    if (proposer !== null) order.sort((a, b) => Number(b === proposer) - Number(a === proposer))
    network.cut(new Map(order.map((node, index) => [node.id, index < size ? 1 : 2])))
    trace.add(schedule.nowMs, '-', `! cut ${order.map(node => node.id).join(' ')} after ${size}`)
  }

  /** The node whose turn it is to propose, as the first honest one that is up sees it. */
  #proposer(): SimNode | null {
    const { cast } = this.#options
    const witness = this.#nodes.find(node => cast.isHonest(node) && node.isUp)
    const report = witness?.replica?.finality.report(0)
    return report == null ? null : this.#nodes[report.proposer]!
  }

  #planCrashes(random: Random): void {
    const { plan, schedule } = this.#options
    const { crashEveryMs } = plan
    if (crashEveryMs === null) return
    schedule.after(random.exponential(crashEveryMs), () => {
      if (this.#isOver) return
      random.pick(this.#nodes).planCrash(random.integer(0, CRASH_WITHIN_EFFECTS))
      this.#planCrashes(random)
    })
  }

  /** Each forgetful validator crashes once at least, and comes back without its votes from then on. */
  #planAmnesia(random: Random, withinMs: number): void {
    const { cast, schedule } = this.#options
    for (const [index, role] of cast.liars) {
      if (role !== 'amnesia') continue
      schedule.after(random.between(0.1, 0.9) * withinMs, () => {
        const node = this.#nodes[index]!
        cast.forget(node)
        if (node.isUp) node.planCrash(random.integer(0, CRASH_WITHIN_EFFECTS))
        else node.disk.wipe(VOTE_RECORDS)
      })
    }
  }
}
