// Hands signed transfers in at a set rate or all at once, in batches, through all nodes: those of one sender through one
// node, so that no node waits for a nonce that another has. A node that does not answer is stepped over.

import type { Hex } from '../../encoding/bytes.ts'
import type { Stage } from './stage.ts'
import type { Rate } from './workload.ts'

/** A transfer on its way in. */
export interface Outgoing {
  readonly sender: number
  readonly id: Hex
  readonly raw: Hex
}

/** What became of it. */
export interface HandedIn {
  readonly id: Hex
  /** The node that was asked last. */
  readonly node: number
  /** When it was handed in, first of all. */
  readonly submittedMs: number
  /** Whether a node said that it has it. */
  readonly isAcknowledged: boolean
}

/** What of a stage is needed for this. */
type Desk = Pick<Stage, 'nowMs' | 'sleep' | 'submit'>

const TICK_MS = 20
/** A node takes at most 100 calls at once. */
const BATCH_MAX = 100

/** Hands all in at this rate, to these nodes; resolves when the last is answered. */
export async function handIn(
  desk: Desk,
  transfers: readonly Outgoing[],
  { nodes, rate }: { readonly nodes: readonly number[]; readonly rate: Rate },
): Promise<HandedIn[]> {
  const beginMs = desk.nowMs()
  const answers: Promise<HandedIn[]>[] = []
  for (let done = 0; done < transfers.length; ) {
    const due =
      rate === 'max'
        ? transfers.length
        : Math.min(transfers.length, 1 + Math.floor(((desk.nowMs() - beginMs) * rate) / 1_000))
    const batch = transfers.slice(done, due)
    for (const first of nodes.keys()) {
      const own = batch.filter(({ sender }) => sender % nodes.length === first)
      const order = [...nodes.slice(first), ...nodes.slice(0, first)]
      for (let start = 0; start < own.length; start += BATCH_MAX)
        answers.push(handInBatch(desk, own.slice(start, start + BATCH_MAX), order))
    }
    done = due
    await desk.sleep(TICK_MS)
  }
  return (await Promise.all(answers)).flat()
}

/** Asks one node after the other until one answers. */
async function handInBatch(
  desk: Desk,
  batch: readonly Outgoing[],
  nodes: readonly number[],
): Promise<HandedIn[]> {
  const submittedMs = desk.nowMs()
  for (const node of nodes) {
    const taken = await desk.submit(node, batch)
    if (taken === null) continue
    return batch.map(({ id }, index) => ({ id, node, submittedMs, isAcknowledged: taken[index]! }))
  }
  return batch.map(({ id }) => ({ id, node: nodes[0]!, submittedMs, isAcknowledged: false }))
}
