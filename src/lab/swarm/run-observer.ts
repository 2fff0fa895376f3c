// Connects a run's cluster with what watches it and with what goes wrong: the oracles see every step, the costs every
// message of the agreement, the fault injector every vote and crash. A node that crashed is started again.

import type { Genesis } from '../../execution/genesis.ts'
import { modeOf } from '../../finality/registry.ts'
import type { Effect, Input, SubmitResult, Write } from '../../replica/effects.ts'
import type { Roster } from '../adversary/roster.ts'
import { secretFork } from '../adversary/secret-fork.ts'
import type { NodeObserver } from '../cluster/sim-host.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { FaultInjector } from '../faults/fault-injector.ts'
import { decisionIn, type Tag } from '../network/costs.ts'
import type { Oracle } from '../oracle/oracle.ts'
import type { Strangers } from '../strangers/strangers.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { Agreement } from './agreement.ts'

/** What an observer is made of. */
export interface RunObserverOptions {
  readonly genesis: Genesis
  readonly schedule: Schedule
  readonly faults: FaultInjector
  readonly roster: Roster
  readonly oracle: Oracle
  readonly agreement: Agreement | null
  /** Null where there are none. */
  readonly strangers: Strangers | null
  /** Receives the answers for clients. */
  readonly onReply: (token: string, result: SubmitResult) => void
  /** Starts a node again that crashed, so many milliseconds after its peers could notice. */
  readonly restart: (node: SimNode, downMs: number) => void
}

/** The observer of one run. */
export class RunObserver implements NodeObserver {
  /** The last alarm of an honest node where work alone decides: it excuses what comes of it. */
  alarm: string | null = null
  readonly #options: RunObserverOptions

  constructor(options: RunObserverOptions) {
    this.#options = options
  }

  tag(node: SimNode, effect: Effect, cause: Tag | null): Tag | null {
    const { agreement, roster } = this.#options
    if (agreement === null) return null
    const sequence = roster.isHonest(node) ? decisionIn(effect) : null
    if (sequence !== null) agreement.costs.decided(node.id, sequence)
    if (sequence !== null && cause?.isAnswer === true) agreement.pulled += 1
    return agreement.costs.tag(node.id, effect, cause)
  }

  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void {
    const { agreement, roster, oracle } = this.#options
    if (!roster.isHonest(node)) return
    if (input.type === 'start') {
      oracle.afterStart(node)
      this.alarm ??= oracle.fork
      agreement?.oracle.afterStart(node)
    } else {
      oracle.afterStep(node)
    }
    if (input.type === 'message' && input.message.type === 'block')
      oracle.afterBlock(node, input.message.block.id, effects)
    agreement?.oracle.afterStep(node, input, effects)
  }

  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void {
    const { agreement, genesis, roster, oracle, strangers } = this.#options
    agreement?.oracle.beforeEffect(node, effect, tag)
    if (effect.type === 'head') this.#mineInSecret(node)
    if (effect.type === 'reject') strangers?.onRefused(effect.from, node, effect.reason)
    if (!roster.isHonest(node)) return
    // Only where work alone decides may a branch below the last final block be right, and excuse what meets it.
    const mayBeWrong = !modeOf(genesis).hasValidators
    // An alarm about the node's clock is about no branch: the node follows late, and must catch up like any other.
    const isOfBranch = effect.type === 'alarm' && !effect.text.startsWith('the clock of this node')
    if (isOfBranch && mayBeWrong) this.alarm = `${node.id}: ${effect.text}`
    oracle.beforeEffect(node, effect)
    this.alarm ??= oracle.fork
  }

  onDurable(node: SimNode, batch: readonly Write[]): void {
    const { agreement, roster } = this.#options
    if (roster.isHonest(node)) agreement?.oracle.onDurable(node, batch)
  }

  onCrash(node: SimNode): void {
    const { faults, restart } = this.#options
    faults.afterCrash(node)
    restart(node, faults.downMs(node))
  }

  onSent(node: SimNode, tag: Tag, receivers: number, bytes: number): void {
    const { agreement, faults } = this.#options
    agreement?.costs.sent(tag, receivers, bytes)
    faults.afterSend(node, tag)
  }

  onReceived(node: SimNode, tag: Tag): void {
    this.#options.agreement?.costs.received(node.id, tag)
  }

  onReply(token: string, result: SubmitResult): void {
    this.#options.onReply(token, result)
  }

  /** Gives an undercutting validator a side branch of its own, where blocks are mined. */
  #mineInSecret(node: SimNode): void {
    const { genesis, roster, schedule } = this.#options
    const member = roster.memberOf(node)
    if (member === null || roster.liars.get(member) !== 'undercut' || !genesis.work.isProved) return
    // Not from within the step that moved the head.
    schedule.after(0, () => {
      const block = secretFork(node)
      if (block !== null) node.input({ type: 'message', from: node.id, message: { type: 'block', block } })
    })
  }
}
