// A JSON-RPC server on loopback that says what a test tells it to, and remembers what it was asked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from '../cleanup.ts'

/** What the fake does with one HTTP request instead of answering it. */
export type Misbehaviour = 'hang' | 'drop' | { readonly status: number; readonly text: string }

/** An error that a handler answers with. */
export class Refusal extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export type Handler = (...params: unknown[]) => unknown

/** A node that knows the methods in `handlers`; to all others it answers -32601. */
export class FakeNode {
  readonly handlers: Map<string, Handler>
  /** Every call that arrived, in order, those that were dropped too. */
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[] = []
  /** How the next requests are treated, one each; afterwards they are answered. */
  readonly misbehaviours: (Misbehaviour | null)[] = []
  url = ''

  constructor(handlers: Readonly<Record<string, Handler>>) {
    this.handlers = new Map(Object.entries(handlers))
  }

  /** The methods that were called. */
  methods(): string[] {
    return this.calls.map(({ method }) => method)
  }

  respond(text: string, response: ServerResponse): void {
    const question = JSON.parse(text) as Question | Question[]
    const misbehaviour = this.misbehaviours.shift() ?? null
    const questions = Array.isArray(question) ? question : [question]
    for (const { method, params } of questions) this.calls.push({ method, params })
    if (misbehaviour === 'hang') return
    if (misbehaviour === 'drop') return void response.destroy()
    if (misbehaviour !== null) return void response.writeHead(misbehaviour.status).end(misbehaviour.text)
    const answers = questions.map(each => this.#answer(each))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(Array.isArray(question) ? answers.reverse() : answers[0]))
  }

  #answer({ id, method, params }: Question) {
    const handler = this.handlers.get(method)
    try {
      if (handler === undefined) throw new Refusal(-32601, `the method ${method} does not exist`)
      return { jsonrpc: '2.0', id, result: handler(...params) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { jsonrpc: '2.0', id, error: { code: error.code, message: error.message } }
    }
  }
}

interface Question {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

/** Starts a fake node that stops with the test. */
export async function startFakeNode(
  context: TestContext,
  handlers: Readonly<Record<string, Handler>>,
): Promise<FakeNode> {
  const node = new FakeNode(handlers)
  const server = createServer(async (request, response) => node.respond(await readAll(request), response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp(context, () => {
    server.close()
    server.closeAllConnections()
  })
  node.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return node
}

/** An address where nothing listens: a port that was just given back. */
export async function closedUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
