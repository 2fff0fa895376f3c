// JSON-RPC 2.0 (jsonrpc.org/specification): single calls, batches and notifications. A `jsonrpc` member may
// be missing, as Bitcoin's miners leave it out, and parameters go by position.
//
// Calls of a batch start in their order and need not end in it; the answers stand in it. Between calls that
// take long other clients get their turn.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Json } from '../chain/fields.ts'
import type { RpcBackend } from './backend.ts'
import { CODES, RpcError } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import { CONTROL_METHODS, EFFECTIVE_METHODS, METHODS, type Method } from './methods.ts'
import { Slices } from './outcome.ts'
import { invalidParams, isObject, type Params } from './parameters.ts'
import { isExactNumber } from './request-text.ts'

/** What requests are answered with. */
export interface Service {
  readonly backend: RpcBackend
  readonly limits: Pick<RpcLimits, 'batchMax' | 'answerCharactersMax'>
  /** Hears of faults of the node itself, of which clients learn nothing but that there was one. */
  readonly onFault: (error: unknown, method: string) => void
}

/** Milliseconds that the calls of one batch keep others waiting at most, but for the last of them. */
const TURN_MS = 10

/**
 * The text that answers a request, or null when there is nothing to answer. `isTrusted` says whether the
 * sender has shown the node's cookie. Never throws.
 */
export async function answerRequest(
  service: Service,
  request: Json,
  isTrusted: boolean,
): Promise<string | null> {
  if (!Array.isArray(request)) return await answerCall(service, request, isTrusted)
  const { batchMax, answerCharactersMax } = service.limits
  if (request.length === 0) return errorText(null, invalidRequest('the batch is empty'))
  if (request.length > batchMax) {
    return errorText(null, invalidRequest(`the batch has more than ${batchMax} calls`))
  }
  const answers: (Answer | Promise<Answer>)[] = []
  let room = answerCharactersMax
  let turnEnd = performance.now() + TURN_MS
  for (const call of request) {
    const answer = room < 0 ? refuseCall(call, tooLarge()) : answerCall(service, call, isTrusted)
    // What takes time is short: only handing in a transaction does.
    if (!(answer instanceof Promise)) room -= answer?.length ?? 0
    answers.push(answer)
    if (performance.now() < turnEnd) continue
    await nextTurn()
    turnEnd = performance.now() + TURN_MS
  }
  const texts = (await Promise.all(answers)).filter(text => text !== null)
  return texts.length === 0 ? null : `[${texts.join(',')}]`
}

/** The text of an error answer. */
export function errorText(id: CallId, { code, message, data }: RpcError): string {
  const error = data === null ? { code, message } : { code, message, data }
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`
}

type CallId = string | number | null

/** The text of an answer; null for a notification, which gets none. */
type Answer = string | null

interface Call {
  /** Undefined for a notification. */
  readonly id: CallId | undefined
  readonly method: string
  readonly params: Json | undefined
}

/** Runs a call. A promise comes back only from methods that take time; it never rejects. */
function answerCall(service: Service, value: Json, isTrusted: boolean): Answer | Promise<Answer> {
  const call = readCall(value)
  if (call instanceof RpcError) return errorText(null, call)
  const onError = (error: unknown): Answer => answerError(service, call, error)
  try {
    const method = findMethod(call.method, isTrusted)
    // Nobody is told what came of it: only what changes something is worth the work.
    if (call.id === undefined && !EFFECTIVE_METHODS.has(call.method)) return null
    const outcome = method(service.backend, readParams(call))
    const result = outcome instanceof Slices ? workOff(outcome) : outcome
    if (!(result instanceof Promise)) return answerResult(service, call, result)
    return result.then(settled => answerResult(service, call, settled)).catch(onError)
  } catch (error) {
    return onError(error)
  }
}

async function workOff({ steps }: Slices): Promise<Json> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await nextTurn()
  }
}

function refuseCall(value: Json, error: RpcError): Answer {
  const call = readCall(value)
  if (call instanceof RpcError) return errorText(null, call)
  return call.id === undefined ? null : errorText(call.id, error)
}

function answerResult({ limits }: Service, { id }: Call, result: Json): Answer {
  if (id === undefined) return null
  const text = JSON.stringify(result)
  if (text.length > limits.answerCharactersMax) return errorText(id, tooLarge())
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}`
}

function answerError({ onFault }: Service, { id, method }: Call, error: unknown): Answer {
  const isExpected = error instanceof RpcError
  if (!isExpected) onFault(error, method)
  if (id === undefined) return null
  return errorText(id, isExpected ? error : new RpcError(CODES.internalError, 'internal error'))
}

function readCall(value: Json): Call | RpcError {
  if (!isObject(value)) return invalidRequest('expected an object with method, params and id')
  const { jsonrpc, id, method, params } = value
  if (jsonrpc !== undefined && jsonrpc !== '2.0') return invalidRequest('expected jsonrpc to be "2.0"')
  if (!isCallId(id)) return invalidRequest('expected id to be a number, a string or null')
  if (typeof method !== 'string') return invalidRequest('expected method to be a string')
  return { id, method, params }
}

function isCallId(id: Json | undefined): id is CallId | undefined {
  return id === undefined || id === null || typeof id === 'string' || Number.isFinite(id) || isExactNumber(id)
}

function findMethod(name: string, isTrusted: boolean): Method {
  const method = METHODS.get(name)
  if (method !== undefined) return method
  const control = CONTROL_METHODS.get(name)
  if (control === undefined) {
    throw new RpcError(
      CODES.methodNotFound,
      `the method ${name.slice(0, 100)} does not exist/is not available`,
    )
  }
  if (!isTrusted) throw new RpcError(CODES.cookieNeeded, `${name} needs the node's cookie`)
  return control
}

function readParams({ params = null }: Call): Params {
  if (params === null) return []
  if (!Array.isArray(params)) throw invalidParams('parameters go by position: expected a list')
  return params
}

function invalidRequest(text: string): RpcError {
  return new RpcError(CODES.invalidRequest, text)
}

function tooLarge(): RpcError {
  return new RpcError(CODES.answerTooLarge, 'response too large')
}
