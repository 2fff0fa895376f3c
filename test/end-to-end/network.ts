// A network of real processes for a test: a folder, a genesis file whose work is soon done, nodes, the command line.
// Everything is ended and removed when the test ends, however it ends.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, checksumAddress } from '../../src/chain/address.ts'
import type { Hex } from '../../src/chain/bytes.ts'
import { sha256 } from '../../src/chain/hash.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { readStatus } from '../../src/cli/status.ts'
import { LocalNode } from '../../src/compare/local-network.ts'
import { RpcClient } from '../../src/wallet/rpc-client.ts'
import { prepareTransfer, type SignedTransfer, signTransfer } from '../../src/wallet/transfer.ts'

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

  /** A new network; `work` changes the rules of its work. */
  static async create(context: TestContext, work: Record<string, unknown> = {}): Promise<TestNetwork> {
    const network = new TestNetwork(await mkdtemp(join(tmpdir(), 'quorate-test-')))
    const genesis = {
      name: 'test',
      chainId: 20_299,
      time: Math.floor(Date.now() / 1000) - 3_600,
      work: {
        bits: '0x1e0fffff',
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
    }
    await writeFile(network.genesisPath, JSON.stringify(genesis))
    context.after(() => network.#end())
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

  async #end(): Promise<void> {
    await Promise.all([...this.nodes.values()].map(node => node.kill()))
    await rm(this.directory, { recursive: true, force: true })
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

/** A signed transfer, not handed in. */
export async function signed(
  client: RpcClient,
  transfer: { from: TestAccount; to: Address; value: bigint; nonce?: bigint; maxPriorityFeePerGas?: bigint },
): Promise<SignedTransfer> {
  const { from, ...wish } = transfer
  return signTransfer(await prepareTransfer(client, { ...wish, from: from.address }), from.secretKey)
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
