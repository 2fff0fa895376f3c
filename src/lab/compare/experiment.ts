// One variant, first undisturbed, then with its leader killed under load, then with the network cut in half and healed.
// What is measured is what clients of the nodes see. Whether the nodes are real processes or simulated is the stage's
// affair: nothing here knows.

import { type HandedIn, handIn } from '../stage/hand-in.ts'
import type { Stage, TotalCounters, WithStage } from '../stage/stage.ts'
import { BLOCK_MS, type Variant } from '../stage/variant.ts'
import { createSenders, type PlannedTransfer, Workload } from '../stage/workload.ts'
import {
  type CompareSettings,
  type Cost,
  type Half,
  type LeaderKilled,
  type Measurement,
  type NetworkCut,
  type QuietPart,
  RATE_DEFAULT,
} from './measurement.ts'
import { longestPause, percentiles } from './percentiles.ts'

/** Seconds of load around the death of the leader, and how long before it the load begins. */
const KILL_LOAD_SECONDS = 3
const KILL_AFTER_MS = 1_000
/** How long the network is cut unless told otherwise, and seconds of load at the beginning of that. */
const CUT_MS = 8_000
const CUT_LOAD_SECONDS = 2
/** Seconds of load after the healing, so that there is something new to become final. */
const HEALED_LOAD_SECONDS = 1
/**
 * Milliseconds for which what should become final is waited for, undisturbed and after a fault, where a block comes in
 * `BLOCK_MS` or sooner; as much longer as blocks are slower, since so is finality.
 */
const QUIET_PATIENCE_MS = 30_000
const FAULT_PATIENCE_MS = 12_000
const LOOK_MS = 25

/** The words that every run says, one after the other. */
export const PARTS = ['signing', 'starting nodes', 'undisturbed', 'leader killed', 'network cut in half']

/** Runs one variant from nothing to the end; `onProgress` hears in a few words what happens now. */
export type RunVariant = (
  variant: Variant,
  settings: CompareSettings,
  onProgress: (word: string) => void,
) => Promise<Measurement>

/** Runs the experiment with one variant, on a stage of its own. */
export function experimentOn(withStage: WithStage): RunVariant {
  return (variant, settings, onProgress) => {
    onProgress('signing')
    const senders = createSenders(settings.seed)
    const workload = new Workload(senders, settings.seed)
    onProgress('starting nodes')
    const funded = senders.map(({ address }) => address)
    const { nodes, seed, blockMs } = settings
    return withStage({ variant, nodes, seed, funded, blockMs }, stage =>
      new Experiment({ stage, variant, settings, workload, onProgress }).run(),
    )
  }
}

interface ExperimentParts {
  readonly stage: Stage
  readonly variant: Variant
  readonly settings: CompareSettings
  readonly workload: Workload
  readonly onProgress: (word: string) => void
}

/** The three parts, one after the other, on one network. */
class Experiment {
  readonly #stage: Stage
  readonly #parts: ExperimentParts
  /** Transfers a second under faults. */
  readonly #faultRate: number
  /** So many times `BLOCK_MS` is the time between blocks, and so many times as long patience lasts; 1 at least. */
  readonly #slowness: number

  constructor(parts: ExperimentParts) {
    const { rate, blockMs = BLOCK_MS } = parts.settings
    this.#stage = parts.stage
    this.#parts = parts
    this.#faultRate = rate === 'max' ? RATE_DEFAULT : rate
    this.#slowness = Math.max(1, blockMs / BLOCK_MS)
  }

  async run(): Promise<Measurement> {
    const { variant, settings, onProgress } = this.#parts
    onProgress('undisturbed')
    const quiet = await this.#runQuiet()
    if (settings.hasFaults) onProgress('leader killed')
    const leaderKilled = settings.hasFaults ? await this.#killLeader() : null
    if (settings.hasFaults) onProgress('network cut in half')
    const cut = settings.hasFaults ? await this.#cutNetwork() : null
    return { variant: variant.name, finalMeans: variant.finalMeans, quiet, leaderKilled, cut }
  }

  // ---- undisturbed

  async #runQuiet(): Promise<QuietPart> {
    const { settings, workload } = this.#parts
    const stage = this.#stage
    const { timeline } = stage
    const planned = workload.plan(settings.transfers, { order: settings.senders ?? 'turns' })
    const before = await stage.counters()
    const lowest = this.#height()
    timeline.takeDeepestReorganisation()
    const handed = await handIn(stage, planned, { nodes: stage.nodes(), rate: settings.rate })
    // What every node refused, as full pools do, never becomes final: waiting for it would cost messages and hashes.
    const acknowledged = handed.filter(({ isAcknowledged }) => isAcknowledged)
    await this.#untilFinal(acknowledged, QUIET_PATIENCE_MS)
    const after = await stage.counters()
    const sightings = handed.map(({ id, node, submittedMs }) => ({
      submittedMs,
      ...(timeline.sighting(node, id) ?? { includedMs: null, finalMs: null }),
    }))
    const finals = sightings.filter(({ finalMs }) => finalMs !== null)
    const finalityTimesMs = finals
      .map(({ finalMs, submittedMs }) => finalMs! - submittedMs)
      .toSorted((a, b) => a - b)
    const began = Math.min(...handed.map(({ submittedMs }) => submittedMs))
    const tookMs = Math.max(...finals.map(({ finalMs }) => finalMs!)) - began
    const blocks = this.#height() - lowest
    return {
      handedIn: handed.length,
      final: finals.length,
      inclusionMs: percentiles(
        sightings
          .filter(({ includedMs }) => includedMs !== null)
          .map(({ includedMs, submittedMs }) => includedMs! - submittedMs),
      ),
      finalityMs: percentiles(finalityTimesMs),
      finalityTimesMs,
      finalPerSecond: ratio(finals.length * 1_000, finals.length === 0 ? 0 : tookMs),
      cost: costOf(before, after, { transfers: finals.length, blocks }),
      blocks,
      staleBlocks: timeline.staleBlocks(stage.nodes()),
      deepestReorganisation: timeline.takeDeepestReorganisation(),
    }
  }

  // ---- the leader killed

  async #killLeader(): Promise<LeaderKilled> {
    const stage = this.#stage
    const { timeline } = stage
    const planned = this.#parts.workload.plan(this.#faultRate * KILL_LOAD_SECONDS)
    const handing = handIn(stage, planned, { nodes: stage.nodes(), rate: this.#faultRate })
    await stage.sleep(KILL_AFTER_MS)
    const leader = await stage.leader()
    await stage.kill(leader)
    const killedMs = stage.nowMs()
    const handed = await handing
    const survivors = stage.nodes()
    // What only the dead node had comes back with it, not before.
    const elsewhere = handed.filter(({ node }) => node !== leader)
    await this.#untilFinal(elsewhere, FAULT_PATIENCE_MS)
    const seen = elsewhere.map(({ id }) => timeline.earliest(survivors, id))
    const progress = timeline.progress(survivors)
    const pause = (endMs: number, moments: readonly number[]): number | null =>
      moments.some(moment => moment > killedMs) ? longestPause(killedMs, endMs, moments) : null
    const lastIncludedMs = this.#lastOf(seen.map(sighting => sighting?.includedMs ?? null))
    const lastFinalMs = this.#lastOf(seen.map(sighting => sighting?.finalMs ?? null))
    const blockPauseMs = pause(lastIncludedMs, progress.newBlockMs)
    const finalityPauseMs = pause(lastFinalMs, progress.newFinalMs)
    await stage.restart(leader)
    const acknowledged = handed.filter(({ isAcknowledged }) => isAcknowledged)
    await this.#untilFinal(acknowledged, FAULT_PATIENCE_MS)
    return {
      node: leader + 1,
      blockPauseMs,
      finalityPauseMs,
      lost: acknowledged.filter(({ id }) => !this.#isFinalOn(stage.nodes(), id)).length,
      acknowledged: acknowledged.length,
    }
  }

  // ---- the network cut

  async #cutNetwork(): Promise<NetworkCut> {
    const { settings, workload } = this.#parts
    const stage = this.#stage
    const { timeline } = stage
    const nodes = stage.nodes()
    const middle = Math.ceil(nodes.length / 2)
    const halves = [nodes.slice(0, middle), nodes.slice(middle)] as const
    const planned = workload.plan(Math.ceil((this.#faultRate * CUT_LOAD_SECONDS) / 2), { isDouble: true })
    const afterwards = workload.plan(this.#faultRate * HEALED_LOAD_SECONDS)
    timeline.takeDeepestReorganisation()
    const wereFinal = timeline.everFinal()
    await stage.cut(halves)
    const cutMs = stage.nowMs()
    const heights = halves.map(half => this.#height(half))
    const handed = await this.#handInTwice(planned, halves)
    await stage.sleep(Math.max(0, (settings.cutMs ?? CUT_MS) - (stage.nowMs() - cutMs)))
    const reports = halves.map(
      (half, index): Half => ({
        nodes: half.map(node => node + 1),
        blocks: this.#height(half) - heights[index]!,
        final: handed[index]!.filter(({ id }) => this.#isFinalOn(half, id)).length,
      }),
    )
    const isForked = !timeline.isOneChain(nodes)
    await stage.heal()
    const healedMs = stage.nowMs()
    const lastedMs = healedMs - cutMs
    const fresh = handIn(stage, afterwards, { nodes: stage.nodes(), rate: this.#faultRate })
    const oneChainAfterMs = await this.#untilOneChain(nodes, healedMs)
    await this.#untilFinal(await fresh, FAULT_PATIENCE_MS)
    await this.#untilPairsFinal(planned)
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
  #handInTwice(
    planned: readonly PlannedTransfer[],
    halves: readonly [readonly number[], readonly number[]],
  ): Promise<HandedIn[][]> {
    const rate = this.#faultRate / 2
    const rivals = planned.map(({ sender, rival }) => ({ sender, ...rival! }))
    return Promise.all([
      handIn(this.#stage, planned, { nodes: halves[0], rate }),
      handIn(this.#stage, rivals, { nodes: halves[1], rate }),
    ])
  }

  async #untilOneChain(nodes: readonly number[], healedMs: number): Promise<number | null> {
    const isOne = await this.#until(() => this.#stage.timeline.isOneChain(nodes), FAULT_PATIENCE_MS)
    return isOne ? this.#stage.nowMs() - healedMs : null
  }

  /** Of each pair one must become final, on all nodes. */
  async #untilPairsFinal(planned: readonly PlannedTransfer[]): Promise<void> {
    const { timeline } = this.#stage
    const nodes = this.#stage.nodes()
    await this.#until(() => {
      const kept = nodes.map(node => timeline.transfersOn(node))
      return planned.every(({ id, rival }) =>
        nodes.every((node, at) =>
          [id, rival!.id].some(
            candidate => kept[at]!.has(candidate) && timeline.sighting(node, candidate)?.finalMs != null,
          ),
        ),
      )
    }, FAULT_PATIENCE_MS)
  }

  // ---- what all parts need

  #height(nodes: readonly number[] = this.#stage.nodes()): number {
    return Math.max(...nodes.map(node => this.#stage.timeline.height(node)))
  }

  #isFinalOn(nodes: readonly number[], id: HandedIn['id']): boolean {
    return this.#stage.timeline.earliest(nodes, id)?.finalMs != null
  }

  /** Waits until all nodes that run show these transfers as final, or patience ends. */
  async #untilFinal(handed: readonly HandedIn[], patienceMs: number): Promise<void> {
    const { timeline } = this.#stage
    const nodes = this.#stage.nodes()
    const isFinal = ({ id }: HandedIn): boolean =>
      nodes.every(node => timeline.sighting(node, id)?.finalMs != null)
    await this.#until(() => handed.every(isFinal), patienceMs)
  }

  async #until(isSo: () => boolean, patienceMs: number): Promise<boolean> {
    const deadline = this.#stage.nowMs() + patienceMs * this.#slowness
    while (!isSo()) {
      if (this.#stage.nowMs() > deadline) return false
      await this.#stage.sleep(LOOK_MS)
    }
    return true
  }

  /** The last of these moments, or now if one has not come. */
  #lastOf(moments: readonly (number | null)[]): number {
    const known = moments.filter(moment => moment !== null)
    return known.length === moments.length ? Math.max(...known) : this.#stage.nowMs()
  }
}

function costOf(
  before: TotalCounters,
  after: TotalCounters,
  { transfers, blocks }: { readonly transfers: number; readonly blocks: number },
): Cost {
  return {
    messagesPerTransfer: ratio(after.messages - before.messages, transfers),
    bytesPerTransfer: ratio(after.bytes - before.bytes, transfers),
    messagesPerBlock: ratio(after.messages - before.messages, blocks),
    bytesPerBlock: ratio(after.bytes - before.bytes, blocks),
    hashesPerTransfer: ratio(after.hashes - before.hashes, transfers),
    signaturesPerTransfer: ratio(after.signatures - before.signatures, transfers),
  }
}

/** A quotient, null where there is nothing to divide by. */
function ratio(dividend: number, divisor: number): number | null {
  return divisor > 0 ? dividend / divisor : null
}
