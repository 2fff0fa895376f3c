// Transactions that clients submit. The senders of those that arrive in one turn of the event loop are recovered
// together, in threads; then the replica gets them in the order of their arrival, a few at a time, so that a flood of
// them leaves room for everything else.

import { decodeTransaction } from '../chain/transaction.ts'
import { type FaultLog, guarded } from '../defence/guarded.ts'
import type { SubmitResult } from '../replica/effects.ts'
import type { SenderRecoverer } from './sender-recovery.ts'

/** Transactions that may wait to be processed; any more are rejected as by a full pool. */
export const SUBMISSIONS_MAX = 16_384

const SUBMISSIONS_PER_TURN = 64

/** The node was closed, or failed, before a transaction was durable; it may or may not have been accepted. */
export class NodeClosed extends Error {
  override name = 'NodeClosed'
}

interface Submission {
  readonly raw: Uint8Array
  resolve(result: SubmitResult): void
  reject(error: Error): void
}

/** Transactions that wait for the replica, and for its replies. */
export class Submissions {
  readonly #recoverer: SenderRecoverer
  readonly #submit: (raw: Uint8Array, token: string) => void
  readonly #unanswered = new Map<string, Submission>()
  readonly #takeArrived: () => void
  #arrived: Submission[] = []
  #waiting = 0
  #tokens = 0
  #tail: Promise<void> = Promise.resolve()
  #isClosed = false

  /** `submit` gives a transaction to the replica, whose reply goes to `onReply`. */
  constructor(recoverer: SenderRecoverer, submit: (raw: Uint8Array, token: string) => void, log: FaultLog) {
    this.#recoverer = recoverer
    this.#submit = submit
    this.#takeArrived = guarded(log, 'processing submitted transactions', () =>
      this.#take(this.#arrived.splice(0)),
    )
  }

  /** Submits a transaction. Rejects with `NodeClosed` when its outcome is not known. */
  add(raw: Uint8Array): Promise<SubmitResult> {
    if (this.#isClosed) return Promise.reject(new NodeClosed('the node is closed'))
    if (this.#waiting >= SUBMISSIONS_MAX) return Promise.resolve({ rejection: 'tx-pool-full' })
    this.#waiting += 1
    return new Promise((resolve, reject) => {
      // In memory of its own: the pool keeps it.
      this.#arrived.push({ raw: new Uint8Array(raw), resolve, reject })
      if (this.#arrived.length === 1) setImmediate(this.#takeArrived)
    })
  }

  /** The replica answered. */
  onReply(token: string, result: SubmitResult): void {
    this.#unanswered.get(token)?.resolve(result)
    this.#unanswered.delete(token)
  }

  /** Refuses all that waits and all that comes. */
  close(): void {
    this.#isClosed = true
    const error = new NodeClosed('the node was closed before the transaction was durable')
    for (const { reject } of [...this.#unanswered.values(), ...this.#arrived]) reject(error)
    this.#unanswered.clear()
    this.#arrived = []
  }

  #take(batch: readonly Submission[]): void {
    // Recovered while the batches before it are processed.
    const recovered = this.#recover(batch).catch(() => {})
    this.#tail = this.#tail.then(() => recovered).then(() => this.#submitBatch(batch))
  }

  async #recover(batch: readonly Submission[]): Promise<void> {
    const transactions = batch.map(({ raw }) => decodeTransaction(raw)).filter(tx => typeof tx !== 'string')
    await this.#recoverer.recover(transactions, 'submission')
  }

  async #submitBatch(batch: readonly Submission[]): Promise<void> {
    for (const [index, submission] of batch.entries()) {
      if (this.#isClosed) submission.reject(new NodeClosed('the node was closed'))
      else this.#submitOrReject(submission)
      this.#waiting -= 1
      if (index % SUBMISSIONS_PER_TURN === SUBMISSIONS_PER_TURN - 1) await new Promise(setImmediate)
    }
  }

  #submitOrReject(submission: Submission): void {
    try {
      this.#submitNow(submission)
    } catch (error) {
      // Reported to the submitter of this transaction; the rest of the batch goes on.
      submission.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #submitNow(submission: Submission): void {
    this.#tokens += 1
    const token = String(this.#tokens)
    this.#unanswered.set(token, submission)
    this.#submit(submission.raw, token)
  }
}
