// One worker thread that recovers batches of packed signatures. Every batch is answered: with its senders, or
// with null when the worker crashed or was closed, and then the caller does it. The worker starts with the
// first batch; one that crashed is replaced with the next batch, until it looks hopeless.

import { Worker } from 'node:worker_threads'
import type { BackendName } from './backend.ts'
import { Gate, type GateCells } from './gate.ts'
import { PACKED_SENDER_BYTES, PACKED_SIGNATURE_BYTES } from './packed.ts'

/** How a thread starts, and the callback for a crash of its worker. */
export interface RecoveryThreadOptions {
  readonly backend: BackendName
  readonly workerUrl: URL
  onError(error: Error): void
}

/** What a worker is given. */
export interface ThreadSetup {
  readonly backend: BackendName
  readonly gate: GateCells
}

interface Running {
  readonly worker: Worker
  readonly gate: Gate
}

interface Waiting {
  readonly senderBytes: number
  answer(senders: Uint8Array | null): void
}

/** Crashes in a row, without an answer between them, after which a thread is given up. */
export const CRASHES_MAX = 3

/** The gates of all workers that run, which must be shut before the process exits. */
const gates = new Set<Gate>()

/** A worker and the batches that it has yet to answer, oldest first. */
export class RecoveryThread {
  readonly #options: RecoveryThreadOptions
  readonly #waiting: Waiting[] = []
  #running: Running | null = null
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
    this.#running ??= this.#start()
    if (this.#running === null) return null
    const { worker } = this.#running
    const senderBytes = (packed.length / PACKED_SIGNATURE_BYTES) * PACKED_SENDER_BYTES
    // Only a thread that owes an answer keeps the process alive.
    worker.ref()
    worker.postMessage(packed, [packed.buffer])
    return new Promise(answer => this.#waiting.push({ senderBytes, answer }))
  }

  /** Ends the worker; batches under way are answered with null. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end()
  }

  #start(): Running | null {
    const { workerUrl, backend, onError } = this.#options
    const gate = new Gate()
    const setup: ThreadSetup = { backend, gate: gate.cells }
    try {
      const worker = new Worker(workerUrl, { workerData: setup })
      guardExit(worker, gate)
      worker.on('message', (senders: unknown) => this.#onAnswer(worker, senders))
      worker.on('messageerror', error => this.#onCrash(worker, error))
      worker.on('error', error => this.#onCrash(worker, asError(error)))
      worker.on('exit', code => this.#onCrash(worker, new Error(`a recovery worker ended with code ${code}`)))
      return { worker, gate }
    } catch (error) {
      // The system has no thread left to give.
      this.#crashes++
      onError(asError(error))
      return null
    }
  }

  #onAnswer(worker: Worker, senders: unknown): void {
    if (worker !== this.#running?.worker) return
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
    // A crash emits both 'error' and 'exit'; a requested end emits 'exit' too.
    if (worker !== this.#running?.worker) return
    this.#crashes++
    void this.#end()
    this.#options.onError(error)
  }

  async #end(): Promise<void> {
    const running = this.#running
    this.#running = null
    for (const { answer } of this.#waiting.splice(0)) answer(null)
    running?.gate.shut()
    await running?.worker.terminate()
  }
}

function guardExit(worker: Worker, gate: Gate): void {
  if (gates.size === 0) process.on('exit', shutGates)
  gates.add(gate)
  worker.on('exit', () => {
    gates.delete(gate)
    if (gates.size === 0) process.off('exit', shutGates)
  })
}

function shutGates(): void {
  for (const gate of gates) gate.shut()
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
