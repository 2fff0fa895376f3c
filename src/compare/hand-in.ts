// Hands signed transfers in at a set rate, over JSON-RPC in batches, through all nodes: those of one sender through
// one node, so that no node waits for a nonce that another has. A node that does not answer is stepped over.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from '../chain/bytes.ts'
import { NodeUnreachable, type RpcClient, RpcError } from '../wallet/rpc-client.ts'

/** A node that can be asked. */
type Asked = Pick<RpcClient, 'batch'>

/** A transfer on its way in. */
export interface Outgoing {
  readonly sender: number
  readonly id: Hex
  readonly raw: Hex
}

/** What became of it. */
export interface HandedIn {
  readonly id: Hex
  /** The node that was asked last, by its place in the list. */
  readonly node: number
  /** When it was handed in, first of all. */
  readonly submittedMs: number
  /** Whether a node said that it has it. */
  readonly isAcknowledged: boolean
}

const TICK_MS = 20
/** A node takes at most 100 calls at once. */
const BATCH_MAX = 100

/** Hands all in, `rate` a second, to these nodes; resolves when the last is answered. */
export async function handIn(
  transfers: readonly Outgoing[],
  { clients, rate }: { readonly clients: readonly Asked[]; readonly rate: number },
): Promise<HandedIn[]> {
  const beginMs = performance.now()
  const answers: Promise<HandedIn[]>[] = []
  for (let done = 0; done < transfers.length; ) {
    const due = Math.min(transfers.length, 1 + Math.floor(((performance.now() - beginMs) * rate) / 1_000))
    const batch = transfers.slice(done, due)
    for (const [node] of clients.entries()) {
      const own = batch.filter(({ sender }) => sender % clients.length === node)
      for (let start = 0; start < own.length; start += BATCH_MAX)
        answers.push(handInBatch(own.slice(start, start + BATCH_MAX), node, clients))
    }
    done = due
    await sleep(TICK_MS)
  }
  return (await Promise.all(answers)).flat()
}

async function handInBatch(
  batch: readonly Outgoing[],
  first: number,
  clients: readonly Asked[],
): Promise<HandedIn[]> {
  const submittedMs = performance.now()
  const calls = batch.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] }))
  for (let attempt = 0; attempt < clients.length; attempt++) {
    const node = (first + attempt) % clients.length
    try {
      const outcomes = await clients[node]!.batch(calls)
      return batch.map(({ id }, index) => ({
        id,
        node,
        submittedMs,
        isAcknowledged: isTaken(outcomes[index]),
      }))
    } catch (error) {
      if (!(error instanceof NodeUnreachable)) throw error
    }
  }
  return batch.map(({ id }) => ({ id, node: first, submittedMs, isAcknowledged: false }))
}

/** After a lost answer the same bytes are handed in again, and "already known" is good news. */
function isTaken(outcome: unknown): boolean {
  return outcome instanceof RpcError ? outcome.message === 'already known' : typeof outcome === 'string'
}
