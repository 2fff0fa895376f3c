// The state of a scenario that runs: which nodes are there, which of them send and receive, which node the leader was;
// and the transfers that were submitted. Events are performed here, expectations are judged by what is noted here.

import type { Hex } from '../../encoding/bytes.ts'
import type { Stage } from '../stage/stage.ts'
import { submitAll } from '../stage/submit-all.ts'
import type { PlannedTransfer } from '../stage/workload.ts'
import type { Nodes, Scenario, ScenarioEvent } from './scenario.ts'

/** Transfers a second where they are submitted at once. */
const AT_ONCE_RATE = 1_000
const MS_PER_SECOND = 1_000

/** One nonce of a sender: the transfers that were signed for it, and whether some node has accepted one. */
export interface Payment {
  readonly ids: readonly Hex[]
  readonly isAcknowledged: boolean
}

/** The nodes and the payments of a run. */
export class ScenarioDriver {
  readonly #stage: Stage
  readonly #nodes: number
  readonly #liars: ReadonlySet<number>
  readonly #down: Set<number>
  readonly #frozen = new Set<number>()
  #leader: number | null = null
  /** Payments that were answered, and how many are on their way. */
  readonly payments: Payment[] = []
  /** The ids of all transfers that were submitted, by nonce. */
  readonly #pairs: (readonly Hex[])[] = []
  readonly #handing: Promise<void>[] = []
  #open = 0

  constructor(stage: Stage, { nodes, keptOut, liars }: Pick<Scenario, 'nodes' | 'keptOut' | 'liars'>) {
    this.#stage = stage
    this.#nodes = nodes
    this.#liars = new Set(liars.keys())
    this.#down = new Set(Array.from({ length: keptOut }, (_, index) => nodes - 1 - index))
  }

  /** The nodes that run and are not frozen. */
  awake(): number[] {
    return this.all().filter(node => !this.#down.has(node) && !this.#frozen.has(node))
  }

  /** Those of them that do not lie. */
  honest(): number[] {
    return this.awake().filter(node => !this.#liars.has(node))
  }

  /** All nodes that there ever are. */
  all(): number[] {
    return Array.from({ length: this.#nodes }, (_, node) => node)
  }

  /** Whether all that was to be submitted until now is answered. */
  get isHandedIn(): boolean {
    return this.#open === 0
  }

  /** The transfers of each nonce that were submitted until now, answered or not. */
  get pairs(): readonly (readonly Hex[])[] {
    return this.#pairs
  }

  /** Waits until all that was submitted is answered. */
  async settle(): Promise<void> {
    await Promise.all(this.#handing)
  }

  /** Does what an event says; a payment goes on by itself. */
  async perform(event: ScenarioEvent, planned: readonly PlannedTransfer[]): Promise<void> {
    switch (event.type) {
      case 'kill':
        for (const node of await this.#choose(event.nodes, node => !this.#down.has(node))) {
          this.#down.add(node)
          this.#frozen.delete(node)
          await this.#stage.kill(node)
        }
        return
      case 'restart':
        for (const node of await this.#choose(event.nodes, node => this.#down.has(node))) {
          await this.#stage.restart(node)
          this.#down.delete(node)
        }
        return
      case 'freeze':
        for (const node of await this.#choose(event.nodes, node => this.awake().includes(node))) {
          this.#frozen.add(node)
          await this.#stage.freeze(node)
        }
        return
      case 'thaw':
        for (const node of await this.#choose(event.nodes, node => this.#frozen.has(node))) {
          this.#frozen.delete(node)
          await this.#stage.thaw(node)
        }
        return
      case 'cut':
        return this.#stage.cut(event.halves)
      case 'heal':
        return this.#stage.heal()
      case 'miners':
        return this.#stage.mine(event.isOn)
      case 'pay':
        return this.#pay(event, planned)
    }
  }

  /** Nodes by what an event calls them, as far as it makes sense for them now. */
  async #choose(nodes: Nodes, makesSense: (node: number) => boolean): Promise<number[]> {
    if (nodes === 'all') return this.all().filter(makesSense)
    const chosen: number[] = []
    for (const node of nodes) {
      if (node !== 'leader') chosen.push(node)
      // The node that led when it was killed or frozen is the one to be started or thawed.
      else if (this.#leader !== null && makesSense(this.#leader) && !this.awake().includes(this.#leader))
        chosen.push(this.#leader)
      else {
        this.#leader = await this.#stage.leader()
        chosen.push(this.#leader)
      }
    }
    return chosen.filter(makesSense)
  }

  async #pay(
    { through, rivalsThrough, overMs, count }: Extract<ScenarioEvent, { type: 'pay' }>,
    planned: readonly PlannedTransfer[],
  ): Promise<void> {
    const rate = overMs === 0 ? AT_ONCE_RATE : (count * MS_PER_SECOND) / overMs
    const nodes = await this.#desks(through)
    const others = rivalsThrough === null ? null : await this.#desks(rivalsThrough)
    this.#pairs.push(...planned.map(({ id, rival }) => (rival === null ? [id] : [id, rival.id])))
    this.#open += 1
    const rivals = planned.flatMap(({ sender, rival }) => (rival === null ? [] : [{ sender, ...rival }]))
    const answers = Promise.all([
      submitAll(this.#stage, planned, { nodes, rate }),
      others === null ? [] : submitAll(this.#stage, rivals, { nodes: others, rate }),
    ])
    this.#handing.push(
      answers.then(answered => {
        const taken = new Set(
          answered.flat().flatMap(({ id, isAcknowledged }) => (isAcknowledged ? [id] : [])),
        )
        for (const { id, rival } of planned) {
          const ids = rival === null ? [id] : [id, rival.id]
          this.payments.push({ ids, isAcknowledged: ids.some(id => taken.has(id)) })
        }
        this.#open -= 1
      }),
    )
  }

  async #desks(nodes: Nodes): Promise<number[]> {
    if (nodes === 'all') return this.awake()
    return Promise.all(nodes.map(async node => (node === 'leader' ? this.#stage.leader() : node)))
  }
}
