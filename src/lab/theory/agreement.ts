// What theory says of an agreement among validators, held against whole runs of the simulator: what a decision costs,
// what f liars can't do, what f + 1 can, and that a network that loses, delays, reorders and cuts stops agreement
// without ever making it wrong.

import type { LogTheory } from '../../consensus/kit.ts'
import { HYBRID } from '../../finality/modes/hybrid.ts'
import { PBFT } from '../../finality/modes/pbft.ts'
import type { Adversary } from '../adversary/adversary.ts'
import type { FaultKind } from '../faults/fault-plan.ts'
import { PBFT_LEADER } from '../stage/variant.ts'
import type { SimulationOptions } from '../swarm/simulation-options.ts'
import type { SimulationResult } from '../swarm/simulation-result.ts'
import { type Claim, type ClaimGroup, claimEqual } from './claim.ts'
import { createSimulator } from './decisions.ts'
import type { Theory } from './formulas.ts'

/** The variants with committees: those that the claims name. */
const COMMITTEES = [PBFT.name, PBFT_LEADER, HYBRID.name]
/** The committees whose decisions are counted. */
const SIZES = [4, 7, 10, 16]
/** What a network does before it becomes stable. */
const UNSTABLE: readonly FaultKind[] = ['loss', 'delay', 'duplication', 'reordering', 'partition']

/** What of a run is judged. */
export type AgreementRun = Pick<SimulationResult, 'verdict' | 'reason' | 'finalHeight' | 'agreement'>

/** What the simulator was asked for, and what came out. */
export interface AgreementRuns {
  /** Runs without faults, by the sizes of their committees. */
  readonly allToAll: readonly AgreementRun[]
  readonly leaderCollected: readonly AgreementRun[]
  readonly hybrid: readonly AgreementRun[]
  readonly liars: readonly AgreementRun[]
  readonly silent: readonly AgreementRun[]
  readonly equivocating: readonly AgreementRun[]
  readonly unstable: readonly AgreementRun[]
}

/** Runs the simulator, with so many seeds where chance matters; `onStep` is called for each kind of run. */
export async function runAgreements(
  { seed, repeats }: { readonly seed: number; readonly repeats: number },
  onStep: (word: string) => void,
): Promise<AgreementRuns> {
  const run = await createSimulator()
  const seeds = Array.from({ length: repeats }, (_, index) => seed + index)
  const many = (variant: string, members: number, changes: Partial<SimulationOptions>): AgreementRun[] =>
    seeds.map(seed => run(variant, { seed, nodes: members, validators: members, ...changes }))
  const withLiars = (role: Adversary['role'], count: number | null) => ({ adversary: { role, count } })
  onStep('messages of a decision')
  const decide = (variant: string): AgreementRun[] =>
    SIZES.map(n => run(variant, { seed, nodes: n, validators: n }))
  const [allToAll, leaderCollected, hybrid] = [decide(PBFT.name), decide(PBFT_LEADER), decide(HYBRID.name)]
  onStep('f liars')
  const liars = COMMITTEES.flatMap(variant => [4, 7].flatMap(n => many(variant, n, withLiars('all', null))))
  onStep('f + 1 liars')
  const silent = COMMITTEES.flatMap(variant =>
    [4, 7].map(n => run(variant, { seed, nodes: n, validators: n, ...withLiars('silent', (n - 1) / 3 + 1) })),
  )
  const equivocating = [4, 7].flatMap(n => many(PBFT.name, n, withLiars('equivocate', (n - 1) / 3 + 1)))
  onStep('an unstable network')
  const unstable = [PBFT.name, PBFT_LEADER].flatMap(variant =>
    many(variant, 4, { faults: new Set(UNSTABLE) }),
  )
  return { allToAll, leaderCollected, hybrid, liars, silent, equivocating, unstable }
}

/** Holds the runs against theory. */
export function judgeAgreements(theory: Theory, runs: AgreementRuns): ClaimGroup[] {
  return [
    {
      name: 'What a decision costs',
      source:
        'M. Castro, B. Liskov, "Practical Byzantine Fault Tolerance" (1999), section 4.2; leader-collected: W. Schultz, "Distributed Systems" (2024), section 4.2, with the commit that its step 5 lacks; protocols.md, C.10',
      claims: [
        ...judgeCost('all to all', theory.allToAll, runs.allToAll),
        ...judgeCost('all to all over mined blocks', theory.allToAll, runs.hybrid),
        ...judgeCost('collected by the leader', theory.leaderCollected, runs.leaderCollected),
      ],
    },
    {
      name: '3f + 1, and one past it',
      source:
        'L. Lamport, R. Shostak, M. Pease (1982), theorem 1; M. Castro, B. Liskov (1999), section 3; C. Dwork, N. Lynch, L. Stockmeyer, "Consensus in the Presence of Partial Synchrony" (1988), section 4',
      claims: [
        judgeLiars(runs.liars),
        judgeSilent(runs.silent),
        judgeEquivocating(runs.equivocating),
        judgeUnstable(runs.unstable),
      ],
    },
  ]
}

function judgeCost(how: string, theory: LogTheory, runs: readonly AgreementRun[]): Claim[] {
  const sizes = `for n = ${SIZES.join(', ')}`
  return [
    claimEqual(`messages of a decision, ${how}, ${sizes}`, {
      formula: theory.formula,
      expected: SIZES.map(n => theory.messages(n)),
      measured: runs.map(({ agreement }) => agreement?.messagesPerDecision),
    }),
    claimEqual(`message delays until all know, ${how}, ${sizes}`, {
      formula: 'each',
      expected: SIZES.map(() => theory.delays),
      measured: runs.map(({ agreement }) => agreement?.delaysPerDecision?.max),
    }),
  ]
}

function judgeLiars(runs: readonly AgreementRun[]): Claim {
  const passed = runs.filter(({ verdict, finalHeight }) => verdict === 'PASS' && finalHeight > 0)
  return {
    says: 'f liars of every kind: decisions agree, and go on (pbft in both patterns, hybrid; n = 4 and 7)',
    expected: `${runs.length} runs of ${runs.length}`,
    measured: `${passed.length} runs${describeOthers(runs, passed)}`,
    isTrue: passed.length === runs.length,
  }
}

function judgeSilent(runs: readonly AgreementRun[]): Claim {
  const stopped = runs.filter(
    ({ verdict, finalHeight, agreement }) =>
      verdict === 'LIVENESS' && finalHeight === 0 && agreement?.certificates === 0,
  )
  return {
    says: 'f + 1 silent: nothing becomes final, and nothing is wrong',
    expected: `${runs.length} runs of ${runs.length} stop without a certificate`,
    measured: `${stopped.length} runs${describeOthers(runs, stopped)}`,
    isTrue: stopped.length === runs.length,
  }
}

function judgeEquivocating(runs: readonly AgreementRun[]): Claim {
  const split = runs.filter(
    ({ verdict, reason }) => verdict === 'SAFETY' && /two (prepare|commit) certificates/.test(reason ?? ''),
  )
  const named = split.filter(({ agreement }) => agreement!.evidence.every(name => name in agreement!.liars))
  return {
    says: 'f + 1 equivocating: the simulator finds two certificates for one decision, and accuses liars only',
    expected: 'in one run at least',
    measured: `${split.length} of ${runs.length} runs, ${named.length} without a false accusation`,
    isTrue: split.length > 0 && named.length === split.length,
  }
}

function judgeUnstable(runs: readonly AgreementRun[]): Claim {
  const passed = runs.filter(({ verdict }) => verdict === 'PASS')
  const recoveries = passed.map(({ agreement }) => agreement!.recoveryMs ?? Number.POSITIVE_INFINITY)
  const slowest = (Math.max(0, ...recoveries) / 1_000).toFixed(1)
  return {
    says: 'before GST (loss, delay, reordering, cuts) nothing is wrong, and after it all becomes final in bounded time',
    expected: `${runs.length} runs of ${runs.length}`,
    measured: `${passed.length} runs, the slowest ${slowest} s after GST${describeOthers(runs, passed)}`,
    isTrue: passed.length === runs.length,
  }
}

/** What the first of those said that are not among the expected. */
function describeOthers(runs: readonly AgreementRun[], expected: readonly AgreementRun[]): string {
  const other = runs.find(run => !expected.includes(run))
  return other === undefined ? '' : `; another: ${other.verdict} ${other.reason ?? ''}`.trimEnd()
}
