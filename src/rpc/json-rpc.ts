// JSON-RPC 2.0 (jsonrpc.org/specification): single calls, batches and notifications. A `jsonrpc` member may be
// missing, as Bitcoin's miners leave it out, and parameters go by position.
//
// Calls of a batch start in their order and need not end in it; the answers stand in it. Between calls that take long
// other clients get their turn.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Json } from '../chain/fields.ts'
import type { RpcBackend } from './backend.ts'
import { CODES, RpcError } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import { CONTROL_METHODS, METHODS, type Method } from './methods.ts'
import { invalidParams, isObject, type Params } from './parameters.ts'

/** What a request is answered with. */
export interface Service {
  readonly backend: RpcBackend
  readonly limits: Pick<RpcLimits, 'batchMax' | 'answerCharactersMax'>
  /** Hears of faults of the node itself, of which clients learn nothing but that there was one. */
  readonly onFault: (error: unknown, method: string) => void
}

/** Milliseconds that the calls of one batch keep others waiting at most. */
const TURN_MS = 10

/**
 * The text that answers a request, or null when there is nothing to answer. `isTrusted` says whether the sender has
 * shown the node's cookie.
 */
export async function answerRequest(service: Service, request: Json, isTrusted: boolean): Promise<string | null> {
  if (!Array.isArray(request)) return await answerCall(service, request, isTrusted)
  if (request.length === 0) return errorText(null, new RpcError(CODES.invalidRequest, 'the batch is empty'))
  const { batchMax } = service.limits
  if (request.length > batchMax) {
    return errorText(null, new RpcError(CODES.invalidRequest, `the batch has more than ${batchMax} calls`))
  }
  return await answerBatch(service, request, isTrusted)
}

/** The text of an error answer. */
export function errorText(id: CallId, { code, message, data }: RpcError): string {
  const error = data === null ? { code, message } : { code, message, data }
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`
}

type CallId = string | number | null

async function answerBatch(service: Service, calls: readonly Json[], isTrusted: boolean): Promise<string | null> {
  const answers: Promise<string | null>[] = []
  let room = service.limits.answerCharactersMax
  let turnEnd = performance.now() + TURN_MS
  for (const call of calls) {
    const answer = room < 0 ? refuseCall(call) : answerCall(service, call, isTrusted)
    answers.push(answer.then(text => {
      room -= text?.length ?? 0
      return text
    }))
    if (performance.now() > turnEnd) {
      await nextTurn()
      turnEnd = performance.now() + TURN_MS
    }
  }
  const texts = (await Promise.all(answers)).filter(text => text !== null)
  return texts.length === 0 ? null : `[${texts.join(',')}]`
}
