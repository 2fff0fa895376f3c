// One worker thread that recovers batches of packed signatures. Every batch is answered: with its senders, or
// with null when the worker crashed or was closed, and then the caller does it. The worker starts with the
// first batch; one that crashed is replaced with the next batch, until it looks hopeless.

import { Worker } from 'node:worker_threads'
import type { BackendName } from './backend.ts'
import { PACKED_SENDER_BYTES, PACKED_SIGNATURE_BYTES } from './packed.ts'

/** How a thread starts, and whom it tells when its worker crashes. */
export interface RecoveryThreadOptions {
  readonly backend: BackendName
  readonly workerUrl: URL
  onError(error: Error): void
}

interface Waiting {
  readonly senderBytes: number
  answer(senders: Uint8Array | null): void
}

/** Crashes in a row, without an answer between them, after which a thread is given up. */
export const CRASHES_MAX = 3

/** A worker and the batches that it has yet to answer, oldest first. */
export class RecoveryThread {
  readonly #options: RecoveryThreadOptions
  readonly #waiting: Waiting[] = []
  #worker: Worker | null = null
  #crashes = 0
  #isClosed = false

  constructor(options: RecoveryThreadOptions) {
    this.#options = options
  }

  /** How many batches wait for their answer. */
  get load(): number {
    return this.#waiting.length
  }

  /** Whether a batch has a chance here. */
  get isUsable(): boolean {
    return !this.#isClosed && this.#crashes < CRASHES_MAX
  }

  /** The packed senders of packed signatures, whose memory moves to the worker; null if the worker is lost. */
  async recover(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
    if (!this.isUsable) return null
    this.#worker ??= this.#start()
    const worker = this.#worker
    if (worker === null) return null
    const senderBytes = (packed.length / PACKED_SIGNATURE_BYTES) * PACKED_SENDER_BYTES
    // Only a thread that owes an answer keeps the process alive.
    worker.ref()
    worker.postMessage(packed, [packed.buffer])
    return new Promise(answer => this.#waiting.push({ senderBytes, answer }))
  }

  /** Ends the worker; batches under way are answered with null. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#abandon()?.terminate()
  }

  #start(): Worker | null {
    const { workerUrl, backend, onError } = this.#options
    try {
      const worker = new Worker(workerUrl, { workerData: backend })
      worker.on('message', (senders: unknown) => this.#onAnswer(worker, senders))
      worker.on('messageerror', error => this.#onCrash(worker, error))
      worker.on('error', error => this.#onCrash(worker, asError(error)))
      worker.on('exit', code => this.#onCrash(worker, new Error(`a recovery worker ended with code ${code}`)))
      return worker
    } catch (error) {
      // The system has no thread left to give.
      this.#crashes++
      onError(asError(error))
      return null
    }
  }

  #onAnswer(worker: Worker, senders: unknown): void {
    if (worker !== this.#worker) return
    const oldest = this.#waiting[0]
    if (!(senders instanceof Uint8Array) || senders.length !== oldest?.senderBytes) {
      this.#onCrash(worker, new Error('a recovery worker gave an answer that belongs to no batch'))
      return
    }
    this.#waiting.shift()
    this.#crashes = 0
    if (this.#waiting.length === 0) worker.unref()
    oldest.answer(senders)
  }

  #onCrash(worker: Worker, error: Error): void {
    // A crash is told twice, by 'error' and by 'exit', and an end that was asked for by 'exit' too.
    if (worker !== this.#worker) return
    this.#crashes++
    void this.#abandon()?.terminate()
    this.#options.onError(error)
  }

  #abandon(): Worker | null {
    const worker = this.#worker
    this.#worker = null
    for (const { answer } of this.#waiting.splice(0)) answer(null)
    return worker
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
