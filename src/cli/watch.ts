// Showing what becomes of a transaction while it happens: `wallet send` and `wallet wait`.
// Each change is said once, on stderr; the end is the command's answer.

import type { TransactionId } from '../chain/transaction.ts'
import type { RpcClient } from '../wallet/rpc-client.ts'
import { type TransactionState, watchTransaction } from '../wallet/wait.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { nodeOptions, readCount, readShare } from './node-option.ts'
import { type Output, table } from './output.ts'

/** The options of a command that waits for a transaction. */
export const watchOptions = {
  ...nodeOptions,
  confirmations: {
    type: 'number',
    default: 1,
    describe: 'Blocks to wait for, the one that holds it counted',
  },
  final: { type: 'boolean', default: false, describe: 'Wait until the node calls it final' },
  attacker: {
    type: 'string',
    default: '0.1',
    describe: 'Share of all hashes that an attacker may have, for the probability of reversal',
  },
  timeout: { type: 'number', default: 600, describe: 'Seconds to wait at most' },
} as const

/** What `watchOptions` give. */
export interface WatchArgs {
  readonly confirmations: number
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
  const confirmations = readCount('--confirmations', args.confirmations, { min: 1, max: 1_000_000 })
  const timeoutMs = readCount('--timeout', args.timeout, { min: 1, max: 86_400 }) * 1000
  const attackerShare = readShare('--attacker', args.attacker)
  const wait = args.final ? {} : { confirmations: BigInt(confirmations) }
  let last: TransactionState = { status: 'unseen' }
  for await (const state of watchTransaction(client, id, {
    ...wait,
    timeoutMs,
    attackerShare,
    pollMs: 250,
  })) {
    last = state
    output.note(describe(state, attackerShare))
  }
  output.data({ id, ...last }, () =>
    table([
      ['transaction', id],
      ['outcome', describe(last, attackerShare)],
    ]),
  )
  return codeOf(last)
}

function describe(state: TransactionState, attackerShare: number): string {
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
          : `, reversed with probability ${percent(state.reversal.exact)}% by an attacker with ${percent(attackerShare)}% (Nakamoto's formula: ${percent(state.reversal.nakamoto)}%)`
      return `mined in block ${state.blockNumber}, ${state.confirmations} confirmation${state.confirmations === 1n ? '' : 's'}${risk}`
    }
    case 'final':
      return `final in block ${state.blockNumber}`
    case 'replaced':
      return `replaced by ${state.by}, which has its nonce`
    case 'dropped':
      return `dropped: ${state.reason}`
    case 'unknown':
      return `not known yet; last seen: ${describe(state.last, attackerShare)}`
  }
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
