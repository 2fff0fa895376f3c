// Lets things go wrong in a run: each fault as an event (see fault-events.ts), drawn from the seed as the run goes on
// (fault-draw.ts) or taken from a list. Either way it is kept, so that a run can be made again from its list.

import type { PeerId } from '../../replica/effects.ts'
import { VOTE_MARK, VOTE_RECORDS } from '../cluster/finality-keys.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Tag } from '../network/costs.ts'
import type { Network } from '../network/network.ts'
import type { Trace } from '../virtual/trace.ts'
import type { DrawOptions } from './draw.ts'
import { FaultDraw } from './fault-draw.ts'
import { describeFault, type FaultEvent } from './fault-events.ts'
import type { FaultPlan } from './fault-plan.ts'
import { apartIn } from './partition.ts'

const VOTE_ROLES: ReadonlySet<string> = new Set(['proposal', 'vote', 'departure'])

/** What faults need of their run. */
export interface FaultInjectorOptions extends Omit<DrawOptions, 'happen' | 'isOver'> {
  /** What is left of the plan when the faults end. */
  readonly healedPlan: FaultPlan
  /** The faults to bring about; null draws them. */
  readonly events: readonly FaultEvent[] | null
  readonly trace: Trace
  readonly network: Network
  /** A disk lost what was durable: the node is not held to it any more. */
  readonly onDiskLoss: (node: SimNode) => void
  /** Called for a node that lost its votes, and nothing else. */
  readonly onVotesLost: (node: SimNode) => void
}

/** The faults of one run. */
export class FaultInjector {
  /** When the faults ended, in milliseconds of the run; null as long as they have not. */
  endedAtMs: number | null = null
  /** All that went wrong so far. */
  readonly happened: FaultEvent[] = []
  readonly #options: FaultInjectorOptions
  readonly #draw: FaultDraw | null
  #nodes: readonly SimNode[] = []
  /** Votes that each node sent. */
  readonly #votes = new Map<PeerId, number>()
  /** Milliseconds that a node stays down after its next crash. */
  readonly #downMs = new Map<PeerId, number>()

  constructor(options: FaultInjectorOptions) {
    this.#options = options
    const [happen, isOver] = [this.happen.bind(this), () => this.endedAtMs !== null]
    this.#draw = options.events === null ? new FaultDraw({ ...options, happen, isOver }) : null
  }

  /** Lets things go wrong from now on; `withinMs` is how long the run takes if they hardly do. */
  start(nodes: readonly SimNode[], withinMs: number): void {
    const { events, schedule } = this.#options
    this.#nodes = nodes
    this.#draw?.start(nodes, withinMs)
    for (const event of events ?? []) {
      if (event.type === 'vote-crash') continue
      schedule.after(event.atMs, () => {
        // Amnesia happens even after the faults have ended.
        if (this.endedAtMs === null || event.type === 'amnesia') this.happen(event)
      })
    }
  }

  /** Ends all faults: what is down comes back, and what was cut is whole again. */
  end(): void {
    const { network, healedPlan, schedule } = this.#options
    this.endedAtMs = schedule.nowMs
    network.faults = healedPlan
    network.heal()
    for (const node of this.#nodes) {
      node.heal()
      node.syncMeanMs = healedPlan.syncMeanMs
      if (node.disk.isDamaged) this.#loseDisk(node, { isEmpty: true, downMs: 0 })
    }
  }

  /** Brings one fault about, and keeps it. */
  happen(event: FaultEvent): void {
    const { network, schedule, trace } = this.#options
    this.happened.push(event)
    // These two are seen in the trace anyway: by their crash.
    if (event.type !== 'crash' && event.type !== 'vote-crash')
      trace.add(schedule.nowMs, '-', `! ${describeFault(event)}`)
    switch (event.type) {
      case 'cut':
      case 'bridge':
      case 'mute':
      case 'ring':
        return schedule.after(event.forMs, network.part(apartIn(event)))
      case 'clog':
        network.clog(event.from, event.to)
        return schedule.after(event.forMs, () => network.unclog(event.from, event.to))
      case 'crash':
      case 'vote-crash':
        this.#downMs.set(event.node, event.downMs)
        return this.#node(event.node)?.planCrash(event.effects)
      case 'amnesia':
        return this.#forget(this.#node(event.node), event)
      case 'pause':
        return this.#node(event.node)?.pause(event.forMs)
      case 'clock': {
        const node = this.#node(event.node)
        if (node !== null) node.clock.offsetMs = event.offsetMs
        return
      }
      case 'clock-stop':
        return this.#node(event.node)?.clock.stop(event.forMs)
      case 'disk-failure':
        this.#downMs.set(event.node, event.downMs)
        return this.#node(event.node)?.failDisk(event.forMs)
      case 'bit-rot':
        return this.#damageDisk(this.#node(event.node), event)
      case 'disk-loss':
        return this.#loseDisk(this.#node(event.node), event)
    }
  }

  /** A node sent a message of its agreement: right after a vote it may crash. */
  afterSend(node: SimNode, { facts }: Tag): void {
    if (facts === null || !VOTE_ROLES.has(facts.role) || this.endedAtMs !== null) return
    const vote = (this.#votes.get(node.id) ?? 0) + 1
    this.#votes.set(node.id, vote)
    this.#draw?.afterVote(node, vote)
    for (const event of this.#options.events ?? [])
      if (event.type === 'vote-crash' && event.node === node.id && event.vote === vote) this.happen(event)
  }

  /** A node crashed: wipes the votes of one with amnesia, and the disk of one that stopped because a record was damaged. */
  afterCrash(node: SimNode): void {
    if (this.#options.roster.hasForgotten(node)) this.#wipeVotes(node)
    if (node.stoppedBy !== null) this.#emptyDisk(node)
  }

  /** Milliseconds that a node which has just crashed stays down. */
  downMs(node: SimNode): number {
    return this.#downMs.get(node.id) ?? 0
  }

  #forget(node: SimNode | null, { effects, downMs }: { effects: number; downMs: number }): void {
    if (node === null) return
    this.#options.roster.forget(node)
    this.#downMs.set(node.id, downMs)
    if (node.isUp) node.planCrash(effects)
    else this.#wipeVotes(node)
  }

  #wipeVotes(node: SimNode): void {
    node.disk.wipe(VOTE_RECORDS)
    this.#options.onVotesLost(node)
  }

  #loseDisk(node: SimNode | null, { isEmpty, downMs }: { isEmpty: boolean; downMs: number }): void {
    // The disk of a node that is down already is not replaced.
    if (node === null || !node.isUp) return
    this.#downMs.set(node.id, downMs)
    node.crash()
    if (isEmpty) return this.#emptyDisk(node)
    node.disk.restore([VOTE_MARK])
    this.#options.onDiskLoss(node)
  }

  #emptyDisk(node: SimNode): void {
    node.disk.wipe('')
    this.#options.onDiskLoss(node)
  }

  #damageDisk(
    node: SimNode | null,
    { share, bit, downMs }: { share: number; bit: number; downMs: number },
  ): void {
    if (node === null || !node.isUp) return
    this.#downMs.set(node.id, downMs)
    node.crash()
    const keys = node.disk.keys()
    const key = keys[Math.floor(share * keys.length)]
    if (key !== undefined) node.disk.damage(key, bit)
  }

  /** The node of this name; null where the run has none. */
  #node(id: PeerId): SimNode | null {
    return this.#nodes.find(node => node.id === id) ?? null
  }
}
