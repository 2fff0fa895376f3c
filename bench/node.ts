// One node, from the outside: how many signed transfers a second it takes in over JSON-RPC, mines, checks, writes and
// shows, against bare recovery of their senders in one thread. By the clock: the load comes from this process, which
// shares the cores with the node.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Address } from '../src/chain/address.ts'
import { addressOfSecretKey, signDigest } from '../src/chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type TransactionFields,
} from '../src/chain/transaction.ts'
import { readStatus } from '../src/cli/status.ts'
import { toHex } from '../src/encoding/bytes.ts'
import { LocalNode } from '../src/lab/stage/local-network.ts'
import { chooseBackend } from '../src/signatures/choose-backend.ts'
import { RpcClient } from '../src/wallet/rpc-client.ts'
import { accepted, GWEI } from '../test/chain/examples.ts'
import { secretKeyOf } from '../test/signatures/transactions.ts'
import { type Benchmark, clockRate, type Figures, figuresOf, type Settings, threadRate } from './benchmark.ts'

const SENDERS = 100
const BATCH = 100
const CLIENTS = 4
const ROUNDS = 5

/** Transfers that one node includes. */
export const NODE: Benchmark = {
  name: 'node',
  summary: 'transfers that a node takes in over JSON-RPC and includes in blocks',
  unit: 'transfers/s',
  reference: 'bare recovery of their senders',
  isShort: false,
  options: { transfers: { summary: 'transfers in all', default: 6_000, quick: 500 } },
  async run(settings) {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-bench-'))
    const node = await startNode(directory)
    try {
      return await measure(node, settings)
    } finally {
      await node.stop()
      await rm(directory, { recursive: true, force: true })
    }
  },
}

async function measure(node: LocalNode, settings: Settings): Promise<Figures> {
  const { numbers, log } = settings
  const client = new RpcClient(node.ready.rpc, { timeoutMs: 60_000 })
  const backend = await chooseBackend()
  const count = Math.ceil(numbers.get('transfers')! / ROUNDS)
  const rounds: [number, number][] = []
  for (let round = 0; round < ROUNDS; round++) {
    const raws = Array.from({ length: count }, (_, index) => sign(round * count + index))
    let submitted = 0
    const rate = await clockRate(async () => {
      submitted = await clockRate(() => submit(client, raws))
      await untilIncluded(client)
      return count
    })
    log(`submitted ${count} at ${Math.round(submitted)}/s, included at ${Math.round(rate)}/s`)
    const signed = raws.map(raw => accepted(decodeTransaction(raw)))
    const reference = threadRate(settings, () => {
      for (const tx of signed) backend.recover(signingHash(tx), tx)
      return count
    })
    rounds.push([rate, reference])
  }
  return figuresOf(rounds)
}

/** Several clients, each of which submits the next batch as soon as the last is answered. */
async function submit(client: RpcClient, raws: readonly Uint8Array[]): Promise<number> {
  const batches = Array.from({ length: Math.ceil(raws.length / BATCH) }, (_, index) =>
    raws.slice(index * BATCH, (index + 1) * BATCH),
  )
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const calls = batch.map(raw => ({ method: 'eth_sendRawTransaction', params: [toHex(raw)] }))
      for (const outcome of await client.batch(calls)) if (outcome instanceof Error) throw outcome
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, work))
  return raws.length
}

async function untilIncluded(client: RpcClient): Promise<void> {
  for (;;) {
    const { pool } = await readStatus(client)
    if (pool.pending + pool.queued === 0) return
    await sleep(20)
  }
}

function sign(index: number): Uint8Array {
  const sender = index % SENDERS
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: 20_300n,
    nonce: BigInt(Math.floor(index / SENDERS)),
    maxFeePerGas: 1_000n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 21_000n,
    to: addressOf((sender * 7 + 1) % SENDERS),
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
  }
  return encodeTransaction(fields, signDigest(signingHash(fields), secretKeyOf(sender)))
}

async function startNode(directory: string): Promise<LocalNode> {
  const genesisPath = join(directory, 'genesis.json')
  await writeFile(genesisPath, JSON.stringify(genesisFile()))
  const options = ['--mine', addressOf(0), '--threads', '1', '--throttle', '0.2', '--log', 'warn']
  return LocalNode.start({ genesisPath, dataDirectory: join(directory, 'node'), peers: [], options })
}

function genesisFile(): Record<string, unknown> {
  const accounts = Array.from({ length: SENDERS }, (_, index) => [addressOf(index), '1000000'])
  return {
    name: 'bench',
    chainId: 20_300,
    time: Math.floor(Date.now() / 1000) - 60,
    work: {
      bits: '0x1e0fffff',
      easiestBits: '0x207fffff',
      blockTimeSeconds: 1,
      halfLifeSeconds: 60,
      futureLimitSeconds: 60,
    },
    blocks: { gasLimit: 100_000_000, bytesMax: 2_097_152, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: { mode: 'longest-chain', depth: 256 },
    accounts: Object.fromEntries(accounts),
  }
}

function addressOf(index: number): Address {
  return addressOfSecretKey(secretKeyOf(index))
}
