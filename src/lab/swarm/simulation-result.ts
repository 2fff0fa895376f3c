// The result of a run: the verdict, and what was counted on the way. All of it follows from the
// options, so that two runs of one seed are told alike.

import type { Hex } from '../../encoding/bytes.ts'
import { modeOf } from '../../finality/registry.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { LiarRole } from '../adversary/adversary.ts'
import { describeModel, type NetworkModel, notPromised } from '../network/network-model.ts'
import type { Agreement } from './agreement.ts'
import type { Run } from './run.ts'
import type { FaultScript } from './simulation-options.ts'

/** How a run ended. */
export type Verdict =
  | 'PASS'
  /** A rule of safety was broken: the reason begins with its name. */
  | 'SAFETY'
  /** Something that was promised did not happen in time. */
  | 'LIVENESS'
  /** The program failed: an assertion, or an error that nothing handled. The run says nothing of any rule. */
  | 'ERROR'
  /** A final block was reversed in a way that is possible by construction, and the node raised an alarm. */
  | 'EXCUSED'
  /** What failed is not promised on such a network. */
  | 'OUTSIDE-MODEL'

/** Whether a run found nothing. */
export function isFine(verdict: Verdict): boolean {
  return verdict === 'PASS' || verdict === 'EXCUSED' || verdict === 'OUTSIDE-MODEL'
}

/** What a run was. */
export interface SimulationResult {
  readonly verdict: Verdict
  /** The broken rule and what broke it, or the error and where it was thrown; null for a pass. */
  readonly reason: string | null
  readonly traceHash: Hex
  readonly seed: number
  /** What the network promised, and in words. */
  readonly model: NetworkModel | null
  readonly network: string
  /** The kind of finality. */
  readonly finality: string
  /** Nodes, without twins. */
  readonly nodes: number
  readonly events: number
  readonly simulatedMs: number
  readonly headHeight: number
  readonly finalHeight: number
  readonly messages: Readonly<Record<string, number>>
  readonly bytes: number
  readonly lostMessages: number
  /** Connections that ended because a message arrived damaged. */
  readonly brokenConnections: number
  readonly transfers: number
  /** Transfers of which two nodes acknowledged two versions; the chain holds one of each. */
  readonly doubleSpends: number
  readonly crashes: number
  /** Crashes of a node that was just starting again. */
  readonly startCrashes: number
  /** The miner that lied, and its lies by name; null when none did. */
  readonly lyingMiner: ToldLies | null
  /** The same of the peer that lied. */
  readonly lyingPeer: ToldLies | null
  /** Acknowledged transactions that a full pool evicted, and transfers that were submitted again after that. */
  readonly evictions: number
  readonly resubmitted: number
  /** Attacks of hostile clients by name, and replacements of theirs that were mined; null when none meant harm. */
  readonly hostile: {
    readonly attacks: Readonly<Record<string, number>>
    readonly replacementsMined: number
  } | null
  /** Attacks of strangers by name, and the reasons for which nodes banned them; null when there were none. */
  readonly strangers: {
    readonly attacks: Readonly<Record<string, number>>
    readonly denials: Readonly<Record<string, number>>
  } | null
  /** Blocks beside the main chain that nodes evicted because there were too many. */
  readonly evictedBlocks: number
  readonly reorganisations: number
  readonly deepestReorganisation: number
  /** What went wrong, and how much: with these a run can be made again, and be made shorter. */
  readonly script: FaultScript
  /** Null where nothing is agreed on. */
  readonly agreement: AgreementResult | null
  /** The last lines of the trace. */
  readonly recent: readonly string[]
}

/** The liar, and how often it lied in which way. */
export interface ToldLies {
  readonly id: PeerId
  readonly lies: Readonly<Record<string, number>>
}

/** What became of an agreement among validators. */
export interface AgreementResult {
  readonly validators: number
  /** Validators that lied, by name, and how. */
  readonly liars: Readonly<Record<string, LiarRole>>
  readonly decisions: number
  /** Per decision, without retransmissions and answers to nodes that were behind; null when there was none. */
  readonly messagesPerDecision: number | null
  readonly bytesPerDecision: number | null
  readonly delaysPerDecision: { readonly mean: number; readonly max: number } | null
  /** Messages of the finality layer by kind; and those about decisions that were retransmitted or answered. */
  readonly finalityMessages: Readonly<Record<string, number>>
  readonly repeatedMessages: number
  /** Different certificates that honest nodes stored. */
  readonly certificates: number
  /** Views that honest validators asked for, and those that began with something prepared in an earlier one. */
  readonly viewChanges: number
  readonly reproposals: number
  /** Branches that were left for one with no more work, because that one became final. */
  readonly forcedReorganisations: number
  /** Certificates by which a node that was behind learned that a block is final. */
  readonly pulledCertificates: number
  /** Different proofs of lies that honest nodes stored, and the validators whom they, or two certificates, convict. */
  readonly evidenceStored: number
  /** Those of them that prove that a view change left out what was committed to. */
  readonly omissionsStored: number
  readonly evidence: readonly string[]
  /** The greatest final height of an honest node when the faults ended. */
  readonly finalHeightAtHeal: number
  /** Milliseconds from then until every acknowledged transfer was final on all honest nodes; null when it was not. */
  readonly recoveryMs: number | null
}

/** Looks at a run for the last time: its trace ends here. */
export function describeRun(run: Run, verdict: Verdict, reason: string | null): SimulationResult {
  const { agreement, clients, honest, cluster, network, nodes, observer, oracle, schedule, trace } = run
  const up = honest.filter(node => node.isUp)
  const { acknowledged } = clients
  return {
    ...excuse(run, verdict, verdict === 'PASS' ? observer.alarm : reason),
    traceHash: trace.finish(),
    seed: run.options.seed,
    model: run.model,
    network: describeNetwork(run),
    finality: modeOf(run.genesis).name,
    nodes: run.roster.parts.filter(({ isTwin }) => !isTwin).length,
    events: cluster.events,
    simulatedMs: Math.round(schedule.nowMs),
    headHeight: run.height,
    finalHeight: Math.min(...up.map(node => node.replica!.tree.base.chained.height)),
    messages: sorted(network.messages),
    bytes: network.bytes,
    lostMessages: network.lost,
    brokenConnections: network.broken,
    transfers: acknowledged.length,
    doubleSpends: acknowledged.length - new Set(acknowledged).size,
    crashes: nodes.reduce((sum, node) => sum + node.crashes, 0),
    startCrashes: nodes.reduce((sum, node) => sum + node.startCrashes, 0),
    lyingMiner: describeLies(run.lyingMiner),
    lyingPeer: describeLies(run.lyingPeer),
    evictions: oracle.promises.evictions,
    resubmitted: clients.resubmitted,
    hostile: describeHostile(run),
    strangers: describeStrangers(run),
    evictedBlocks: oracle.evictedBlocks,
    reorganisations: oracle.reorganisations.count,
    deepestReorganisation: oracle.reorganisations.deepest,
    script: { plan: run.plan, events: run.faults.happened },
    agreement: agreement === null ? null : describeAgreement(run, agreement),
    recent: trace.recent(),
  }
}

/** Milliseconds that a message waits for its link where more is said than the link carries: far more than in any other run. */
const CONGESTED_MS = 10_000

/** The verdict on a run, with what excuses it: a mode is not held to what it does not promise on such a network. */
function excuse(
  { genesis, model, observer, linkModel, schedule }: Run,
  verdict: Verdict,
  reason: string | null,
): Pick<SimulationResult, 'verdict' | 'reason'> {
  const mode = modeOf(genesis)
  const missing = model === null ? null : notPromised(mode, model)
  const isFinalLost = verdict === 'SAFETY' && reason !== null && reason.startsWith('C7')
  const isLate =
    verdict === 'LIVENESS' || (verdict === 'SAFETY' && reason !== null && reason.startsWith('L2'))
  if (missing === 'anything' && (isLate || isFinalLost || (verdict === 'PASS' && reason !== null)))
    return { verdict: 'OUTSIDE-MODEL', reason: `${mode.name} promises nothing on such a network: ${reason}` }
  if (missing === 'liveness' && isLate)
    return {
      verdict: 'OUTSIDE-MODEL',
      reason: `${mode.name} promises no progress on such a network: ${reason}`,
    }
  const backlogMs = linkModel?.backlogMs(schedule.nowMs) ?? 0
  // No bound holds for messages on links that are given more than they carry, and it is only ever more.
  if (isLate && backlogMs > CONGESTED_MS)
    return {
      verdict: 'OUTSIDE-MODEL',
      reason: `links carry less than is said on them, messages wait for ${(backlogMs / 1_000).toFixed(1)} s: ${reason}`,
    }
  if (verdict === 'PASS' && observer.alarm !== null) return { verdict: 'EXCUSED', reason: observer.alarm }
  return { verdict, reason }
}

function describeHostile({ hostile, nodes }: Run): SimulationResult['hostile'] {
  if (hostile === null) return null
  const replacementsMined = hostile.replacements(id =>
    nodes.some(({ replica }) => replica !== null && replica.view.locate(id) !== null),
  )
  return { attacks: sorted(hostile.attacks), replacementsMined }
}

function describeStrangers({ strangers }: Run): SimulationResult['strangers'] {
  return strangers === null
    ? null
    : { attacks: sorted(strangers.attacks), denials: sorted(strangers.denials) }
}

/** What the network did and promised, in words. */
function describeNetwork({ model, options, faults }: Run): string {
  const untilMs = faults.endedAtMs
  const isQuiet = options.faults.size === 0
  const promise =
    model !== null
      ? describeModel(model)
      : isQuiet
        ? 'quiet: nothing is lost'
        : `partially synchronous: anything until the faults end${untilMs === null ? '' : ` at ${Math.round(untilMs)} ms`}, then quiet`
  const distance = options.latency == null ? '' : `; distances of ${options.latency}`
  const width = options.bandwidth == null ? '' : `; ${options.bandwidth} bytes a second on each link`
  return `${promise}${distance}${width}`
}

function describeLies(liar: { id: PeerId; told: ReadonlyMap<string, number> } | null): ToldLies | null {
  return liar === null ? null : { id: liar.id, lies: sorted(liar.told) }
}

function describeAgreement(run: Run, agreement: Agreement): AgreementResult {
  const { costs, oracle } = agreement
  const perDecision = costs.perDecision()
  return {
    validators: run.roster.validators,
    liars: run.roster.roles,
    decisions: costs.decisions,
    messagesPerDecision: perDecision?.messages ?? null,
    bytesPerDecision: perDecision?.bytes ?? null,
    delaysPerDecision: perDecision?.delays ?? null,
    finalityMessages: sorted(costs.kinds),
    repeatedMessages: costs.repeated,
    certificates: oracle.certificates,
    viewChanges: oracle.viewChanges.asked,
    reproposals: oracle.viewChanges.reproposing,
    forcedReorganisations: run.oracle.forcedReorganisations,
    pulledCertificates: agreement.pulled,
    evidenceStored: oracle.evidence,
    omissionsStored: oracle.omissions,
    evidence: oracle.accused,
    finalHeightAtHeal: agreement.finalHeightAtHeal,
    recoveryMs: agreement.recoveryMs,
  }
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
