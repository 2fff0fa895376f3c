// A network of real processes for a test: a folder, a genesis file whose work is soon done, nodes, the command line.
// Everything is ended and removed when the test ends, however it ends.

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, checksumAddress } from '../../src/chain/address.ts'
import { sha256 } from '../../src/chain/hash.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { readAgreement } from '../../src/cli/agreement.ts'
import { readStatus } from '../../src/cli/status.ts'
import { type Hex, toHex } from '../../src/encoding/bytes.ts'
import { LocalNode } from '../../src/lab/stage/local-network.ts'
import { RpcClient } from '../../src/wallet/rpc-client.ts'
import { prepareTransfer, type SignedTransfer, signTransfer } from '../../src/wallet/transfer.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'

/** An account whose key is known to the test. */
export interface TestAccount {
  readonly secretKey: Uint8Array
  readonly address: Address
}

/** An account with a key from a name. */
export function accountOf(name: string): TestAccount {
  const secretKey = sha256(new TextEncoder().encode(name))
  return { secretKey, address: addressOfSecretKey(secretKey) }
}

export const ALICE = accountOf('alice of the tests')
export const BOB = accountOf('bob of the tests')
export const MINER: Address = `0x${'1'.repeat(40)}`

/** Nothing is asserted about time; this only keeps a test that went wrong from waiting for ever. */
const PATIENCE_MS = 90_000

/** A folder, a genesis file and the nodes of one test. */
export class TestNetwork {
  readonly directory: string
  readonly genesisPath: string
  readonly nodes = new Map<string, LocalNode>()

  private constructor(directory: string) {
    this.directory = directory
    this.genesisPath = join(directory, 'genesis.json')
  }

  /** A new network; `work` changes the rules of its work, `changes` the rest of its genesis file. */
  static async create(
    context: TestContext,
    work: Readonly<Record<string, unknown>> = {},
    changes: Readonly<Record<string, unknown>> = {},
  ): Promise<TestNetwork> {
    const network = new TestNetwork(await temporaryDirectory(context))
    const genesis = {
      name: 'test',
      chainId: 20_299,
      time: Math.floor(Date.now() / 1000) - 3_600,
      work:
        work.proof === 'none'
          ? work
          : {
              bits: '0x1e3fffff',
              easiestBits: '0x207fffff',
              blockTimeSeconds: 1,
              halfLifeSeconds: 60,
              futureLimitSeconds: 60,
              ...work,
            },
      blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
      reward: { amount: '2', halvingBlocks: 1_000_000 },
      finality: { mode: 'longest-chain', depth: 256 },
      accounts: { [checksumAddress(ALICE.address)]: '1000' },
      ...changes,
    }
    await writeFile(network.genesisPath, JSON.stringify(genesis))
    cleanUp(context, () => Promise.all([...network.nodes.values()].map(node => node.kill())))
    return network
  }

  /** Starts (again) the node of this name. */
  async start(
    name: string,
    peers: readonly string[] = [],
    options: readonly string[] = [],
  ): Promise<LocalNode> {
    const connected = peers.flatMap(peer => this.nodes.get(peer)!.ready.peers)
    const node = await LocalNode.start({
      genesisPath: this.genesisPath,
      dataDirectory: join(this.directory, name),
      peers: connected,
      options,
    })
    this.nodes.set(name, node)
    return node
  }

  client(name: string): RpcClient {
    return new RpcClient(this.nodes.get(name)!.ready.rpc)
  }

  clients(): RpcClient[] {
    return [...this.nodes.keys()].map(name => this.client(name))
  }
}

/** The options by which a node mines without taking the machine. */
export function mining(beneficiary: Address = MINER): string[] {
  return ['--mine', beneficiary, '--threads', '1', '--throttle', '0.3']
}

/** Waits until `look` returns something, asking again and again. */
export async function eventually<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await sleep(100)
  }
}

/** Waits until a node's head has this height. */
export async function reach(client: RpcClient, height: number): Promise<void> {
  await eventually(`height ${height}`, async () =>
    (await readStatus(client)).head.height >= height ? true : null,
  )
}

/** Waits until all nodes have one head, and returns it. */
export async function agree(
  clients: readonly RpcClient[],
): Promise<{ id: string; height: number; stateRoot: string }> {
  return eventually('one head on all nodes', async () => {
    const heads = await Promise.all(clients.map(async client => (await readStatus(client)).head))
    return heads.every(head => head.id === heads[0]!.id && head.stateRoot === heads[0]!.stateRoot)
      ? heads[0]!
      : null
  })
}

/** A signed transfer, not submitted. */
export async function signed(
  client: RpcClient,
  transfer: { from: TestAccount; to: Address; value: bigint; nonce?: bigint; maxPriorityFeePerGas?: bigint },
): Promise<SignedTransfer> {
  const { from, ...request } = transfer
  return signTransfer(await prepareTransfer(client, { ...request, from: from.address }), from.secretKey)
}

/** What a node says of a transaction. */
export async function statusOf(
  client: RpcClient,
  id: Hex,
): Promise<{ status: string; by?: Hex; blockHash?: Hex } | null> {
  return (await client.call('quorate_getTransactionStatus', [id])) as { status: string } | null
}

/** Waits until a transaction is in a block of the node's chain. */
export async function mined(client: RpcClient, id: Hex): Promise<Hex> {
  return eventually(`${id} in a block`, async () => (await statusOf(client, id))?.blockHash ?? null)
}

/** How a command ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `quorate` as a user does. */
export function quorate(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const file = join(import.meta.dirname, '..', '..', 'bin', 'quorate')
  return run(file, args, env)
}

/** Runs a program to its end. */
export function run(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise(resolve => {
    const options = { env: { ...process.env, ...env }, timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
    child.stdin?.end()
  })
}

/** A key as a file that `wallet import --key-file` takes. */
export async function writeKeyFile(directory: string, account: TestAccount): Promise<string> {
  const path = join(directory, `${account.address}.key`)
  await writeFile(path, Buffer.from(account.secretKey).toString('hex'), { mode: 0o600 })
  return path
}

/** How a committee's network is made. */
export interface CommitteeSetup {
  readonly validators: number
  /** The finality section, without the validators. */
  readonly finality: Readonly<Record<string, unknown>>
  /** Accounts with money, beside ALICE. */
  readonly funded?: readonly TestAccount[]
  readonly work?: Readonly<Record<string, unknown>>
}

/** A network with validators v1, v2 and so on: a key and a folder for each, every node linked to all others. */
export class TestCommittee {
  readonly network: TestNetwork
  readonly names: readonly string[]
  /** For each node the options by which it is started, beside its key. */
  readonly options = new Map<string, readonly string[]>()

  private constructor(network: TestNetwork, names: readonly string[]) {
    this.network = network
    this.names = names
  }

  static async create(context: TestContext, setup: CommitteeSetup): Promise<TestCommittee> {
    const names = Array.from({ length: setup.validators }, (_, index) => `v${index + 1}`)
    const keys = names.map(name => ({ name, ...accountOf(`validator ${name}`) }))
    const funded = [ALICE, ...(setup.funded ?? [])]
    const network = await TestNetwork.create(context, setup.work, {
      forTests: true,
      finality: { ...setup.finality, validators: keys.map(({ name, address }) => ({ name, address })) },
      accounts: Object.fromEntries(funded.map(({ address }) => [checksumAddress(address), '1000'])),
    })
    const committee = new TestCommittee(network, names)
    for (const { name, address, secretKey } of keys)
      await writeFile(committee.keyPath(name), JSON.stringify({ address, secretKey: toHex(secretKey) }), {
        mode: 0o600,
      })
    return committee
  }

  keyPath(name: string): string {
    return join(this.network.directory, `${name}.key`)
  }

  /** Starts (again) these validators, each linked to all others that run. */
  async start(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const options = ['--validator', this.keyPath(name), ...(this.options.get(name) ?? [])]
      await this.network.start(name, this.running(), options)
    }
  }

  /** The nodes that run, or that were only stopped by a signal. */
  running(): string[] {
    return [...this.network.nodes].filter(([, node]) => node.isRunning).map(([name]) => name)
  }

  client(name: string): RpcClient {
    return this.network.client(name)
  }

  node(name: string): LocalNode {
    return this.network.nodes.get(name)!
  }

  log(name: string): Promise<string> {
    return readFile(join(this.network.directory, name, 'node.log'), 'utf8')
  }

  /** Cuts a node off from all others, or with an empty list of others lets it speak again. */
  async cutOff(name: string, others: readonly string[]): Promise<void> {
    const cookie = await readFile(join(this.network.directory, name, 'rpc.cookie'), 'utf8')
    const client = new RpcClient(this.node(name).ready.rpc, { token: cookie.trim() })
    await client.call('quorate_cutOff', [
      others.map(other => this.node(other).ready.peers[0]!.split('/p2p/')[1]!),
    ])
  }

  /** The name of the validator whose turn it is, as a node sees it. */
  async proposer(name: string): Promise<string> {
    return this.names[(await readAgreement(this.client(name))).proposer!]!
  }

  /** Waits until the final height of all these nodes has grown by so many blocks; returns the milliseconds it took. */
  async resumes(names: readonly string[], blocks = 2): Promise<number> {
    const beginMs = performance.now()
    const before = await Promise.all(names.map(name => this.finalHeight(name)))
    const goal = Math.max(...before) + blocks
    await eventually(`height ${goal} final on ${names.join(', ')}`, async () => {
      const heights = await Promise.all(names.map(name => this.finalHeight(name)))
      return heights.every(height => height >= goal) ? true : null
    })
    return performance.now() - beginMs
  }

  async finalHeight(name: string): Promise<number> {
    return (await readStatus(this.client(name))).final?.height ?? 0
  }
}

/** Asks nodes again and again what is final, and remembers: what was final once must be so for ever. */
export class FinalityWatch {
  /** Ids by height, as first seen. */
  readonly seen = new Map<number, string>()
  readonly contradictions: string[] = []
  readonly #committee: TestCommittee
  #isOver = false
  readonly #loop: Promise<void>

  constructor(context: TestContext, committee: TestCommittee) {
    this.#committee = committee
    this.#loop = this.#run()
    cleanUp(context, () => this.end())
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#loop
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.#committee.running().map(name => this.#look(name)))
      await sleep(200)
    }
  }

  async #look(name: string): Promise<void> {
    // A node that is stopped or just being killed does not answer; that is no news.
    const answer = this.#committee.client(name).call('eth_getBlockByNumber', ['finalized', false])
    const late = sleep(1_000).then(() => null)
    const block = (await Promise.race([answer.catch(() => null), late])) as { number: Hex; hash: Hex } | null
    if (block === null) return
    const height = Number(block.number)
    const known = this.seen.get(height) ?? block.hash
    if (known !== block.hash)
      this.contradictions.push(`${name}: block ${height} is ${block.hash}, and was ${known}`)
    this.seen.set(height, known)
  }
}

/** Submits a small transfer every now and then, to any of the running nodes, each from an account of its own. */
export class Trickle {
  sent = 0
  readonly #committee: TestCommittee
  readonly #accounts: ReadonlyMap<string, TestAccount>
  readonly #nonces = new Map<string, bigint>()
  /** Nodes that are not asked. */
  readonly avoided = new Set<string>()
  #isOver = false
  readonly #loop: Promise<void>

  constructor(context: TestContext, committee: TestCommittee) {
    this.#committee = committee
    this.#accounts = trickleAccounts(committee.names)
    this.#loop = this.#run()
    cleanUp(context, () => this.end())
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#loop
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const names = this.#committee.running().filter(name => !this.avoided.has(name))
      const name = names[turn % Math.max(1, names.length)]
      if (name !== undefined) await this.#send(name).catch(() => {})
      await sleep(150)
    }
  }

  async #send(name: string): Promise<void> {
    const account = this.#accounts.get(name)!
    const nonce = this.#nonces.get(name) ?? 0n
    const transfer = signTransfer(
      {
        type: 'eip1559',
        chainId: 20_299n,
        nonce,
        data: new Uint8Array(),
        accessList: [],
        to: BOB.address,
        value: 1n,
        gasLimit: 21_000n,
        maxFeePerGas: 100n * 10n ** 9n,
        maxPriorityFeePerGas: 10n ** 9n,
      },
      account.secretKey,
    )
    await this.#committee.client(name).call('eth_sendRawTransaction', [transfer.raw])
    this.#nonces.set(name, nonce + 1n)
    this.sent += 1
  }
}

/** The accounts from which a trickle sends, by node. */
export function trickleAccounts(names: readonly string[]): Map<string, TestAccount> {
  return new Map(names.map(name => [name, accountOf(`trickle through ${name}`)]))
}

/** Headers and state roots of a node's whole chain, from the genesis block. */
export async function wholeChain(
  client: RpcClient,
): Promise<{ hash: Hex; headerHex: Hex; stateRoot: Hex }[]> {
  const { head } = await readStatus(client)
  const chain: { hash: Hex; headerHex: Hex; stateRoot: Hex }[] = []
  for (let height = 0; height <= head.height; height++) {
    const parameters = [`0x${height.toString(16)}`, false]
    const block = (await client.call('eth_getBlockByNumber', parameters)) as (typeof chain)[number]
    const { hash, headerHex, stateRoot } = block
    chain.push({ hash, headerHex, stateRoot })
  }
  return chain
}
