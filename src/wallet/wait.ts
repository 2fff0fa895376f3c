// Follows a transaction until it is final, replaced or dropped, by polling a node.
//
// Under proof of work a mined transaction only becomes ever more likely to stay: each state has the probability that an
// attacker with the share q of all hashes reverses it (src/finality/reversal.ts).

import { isDeepStrictEqual } from 'node:util'
import type { TransactionId } from '../chain/transaction.ts'
import type { Hex } from '../encoding/bytes.ts'
import type { Fields } from '../encoding/fields.ts'
import { confirmationsBelow, exactReversal, nakamotoReversal } from '../finality/reversal.ts'
import { type Clock, systemClock } from './clock.ts'
import { hashField, InvalidAnswer, printable, quantityField, readObject } from './rpc-answer.ts'
import { NodeUnreachable, type RpcClient } from './rpc-client.ts'

/** The block that a transaction is in. */
export interface MinedIn {
  readonly blockHash: Hex
  readonly blockNumber: bigint
  /** That block and those on top of it. */
  readonly confirmations: bigint
}

/** The probability, from 0 to 1, that an attacker reverses a block: by the exact formula and by Nakamoto's. */
export interface Reversal {
  readonly exact: number
  readonly nakamoto: number
}

/** What a node knows of a transaction. */
export type TransactionState =
  /** The node has never seen it; it may still come. */
  | { readonly status: 'unseen' }
  /** The node does not answer; asking goes on. */
  | { readonly status: 'unreachable'; readonly reason: string }
  /** It waits in the node's pool; `waitsFor` is a lower nonce that must come first, or null. */
  | { readonly status: 'pending'; readonly waitsFor: bigint | null }
  /** `reversal` is null when no attacker was assumed. */
  | ({ readonly status: 'mined'; readonly reversal: Reversal | null } & MinedIn)
  | ({ readonly status: 'final' } & MinedIn)
  /** Another transaction of the sender took its nonce. */
  | { readonly status: 'replaced'; readonly by: TransactionId }
  | { readonly status: 'dropped'; readonly reason: string }
  /** Time is up and nothing is decided; `last` is what was known. */
  | { readonly status: 'unknown'; readonly last: TransactionState }

/** How to wait; every field has a default. */
export interface WatchOptions {
  /** How long to wait between two questions: 1,000. */
  readonly pollMs?: number
  /** Milliseconds to wait in all; without end by default. */
  readonly timeoutMs?: number
  /** How many confirmations are enough, although nothing is final; only finality when absent. */
  readonly confirmations?: bigint
  /** The attacker's share q of all hashes, from 0 to 1; no attacker when absent. */
  readonly attackerShare?: number
  /**
   * What probability of reversal, by the exact formula and for that attacker, is small enough although nothing is
   * final: the wait ends when it is below this.
   */
  readonly risk?: number
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/**
 * The states of a transaction, each when it differs from the one before. Ends after `final`, `replaced`, `dropped` and
 * `unknown`, and after `mined` with enough confirmations or little enough risk. Throws `RpcError`, `InvalidAnswer`, and the signal's reason
 * when it is aborted.
 */
export async function* watchTransaction(
  client: RpcClient,
  id: TransactionId,
  options: WatchOptions = {},
): AsyncGenerator<TransactionState, void, void> {
  const { pollMs = 1_000, timeoutMs = Infinity, signal, clock = systemClock } = options
  const deadline = clock.now() + timeoutMs
  let last: TransactionState | null = null
  for (;;) {
    signal?.throwIfAborted()
    const state = await askState(client, id, options)
    if (last === null || !isDeepStrictEqual(state, last)) yield state
    if (isEnd(state, options)) return
    last = state
    const left = deadline - clock.now()
    if (left <= 0) {
      yield { status: 'unknown', last }
      return
    }
    await clock.sleep(Math.min(pollMs, left), signal)
  }
}

const METHOD = 'quorate_getTransactionStatus'

async function askState(
  client: RpcClient,
  id: TransactionId,
  { attackerShare, signal }: WatchOptions,
): Promise<TransactionState> {
  try {
    const answer = await client.call(METHOD, [id], signal)
    if (answer === null) return { status: 'unseen' }
    return readObject(METHOD, answer, fields => readState(fields, attackerShare))
  } catch (error) {
    if (error instanceof NodeUnreachable) return { status: 'unreachable', reason: error.message }
    throw error
  }
}

function readState(fields: Fields, attackerShare: number | undefined): TransactionState {
  const status = fields.text('status')
  switch (status) {
    case 'pending':
      return { status, waitsFor: fields.has('waitsFor') ? quantityField(fields, 'waitsFor') : null }
    case 'mined':
      return readMined(fields, attackerShare)
    case 'replaced':
      return { status, by: hashField(fields, 'by') }
    case 'dropped':
      return { status, reason: printable(fields.text('reason')) }
  }
  throw new InvalidAnswer(METHOD, `the status ${JSON.stringify(status)} is not known: is the node newer?`)
}

function readMined(fields: Fields, attackerShare: number | undefined): TransactionState {
  const minedIn = {
    blockHash: hashField(fields, 'blockHash'),
    blockNumber: quantityField(fields, 'blockNumber'),
    confirmations: quantityField(fields, 'confirmations'),
  }
  const isFinal = fields.parse('final', 'true or false', value => (typeof value === 'boolean' ? value : null))
  if (isFinal) return { status: 'final', ...minedIn }
  const reversal = attackerShare === undefined ? null : reversalOf(attackerShare, minedIn.confirmations)
  return { status: 'mined', ...minedIn, reversal }
}

/** How many confirmations bring the risk of reversal below a bound, by both formulas; null for more than can be waited for. */
export function confirmationsForRisk(
  attackerShare: number,
  risk: number,
): { readonly exact: number | null; readonly nakamoto: number | null } {
  const limits = { risk, max: Number(CONFIRMATIONS_COUNTED_MAX) }
  return {
    exact: confirmationsBelow(exactReversal, attackerShare, limits),
    nakamoto: confirmationsBelow(nakamotoReversal, attackerShare, limits),
  }
}

/** The formulas take as long as there are blocks. Counting fewer than there are errs on the side of caution. */
const CONFIRMATIONS_COUNTED_MAX = 10_000n

function reversalOf(attackerShare: number, confirmations: bigint): Reversal {
  const z = Number(confirmations < CONFIRMATIONS_COUNTED_MAX ? confirmations : CONFIRMATIONS_COUNTED_MAX)
  return { exact: exactReversal(attackerShare, z), nakamoto: nakamotoReversal(attackerShare, z) }
}

function isEnd(state: TransactionState, { confirmations, risk }: WatchOptions): boolean {
  if (state.status === 'mined') {
    const isDeep = confirmations !== undefined && state.confirmations >= confirmations
    const isSafe = risk !== undefined && state.reversal !== null && state.reversal.exact < risk
    return isDeep || isSafe
  }
  return state.status === 'final' || state.status === 'replaced' || state.status === 'dropped'
}
