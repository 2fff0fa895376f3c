// The stage of simulated nodes, in virtual time. The timeline is fed by the nodes themselves, at the moment at which
// they follow a head or call a block final, durably: no clients' clock and no polling stands between.

import { fromHex, type Hex } from '../../encoding/bytes.ts'
import type { Effect, SubmitResult } from '../../replica/effects.ts'
import { chooseBackend } from '../../signatures/choose-backend.ts'
import type { SignedTransfer } from '../../wallet/transfer.ts'
import { SimulatedNetwork, type SimulatedNetworkOptions } from './simulated-network.ts'
import type { Stage, TotalCounters, WithStage } from './stage.ts'
import { type SeenBlock, Timeline } from './timeline.ts'
import { SOME_MINER } from './variant.ts'
import { VirtualTime } from './virtual-time.ts'

/** Milliseconds that a message takes on average unless told otherwise: as between machines of one building. */
export const LATENCY_MS = 3
/** Milliseconds in which the nodes get to know each other before anything is measured. */
const SETTLE_MS = 500

/** Stages whose messages take so long on average, and of which this share is lost. */
export function onSimulatedStage(network: {
  readonly latencyMs: number
  readonly lossRate?: number
}): WithStage {
  return async (parts, work) => {
    const backend = await chooseBackend()
    const time = new VirtualTime()
    const stage = new SimulatedStage(time, { ...parts, ...network, backend })
    const run = async () => {
      await stage.sleep(SETTLE_MS)
      return work(stage)
    }
    return time.run(run())
  }
}

class SimulatedStage implements Stage {
  readonly timeline: Timeline
  readonly #time: VirtualTime
  readonly #network: SimulatedNetwork
  readonly #running: Set<number>
  /** What each node follows, and the height of the last block that it calls final. */
  readonly #shown: { id: Hex; finalHeight: number }[]

  constructor(
    time: VirtualTime,
    options: Omit<SimulatedNetworkOptions, 'schedule' | 'afterStep' | 'onEffect'>,
  ) {
    const { nodes, variant } = options
    this.#time = time
    this.timeline = new Timeline(nodes, variant.final)
    const indices = Array.from({ length: nodes }, (_, index) => index)
    this.#running = new Set(indices.slice(0, nodes - (options.keptOut ?? 0)))
    this.#network = new SimulatedNetwork({
      ...options,
      schedule: time.schedule,
      afterStep: node => this.#learnBlocks(node),
      onEffect: (node, effect) => this.#onEffect(node, effect),
    })
    const genesis = this.#network.genesis.block.id
    this.#shown = indices.map(() => ({ id: genesis, finalHeight: 0 }))
    this.#network.start()
    for (const node of this.#running) this.#lookAt(node)
  }

  nowMs(): number {
    return this.#time.nowMs
  }

  sleep(ms: number): Promise<void> {
    return this.#time.sleep(ms)
  }

  nodes(): number[] {
    return [...this.#running].toSorted((a, b) => a - b)
  }

  async submit(node: number, transfers: readonly SignedTransfer[]): Promise<readonly boolean[] | null> {
    const answers = await Promise.all(transfers.map(({ raw }) => this.#submitOne(node, fromHex(raw))))
    return answers.includes(null) ? null : answers.map(isTaken)
  }

  async leader(): Promise<number> {
    return this.#network.proposer() ?? SOME_MINER
  }

  async kill(node: number): Promise<void> {
    this.#network.kill(node)
    this.#running.delete(node)
  }

  async restart(node: number): Promise<void> {
    this.#running.add(node)
    this.#network.restart(node)
    this.#lookAt(node)
  }

  async freeze(node: number): Promise<void> {
    this.#network.freeze(node)
  }

  async thaw(node: number): Promise<void> {
    this.#network.thaw(node)
  }

  async cut(halves: readonly (readonly number[])[]): Promise<void> {
    this.#network.cut(halves)
  }

  async heal(): Promise<void> {
    this.#network.heal()
  }

  async mine(isOn: boolean): Promise<void> {
    this.#network.mine(isOn)
  }

  async evidence(): Promise<readonly number[]> {
    return this.#network.convicted()
  }

  async counters(): Promise<TotalCounters> {
    return this.#network.counters()
  }

  #submitOne(node: number, raw: Uint8Array): Promise<SubmitResult | null> {
    return new Promise(resolve =>
      this.#network.submit(node, raw, result => this.#time.wake(() => resolve(result))),
    )
  }

  // ---- what the nodes show

  /** Takes what a node that was just started has on its disk. */
  #lookAt(node: number): void {
    const { head, base } = this.#network.replica(node)!.tree
    this.#learnBlocks(node)
    this.#show(node, { id: head.chained.id, finalHeight: base.chained.height })
  }

  #onEffect(node: number, effect: Effect): void {
    // A branch that was left for good in the very step in which it came is never shown.
    if (effect.type === 'head' && this.timeline.has(effect.id))
      this.#show(node, { ...this.#shown[node]!, id: effect.id })
    else if (effect.type === 'final') this.#show(node, { ...this.#shown[node]!, finalHeight: effect.height })
  }

  #show(node: number, shown: { id: Hex; finalHeight: number }): void {
    this.#shown[node] = shown
    this.timeline.see(node, shown, this.#time.nowMs)
  }

  /** Makes every block down from the node's head known; a node has them all. */
  #learnBlocks(node: number): void {
    const { tree, view } = this.#network.replica(node)!
    const fresh: SeenBlock[] = []
    for (let id: Hex = tree.head.chained.id; !this.timeline.has(id); id = fresh.at(-1)!.parent) {
      const { block, height } = view.block(id)!
      const transfers = block.transactions.map(tx => tx.id)
      fresh.push({ id, parent: block.header.previous, height, transfers })
      if (height === 0) break
    }
    for (const block of fresh.toReversed()) this.timeline.add(block)
  }
}

function isTaken(result: SubmitResult | null): boolean {
  return result !== null && ('id' in result || result.rejection === 'tx-already-known')
}
