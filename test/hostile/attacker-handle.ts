// Starts an attacker process, gives it its orders and hears what it cost.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Assignment, Order, ProcessCost, Said, SentTarget } from './attacker-process.ts'
import type { Target } from './stranger.ts'

/** An attacker process from its start until `stop` or `kill`. */
export class AttackerProcess {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  /** Starts a process; resolves when it can begin at once. */
  static async start(): Promise<AttackerProcess> {
    const process = fork(join(import.meta.dirname, 'attacker-process.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const attacker = new AttackerProcess(process)
    await attacker.#said('ready')
    return attacker
  }

  /** Begins attacks, beside those that are under way. */
  attack(assignments: readonly Assignment[]): void {
    this.#order({ type: 'attack', assignments })
  }

  /** Ends all attacks and the process; resolves to what they cost. */
  async stop(): Promise<ProcessCost> {
    const told = this.#said('cost')
    this.#order({ type: 'stop' })
    return (await told).cost
  }

  /** Ends the process if it has not ended. */
  kill(): void {
    if (this.#process.exitCode === null) this.#process.kill('SIGKILL')
  }

  #order(order: Order): void {
    this.#process.send(order)
  }

  async #said<T extends Said['type']>(type: T): Promise<Extract<Said, { type: T }>> {
    for (;;) {
      const [said] = (await once(this.#process, 'message')) as [Said]
      if (said.type === type) return said as Extract<Said, { type: T }>
    }
  }
}

/** A target as it travels between processes. */
export function sentTarget({ chainId, ...target }: Target): SentTarget {
  return { ...target, chainId: String(chainId) }
}
