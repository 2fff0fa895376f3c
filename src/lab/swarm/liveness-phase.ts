// The second phase of a run: faults end, and what the nodes owe each other then must come true in bounded time. Where
// work decides, they come to one head that holds every acknowledged transfer; where validators agree, to one final
// block that does (L1), to one head (L2), and without leaving more views than they must (L3).

import { modeOf } from '../../finality/registry.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { latencyTable, longestWayMs } from '../network/latency-table.ts'
import { notPromised } from '../network/network-model.ts'
import { Violation } from '../oracle/violation.ts'
import type { Agreement } from './agreement.ts'
import type { Run } from './run.ts'

/** Milliseconds where work decides: first with mining, then quiet. */
const HEAL_MS = 60_000
const QUIET_MS = 30_000
/** Blocks in which each transfer is mined at the latest, where pools are small or under attack. */
const SERVED_BLOCKS_MAX = 10
/** Milliseconds of quiet where validators agree: long enough for every node to say once what it follows. */
const SHORT_QUIET_MS = 12_000
/**
 * L1, where validators agree: every transfer is final so long after the faults end, (f + 1) · 2 · T + sync, where T is
 * the longest timeout of that time, or T0 · 2^6 where that is more: what is left of the last wait before the end, and the
 * wait for the view that succeeds.
 */
const DOUBLINGS = 6
/** The same where the model promises no progress: it is looked for a while, and safety is watched meanwhile. */
const UNPROMISED_DOUBLINGS = 2
const SYNC_MS = 60_000
/** L3: views that may be left after the end of faults for each decision that is made, besides f + 1. */
const VIEWS_SLACK = 3
/** Clocks are right within this when faults end, where validators agree: a vote depends on the time. */
const HEALED_CLOCK_MS = 5_000
/** Milliseconds between two looks whether all is final. */
const LOOK_MS = 250
/** Message delays of a view that succeeds, with what is asked for meanwhile; what a message takes where all is close; and
 * bytes that wait on a link together. */
const VIEW_DELAYS = 10
const NEAR_MS = 10
const MESSAGE_BYTES = 4_000
/** How often a single block is asked for to decide between two heads with the same work. */
const TIE_BREAKS_MAX = 10

/** Ends the faults, and checks that the nodes converge. */
export function runLiveness(run: Run): void {
  const { agreement, faults, honest } = run
  faults.end()
  // Nothing is promised before messages arrive in time.
  if (run.model?.model === 'partial') run.cluster.runFor(run.model.gstMs - run.schedule.nowMs)
  if (agreement === null) return settleByWork(run)
  agreement.finalHeightAtHeal = Math.max(
    0,
    ...honest.map(node => node.replica?.tree.base.chained.height ?? 0),
  )
  settleByVotes(run, agreement)
}

/**
 * Where nodes may drop what they have acknowledged, clients submit it again, and every transfer is included in the end, also
 * while others attack. Only then do the attacks end, so that the run can become quiet.
 */
function serve(run: Run, budgetMs: number): void {
  const { clients, hostile, observer, schedule } = run
  if (!clients.isWatchful) return
  const endMs = schedule.nowMs + budgetMs
  for (let reason = notServed(run); reason !== null; reason = notServed(run)) {
    if (observer.alarm !== null) return
    if (schedule.nowMs >= endMs) throw new Violation('L1', reason)
    run.cluster.runFor(LOOK_MS)
  }
  hostile?.stop()
}

/** Why not every transfer that is owed is in the chain of every honest node, in its final part where validators agree. */
function notServed({ agreement, chain, clients, honest }: Run): string | null {
  for (const { replica } of honest) {
    if (replica === null) return 'a node is down'
    const { id, height } = (agreement === null ? replica.tree.head : replica.tree.base).chained
    const lost = clients.owed.filter(({ sender, nonce }) => chain.spender(id, sender, nonce) === null)
    if (lost.length > 0) return `${lost.length} owed transfers are not in the chain at height ${height}`
  }
  return null
}

function settleByWork(run: Run): void {
  serve(run, HEAL_MS + run.options.transfers * SERVED_BLOCKS_MAX * run.blockTimeMs)
  run.cluster.runFor(HEAL_MS)
  settleHeads(run, QUIET_MS)
  // A block that a wrong clock dated is refused by the others, with all that stands on it, until its time comes.
  const waitMs = Math.max(0, ...run.honest.map(node => aheadMs(run, node)))
  if (!run.headsAgree && waitMs > 0) {
    run.cluster.runFor(waitMs)
    settleHeads(run, QUIET_MS)
  }
  if (run.observer.alarm !== null) return
  if (!run.headsAgree) throw new Violation('L1', 'the healed nodes do not agree on a head')
  checkAcknowledged(run)
}

/** Milliseconds by which the latest time in a node's tree is ahead of the right time; negative where none is. */
function aheadMs({ cluster, schedule }: Run, { replica }: SimNode): number {
  const times = [...(replica?.tree.blocks() ?? [])].map(({ chained }) => chained.header.time)
  return Math.max(0, ...times) * 1000 - (cluster.epochMs + schedule.nowMs)
}

function settleByVotes(run: Run, agreement: Agreement): void {
  const { genesis, honest, nodes, plan, schedule } = run
  const { oracle, costs, timeoutMs, faultsTolerated, genesisFile } = agreement
  // A clock may have been set further off than clocks are from the start.
  const offMs = Math.max(plan.clockOffsetMaxMs, ...nodes.map(node => Math.abs(node.clock.offsetMs)))
  const limit = HEALED_CLOCK_MS / Math.max(HEALED_CLOCK_MS, offMs)
  for (const node of nodes) node.clock.offsetMs *= limit
  const [view, decisions, startMs] = [oracle.view, costs.decisions, schedule.nowMs]
  const isPromised = run.model === null || notPromised(modeOf(genesis), run.model) === null
  const slowestMs = Math.max(timeoutMs, ...timeoutsOf(run).all)
  const longestMs = isPromised
    ? 2 * Math.max(timeoutMs * 2 ** DOUBLINGS, slowestMs)
    : timeoutMs * 2 ** UNPROMISED_DOUBLINGS
  const budgetMs = (faultsTolerated + 1) * longestMs + SYNC_MS
  serve(run, budgetMs)
  const endMs = schedule.nowMs + budgetMs
  for (let reason = notFinal(run); reason !== null; reason = notFinal(run)) {
    if (schedule.nowMs >= endMs) throw new Violation('L1', reason)
    run.cluster.runFor(LOOK_MS)
  }
  agreement.recoveryMs = Math.round(schedule.nowMs - startMs)
  if (genesis.work.isProved) {
    settleHeads(run, SHORT_QUIET_MS)
    if (!run.headsAgree) throw new Violation('L2', 'the healed nodes do not agree on a head')
    // The last decision may just be on its way.
    const quietMs = schedule.nowMs + budgetMs
    for (let reason = notFinal(run); reason !== null; reason = notFinal(run)) {
      if (schedule.nowMs >= quietMs) throw new Violation('L2', `after all was quiet: ${reason}`)
      run.cluster.runFor(LOOK_MS)
    }
  }
  const doublings = doublingsNeeded(run, timeoutMs)
  const viewsMax = (faultsTolerated + 1 + VIEWS_SLACK + doublings) * (costs.decisions - decisions + 1)
  if (oracle.view - view > viewsMax)
    throw new Violation('L3', `${oracle.view - view} views were left after the faults, not ${viewsMax}`)
  if (costs.decisions > decisions + 1)
    checkTimeouts(run, slowestMs * 2 ** (faultsTolerated + 1 + VIEWS_SLACK + doublings))
  oracle.verifyLast(honest[0]!, genesisFile)
}

/** How often a timeout that begins too short for the links must double before a view can succeed. */
function doublingsNeeded({ model, options }: Run, timeoutMs: number): number {
  const wayMs = options.latency == null ? 0 : longestWayMs(latencyTable(options.latency))
  const narrowMs = options.bandwidth == null ? 0 : (MESSAGE_BYTES * 1000) / options.bandwidth
  const deltaMs = Math.max(model?.deltaMs ?? 0, wayMs, NEAR_MS) + narrowMs
  return Math.max(0, Math.ceil(Math.log2((VIEW_DELAYS * deltaMs) / timeoutMs)))
}

/** Ends mining, and lets single blocks decide as long as there are two heads with the same work. */
function settleHeads(run: Run, quietMs: number): void {
  const { blockTimeMs, cluster, honest, nodes, observer } = run
  for (let attempt = 0; attempt < TIE_BREAKS_MAX; attempt++) {
    for (const node of nodes) node.stopMining()
    cluster.runFor(quietMs)
    if (observer.alarm !== null || run.headsAgree) return
    // Two heads with the same work: only another block can decide between them.
    const miner = honest[attempt % honest.length]!
    miner.startMining(1)
    cluster.runFor(blockTimeMs * nodes.length * 3)
  }
}

function checkAcknowledged({ chain, clients, honest }: Run): void {
  const head = honest[0]!.replica!.tree.head.chained.id
  for (const { sender, nonce } of clients.owed) {
    if (chain.spender(head, sender, nonce) === null)
      throw new Violation('L1', `a transfer of ${sender} with nonce ${nonce} is owed and in no block`)
  }
  if (clients.unanswered > 0) throw new Violation('L1', `${clients.unanswered} transfers got no answer`)
}

/** Why not every acknowledged transfer is final on every honest node, or null. */
function notFinal({ chain, clients, honest }: Run): string | null {
  const [first, ...others] = honest.map(node => node.replica?.tree.base ?? null)
  if (first == null || others.includes(null)) return 'a node is down'
  const { id, height } = first.chained
  const other = others.find(base => base!.chained.id !== id)
  if (other !== undefined) return `nodes have final blocks ${height} and ${other!.chained.height}`
  if (clients.unanswered > 0) return `${clients.unanswered} transfers got no answer`
  const lost = clients.owed.filter(({ sender, nonce }) => chain.spender(id, sender, nonce) === null)
  return lost.length === 0 ? null : `${lost.length} owed transfers are not final at height ${height}`
}

/** Once the faults have ended timeouts do not run away: they double at most for each view that may be left. */
function checkTimeouts(run: Run, limitMs: number): void {
  const { active } = timeoutsOf(run)
  const leastMs = Math.min(...active)
  if (active.length > 0 && leastMs > limitMs)
    throw new Violation('L3', `after decisions validators wait ${leastMs} ms for the next, not ${limitMs}`)
}

/** The timeouts of the honest validators, and of those that take part in a view, in milliseconds. */
function timeoutsOf({ honest }: Run): { readonly all: number[]; readonly active: number[] } {
  const reports = honest
    .map(node => node.replica?.finality.report(0) ?? null)
    .filter(report => report !== null && report.self !== null)
  const timeouts = (those: typeof reports): number[] => those.map(report => report!.timeoutMs)
  return { all: timeouts(reports), active: timeouts(reports.filter(report => report!.isActive)) }
}
