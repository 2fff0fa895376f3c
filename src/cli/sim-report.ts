// What `quorate sim` shows of its runs: a table, and all figures with --json. The fields of an agreement are beside those
// of the run; in a network without agreement, those that a script may read are null.

import { sha256 } from '../chain/hash.ts'
import { toHex } from '../encoding/bytes.ts'
import {
  type AgreementResult,
  isFine,
  type SimulationResult,
  type ToldLies,
  type Verdict,
} from '../lab/swarm/simulation-result.ts'
import { columns, type Output, table } from './output.ts'
import { describeSometimes } from './sim-sometimes.ts'

/** Shows one run. */
export function reportOne(
  result: SimulationResult,
  output: Output,
  { seconds, isTraceShown }: { seconds: number; isTraceShown: boolean },
): void {
  const { recent, agreement, script: _script, ...run } = result
  const data = { ...run, ...(agreement ?? NO_AGREEMENT) }
  // The answer of a seed is the same to the byte each time; its speed is not.
  if (output.isJson) output.note(describeSpeed(result, seconds))
  if (isTraceShown || !isFine(result.verdict)) for (const line of recent) output.note(line)
  output.data(data, () =>
    table([
      ['verdict', result.reason === null ? result.verdict : `${result.verdict} (${result.reason})`],
      ['seed', String(result.seed)],
      ['finality', `${result.finality}, ${result.nodes} nodes`],
      ['network', result.network],
      ['trace hash', result.traceHash],
      ['head', `height ${result.headHeight}, final ${result.finalHeight}`],
      ['transfers', `${result.transfers} acknowledged`],
      [
        'faults',
        `${result.crashes} crashes, ${result.reorganisations} reorganisations, the deepest ${result.deepestReorganisation}`,
      ],
      [
        'messages',
        Object.entries(result.messages)
          .map(([type, count]) => `${count} ${type}`)
          .join(', '),
      ],
      ['bytes', String(result.bytes)],
      ...describeLies(result),
      ...describeHostile(result),
      ...describeStrangers(result),
      ...(agreement === null ? [] : describeAgreement(agreement)),
      ['speed', describeSpeed(result, seconds)],
    ]),
  )
}

/** Shows many runs as one. */
export function reportMany(results: readonly SimulationResult[], output: Output, seconds: number): void {
  const failed = results.filter(result => !isFine(result.verdict))
  const total = (pick: (result: SimulationResult) => number): number =>
    results.reduce((sum, result) => sum + pick(result), 0)
  const hashes = new TextEncoder().encode(results.map(result => result.traceHash).join(''))
  const messages: Record<string, number> = {}
  for (const result of results) {
    for (const [type, count] of Object.entries(result.messages))
      messages[type] = (messages[type] ?? 0) + count
  }
  const data = {
    verdict: worstOf(results),
    traceHash: toHex(sha256(hashes)),
    seed: `${results[0]!.seed}..${results.at(-1)!.seed}`,
    events: total(result => result.events),
    simulatedMs: total(result => result.simulatedMs),
    headHeight: Math.max(...results.map(result => result.headHeight)),
    finalHeight: Math.max(...results.map(result => result.finalHeight)),
    messages,
    bytes: total(result => result.bytes),
    runs: results.length,
    excused: results.filter(result => result.verdict === 'EXCUSED').length,
    outsideModel: results.filter(result => result.verdict === 'OUTSIDE-MODEL').length,
    failed: failed.map(({ seed, verdict, reason }) => ({ seed, verdict, reason })),
    crashes: total(result => result.crashes),
    reorganisations: total(result => result.reorganisations),
    deepestReorganisation: Math.max(...results.map(result => result.deepestReorganisation)),
    transfers: total(result => result.transfers),
    startCrashes: total(result => result.startCrashes),
    ...sumAgreements(results),
  }
  if (output.isJson) output.note(describeSpeed(data, seconds))
  output.data(data, () => {
    const summary = table([
      ['verdict', `${data.verdict}: ${results.length - failed.length} of ${results.length} runs hold`],
      ...describeSometimes(results),
      ['excused', `${data.excused} met a branch that left theirs below the last final block, and said so`],
      ['outside', `${data.outsideModel} wanted what is not promised on such a network`],
      ['trace hash', data.traceHash],
      ['transfers', `${data.transfers} acknowledged`],
      [
        'faults',
        `${data.crashes} crashes, ${data.reorganisations} reorganisations, the deepest ${data.deepestReorganisation}`,
      ],
      ['speed', describeSpeed(data, seconds)],
    ])
    if (failed.length === 0) return summary
    const rows = failed.map(({ seed, verdict, reason }) => [
      String(seed),
      verdict,
      (reason ?? '').split('\n', 1)[0]!,
    ])
    return `${summary}\n\n${columns([['seed', 'verdict', 'reason'], ...rows])}`
  })
}

function describeSpeed(work: { events: number; simulatedMs: number }, seconds: number): string {
  const hours = work.simulatedMs / 3_600_000 / (seconds / 60)
  return `${work.events} events in ${seconds.toFixed(1)} s: ${Math.round(work.events / seconds)} events a second, ${hours.toFixed(1)} simulated hours a minute`
}

function worstOf(results: readonly SimulationResult[]): Verdict {
  const order: readonly Verdict[] = ['SAFETY', 'ERROR', 'LIVENESS', 'OUTSIDE-MODEL', 'EXCUSED', 'PASS']
  return order.find(verdict => results.some(result => result.verdict === verdict))!
}

/** The fields that a script may read of any run. */
const NO_AGREEMENT = {
  messagesPerDecision: null,
  bytesPerDecision: null,
  delaysPerDecision: null,
  certificates: null,
} as const

function describeLies({ lyingMiner, lyingPeer }: SimulationResult): [string, string][] {
  const rows: [string, ToldLies | null][] = [
    ['lying miner', lyingMiner],
    ['lying peer', lyingPeer],
  ]
  return rows.flatMap(([name, liar]): [string, string][] => {
    if (liar === null) return []
    const told = Object.entries(liar.lies).map(([lie, count]) => `${count} × ${lie}`)
    return [[name, `${liar.id}: ${told.length === 0 ? 'nothing' : told.join(', ')}`]]
  })
}

function describeHostile({ hostile }: SimulationResult): [string, string][] {
  if (hostile === null) return []
  const attacks = Object.entries(hostile.attacks).map(([name, count]) => `${count} × ${name}`)
  return [['hostile', attacks.length === 0 ? 'no attack' : attacks.join(', ')]]
}

function describeStrangers({ strangers }: SimulationResult): [string, string][] {
  if (strangers === null) return []
  const count = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, times]) => `${times} × ${name}`)
      .join(', ')
  return [
    ['strangers', count(strangers.attacks) || 'no attack'],
    ['denied', count(strangers.denials) || 'none'],
  ]
}

function describeAgreement(agreement: AgreementResult): [string, string][] {
  const { liars, messagesPerDecision, bytesPerDecision, delaysPerDecision } = agreement
  const lies = Object.entries(liars).map(([name, role]) => `${name} ${role}`)
  const average = (value: number): string => String(Math.round(value * 100) / 100)
  const cost =
    messagesPerDecision === null || bytesPerDecision === null || delaysPerDecision === null
      ? ''
      : `, each ${average(messagesPerDecision)} messages, ${bytesPerDecision} bytes, ${average(delaysPerDecision.mean)} delays (at most ${delaysPerDecision.max})`
  return [
    ['validators', `${agreement.validators}${lies.length === 0 ? '' : `, liars: ${lies.join(', ')}`}`],
    ['decisions', `${agreement.decisions}${cost}`],
    ['certificates', `${agreement.certificates} stored, ${agreement.pulledCertificates} asked for`],
    ['view changes', `${agreement.viewChanges}, ${agreement.reproposals} with something prepared before`],
    ['evidence', agreement.evidence.length === 0 ? 'none' : `against ${agreement.evidence.join(', ')}`],
    ['all final', agreement.recoveryMs === null ? 'no' : `${agreement.recoveryMs} ms after the faults`],
  ]
}

/** The sums of what can be added up, and the averages over all decisions. */
function sumAgreements(results: readonly SimulationResult[]): Record<string, unknown> {
  const all = results.map(({ agreement }) => agreement).filter(agreement => agreement !== null)
  if (all.length === 0) return NO_AGREEMENT
  const total = (pick: (one: AgreementResult) => number): number =>
    all.reduce((sum, one) => sum + pick(one), 0)
  const decisions = total(one => one.decisions)
  const average = (pick: (one: AgreementResult) => number | null | undefined): number | null =>
    decisions === 0 ? null : total(one => (pick(one) ?? 0) * one.decisions) / decisions
  const delays = all.map(one => one.delaysPerDecision?.max ?? 0)
  return {
    decisions,
    messagesPerDecision: average(one => one.messagesPerDecision),
    bytesPerDecision: average(one => one.bytesPerDecision),
    delaysPerDecision:
      decisions === 0
        ? null
        : { mean: average(one => one.delaysPerDecision?.mean), max: Math.max(...delays) },
    certificates: total(one => one.certificates),
    viewChanges: total(one => one.viewChanges),
    reproposals: total(one => one.reproposals),
    forcedReorganisations: total(one => one.forcedReorganisations),
    pulledCertificates: total(one => one.pulledCertificates),
    evidenceStored: total(one => one.evidenceStored),
    omissionsStored: total(one => one.omissionsStored),
    recoveryMsMax: Math.max(...all.map(one => one.recoveryMs ?? 0)),
  }
}
