// Watches running nodes over their RPC: each is asked for its status every few milliseconds, and for a block only when
// no node has shown it before. What they show goes into a timeline, with the moment at which the answer was there.
//
// So times are right to one period and one call, on the same clock for all nodes: this process's.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from '../../encoding/bytes.ts'
import { hashField, listField, parseHash, quantityField, readObject } from '../../wallet/rpc-answer.ts'
import type { RpcClient } from '../../wallet/rpc-client.ts'
import type { SeenBlock, SeenHead, Timeline } from './timeline.ts'

/** Milliseconds between two looks at one node. */
const PERIOD_MS = 25

/** Watches the nodes of one network. */
export class Observer {
  readonly #timeline: Timeline
  readonly #running = new Map<number, { isWanted: boolean; done: Promise<void> }>()

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  /** Watches a node from now on; resolves when the first look at it is noted. */
  async watch(node: number, client: RpcClient): Promise<void> {
    const watch = { isWanted: true, done: Promise.resolve() }
    this.#running.set(node, watch)
    await this.#look(node, client)
    watch.done = this.#watch(node, client, watch)
  }

  /** Watches a node no more. */
  async leave(node: number): Promise<void> {
    const watch = this.#running.get(node)
    if (watch === undefined) return
    watch.isWanted = false
    this.#running.delete(node)
    await watch.done
  }

  /** The nodes that are watched. */
  nodes(): number[] {
    return [...this.#running.keys()].toSorted((a, b) => a - b)
  }

  /** Watches none any more. */
  async close(): Promise<void> {
    await Promise.all(this.nodes().map(node => this.leave(node)))
  }

  async #watch(node: number, client: RpcClient, watch: { readonly isWanted: boolean }): Promise<void> {
    while (watch.isWanted) {
      await sleep(PERIOD_MS)
      // A node that does not answer has nothing to show: it was killed.
      await this.#look(node, client).catch(() => {})
    }
  }

  async #look(node: number, client: RpcClient): Promise<void> {
    const head = await readHead(client)
    const timeMs = performance.now()
    await this.#fetchDownFrom(client, head.id)
    this.#timeline.see(node, head, timeMs)
  }

  /** Every block from this one down to the first that is known. */
  async #fetchDownFrom(client: RpcClient, head: Hex): Promise<void> {
    const fetched: SeenBlock[] = []
    for (let id = head; !this.#timeline.has(id); id = fetched.at(-1)!.parent) {
      const block = await readBlock(client, id)
      fetched.push(block)
      if (block.height === 0) break
    }
    for (const block of fetched.toReversed()) this.#timeline.add(block)
  }
}

async function readHead(client: RpcClient): Promise<SeenHead> {
  const method = 'quorate_status'
  return readObject(method, await client.call(method), fields => ({
    id: hashField(fields.object('head'), 'id'),
    finalHeight: fields.isNull('final') ? null : Number(quantityField(fields.object('final'), 'height')),
  }))
}

async function readBlock(client: RpcClient, id: Hex): Promise<SeenBlock> {
  const method = 'eth_getBlockByHash'
  return readObject(method, await client.call(method, [id, false]), fields => ({
    id: hashField(fields, 'hash'),
    parent: hashField(fields, 'parentHash'),
    height: Number(quantityField(fields, 'number')),
    transfers: listField(fields, 'transactions', parseHash),
  }))
}
