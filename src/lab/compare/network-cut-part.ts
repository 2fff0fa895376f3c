// The part of an experiment in which the network is cut in half and healed, while each half is paid with one of two
// transfers for one nonce: what each half calls final, and what of that is reversed.

import { type Submitted, submitAll } from '../stage/submit-all.ts'
import type { PlannedTransfer } from '../stage/workload.ts'
import type { ExperimentParts } from './experiment.ts'
import type { Half, NetworkCut } from './measurement.ts'

/** How long the network is cut unless told otherwise, and seconds of load at the beginning of that. */
const CUT_MS = 8_000
const CUT_LOAD_SECONDS = 2
/** Seconds of load after the healing, so that there is something new to become final. */
const HEALED_LOAD_SECONDS = 1

/** Cuts the network, heals it, and returns what each half saw and what was reversed. */
export async function measureCut(parts: ExperimentParts): Promise<NetworkCut> {
  const { faultRate, settings, stage, watch, workload } = parts
  const { timeline } = stage
  const nodes = stage.nodes()
  const middle = Math.ceil(nodes.length / 2)
  const halves = [nodes.slice(0, middle), nodes.slice(middle)] as const
  const planned = workload.plan(Math.ceil((faultRate * CUT_LOAD_SECONDS) / 2), { isDouble: true })
  const afterwards = workload.plan(faultRate * HEALED_LOAD_SECONDS)
  timeline.takeDeepestReorganisation()
  const wereFinal = timeline.everFinal()
  await stage.cut(halves)
  const cutMs = stage.nowMs()
  const heights = halves.map(half => watch.height(half))
  const submitted = await submitTwice(parts, planned, halves)
  await stage.sleep(Math.max(0, (settings.cutMs ?? CUT_MS) - (stage.nowMs() - cutMs)))
  const reports = halves.map(
    (half, index): Half => ({
      nodes: half.map(node => node + 1),
      blocks: watch.height(half) - heights[index]!,
      final: submitted[index]!.filter(({ id }) => watch.isFinalOn(half, id)).length,
    }),
  )
  const isForked = !timeline.isOneChain(nodes)
  await stage.heal()
  const healedMs = stage.nowMs()
  const lastedMs = healedMs - cutMs
  const fresh = submitAll(stage, afterwards, { nodes: stage.nodes(), rate: faultRate })
  const oneChainAfterMs = await untilOneChain(parts, nodes, healedMs)
  await watch.untilFinal(await fresh)
  await untilPairsFinal(parts, planned)
  const kept = timeline.transfersOn(nodes[0]!)
  const finals = timeline.everFinal()
  const finalAgain = [...finals]
    .filter(id => !wereFinal.has(id))
    .map(id => timeline.earliest(nodes, id)!.finalMs!)
    .filter(time => time > healedMs)
  return {
    lastedMs,
    halves: [reports[0]!, reports[1]!],
    isForked,
    oneChainAfterMs,
    finalAgainAfterMs: finalAgain.length === 0 ? null : Math.min(...finalAgain) - healedMs,
    reversed: [...finals].filter(id => !kept.has(id)).length,
    deepestReorganisation: timeline.takeDeepestReorganisation(),
  }
}

/** Each transfer to the first half and its rival to the second, at the same time. */
function submitTwice(
  { faultRate, stage }: ExperimentParts,
  planned: readonly PlannedTransfer[],
  halves: readonly [readonly number[], readonly number[]],
): Promise<Submitted[][]> {
  const rate = faultRate / 2
  const rivals = planned.map(({ sender, rival }) => ({ sender, ...rival! }))
  return Promise.all([
    submitAll(stage, planned, { nodes: halves[0], rate }),
    submitAll(stage, rivals, { nodes: halves[1], rate }),
  ])
}

async function untilOneChain(
  { stage, watch }: ExperimentParts,
  nodes: readonly number[],
  healedMs: number,
): Promise<number | null> {
  const isOne = await watch.until(() => stage.timeline.isOneChain(nodes))
  return isOne ? stage.nowMs() - healedMs : null
}

/** Of each pair one must become final, on all nodes. */
async function untilPairsFinal(
  { stage, watch }: ExperimentParts,
  planned: readonly PlannedTransfer[],
): Promise<void> {
  const { timeline } = stage
  const nodes = stage.nodes()
  await watch.until(() => {
    const kept = nodes.map(node => timeline.transfersOn(node))
    return planned.every(({ id, rival }) =>
      nodes.every((node, at) =>
        [id, rival!.id].some(
          candidate => kept[at]!.has(candidate) && timeline.sighting(node, candidate)?.finalMs != null,
        ),
      ),
    )
  })
}
