// Several nodes on this machine, each a process of its own: what `quorate net`, `start` and `compare` run.
// A node that is ready says so in one line of JSON; until then its last words are kept, to say why it was not.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'

/** A node ended before it was ready; the message has its last words. */
class NodeNotStarted extends Error {
  override name = 'NodeNotStarted'
  /** What it ended with; null where a signal ended it. */
  readonly exitCode: number | null

  constructor(lastWords: string, exitCode: number | null) {
    super(`a node did not start: ${lastWords}`)
    this.exitCode = exitCode
  }
}

/** How a node of a local network is started. */
export interface LocalNodeOptions {
  readonly genesisPath: string
  readonly dataDirectory: string
  readonly peers: readonly string[]
  /** Further options of `quorate node`. */
  readonly options?: readonly string[]
}

/** What a node says when it is ready. */
export interface Ready {
  readonly rpc: string
  readonly peers: readonly string[]
  readonly data: string
  readonly pid: number
}

/** Milliseconds in which a node must be ready, and in which it must have stopped. */
const READY_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000

/** A node in a process of its own. Its log is in `node.log` in its data directory. */
export class LocalNode {
  readonly ready: Ready
  readonly process: ChildProcess

  private constructor(process: ChildProcess, ready: Ready) {
    this.process = process
    this.ready = ready
  }

  /** Starts a node and waits until it is ready. Throws `NodeNotStarted` when it does not get there. */
  static async start({
    genesisPath,
    dataDirectory,
    peers,
    options = [],
  }: LocalNodeOptions): Promise<LocalNode> {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    const file = import.meta.filename.endsWith('.ts') ? 'main.ts' : 'main.js'
    const main = join(import.meta.dirname, '..', '..', 'cli', file)
    const peerOptions = peers.flatMap(peer => ['--peer', peer])
    const args = [
      'node',
      '--json',
      '--genesis',
      genesisPath,
      '--data',
      dataDirectory,
      '--rpc-port',
      '0',
      ...peerOptions,
      ...options,
    ]
    const child = spawn(process.execPath, ['--disable-sigusr1', main, ...args], {
      // By the channel, which closes however this process ends, a node knows that no process is left to stop it.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const log = createWriteStream(join(dataDirectory, 'node.log'), { flags: 'a' })
    const said: string[] = []
    // A log that can't be written is no reason to end.
    log.on('error', () => {})
    child.stderr!.pipe(log)
    createInterface({ input: child.stderr! }).on('line', line => {
      said.push(line)
      if (said.length > 5) said.shift()
    })
    const ready = await readReady(child, said)
    return new LocalNode(child, ready)
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    if (this.isRunning) await once(this.process, 'exit')
  }

  /** Stops the node gracefully; one that does not stop in time is killed. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await this.ended()
    clearTimeout(timer)
  }

  /** Kills the node as a power cut would. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended()
  }
}

/** Starts `count` nodes, the later ones connected to those before; `onReady` is called for each. */
export async function startNetwork(
  count: number,
  options: { genesisPath: string; directory: string; nodeOptions: (index: number) => readonly string[] },
  onReady: (node: LocalNode, index: number) => void = () => {},
): Promise<LocalNode[]> {
  const nodes: LocalNode[] = []
  try {
    for (let index = 0; index < count; index++) {
      const node = await LocalNode.start({
        genesisPath: options.genesisPath,
        dataDirectory: join(options.directory, `node${index + 1}`),
        peers: nodes.flatMap(other => other.ready.peers),
        options: options.nodeOptions(index),
      })
      nodes.push(node)
      onReady(node, index)
    }
    return nodes
  } catch (error) {
    await stopNetwork(nodes)
    throw error
  }
}

/** Stops all nodes. */
export async function stopNetwork(nodes: readonly LocalNode[]): Promise<void> {
  await Promise.all(nodes.map(node => node.stop()))
}

async function readReady(child: ChildProcess, said: readonly string[]): Promise<Ready> {
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_TIMEOUT_MS)
  try {
    const lines = createInterface({ input: child.stdout! })
    const line = await Promise.race([
      once(lines, 'line').then(([line]) => String(line)),
      // Not 'exit': what it said last may come after that.
      once(child, 'close').then(() => null),
    ])
    const answer = line === null ? null : (JSON.parse(line) as Ready & { ready?: boolean; error?: string })
    if (answer?.ready === true) return answer
    const lastWords = answer?.error ?? said.join(' / ')
    throw new NodeNotStarted(lastWords || 'it said nothing', child.exitCode)
  } finally {
    clearTimeout(timer)
  }
}
