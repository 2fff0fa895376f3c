// Submits a signed transaction to a node, when the answer may get lost on the way.
//
// Signing again after a lost answer, with the next nonce, pays twice. So a retry sends the same bytes, which can only be
// mined once, and "already known" means success. If the outcome stays unclear the result says so: a later refusal does
// not prove that an earlier copy was refused too.

import { keccak256 } from '../chain/hash.ts'
import type { TransactionId } from '../chain/transaction.ts'
import { fromHex, type Hex, toHex } from '../encoding/bytes.ts'
import { type Clock, systemClock } from './clock.ts'
import { InvalidAnswer } from './rpc-answer.ts'
import { NodeUnreachable, type RpcClient, RpcError } from './rpc-client.ts'

/** The outcome of a submission. */
export type Submission =
  /** The node has it, now or already before. */
  | { readonly status: 'accepted'; readonly id: TransactionId }
  /** The node does not have it, and said why. */
  | { readonly status: 'refused'; readonly id: TransactionId; readonly error: RpcError }
  /** The node may have it. Submit the same bytes again, or wait for the id; do not sign again. */
  | {
      readonly status: 'unknown'
      readonly id: TransactionId
      readonly error: RpcError | NodeUnreachable | InvalidAnswer
    }

/** Retries of a submission; every field has a default. */
export interface SubmissionOptions {
  /** How often the bytes are sent at most: 4 times. */
  readonly attemptsMax?: number
  /** Milliseconds before the second attempt: 250. Each further delay is twice as long. */
  readonly retryMs?: number
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/**
 * Submits a signed transaction (`raw`: its EIP-2718 bytes in hex). Throws `NodeUnreachable` only if the node can't have
 * received it, and the signal's reason when it is aborted.
 */
export async function submit(
  client: RpcClient,
  raw: Hex,
  options: SubmissionOptions = {},
): Promise<Submission> {
  const { attemptsMax = 4, retryMs = 250, signal, clock = systemClock } = options
  const id = toHex(keccak256(fromHex(raw)))
  let mayHaveArrived = false
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce(client, raw, id, signal)
    if (outcome === 'accepted') return { status: 'accepted', id }
    const isRefused = isRefusal(outcome)
    if (!mayHaveArrived && isRefused) return { status: 'refused', id, error: outcome }
    if (!mayHaveArrived && isUnheard(outcome)) throw outcome
    mayHaveArrived = true
    if (isRefused || attempt >= attemptsMax) {
      if (await isKnown(client, id, signal)) return { status: 'accepted', id }
      return { status: 'unknown', id, error: outcome }
    }
    await clock.sleep(retryMs * 2 ** (attempt - 1), signal)
  }
}

type Doubt = RpcError | NodeUnreachable | InvalidAnswer

async function attemptOnce(
  client: RpcClient,
  raw: Hex,
  id: TransactionId,
  signal: AbortSignal | undefined,
): Promise<'accepted' | Doubt> {
  try {
    const answer = await client.call('eth_sendRawTransaction', [raw], signal)
    return answer === id
      ? 'accepted'
      : new InvalidAnswer('eth_sendRawTransaction', 'it names another transaction')
  } catch (error) {
    if (error instanceof RpcError && ALREADY_KNOWN.test(error.message)) return 'accepted'
    if (isDoubt(error)) return error
    throw error
  }
}

/** How nodes say that they have a transaction: geth and we, older geth and erigon, besu and parity. */
const ALREADY_KNOWN = /already known|known transaction|already imported/i

const INTERNAL_ERROR = -32603

/** The node judged the transaction; an internal error is no judgement. */
function isRefusal(doubt: Doubt): doubt is RpcError {
  return doubt instanceof RpcError && doubt.code !== INTERNAL_ERROR
}

function isUnheard(doubt: Doubt): boolean {
  return doubt instanceof NodeUnreachable && doubt.silence === 'no-connection'
}

async function isKnown(
  client: RpcClient,
  id: TransactionId,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const answer = await client.call('eth_getTransactionByHash', [id], signal)
    return typeof answer === 'object' && answer !== null && 'hash' in answer && answer.hash === id
  } catch (error) {
    if (isDoubt(error)) return false
    throw error
  }
}

function isDoubt(error: unknown): error is Doubt {
  return error instanceof RpcError || error instanceof NodeUnreachable || error instanceof InvalidAnswer
}
