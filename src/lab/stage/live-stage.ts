// The stage of real processes: nodes on this machine, watched over their RPC, by the clock of this process. What else
// the machine does shows in the figures, and no two runs are the same.

import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { NodeUnreachable, RpcError } from '../../wallet/rpc-client.ts'
import type { SignedTransfer } from '../../wallet/transfer.ts'
import { type LinkParts, LiveNetwork } from './live-network.ts'
import { Observer } from './observer.ts'
import type { Stage, TotalCounters, WithStage } from './stage.ts'
import { Timeline } from './timeline.ts'

/** The exit code of a process that was told to end. */
const INTERRUPTED = 130

/** Stages of real processes, which end when the work is done, or when this process is told to end. */
export function onLiveStage(links: LinkParts = {}): WithStage {
  return async (parts, work) => {
    const network = await LiveNetwork.start({ ...parts, ...links })
    const stage = new LiveStage(network, new Timeline(parts.nodes, parts.variant.final))
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    // Our nodes must not outlive us.
    const onSignal = (): void => void network.close().finally(() => process.exit(INTERRUPTED))
    for (const signal of signals) process.once(signal, onSignal)
    try {
      await stage.watchAll()
      return await work(stage)
    } finally {
      for (const signal of signals) process.off(signal, onSignal)
      await stage.close()
    }
  }
}

class LiveStage implements Stage {
  readonly timeline: Timeline
  readonly #network: LiveNetwork
  readonly #observer: Observer

  constructor(network: LiveNetwork, timeline: Timeline) {
    this.timeline = timeline
    this.#network = network
    this.#observer = new Observer(timeline)
  }

  /** Resolves when the first look at every node is noted. */
  async watchAll(): Promise<void> {
    await Promise.all(this.#network.clients.map((client, node) => this.#observer.watch(node, client)))
  }

  async close(): Promise<void> {
    this.#network.thawAll()
    await this.#observer.close()
    await this.#network.close()
  }

  nowMs(): number {
    return performance.now()
  }

  async sleep(ms: number): Promise<void> {
    await sleep(ms)
  }

  nodes(): number[] {
    return this.#observer.nodes()
  }

  async submit(node: number, transfers: readonly SignedTransfer[]): Promise<readonly boolean[] | null> {
    const calls = transfers.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] }))
    try {
      const outcomes = await this.#network.clients[node]!.batch(calls)
      return outcomes.map(isTaken)
    } catch (error) {
      if (error instanceof NodeUnreachable) return null
      throw error
    }
  }

  leader(): Promise<number> {
    return this.#network.leader()
  }

  async kill(node: number): Promise<void> {
    // At once: by the time that a last look at it has ended another one may lead.
    await this.#network.kill(node)
    await this.#observer.leave(node)
  }

  async restart(node: number): Promise<void> {
    await this.#network.restart(node)
    await this.#observer.watch(node, this.#network.clients[node]!)
  }

  async freeze(node: number): Promise<void> {
    this.#network.freeze(node)
  }

  async thaw(node: number): Promise<void> {
    this.#network.thaw(node)
  }

  cut(halves: readonly (readonly number[])[]): Promise<void> {
    return this.#network.cut(halves)
  }

  heal(): Promise<void> {
    return this.#network.heal()
  }

  mine(isOn: boolean): Promise<void> {
    return this.#network.mine(isOn)
  }

  evidence(): Promise<readonly number[]> {
    return this.#network.convicted()
  }

  counters(): Promise<TotalCounters> {
    return this.#network.counters()
  }
}

/** After a lost answer the same bytes are submitted again, and "already known" is success. */
function isTaken(outcome: unknown): boolean {
  return outcome instanceof RpcError ? outcome.message === 'already known' : typeof outcome === 'string'
}
