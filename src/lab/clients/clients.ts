// The clients of a run: they submit transfers to random nodes, wait for answers, and submit the same bytes again when none
// comes, or one that may change. Where nodes may drop what they have acknowledged, clients ask what became of it, as a
// wallet does, and submit it again.

import { keccak256 } from '../../chain/hash.ts'
import type { TransactionId } from '../../chain/transaction.ts'
import { toHex } from '../../encoding/bytes.ts'
import type { SubmitResult } from '../../replica/effects.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { PlannedTransfer, Workload } from './workload.ts'

/** Milliseconds after which a client that got no answer, or a refusal that may pass, tries again, and between its questions. */
const RETRY_MS = 3_000

/** What clients need of their run. */
export interface ClientsOptions {
  readonly schedule: Schedule
  readonly workload: Workload
  /** The nodes that clients know. */
  readonly nodes: readonly SimNode[]
  /** Transfers to submit. */
  readonly transfers: number
  /** Whether nodes may drop what they have acknowledged. */
  readonly isWatchful: boolean
  readonly random: Random
}

/** A transfer as it was submitted. */
interface Submission {
  readonly transfer: PlannedTransfer
  readonly raw: Uint8Array
  readonly node: SimNode
  /** Whether it was acknowledged before, by a node that lost it. */
  readonly isForgiven: boolean
}

/** What a node said of one. */
interface Answered extends Submission {
  readonly isPromised: boolean
}

/** All clients of one run. */
export class Clients {
  submitted = 0
  /** How often a transfer was submitted again because its node had dropped it. */
  resubmitted = 0
  readonly isWatchful: boolean
  readonly #options: ClientsOptions
  readonly #transfers: PlannedTransfer[] = []
  /** What nodes acknowledged, by its bytes: each version once. */
  readonly #promised = new Map<Uint8Array, Submission>()
  /** Transfers whose promise was lost with a disk. */
  readonly #forgiven = new Set<PlannedTransfer>()
  /** Transfers submitted and not answered yet, by token. */
  readonly #unanswered = new Map<string, Submission>()
  /** Transfers whose outcome the client knows, with the node that reported it. */
  readonly #answered = new Set<Answered>()
  #tokens = 0

  constructor(options: ClientsOptions) {
    this.#options = options
    this.isWatchful = options.isWatchful
  }

  /** Transfers that a node acknowledged, once for each version that was. */
  get acknowledged(): readonly PlannedTransfer[] {
    return [...this.#promised.values()].map(({ transfer }) => transfer)
  }

  /** Transfers that must become final: those that were acknowledged; where clients look after theirs, all. */
  get owed(): readonly PlannedTransfer[] {
    if (this.isWatchful) return this.#transfers
    // Nothing can follow on a nonce that is owed no longer.
    const lost = this.#lost
    return this.acknowledged.filter(
      ({ sender, nonce }) => !lost.some(one => one.sender === sender && one.nonce < nonce),
    )
  }

  /** Transfers that were promised with a disk that is lost, and were not promised again. */
  get #lost(): PlannedTransfer[] {
    const promised = new Set(this.acknowledged)
    return [...this.#forgiven].filter(transfer => !promised.has(transfer))
  }

  /** Transfers without an answer. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** Submits transfers from now on, so far apart on average. */
  start(everyMs: number): void {
    const { schedule, workload, transfers, random } = this.#options
    const next = (): void => {
      if (this.submitted >= transfers) return
      this.submitted += 1
      const transfer = workload.next()
      this.#transfers.push(transfer)
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
    const isPromised = 'id' in result
    if (isPromised && !this.#promised.has(waiting.raw)) this.#promised.set(waiting.raw, waiting)
    // These mean that the nonce is taken care of; anything else may change, and the client tries again. Once a promise
    // was lost with a disk, only a block will do; and where promises may be given up, only another promise: a node that
    // has a transfer from others does not answer for it.
    const isSpent = isPromised || result.rejection === 'tx-nonce-too-low'
    const isWaiting =
      !isPromised &&
      (result.rejection === 'tx-already-known' || result.rejection === 'tx-replacement-underpriced')
    if (!isSpent && (!isWaiting || waiting.isForgiven || this.isWatchful)) return
    this.#unanswered.delete(token)
    const answered = { ...waiting, isPromised }
    this.#answered.add(answered)
    if (this.isWatchful) this.#watch(answered)
  }

  /** A node lost its disk: what it alone acknowledged is not owed any more, and its clients submit it again. */
  forgive(node: SimNode): void {
    for (const [raw, promised] of this.#promised) {
      if (promised.node !== node) continue
      this.#promised.delete(raw)
      this.#forgiven.add(promised.transfer)
    }
    const lost = [...this.#answered].filter(one => one.node === node)
    for (const one of lost) this.#answered.delete(one)
    for (const { transfer, raw } of lost) this.#submit(transfer, raw, true)
  }

  /** Asks a node again and again what became of a transfer, until it is final or has to be submitted again. */
  #watch(answered: Answered): void {
    const { transfer, raw, node } = answered
    const id = toHex(keccak256(raw))
    const look = (): void => {
      // A node that lost its disk is not asked: all that it had is submitted again.
      if (!this.#answered.has(answered)) return
      const state = stateOf(node, transfer, id)
      if (state === 'waiting') this.#options.schedule.after(RETRY_MS, look)
      if (state !== 'gone') return
      this.#answered.delete(answered)
      this.resubmitted += 1
      this.#submit(transfer, raw)
    }
    this.#options.schedule.after(RETRY_MS, look)
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

/** What a node says of a transfer: that its nonce is spent for good, that it has it, or that it has not got it. */
function stateOf(
  { replica }: SimNode,
  transfer: PlannedTransfer,
  id: TransactionId,
): 'final' | 'waiting' | 'gone' {
  // A node that is down answers later.
  if (replica === null) return 'waiting'
  const { pool, tree, view } = replica
  if (tree.base.execution.state.get(transfer.sender).nonce > transfer.nonce) return 'final'
  return pool.get(id) !== undefined || view.locate(id) !== null ? 'waiting' : 'gone'
}
