// The clients of a run at work: they hand transfers in to random nodes, wait for answers, and hand the same bytes in
// again when none comes, or one that may change.

import type { SubmitResult } from '../replica/effects.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import type { SimNode } from './sim-node.ts'
import type { PlannedTransfer, Workload } from './workload.ts'

/** Milliseconds after which a client that got no answer, or a refusal that may pass, tries again. */
const RETRY_MS = 3_000

/** What clients need of their run. */
export interface ClientsOptions {
  readonly schedule: Schedule
  readonly workload: Workload
  /** The nodes that clients know. */
  readonly nodes: readonly SimNode[]
  /** Transfers to hand in. */
  readonly transfers: number
  readonly random: Random
}

/** A transfer as it was handed in. */
interface Submission {
  readonly transfer: PlannedTransfer
  readonly raw: Uint8Array
  readonly node: SimNode
  /** Whether it was acknowledged before, by a node that lost it. */
  readonly isForgiven: boolean
}

/** All clients of one run. */
export class Clients {
  /** Transfers that a node acknowledged, once for each that did. */
  acknowledged: PlannedTransfer[] = []
  submitted = 0
  readonly #options: ClientsOptions
  /** Transfers handed in and not answered yet, by token. */
  readonly #unanswered = new Map<string, Submission>()
  /** What is settled, with the node that said so, and whether it promised to keep it. */
  readonly #answered: (Submission & { readonly isPromised: boolean })[] = []
  #tokens = 0

  constructor(options: ClientsOptions) {
    this.#options = options
  }

  /** Transfers without an answer. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** Hands transfers in from now on, so far apart on average. */
  start(everyMs: number): void {
    const { schedule, workload, transfers, random } = this.#options
    const next = (): void => {
      if (this.submitted >= transfers) return
      this.submitted += 1
      const transfer = workload.next()
      this.#submit(transfer, transfer.raw)
      if (transfer.rival !== null) this.#submit(transfer, transfer.rival)
      schedule.after(random.exponential(everyMs), next)
    }
    if (Number.isFinite(everyMs)) schedule.after(random.exponential(everyMs), next)
  }

  /** A node answers. */
  onReply(token: string, result: SubmitResult): void {
    const waiting = this.#unanswered.get(token)
    if (waiting === undefined) return
    if ('id' in result) this.acknowledged.push(waiting.transfer)
    // These mean that the nonce is taken care of; anything else may change, and the client tries again. Once a promise
    // was lost with a disk, only a block will do.
    const isSpent = 'id' in result || result.rejection === 'tx-nonce-too-low'
    const isWaiting =
      'rejection' in result &&
      (result.rejection === 'tx-already-known' || result.rejection === 'tx-replacement-underpriced')
    if (!isSpent && (!isWaiting || waiting.isForgiven)) return
    this.#unanswered.delete(token)
    this.#answered.push({ ...waiting, isPromised: 'id' in result })
  }

  /** A node lost its disk: what it alone acknowledged is owed by nobody, and its clients hand it in again. */
  forgive(node: SimNode): void {
    const lost = this.#answered.filter(one => one.node === node)
    const kept = this.#answered.filter(one => one.node !== node)
    this.#answered.splice(0, this.#answered.length, ...kept)
    this.acknowledged = kept.filter(({ isPromised }) => isPromised).map(({ transfer }) => transfer)
    for (const { transfer, raw } of lost) this.#submit(transfer, raw, true)
  }

  #submit(transfer: PlannedTransfer, raw: Uint8Array, isForgiven = false): void {
    const { schedule, nodes, random } = this.#options
    const token = `t${this.#tokens++}`
    const node = random.pick(nodes)
    this.#unanswered.set(token, { transfer, raw, node, isForgiven })
    node.input({ type: 'submit', raw, token })
    schedule.after(RETRY_MS, () => {
      if (this.#unanswered.delete(token)) this.#submit(transfer, raw, isForgiven)
    })
  }
}
