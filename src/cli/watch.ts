// Showing what becomes of a transaction while it happens: `wallet send` and `wallet wait`.
// Each change is printed once, on stderr; the final state is the command's answer.

import type { TransactionId } from '../chain/transaction.ts'
import { MODES } from '../finality/registry.ts'
import type { RpcClient } from '../wallet/rpc-client.ts'
import {
  confirmationsForRisk,
  type TransactionState,
  type WatchOptions,
  watchTransaction,
} from '../wallet/wait.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { nodeOptions, readCount, readShare } from './node-option.ts'
import { type Output, table } from './output.ts'

/** From when a transfer is final, in each mode; what holds without miners too first. */
const FINAL_WHEN = [...new Set(MODES.map(({ finalWhen }) => finalWhen))].toReversed()

/** The options of a command that waits for a transaction. */
export const watchOptions = {
  ...nodeOptions,
  confirmations: {
    type: 'number',
    describe: 'Confirmations to wait for: blocks from its own to the head',
    defaultDescription: '1',
  },
  risk: {
    type: 'string',
    describe: 'Wait until the probability that the attacker reverses it is lower than this, such as 0.1%',
  },
  final: {
    type: 'boolean',
    default: false,
    describe: `Wait until it is final: ${FINAL_WHEN.join(', or ')}`,
  },
  attacker: {
    type: 'string',
    default: '0.1',
    describe: 'Share of all hashes that an attacker may have: 0.1 or 10%',
  },
  timeout: { type: 'number', default: 600, describe: 'Seconds to wait at most' },
} as const

/** What `watchOptions` give. */
export interface WatchArgs {
  readonly confirmations?: number | undefined
  readonly risk?: string | undefined
  readonly final: boolean
  readonly attacker: string
  readonly timeout: number
}

/** Follows a transaction to its end, saying each change on stderr and the end on stdout. */
export async function watch(
  client: RpcClient,
  id: TransactionId,
  args: WatchArgs,
  output: Output,
): Promise<ExitCode> {
  const timeoutMs = readCount('--timeout', args.timeout, { min: 1, max: 86_400 }) * 1000
  const attackerShare = readShare('--attacker', args.attacker)
  const goal = readGoal(args, attackerShare)
  if (goal.type === 'risk') output.note(describeRisk(goal, attackerShare))
  let last: TransactionState = { status: 'unseen' }
  for await (const state of watchTransaction(client, id, {
    ...optionsOf(goal),
    timeoutMs,
    attackerShare,
    pollMs: 250,
  })) {
    last = state
    output.note(describe(state, { attackerShare, goal }))
  }
  const needed = goal.type === 'risk' ? { risk: goal.risk, confirmationsNeeded: goal.needed } : {}
  output.data({ id, ...last, ...needed }, () =>
    table([
      ['transaction', id],
      ['outcome', describe(last, { attackerShare, goal })],
    ]),
  )
  return codeOf(last)
}

/** What the wait is for. */
type Goal =
  | { readonly type: 'final' }
  | { readonly type: 'confirmations'; readonly count: number }
  /** `needed` confirmations bring the risk below the bound, by the exact formula and by Nakamoto's. */
  | {
      readonly type: 'risk'
      readonly risk: number
      readonly needed: { readonly exact: number; readonly nakamoto: number | null }
    }

function readGoal(args: WatchArgs, attackerShare: number): Goal {
  const given = [
    args.confirmations === undefined ? null : '--confirmations',
    args.risk === undefined ? null : '--risk',
    args.final ? '--final' : null,
  ].filter(option => option !== null)
  if (given.length > 1)
    throw new CommandError(EXIT.usage, `${given.join(' and ')}: give one of them`, 'Each says when to stop.')
  if (args.final) return { type: 'final' }
  if (args.risk === undefined) {
    const count = readCount('--confirmations', args.confirmations ?? 1, { min: 1, max: 1_000_000 })
    return { type: 'confirmations', count }
  }
  const risk = readShare('--risk', args.risk)
  if (risk <= 0 || risk >= 1) {
    throw new CommandError(
      EXIT.usage,
      `--risk: expected a probability above 0 and below 1, got ${args.risk}`,
      risk <= 0 ? 'Nothing that is mined is ever without risk; --final waits for a certificate.' : null,
    )
  }
  const { exact, nakamoto } = confirmationsForRisk(attackerShare, risk)
  if (exact === null) {
    throw new CommandError(
      EXIT.usage,
      `--risk ${args.risk}: no number of confirmations that can be waited for is enough against ${percent(attackerShare)}% of all hashes`,
      'Half of all hashes reverse anything that is not final; --final waits for a certificate.',
    )
  }
  return { type: 'risk', risk, needed: { exact, nakamoto } }
}

function optionsOf(goal: Goal): WatchOptions {
  switch (goal.type) {
    case 'final':
      return {}
    case 'confirmations':
      return { confirmations: BigInt(goal.count) }
    case 'risk':
      return { risk: goal.risk }
  }
}

function describeRisk({ risk, needed }: Extract<Goal, { type: 'risk' }>, attackerShare: number): string {
  const { exact, nakamoto } = needed
  return `a risk below ${percent(risk)}% against ${percent(attackerShare)}% of all hashes takes ${exact} confirmation${exact === 1 ? '' : 's'} by the exact formula, which decides (${nakamoto ?? 'more than can be counted'} by Nakamoto's)`
}

/** How a state is put into words: against which attacker, and what is waited for. */
interface Wording {
  readonly attackerShare: number
  readonly goal: Goal
}

function describe(state: TransactionState, wording: Wording): string {
  switch (state.status) {
    case 'unseen':
      return 'unseen: the node has not heard of it'
    case 'unreachable':
      return `waiting for the node: ${state.reason}`
    case 'pending':
      return state.waitsFor === null
        ? 'pending: in the pool, in no block yet'
        : `pending behind a gap: it waits for the transfer with nonce ${state.waitsFor}`
    case 'mined': {
      const risk =
        state.reversal === null
          ? ''
          : `, reversed with probability ${percent(state.reversal.exact)}% by an attacker with ${percent(wording.attackerShare)}% (Nakamoto's formula: ${percent(state.reversal.nakamoto)}%)`
      return `mined in block ${state.blockNumber}, ${countConfirmations(state.confirmations, wording.goal)}${risk}`
    }
    case 'final':
      return `final in block ${state.blockNumber}`
    case 'replaced':
      return `replaced by ${state.by}, which has its nonce`
    case 'dropped':
      return `dropped: ${state.reason}`
    case 'unknown':
      return `not known yet; last seen: ${describe(state.last, wording)}`
  }
}

function countConfirmations(confirmations: bigint, goal: Goal): string {
  const needed = goal.type === 'risk' ? goal.needed.exact : goal.type === 'confirmations' ? goal.count : 1
  const of = needed > 1 && confirmations <= BigInt(needed) ? ` of ${needed}` : ''
  return `${confirmations}${of} confirmation${confirmations === 1n && of === '' ? '' : 's'}`
}

function codeOf(state: TransactionState): ExitCode {
  switch (state.status) {
    case 'mined':
    case 'final':
      return EXIT.done
    case 'replaced':
    case 'dropped':
      return EXIT.no
    case 'unseen':
    case 'unreachable':
    case 'pending':
    case 'unknown':
      return EXIT.unknown
  }
}

/** A share as a percentage with three digits that count. */
function percent(share: number): string {
  return String(Number((share * 100).toPrecision(3)))
}
