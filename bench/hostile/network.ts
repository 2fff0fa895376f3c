// The network that is attacked: validators of `hybrid`, each a process of its own, that come with a chain and go on making
// blocks and decisions at a steady pace. Blocks are so easy to mine that the pace is the one at which they are asked for.

import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { sha256 } from '../../src/chain/hash.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { type NodeStatus, readStatus } from '../../src/cli/status.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import { type LocalNode, startNetwork, stopNetwork } from '../../src/lab/stage/local-network.ts'
import { RpcClient } from '../../src/wallet/rpc-client.ts'
import type { SentTarget } from '../../test/hostile/attacker-process.ts'
import type { LoopReport } from './loop-monitor.ts'

const VALIDATORS = 4
const MINER = `0x${'11'.repeat(20)}`
/** Milliseconds between two blocks: median time past allows six in a second for as long as one likes. */
const BLOCK_MS = 250
const PATIENCE_MS = 300_000

/** The network, from its start to `close`. */
export class BenchNetwork {
  readonly genesis: Genesis
  readonly nodes: readonly LocalNode[]
  readonly #directory: string
  #pace: NodeJS.Timeout | undefined

  private constructor(directory: string, genesis: Genesis, nodes: readonly LocalNode[]) {
    this.#directory = directory
    this.genesis = genesis
    this.nodes = nodes
  }

  /** Starts the network, has it make so many blocks, and go on. */
  static async start(blocks: number): Promise<BenchNetwork> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-hostile-'))
    const keys = Array.from({ length: VALIDATORS }, (_, index) =>
      sha256(new TextEncoder().encode(`hostile ${index}`)),
    )
    const file = genesisFile(keys)
    const genesisPath = join(directory, 'genesis.json')
    await writeFile(genesisPath, JSON.stringify(file))
    const keyPath = (index: number) => join(directory, `v${index}.key`)
    for (const [index, key] of keys.entries())
      await writeFile(
        keyPath(index),
        JSON.stringify({ address: addressOfSecretKey(key), secretKey: toHex(key) }),
        { mode: 0o600 },
      )
    const nodeOptions = (index: number) => ['--validator', keyPath(index), '--threads', '1', '--log', 'warn']
    const before = process.env.NODE_OPTIONS
    process.env.NODE_OPTIONS = `--import=${pathToFileURL(join(import.meta.dirname, 'loop-monitor.ts'))}`
    const nodes = await startNetwork(VALIDATORS, { genesisPath, directory, nodeOptions })
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
    const network = new BenchNetwork(directory, parseGenesis(file), nodes)
    await network.#warmUp(blocks)
    return network
  }

  get targets(): SentTarget[] {
    const { block, blocks } = this.genesis
    return this.nodes.map(({ ready }) => ({
      address: ready.peers[0]!,
      rpc: ready.rpc,
      genesisId: block.id,
      chainId: String(blocks.chainId),
      blockBytesMax: blocks.blockBytesMax,
    }))
  }

  get isWhole(): boolean {
    return this.nodes.every(({ isRunning }) => isRunning)
  }

  status(index: number): Promise<NodeStatus> {
    return readStatus(new RpcClient(this.nodes[index]!.ready.rpc, { timeoutMs: PATIENCE_MS }))
  }

  /** What each node tells of its event loop since it was asked last. */
  async loops(): Promise<LoopReport[]> {
    return Promise.all(
      this.nodes.map(async ({ process: child }) => {
        const told = once(child, 'message')
        child.send({})
        const [report] = await told
        return report as LoopReport
      }),
    )
  }

  async close(): Promise<void> {
    clearInterval(this.#pace)
    await stopNetwork(this.nodes)
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #warmUp(blocks: number): Promise<void> {
    const clients = await Promise.all(this.nodes.map(node => controlOf(node)))
    const mine = (count: number, index = 0) =>
      clients[index]!.call('quorate_mine', [MINER, toQuantity(count)])
    await mine(blocks)
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const all = await Promise.all(this.nodes.map((_, index) => this.status(index)))
      if (all.every(({ final }) => (final?.height ?? 0) >= blocks - 2)) break
      if (performance.now() > deadline)
        throw new Error(
          `the chain does not grow: ${JSON.stringify(all.map(({ head, final }) => [head.height, final?.height]))}`,
        )
      await sleep(200)
    }
    let turn = 0
    this.#pace = setInterval(() => {
      // A node that is held up mines late; its turn is not given to another one.
      mine(1, turn++ % clients.length).catch(() => {})
    }, BLOCK_MS)
  }
}

function genesisFile(keys: readonly Uint8Array[]): Record<string, unknown> {
  return {
    name: 'hostile',
    forTests: true,
    chainId: 20_311,
    time: Math.floor(Date.now() / 1_000) - 3_600,
    work: {
      bits: '0x207fffff',
      easiestBits: '0x207fffff',
      blockTimeSeconds: 1,
      halfLifeSeconds: 31_536_000,
      futureLimitSeconds: 7_200,
    },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: {
      mode: 'hybrid',
      pattern: 'all-to-all',
      timeoutMs: 1_000,
      depth: 2,
      interval: 1,
      validators: keys.map((key, index) => ({ name: `v${index + 1}`, address: addressOfSecretKey(key) })),
    },
    accounts: { [MINER]: '1000' },
  }
}

async function controlOf({ ready }: LocalNode): Promise<RpcClient> {
  const token = (await readFile(join(ready.data, 'rpc.cookie'), 'utf8')).trim()
  return new RpcClient(ready.rpc, { token, timeoutMs: PATIENCE_MS })
}

function toQuantity(count: number): string {
  return `0x${count.toString(16)}`
}
