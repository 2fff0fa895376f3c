// JSON-RPC 2.0 (jsonrpc.org/specification): single calls, batches and notifications. A `jsonrpc` member may
// be missing, as Bitcoin's miners leave it out, and parameters go by position. What works on calls is request-work.ts.

import type { Json } from '../encoding/fields.ts'
import type { RpcBackend } from './backend.ts'
import { CODES, RpcError } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import type { Priced } from './methods.ts'
import { invalidParams, isObject, type Params } from './parameters.ts'
import { isExactNumber } from './request-text.ts'

/** What requests are answered with. */
export interface Service {
  readonly backend: RpcBackend
  /** The methods that need the cookie. */
  readonly controlMethods: ReadonlyMap<string, Priced>
  readonly limits: Pick<RpcLimits, 'batchMax' | 'answerCharactersMax' | 'requestMsMax'>
  /** Hears of faults of the node itself, of which clients learn nothing but that there was one. */
  readonly onFault: (error: unknown, method: string) => void
}

/** The text of an answer; null for a notification, which gets none. */
export type Answer = string | null

type CallId = string | number | null

/** One call. */
export interface Call {
  /** Undefined for a notification. */
  readonly id: CallId | undefined
  readonly method: string
  readonly params: Json | undefined
}

/** What is wrong with a batch as a whole, or null. */
export function refuseBatch({ limits }: Service, request: Json): RpcError | null {
  if (!Array.isArray(request)) return null
  if (request.length === 0) return invalidRequest('the batch is empty')
  const { batchMax } = limits
  return request.length > batchMax ? invalidRequest(`the batch has more than ${batchMax} calls`) : null
}

/** The text of an error answer. */
export function errorText(id: CallId, { code, message, data }: RpcError): string {
  const error = data === null ? { code, message } : { code, message, data }
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`
}

/** The text of a call's result. */
export function answerResult({ limits }: Service, { id }: Call, result: Json): Answer {
  if (id === undefined) return null
  const text = JSON.stringify(result)
  if (text.length > limits.answerCharactersMax)
    return errorText(id, new RpcError(CODES.answerTooLarge, 'response too large'))
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}`
}

/** The text for what a method threw. */
export function answerError({ onFault }: Service, { id, method }: Call, error: unknown): Answer {
  const isExpected = error instanceof RpcError
  if (!isExpected) onFault(error, method)
  if (id === undefined) return null
  return errorText(id, isExpected ? error : new RpcError(CODES.internalError, 'internal error'))
}

/** The call that a value is, or why it is none. */
export function readCall(value: Json): Call | RpcError {
  if (!isObject(value)) return invalidRequest('expected an object with method, params and id')
  const { jsonrpc, id, method, params } = value
  if (jsonrpc !== undefined && jsonrpc !== '2.0') return invalidRequest('expected jsonrpc to be "2.0"')
  if (!isCallId(id)) return invalidRequest('expected id to be a number, a string or null')
  if (typeof method !== 'string') return invalidRequest('expected method to be a string')
  return { id, method, params }
}

/** The parameters of a call. Throws -32602 when they do not go by position. */
export function readParams({ params = null }: Call): Params {
  if (params === null) return []
  if (!Array.isArray(params)) throw invalidParams('parameters go by position: expected a list')
  return params
}

function isCallId(id: Json | undefined): id is CallId | undefined {
  return id === undefined || id === null || typeof id === 'string' || Number.isFinite(id) || isExactNumber(id)
}

function invalidRequest(text: string): RpcError {
  return new RpcError(CODES.invalidRequest, text)
}
