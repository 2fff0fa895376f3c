// Submits signed transfers at a set rate or all at once, in batches, through all nodes: those of one sender through one
// node, so that no node waits for a nonce that another has. A node that does not answer is skipped.

import type { Hex } from '../../encoding/bytes.ts'
import type { Stage } from './stage.ts'
import type { Rate } from './workload.ts'

/** A transfer that is to be submitted. */
export interface Outgoing {
  readonly sender: number
  readonly id: Hex
  readonly raw: Hex
}

/** What became of it. */
export interface Submitted {
  readonly id: Hex
  /** The node that was asked last. */
  readonly node: number
  /** When it was first submitted. */
  readonly submittedMs: number
  /** Whether a node said that it has it. */
  readonly isAcknowledged: boolean
}

/** The part of a stage that this needs. */
type SubmitStage = Pick<Stage, 'nowMs' | 'sleep' | 'submit'>

const TICK_MS = 20
/** A node accepts at most 100 calls in one batch. */
const BATCH_MAX = 100

/** Submits all at this rate to these nodes; resolves when the last is answered. */
export async function submitAll(
  stage: SubmitStage,
  transfers: readonly Outgoing[],
  { nodes, rate }: { readonly nodes: readonly number[]; readonly rate: Rate },
): Promise<Submitted[]> {
  const beginMs = stage.nowMs()
  const answers: Promise<Submitted[]>[] = []
  for (let done = 0; done < transfers.length; ) {
    const due =
      rate === 'max'
        ? transfers.length
        : Math.min(transfers.length, 1 + Math.floor(((stage.nowMs() - beginMs) * rate) / 1_000))
    const batch = transfers.slice(done, due)
    for (const first of nodes.keys()) {
      const own = batch.filter(({ sender }) => sender % nodes.length === first)
      const order = [...nodes.slice(first), ...nodes.slice(0, first)]
      for (let start = 0; start < own.length; start += BATCH_MAX)
        answers.push(submitBatch(stage, own.slice(start, start + BATCH_MAX), order))
    }
    done = due
    await stage.sleep(TICK_MS)
  }
  return (await Promise.all(answers)).flat()
}

/** Asks one node after the other until one answers. */
async function submitBatch(
  stage: SubmitStage,
  batch: readonly Outgoing[],
  nodes: readonly number[],
): Promise<Submitted[]> {
  const submittedMs = stage.nowMs()
  for (const node of nodes) {
    const taken = await stage.submit(node, batch)
    if (taken === null) continue
    return batch.map(({ id }, index) => ({ id, node, submittedMs, isAcknowledged: taken[index]! }))
  }
  return batch.map(({ id }) => ({ id, node: nodes[0]!, submittedMs, isAcknowledged: false }))
}
