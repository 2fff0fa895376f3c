// One HTTP request and its answer. JSON-RPC's own errors are answers with status 200; other statuses are for
// what is no JSON-RPC request at all, or one too many.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { TokenBuckets } from '../defence/token-buckets.ts'
import type { Json } from '../encoding/fields.ts'
import { type AccessRules, isPreflight, originHeaders, refuseRequest } from './access.ts'
import { readBody } from './body.ts'
import { type Client, clientOf } from './client-address.ts'
import type { ClientScheduler, Step } from './client-scheduler.ts'
import { showsToken } from './cookie.ts'
import { RpcError } from './errors.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { Intake } from './intake.ts'
import { errorText, refuseBatch, type Service } from './json-rpc.ts'
import type { RpcLimits } from './limits.ts'
import { parseRequestText } from './request-text.ts'
import { RequestWork } from './request-work.ts'

/** What an exchange needs. */
export interface ExchangeContext {
  readonly service: Service
  readonly limits: RpcLimits
  readonly access: AccessRules
  /** Calls that each address may make. */
  readonly rate: TokenBuckets
  readonly turns: ClientScheduler
  readonly held: HeldBytes
  readonly intake: Intake
  /** The secret of the control methods. */
  readonly token: string
  /** Hears of requests from a Host or an Origin that is not allowed. */
  readonly onRefused: (headers: IncomingHttpHeaders, text: string) => void
  /** Whether the connection should end with the answer. */
  readonly isClosing: () => boolean
}

const TOO_MANY = 'too many calls: slow down'

/** Answers one HTTP request. A fault of ours rejects before anything is sent. */
export async function exchange(
  context: ExchangeContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { access, limits } = context
  const head = { method: request.method ?? '', url: request.url ?? '', headers: request.headers }
  for (const [name, value] of originHeaders(access, head.headers.origin)) response.setHeader(name, value)
  const refuse = async (status: number, text: string): Promise<void> => {
    // What came in one piece with the head is parsed after this turn.
    await Promise.resolve()
    if (request.complete) return sendLine(context, response, status, text)
    setHead(context, response, status, `${text}\n`)
    response.flushHeaders()
    response.write(`${text}\n`)
    await context.intake.refuse(request.socket, limits.lingerMs)
  }
  if (isPreflight(access, head)) return send(context, response, null)
  if (head.headers.expect !== undefined && !/^100-continue$/i.test(head.headers.expect))
    return refuse(417, 'there is no such expectation')
  // RFC 9112, section 3.2.
  if (head.headers.host === undefined && request.httpVersion === '1.1') return refuse(400, 'there is no Host')
  const refusal = refuseRequest(access, head)
  if (refusal !== null) {
    if (refusal.status === 403) context.onRefused(head.headers, refusal.text)
    return refuse(refusal.status, refusal.text)
  }
  const client = clientOf(request.socket.remoteAddress)
  if (!context.turns.mayAsk(client) || !mayCall(context, client, 1)) return refuse(429, TOO_MANY)
  const body = await readBody(request, {
    bytesMax: limits.bodyBytesMax,
    onGrown: bytes => context.held.hold(request.socket, client, bytes),
    whenPaid: resume => context.turns.whenPaid(client, resume),
  })
  if (body === 'aborted') return
  if (body === 'too-long') return refuse(413, `a request has at most ${limits.bodyBytesMax} bytes`)
  await answerBody(context, request, response, { client, body })
}

/** Sends one line of text with a status. */
export function sendLine(
  context: Pick<ExchangeContext, 'isClosing'>,
  response: ServerResponse,
  status: number,
  text: string,
): void {
  setHead(context, response, status, `${text}\n`)
  response.end(`${text}\n`)
}

/** Reads a request and does its work as its client's turns come. For one that is gone nothing is done. */
async function answerBody(
  context: ExchangeContext,
  { headers, socket }: IncomingMessage,
  response: ServerResponse,
  { client, body }: { readonly client: Client; readonly body: Uint8Array },
): Promise<void> {
  const { service, limits, token, turns, held } = context
  let request = undefined as Json | RpcError | undefined
  const parse: Step = ({ isRefused }) => {
    if (!isRefused && !response.destroyed) request = parseOrError(body, limits)
    return 'done'
  }
  await turns.run(client, parse, socket)
  // The first call was counted before the body was read; a batch that is too long is one error.
  const more = Array.isArray(request) && request.length <= limits.batchMax ? request.length - 1 : 0
  if (request === undefined || (more > 0 && !mayCall(context, client, more)))
    return sendLine(context, response, 429, TOO_MANY)
  const refusal = request instanceof RpcError ? request : refuseBatch(service, request)
  const work = new RequestWork(service, request as Json, showsToken(headers.authorization, token))
  const step: Step = turn => {
    held.hold(socket, client, body.length + work.characters)
    return response.destroyed ? 'done' : work.step(turn)
  }
  if (refusal === null) await turns.run(client, step, socket)
  const text = refusal === null ? await work.text() : errorText(null, refusal)
  turns.chargeBytes(client, text?.length ?? 0)
  held.hold(socket, client, text?.length ?? 0)
  send(context, response, text)
}

function parseOrError(body: Uint8Array, limits: RpcLimits): Json | RpcError {
  try {
    return parseRequestText(body, limits)
  } catch (error) {
    if (error instanceof RpcError) return error
    throw error
  }
}

function mayCall({ rate }: ExchangeContext, { key }: Client, calls: number): boolean {
  return rate.take(key, performance.now(), calls)
}

function send(
  context: Pick<ExchangeContext, 'isClosing'>,
  response: ServerResponse,
  text: string | null,
): void {
  setHead(context, response, text === null ? 204 : 200, text)
  if (text === null) response.end()
  else response.end(text)
}

/** A text that goes with status 200 is JSON, else it is a line. An error ends the connection: a refusal costs us more. */
function setHead(
  { isClosing }: Pick<ExchangeContext, 'isClosing'>,
  response: ServerResponse,
  status: number,
  text: string | null,
): void {
  if (isClosing() || status >= 400) response.setHeader('connection', 'close')
  if (status === 405) response.setHeader('allow', 'POST')
  if (status === 429) response.setHeader('retry-after', '1')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  response.statusCode = status
  if (text === null) return
  response.setHeader('content-type', status === 200 ? 'application/json' : 'text/plain; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(text))
}
