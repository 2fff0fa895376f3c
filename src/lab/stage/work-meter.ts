// Counts what the nodes of a simulated network would cost their machines: signatures that they check, and time for which
// they mine. All of them share one cache of senders; the meter counts what each life of a node would have checked itself.

import type { RecoverSender } from '../../chain/signature.ts'
import type { TransactionId } from '../../chain/transaction.ts'
import type { RecoverSigner } from '../../finality/signing.ts'
import type { Effect, Input } from '../../replica/effects.ts'
import type { Schedule } from '../virtual/schedule.ts'

/** The meter of one network, whose nodes go by their index. */
export class WorkMeter {
  /** Signatures that all nodes have checked. */
  signatures = 0
  readonly #schedule: Schedule
  /** Transactions whose sender this life of each node has recovered. */
  readonly #recovered: readonly Set<TransactionId>[]
  #minedMs = 0
  /** Since when each node mines; null while it does not. */
  readonly #miningSinceMs: (number | null)[]

  constructor(schedule: Schedule, nodes: number) {
    this.#schedule = schedule
    this.#recovered = Array.from({ length: nodes }, () => new Set())
    this.#miningSinceMs = Array.from({ length: nodes }, () => null)
  }

  /** Milliseconds for which nodes have mined, all together. */
  get minedMs(): number {
    return this.#miningSinceMs.reduce<number>((sum, sinceMs) => sum + this.#sinceMs(sinceMs), this.#minedMs)
  }

  /** A node starts, with an empty memory. */
  startLife(node: number): void {
    this.#recovered[node]!.clear()
  }

  /** Counts each transaction once a life of the node. */
  countSenders(node: number, recoverSender: RecoverSender): RecoverSender {
    const recovered = this.#recovered[node]!
    return tx => {
      if (!recovered.has(tx.id)) this.signatures += 1
      recovered.add(tx.id)
      return recoverSender(tx)
    }
  }

  /** Counts each call. */
  countSigners(recover: RecoverSigner): RecoverSigner {
    return (digest, signature) => {
      this.signatures += 1
      return recover(digest, signature)
    }
  }

  afterStep(node: number, input: Input): void {
    // A nonce that was found ends the search, until there is a new template.
    if (input.type === 'mined') this.stopMining(node)
  }

  beforeEffect(node: number, effect: Effect): void {
    if (effect.type === 'mine') this.#miningSinceMs[node] ??= this.#schedule.nowMs
    else if (effect.type === 'stop-mining') this.stopMining(node)
  }

  stopMining(node: number): void {
    this.#minedMs += this.#sinceMs(this.#miningSinceMs[node]!)
    this.#miningSinceMs[node] = null
  }

  #sinceMs(ms: number | null): number {
    return ms === null ? 0 : this.#schedule.nowMs - ms
  }
}
