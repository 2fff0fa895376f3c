// The network of one variant on this machine: a folder, a genesis file, keys, and nodes that are processes of their
// own. Nodes can be killed and started again, and the network can be cut in two.
//
// The cut is made by the nodes themselves: told by `quorate_cutOff`, each ends its connections to the other half and
// refuses new ones, in both directions. A proxy between them would leak, for libp2p tells every peer at which address
// a node really listens. To the nodes it looks like connections that break, not like packets that vanish.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, checksumAddress } from '../../chain/address.ts'
import { toHex } from '../../encoding/bytes.ts'
import { createKernel } from '../../mining/kernel.ts'
import { readAnswer, readObject } from '../../wallet/rpc-answer.ts'
import { RpcClient } from '../../wallet/rpc-client.ts'
import { readConvicted, readCounters } from './live-answers.ts'
import { LocalNode, startNetwork } from './local-network.ts'
import type { StageParts, TotalCounters } from './stage.ts'
import { BLOCK_MS, createGenesis, SOME_MINER } from './variant.ts'
import { createAccounts, type SeededAccount } from './workload.ts'

/** Share of one core that all miners together take, so that no node waits for the machine. */
const MINING_SHARE = 0.4
/** What threads of busy nodes get of that share, roughly. */
const MINING_YIELD = 0.5
/** Hashes that are timed to find out how many a second this machine makes. */
const SAMPLE_HASHES = 2 ** 18
/** Milliseconds in which nodes must have found each other, or must have lost each other. */
const PATIENCE_MS = 15_000

/** What the links between the nodes are like, where they are to be worse than those of this machine. */
export interface LinkParts {
  /** Milliseconds that bytes take on average; none are added when absent. */
  readonly latencyMs?: number
  /** Share of what is sent that is lost and, as TCP does, sent again; none when absent. */
  readonly lossRate?: number
}

/** A running network. */
export class LiveNetwork {
  readonly directory: string
  readonly nodes: LocalNode[] = []
  readonly clients: RpcClient[] = []
  readonly #parts: StageParts & LinkParts
  readonly #frozen = new Set<number>()
  /** The parts into which the network is cut; none while it is whole. */
  #halves: readonly (readonly number[])[] = []
  #isMining: boolean

  private constructor(parts: StageParts & LinkParts, directory: string) {
    this.#parts = parts
    this.directory = directory
    this.#isMining = parts.variant.isMined && parts.isMining !== false
  }

  /** Starts the nodes that are not kept out, each linked to all others. */
  static async start(parts: StageParts & LinkParts): Promise<LiveNetwork> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-compare-'))
    const validators = createAccounts(parts.seed, 'validator', parts.nodes)
    const network = new LiveNetwork(parts, directory)
    try {
      await network.#writeFiles(validators, parts.funded)
      const { genesisPath } = network
      const started = await startNetwork(parts.nodes - (parts.keptOut ?? 0), {
        genesisPath,
        directory,
        nodeOptions: index => network.#optionsOf(index),
      })
      network.nodes.push(...started)
      network.clients.push(...started.map(({ ready }) => new RpcClient(ready.rpc)))
      await network.#untilLinked()
      return network
    } catch (error) {
      await network.close()
      throw error
    }
  }

  get genesisPath(): string {
    return join(this.directory, 'genesis.json')
  }

  /** The node whose turn it is to propose, as the first that runs knows; some miner where none proposes. */
  async leader(): Promise<number> {
    if (!this.#parts.variant.hasValidators) return SOME_MINER
    const method = 'quorate_finalityReport'
    // The validators are the nodes, in the same order.
    const report = await this.clients[this.#awake()[0]!]!.call(method)
    return readObject(method, report, fields =>
      fields.integer('proposer', { min: 0, max: this.#parts.nodes - 1 }),
    )
  }

  /** The validators against which a node that runs has evidence. */
  async convicted(): Promise<number[]> {
    const method = 'quorate_getEvidence'
    if (!this.#parts.variant.hasValidators) return []
    const answers = await Promise.all(this.#awake().map(index => this.clients[index]!.call(method)))
    const names = answers.flatMap(answer => readAnswer(method, () => readConvicted(answer)))
    return [...new Set(names.map(name => Number(name.slice('node-'.length)) - 1))].toSorted((a, b) => a - b)
  }

  /** Kills a node's process. */
  async kill(index: number): Promise<void> {
    this.#frozen.delete(index)
    await this.nodes[index]!.kill()
  }

  freeze(index: number): void {
    this.#frozen.add(index)
    this.nodes[index]!.process.kill('SIGSTOP')
  }

  thaw(index: number): void {
    this.#frozen.delete(index)
    this.nodes[index]!.process.kill('SIGCONT')
  }

  thawAll(): void {
    for (const index of [...this.#frozen]) this.thaw(index)
  }

  /** Lets all nodes mine, or none. */
  async mine(isOn: boolean): Promise<void> {
    this.#isMining = isOn
    const call = (client: RpcClient, index: number): Promise<unknown> =>
      isOn ? client.call('quorate_mine', [beneficiaryOf(index), null]) : client.call('quorate_stopMining')
    await Promise.all(this.#awake().map(async index => call(await this.#controller(index), index)))
  }

  /** Starts a killed node again, from what is on its disk. */
  async restart(index: number): Promise<void> {
    const others = this.nodes.filter((_, other) => other !== index)
    const node = await LocalNode.start({
      genesisPath: this.genesisPath,
      dataDirectory: this.#dataDirectory(index),
      peers: others.flatMap(({ ready }) => ready.peers),
      options: this.#optionsOf(index),
    })
    this.nodes[index] = node
    this.clients[index] = new RpcClient(node.ready.rpc)
    if (this.#halves.length > 0) await this.#cutOff(index, this.#beyond(index))
    await this.#untilLinked()
  }

  /** Cuts the network between these halves; resolves when no connection is left between them. */
  async cut(halves: readonly (readonly number[])[]): Promise<void> {
    this.#halves = halves
    await Promise.all(this.#awake().map(index => this.#cutOff(index, this.#beyond(index))))
    await this.#untilLinked()
  }

  /** Lets all nodes connect again; that takes them a moment. */
  async heal(): Promise<void> {
    this.#halves = []
    await Promise.all(this.#awake().map(index => this.#cutOff(index, [])))
  }

  /** What the nodes have counted since they were started, all together. */
  async counters(): Promise<TotalCounters> {
    const all = await Promise.all(this.clients.map(readCounters))
    const total = (pick: (counters: TotalCounters) => number): number =>
      all.reduce((sum, counters) => sum + pick(counters), 0)
    return {
      messages: total(({ messages }) => messages),
      bytes: total(({ bytes }) => bytes),
      hashes: total(({ hashes }) => hashes),
      signatures: total(({ signatures }) => signatures),
    }
  }

  /** Ends all nodes at once and removes the folder: nothing of it is needed any more. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.kill()))
    await rm(this.directory, { recursive: true, force: true })
  }

  async #writeFiles(validators: readonly SeededAccount[], funded: readonly Address[]): Promise<void> {
    const { variant, blockMs } = this.#parts
    const genesis = createGenesis(variant, {
      time: Math.floor(Date.now() / 1000) - 60,
      validators: validators.map(({ address }, index) => ({
        name: `node-${index + 1}`,
        address,
      })),
      funded,
      hashesPerBlock: variant.isMined
        ? hashesPerSecond() * MINING_SHARE * MINING_YIELD * ((blockMs ?? BLOCK_MS) / 1_000)
        : 2,
      blockMs,
    })
    await writeFile(this.genesisPath, JSON.stringify(genesis))
    for (const [index, { address, secretKey }] of validators.entries()) {
      const key = { address: checksumAddress(address), secretKey: toHex(secretKey) }
      await writeFile(keyPath(this.directory, index), JSON.stringify(key), { mode: 0o600 })
    }
  }

  #dataDirectory(index: number): string {
    return join(this.directory, `node${index + 1}`)
  }

  #optionsOf(index: number): readonly string[] {
    const { variant, nodes, liars, latencyMs, lossRate } = this.#parts
    const role = liars?.get(index)
    return [
      '--log',
      'warn',
      ...(latencyMs === undefined ? [] : ['--latency', String(latencyMs)]),
      // A share such as 1.1 % has no end in binary, and an option has only so many digits.
      ...(lossRate === undefined ? [] : ['--loss', lossRate.toFixed(6)]),
      ...(variant.isMined ? ['--threads', '1', '--throttle', String(MINING_SHARE / nodes)] : []),
      ...(this.#isMining ? ['--mine', beneficiaryOf(index)] : []),
      ...(variant.hasValidators ? ['--validator', keyPath(this.directory, index)] : []),
      ...(role === undefined ? [] : ['--byzantine', role]),
    ]
  }

  /** The nodes that run and are not frozen. */
  #awake(): number[] {
    return [...this.nodes.keys()].filter(index => this.nodes[index]!.isRunning && !this.#frozen.has(index))
  }

  /** The nodes on the other side of the cut. */
  #beyond(index: number): number[] {
    return this.#halves.filter(half => !half.includes(index)).flat()
  }

  async #cutOff(index: number, others: readonly number[]): Promise<void> {
    const client = await this.#controller(index)
    const known = others.flatMap(other => this.nodes[other] ?? [])
    await client.call('quorate_cutOff', [known.map(peerIdOf)])
  }

  /** A client that may tell a node what to do. */
  async #controller(index: number): Promise<RpcClient> {
    const cookie = await readFile(join(this.#dataDirectory(index), 'rpc.cookie'), 'utf8')
    return new RpcClient(this.nodes[index]!.ready.rpc, { token: cookie.trim() })
  }

  /** Waits until each node is linked to all on its side of the cut; frozen ones may be linked still, or no more. */
  async #untilLinked(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const awake = this.#awake()
      const counts = await Promise.all(awake.map(index => this.clients[index]!.quantity('net_peerCount')))
      const isRight = awake.every((index, at) => {
        const least = awake.filter(other => other !== index && !this.#beyond(index).includes(other)).length
        return counts[at]! >= least && counts[at]! <= least + this.#frozen.size
      })
      if (isRight) return
      if (performance.now() > deadline)
        throw new Error(`the nodes have ${counts.join(', ')} peers, which is not right`)
      await sleep(20)
    }
  }
}

function beneficiaryOf(index: number): string {
  return `0x${String(index + 1).padStart(40, '0')}`
}

function keyPath(directory: string, index: number): string {
  return join(directory, `validator${index + 1}.json`)
}

function peerIdOf(node: LocalNode): string {
  return node.ready.peers[0]!.split('/p2p/')[1]!
}

/** Hashes a second of one thread of this machine, by trying some. */
function hashesPerSecond(): number {
  const kernel = createKernel()
  const search = { header: new Uint8Array(80), target: 0n, firstNonce: 0, count: SAMPLE_HASHES }
  kernel.search(search)
  const beginMs = performance.now()
  kernel.search(search)
  return (SAMPLE_HASHES * 1_000) / (performance.now() - beginMs)
}
