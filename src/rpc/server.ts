// The JSON-RPC server of one node, over HTTP.
//
// It listens on this machine only by default; to listen on other addresses it needs the Host names under which it may be
// reached. Only the control methods need a password, the cookie; no other method changes the node, except to submit
// signed transactions.

import { rm } from 'node:fs/promises'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { guarded } from '../defence/guarded.ts'
import { TokenBuckets } from '../defence/token-buckets.ts'
import { CorruptStore } from '../replica/records.ts'
import { hostForm, isLoopback, LOOPBACK_HOSTS } from './access.ts'
import type { RpcBackend } from './backend.ts'
import { clientOf } from './client-address.ts'
import { ClientScheduler, type SchedulerTime } from './client-scheduler.ts'
import { Connections } from './connections.ts'
import { newToken, writeCookie } from './cookie.ts'
import { type ExchangeContext, exchange, sendLine } from './exchange.ts'
import { HeldBytes } from './held-bytes.ts'
import { Intake } from './intake.ts'
import { RPC_LIMITS, type RpcLimits } from './limits.ts'
import { CONTROL_METHODS, type Priced } from './methods.ts'

/** The addresses that a server listens on, and the clients that it accepts. */
export interface RpcServerOptions {
  /** 127.0.0.1 unless given. One that other machines can reach needs `allowedHosts`. */
  readonly host?: string
  /** 0 takes any that is free. */
  readonly port: number
  /** Host names, without port, by which the node may be called besides localhost. */
  readonly allowedHosts?: readonly string[]
  /** Pages that may call, such as `https://wallet.example`; none unless given. */
  readonly allowedOrigins?: readonly string[]
  /** The folder that the cookie is written to; with null no client can call the control methods. */
  readonly cookieDirectory: string | null
  /** Methods that need the cookie, besides those that every node has. */
  readonly controlMethods?: ReadonlyMap<string, Priced>
  /** Changes to `RPC_LIMITS`. */
  readonly limits?: Partial<RpcLimits>
  /** Where the turns of clients take their time from: the machine's clock unless given. */
  readonly turnTime?: SchedulerTime
  /** Hears of faults of ours, which clients see as "internal error" only. A pino logger is one. */
  readonly log?: {
    error(details: object, text: string): void
    warn?(details: object, text: string): void
  }
}

/** Another program listens there. */
export class PortInUse extends Error {
  override name = 'PortInUse'
  readonly port: number

  constructor(host: string, port: number, options?: ErrorOptions) {
    super(`port ${port} of ${host} is in use: stop what listens there or choose another port`, options)
    this.port = port
  }
}

/** The system does not let a server listen there. */
export class CannotListen extends Error {
  override name = 'CannotListen'

  constructor(host: string, port: number, code: string, options?: ErrorOptions) {
    super(`can't listen on ${hostForm(host)}:${port} (${code}): choose another host or port`, options)
  }
}

/** The server would be open to other machines without a list of allowed host names. */
export class UnsafeHost extends Error {
  override name = 'UnsafeHost'

  constructor(host: string) {
    super(`on ${host} others can reach the RPC: name the host names by which they may, or use 127.0.0.1`)
  }
}

/** Refused Hosts and Origins that are logged at most; each is logged once. */
const REFUSED_MAX = 64

/** A server that listens. */
export class RpcServer {
  /** Such as `http://127.0.0.1:8545`. */
  readonly url: string
  /** Where the cookie is, or null. */
  readonly cookiePath: string | null
  readonly #server: Server
  readonly #graceMs: number
  #closed: Promise<void> | null = null

  private constructor(server: Server, url: string, cookiePath: string | null, graceMs: number) {
    this.#server = server
    this.url = url
    this.cookiePath = cookiePath
    this.#graceMs = graceMs
  }

  /**
   * Serves a started node. Throws `UnsafeHost`, `PortInUse`, `CannotListen`, and what writing the cookie
   * throws.
   */
  static async open(backend: RpcBackend, options: RpcServerOptions): Promise<RpcServer> {
    const { host = '127.0.0.1', port, allowedHosts = [], allowedOrigins, cookieDirectory } = options
    if (!isLoopback(host) && allowedHosts.length === 0) throw new UnsafeHost(host)
    const limits = { ...RPC_LIMITS, ...options.limits }
    const controlMethods = new Map([...CONTROL_METHODS, ...(options.controlMethods ?? [])])
    const hosts = [...LOOPBACK_HOSTS, ...allowedHosts, ...(isLoopback(host) ? [host] : [])]
    const onFault = (err: unknown, method: string): void => {
      if (err instanceof CorruptStore) backend.fail(err)
      else options.log?.error({ err, method }, 'an RPC call failed inside the node')
    }
    const token = newToken()
    const told = new Set<string>()
    const onRefused = ({ origin, host }: IncomingHttpHeaders, text: string): void => {
      const name = `${origin ?? ''} ${host ?? ''}`
      // A list that forgets would log the same names again and again.
      if (told.has(name) || told.size >= REFUSED_MAX) return
      told.add(name)
      const shown = { origin: shorten(origin), host: shorten(host) }
      options.log?.warn?.(shown, `a request is refused: ${text}`)
    }
    const server = createHttpServer({
      service: { backend, controlMethods, limits, onFault },
      limits,
      access: { hosts: new Set(hosts.map(hostForm)), origins: new Set(allowedOrigins) },
      rate: new TokenBuckets({ burst: limits.callsBurst, perSecond: limits.callsPerSecond }),
      turns: new ClientScheduler(limits, options.turnTime),
      held: new HeldBytes(limits),
      token,
      onRefused,
    })
    await listen(server, host, port)
    const url = `http://${hostForm(host)}:${(server.address() as AddressInfo).port}`
    // Only now: a second node that finds the port taken must leave the first one's cookie alone.
    const cookiePath = cookieDirectory === null ? null : await giveCookie(server, cookieDirectory, token)
    return new RpcServer(server, url, cookiePath, limits.closeGraceMs)
  }

  /** Takes no more requests, waits a moment for the answers under way and removes the cookie. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await closeServer(this.#server, this.#graceMs)
    if (this.cookiePath !== null) await rm(this.cookiePath, { force: true })
  }
}

function createHttpServer(context: Omit<ExchangeContext, 'isClosing' | 'intake'>): Server {
  const { limits, turns, held } = context
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.deadlineCheckMs,
    // Every request that is parsed has to be seen here, so that it is counted: Node answers none itself.
    requireHostHeader: false,
  })
  server.maxHeadersCount = limits.headersMax
  server.timeout = limits.idleMs
  const connections = new Connections(limits)
  const log = { error: ({ err }: { err: unknown }) => context.service.onFault(err, 'HTTP') }
  const intake = new Intake()
  const take = (socket: Socket) => {
    const client = clientOf(socket.remoteAddress)
    if (!turns.mayConnect(client)) {
      socket.destroy()
      return
    }
    intake.watch(socket, bytes => turns.chargeBytes(client, bytes))
    connections.add(socket)
  }
  server.on(
    'connection',
    guarded(log, 'taking a connection in', take, socket => socket.destroy()),
  )
  const whole = { ...context, intake, isClosing: () => !server.listening }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    turns.chargeHead(clientOf(socket.remoteAddress), request.rawHeaders.length / 2)
    if (!intake.begin(socket, response)) return undefined
    connections.setAsking(socket, true)
    response.once('close', () => {
      connections.setAsking(socket, false)
      held.release(socket)
    })
    // The other side may leave at any time; `close` follows and there is nothing to tell.
    response.on('error', () => {})
    return exchange(whole, request, response)
  }
  const giveUp = (_request: IncomingMessage, response: ServerResponse) => {
    if (response.headersSent) response.destroy()
    else sendLine(whole, response, 500, 'internal error')
  }
  const onRequest = guarded(log, 'answering a request', answer, giveUp)
  return server.on('request', onRequest).on('checkExpectation', onRequest)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown'
      const isTaken = code === 'EADDRINUSE'
      const options = { cause: error }
      reject(isTaken ? new PortInUse(host, port, options) : new CannotListen(host, port, code, options))
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
}

async function giveCookie(server: Server, directory: string, token: string): Promise<string> {
  try {
    return await writeCookie(directory, token)
  } catch (error) {
    await closeServer(server, 0)
    throw error
  }
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>(resolve => {
    server.close(() => resolve())
  })
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

/** A header for the log: a stranger wrote it. */
function shorten(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, 200)
}
