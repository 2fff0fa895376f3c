// The network of one contender on this machine: a folder, a genesis file, keys, and nodes that are processes of their
// own. Nodes can be killed and started again, and the network can be cut in two.
//
// The cut is made by the nodes themselves: told by `quorate_cutOff`, each ends its connections to the other half and
// refuses new ones, in both directions. A proxy between them would leak, for libp2p tells every peer at which address
// a node really listens. To the nodes it looks like connections that break, not like packets that vanish.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, checksumAddress } from '../chain/address.ts'
import { toHex } from '../chain/bytes.ts'
import { createKernel } from '../mining/kernel.ts'
import { quantityField, readObject } from '../wallet/rpc-answer.ts'
import { RpcClient } from '../wallet/rpc-client.ts'
import { BLOCK_MS, type Contender, createGenesis, SOME_MINER } from './contender.ts'
import { LocalNode, startNetwork } from './local-network.ts'
import type { TotalCounters } from './stage.ts'
import { createAccounts, type SeededAccount } from './workload.ts'

/** Share of one core that all miners together take, so that nobody waits for the machine. */
const MINING_SHARE = 0.4
/** What threads of busy nodes get of that share, roughly. */
const MINING_YIELD = 0.5
/** Hashes that are timed to find out how many a second this machine makes. */
const SAMPLE_HASHES = 2 ** 18
/** Milliseconds in which nodes must have found each other, or must have lost each other. */
const PATIENCE_MS = 15_000

/** A running network. */
export class LiveNetwork {
  readonly directory: string
  readonly nodes: LocalNode[] = []
  readonly clients: RpcClient[] = []
  readonly #contender: Contender
  readonly #options: (index: number) => readonly string[]

  private constructor(contender: Contender, directory: string, validators: readonly SeededAccount[]) {
    this.#contender = contender
    this.directory = directory
    this.#options = index => [
      '--log',
      'warn',
      ...(contender.isMined ? miningOptions(index, validators.length) : []),
      ...(contender.hasValidators ? ['--validator', keyPath(directory, index)] : []),
    ]
  }

  /** Starts so many nodes, each linked to all others; those who are funded have 1000 coins each. */
  static async start(
    contender: Contender,
    options: { readonly nodes: number; readonly seed: number; readonly funded: readonly Address[] },
  ): Promise<LiveNetwork> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-compare-'))
    const validators = createAccounts(options.seed, 'validator', options.nodes)
    const network = new LiveNetwork(contender, directory, validators)
    try {
      await network.#writeFiles(validators, options.funded)
      const { genesisPath } = network
      const started = await startNetwork(options.nodes, {
        genesisPath,
        directory,
        nodeOptions: network.#options,
      })
      network.nodes.push(...started)
      network.clients.push(...started.map(({ ready }) => new RpcClient(ready.rpc)))
      await network.#untilPeers(() => options.nodes - 1)
      return network
    } catch (error) {
      await network.close()
      throw error
    }
  }

  get genesisPath(): string {
    return join(this.directory, 'genesis.json')
  }

  /** The node whose turn it is to propose, as the first node knows; some miner where nobody proposes. */
  async leader(): Promise<number> {
    if (!this.#contender.hasValidators) return SOME_MINER
    const method = 'quorate_finalityReport'
    // The validators are the nodes, in the same order.
    const report = await this.clients[0]!.call(method)
    return readObject(method, report, fields =>
      fields.integer('proposer', { min: 0, max: this.nodes.length - 1 }),
    )
  }

  /** Kills a node without a word. */
  async kill(index: number): Promise<void> {
    await this.nodes[index]!.kill()
  }

  /** Starts a killed node again, from what is on its disk. */
  async restart(index: number): Promise<void> {
    const others = this.nodes.filter((_, other) => other !== index)
    const node = await LocalNode.start({
      genesisPath: this.genesisPath,
      dataDirectory: this.#dataDirectory(index),
      peers: others.flatMap(({ ready }) => ready.peers),
      options: this.#options(index),
    })
    this.nodes[index] = node
    this.clients[index] = new RpcClient(node.ready.rpc)
    await this.#untilPeers(() => this.nodes.length - 1)
  }

  /** Cuts the network between these halves; resolves when no connection is left between them. */
  async cut(halves: readonly (readonly number[])[]): Promise<void> {
    const others = (index: number): number[] => halves.filter(half => !half.includes(index)).flat()
    await Promise.all(this.nodes.map((_, index) => this.#cutOff(index, others(index))))
    await this.#untilPeers(index => this.nodes.length - 1 - others(index).length)
  }

  /** Lets all nodes speak to each other again; it takes them a moment to notice. */
  async heal(): Promise<void> {
    await Promise.all(this.nodes.map((_, index) => this.#cutOff(index, [])))
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
    const genesis = createGenesis(this.#contender, {
      time: Math.floor(Date.now() / 1000) - 60,
      validators: validators.map(({ address }, index) => ({
        name: `node-${index + 1}`,
        address: checksumAddress(address),
      })),
      funded,
      hashesPerBlock: this.#contender.isMined
        ? hashesPerSecond() * MINING_SHARE * MINING_YIELD * (BLOCK_MS / 1_000)
        : 2,
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

  async #cutOff(index: number, others: readonly number[]): Promise<void> {
    const cookie = await readFile(join(this.#dataDirectory(index), 'rpc.cookie'), 'utf8')
    const client = new RpcClient(this.nodes[index]!.ready.rpc, { token: cookie.trim() })
    await client.call('quorate_cutOff', [others.map(other => peerIdOf(this.nodes[other]!))])
  }

  /** Waits until each node has as many peers as it should have. */
  async #untilPeers(expected: (index: number) => number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const counts = await Promise.all(this.clients.map(client => client.quantity('net_peerCount')))
      if (counts.every((count, index) => Number(count) === expected(index))) return
      if (performance.now() > deadline)
        throw new Error(`the nodes have ${counts.join(', ')} peers, which is not right`)
      await sleep(20)
    }
  }
}

function miningOptions(index: number, nodes: number): string[] {
  const beneficiary = `0x${String(index + 1).padStart(40, '0')}`
  return ['--mine', beneficiary, '--threads', '1', '--throttle', String(MINING_SHARE / nodes)]
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

async function readCounters(client: RpcClient): Promise<TotalCounters> {
  const method = 'quorate_counters'
  return readObject(method, await client.call(method), fields => {
    const sent = fields.object('sent')
    const kinds = sent.names().map(name => sent.object(name))
    const total = (name: string): number =>
      kinds.reduce((sum, kind) => sum + Number(quantityField(kind, name)), 0)
    return {
      messages: total('messages'),
      bytes: total('bytes'),
      hashes: Number(quantityField(fields, 'hashes')),
      signatures: Number(quantityField(fields, 'signaturesChecked')),
    }
  })
}
