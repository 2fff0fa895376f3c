// A client of a node's JSON-RPC 2.0 over HTTP, small and strict. It sends a request once: a caller that retries must know
// what a request does that may already have been processed (see `submission.ts`).
//
// Errors tell three things apart: the node refused (`RpcError`), the node did not answer (`NodeUnreachable`), or what
// answered is not a node (`InvalidAnswer`).

import type { Json } from '../encoding/fields.ts'
import { InvalidAnswer, parseQuantity, printable } from './rpc-answer.ts'

/** One question to a node. */
export interface RpcCall {
  readonly method: string
  readonly params: readonly Json[]
}

/** How a client behaves; every field has a default. */
export interface RpcClientOptions {
  /** How long an answer may take: 10,000. */
  readonly timeoutMs?: number
  /** Bytes in the longest answer that is read: 32 MiB. */
  readonly answerBytesMax?: number
  /** The node's cookie, for methods that control it; none when absent. */
  readonly token?: string
}

/** How a request ended without an answer. Only without a connection has the node surely not received it. */
export type Silence = 'no-connection' | 'connection-lost' | 'timeout'

/** The node understood the question and refused: JSON-RPC's code and message, the latter safe to print. */
export class RpcError extends Error {
  override name = 'RpcError'
  readonly method: string
  readonly code: number

  constructor(method: string, code: number, message: string) {
    super(printable(message))
    this.method = method
    this.code = code
  }
}

/** No answer came. */
export class NodeUnreachable extends Error {
  override name = 'NodeUnreachable'
  readonly url: string
  readonly silence: Silence

  constructor(url: string, silence: Silence, options?: ErrorOptions) {
    super(`${SILENCES[silence]} ${url}: is it running?`, options)
    this.url = url
    this.silence = silence
  }
}

/** The address of a node is not one that can be asked. */
export class InvalidNodeUrl extends Error {
  override name = 'InvalidNodeUrl'

  constructor(given: string) {
    const shown = printable(given)
    super(
      `${shown} is not the address of a node: expected one such as ${NODE_URL_DEFAULT}, without a user or password`,
    )
  }
}

/** The default address of a node. */
export const NODE_URL_DEFAULT = 'http://127.0.0.1:8545'

/** Asks one node. */
export class RpcClient {
  readonly url: string
  readonly #timeoutMs: number
  readonly #answerBytesMax: number
  readonly #headers: Readonly<Record<string, string>>
  #nextId = 1

  /** Throws `InvalidNodeUrl`. */
  constructor(url: string = NODE_URL_DEFAULT, options: RpcClientOptions = {}) {
    const parsed = URL.parse(url)
    const isHttp = parsed?.protocol === 'http:' || parsed?.protocol === 'https:'
    if (!isHttp || parsed.username !== '' || parsed.password !== '') throw new InvalidNodeUrl(url)
    this.url = url
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#answerBytesMax = options.answerBytesMax ?? 32 * 2 ** 20
    const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
    this.#headers = { 'content-type': 'application/json', ...authorization }
  }

  /**
   * The result of one call, unchecked. Throws `RpcError`, `NodeUnreachable`, `InvalidAnswer`, and the signal's reason
   * when it is aborted.
   */
  async call(method: string, params: readonly Json[] = [], signal?: AbortSignal): Promise<unknown> {
    const id = this.#nextId++
    const answer = await this.#post(method, { jsonrpc: '2.0', id, method, params }, signal)
    const reply = readReply(method, answer)
    // A node that could not even read the question answers with the id null.
    if (reply.id !== id && !(reply.id === null && reply.outcome instanceof RpcError)) {
      throw new InvalidAnswer(method, 'it answers another question')
    }
    if (reply.outcome instanceof RpcError) throw reply.outcome
    return reply.outcome
  }

  /** The result of a call that answers a quantity. Throws what `call` throws. */
  async quantity(method: string, params: readonly Json[] = [], signal?: AbortSignal): Promise<bigint> {
    const value = parseQuantity(await this.call(method, params, signal))
    if (value === null) throw new InvalidAnswer(method, 'expected a quantity such as 0x1f')
    return value
  }

  /**
   * The outcomes of calls that are sent together, in their order: a result, unchecked, or an `RpcError`. A node takes
   * at most 100 at a time. Throws what `call` throws when there are no outcomes.
   */
  async batch(calls: readonly RpcCall[], signal?: AbortSignal): Promise<unknown[]> {
    if (calls.length === 0) return []
    const first = this.#nextId
    this.#nextId += calls.length
    const label = calls.length === 1 ? calls[0]!.method : `a batch with ${calls[0]!.method}`
    const body = calls.map(({ method, params }, index) => ({
      jsonrpc: '2.0',
      id: first + index,
      method,
      params,
    }))
    const answer = await this.#post(label, body, signal)
    if (!Array.isArray(answer)) {
      const { outcome } = readReply(label, answer)
      throw outcome instanceof RpcError ? outcome : new InvalidAnswer(label, 'expected a list')
    }
    const outcomes = new Map(
      answer.map((item: unknown) => {
        const { id, outcome } = readReply(label, item)
        return [id, outcome]
      }),
    )
    return calls.map(({ method }, index) => {
      const id = first + index
      if (!outcomes.has(id)) throw new InvalidAnswer(method, 'a part of the batch has no answer')
      const outcome = outcomes.get(id)
      return outcome instanceof RpcError ? new RpcError(method, outcome.code, outcome.message) : outcome
    })
  }

  async #post(label: string, body: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const deadline = AbortSignal.timeout(this.#timeoutMs)
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      })
      return parseBody(label, response.status, await this.#readText(label, response))
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof InvalidAnswer) throw error
      throw new NodeUnreachable(this.url, deadline.aborted ? 'timeout' : silenceOf(error), { cause: error })
    }
  }

  async #readText(label: string, response: Response): Promise<string> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > this.#answerBytesMax) {
        throw new InvalidAnswer(label, `it has more than ${this.#answerBytesMax} bytes`)
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
}

const SILENCES: Readonly<Record<Silence, string>> = {
  'no-connection': 'no node answers at',
  'connection-lost': 'the connection was lost to the node at',
  timeout: 'no answer came in time from the node at',
}

/** What the system says when no byte of the question can have left. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

function silenceOf(error: unknown): Silence {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && NO_CONNECTION.has(code) ? 'no-connection' : 'connection-lost'
}

/** Lists and objects in one another at most: answers are gone through by recursion. */
const DEPTH_MAX = 100

/** How deep a JSON text nests; what is no JSON has some depth too. */
function depthOf(text: string): number {
  let [depth, deepest, isInText] = [0, 0, false]
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (isInText) {
      if (character === '\\') index += 1
      else if (character === '"') isInText = false
    } else if (character === '"') isInText = true
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth)
    else if (character === ']' || character === '}') depth -= 1
  }
  return deepest
}

function parseBody(label: string, status: number, text: string): unknown {
  if (depthOf(text) > DEPTH_MAX) throw new InvalidAnswer(label, `it is nested deeper than ${DEPTH_MAX}`)
  try {
    return JSON.parse(text)
  } catch (error) {
    const problem = `expected JSON, got HTTP status ${status} and ${JSON.stringify(text.slice(0, 60))}`
    throw new InvalidAnswer(label, problem, { cause: error })
  }
}

/** The id and the result, or the error, of one response object (JSON-RPC 2.0, section 5). */
function readReply(method: string, value: unknown): { id: unknown; outcome: unknown } {
  const members = membersOf(value)
  const error = membersOf(members?.get('error'))
  if (error !== null) {
    const [code, message] = [error.get('code'), error.get('message')]
    if (typeof code !== 'number' || typeof message !== 'string') {
      throw new InvalidAnswer(method, 'its error has no code and message')
    }
    return { id: members?.get('id'), outcome: new RpcError(method, code, message) }
  }
  if (members?.has('result') !== true) throw new InvalidAnswer(method, 'expected a result or an error')
  return { id: members.get('id'), outcome: members.get('result') }
}

/** An object's own members, also `__proto__`; null when the value is no object. */
function membersOf(value: unknown): Map<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return new Map(Object.entries(value))
}
