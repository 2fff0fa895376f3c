// One node, from the outside: how many signed transfers a second it takes in over JSON-RPC, and how many a second it
// mines, checks, writes and shows. Run: bin/node24 bench/node.ts [transfers]
//
// The load comes from this process, which shares the cores with the node.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../src/chain/hash.ts'
import { addressOfSecretKey, signDigest } from '../src/chain/signature.ts'
import { encodeTransaction, signingHash, type TransactionFields } from '../src/chain/transaction.ts'
import { readStatus } from '../src/cli/status.ts'
import { toHex } from '../src/encoding/bytes.ts'
import { LocalNode } from '../src/lab/stage/local-network.ts'
import { RpcClient } from '../src/wallet/rpc-client.ts'

const SENDERS = 100
const BATCH = 100
const CLIENTS = 4
const GWEI = 10n ** 9n
const transfers = Number(process.argv[2] ?? 6_000)

const senders = Array.from({ length: SENDERS }, (_, index) => {
  const secretKey = sha256(new TextEncoder().encode(`bench ${index}`))
  return { secretKey, address: addressOfSecretKey(secretKey) }
})

function sign(index: number): string {
  const sender = senders[index % SENDERS]!
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: 20_300n,
    nonce: BigInt(Math.floor(index / SENDERS)),
    maxFeePerGas: 1_000n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 21_000n,
    to: senders[(index * 7 + 1) % SENDERS]!.address,
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
  }
  return toHex(encodeTransaction(fields, signDigest(signingHash(fields), sender.secretKey)))
}

/** One client: hands in the next batch as soon as the last is answered. */
async function submitAll(client: RpcClient, batches: string[][]): Promise<void> {
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    const calls = batch.map(raw => ({ method: 'eth_sendRawTransaction', params: [raw] }))
    for (const outcome of await client.batch(calls)) if (outcome instanceof Error) throw outcome
  }
}

const directory = await mkdtemp(join(tmpdir(), 'quorate-bench-'))
const genesisPath = join(directory, 'genesis.json')
const genesis = {
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
  accounts: Object.fromEntries(senders.map(({ address }) => [address, '1000000'])),
}
await writeFile(genesisPath, JSON.stringify(genesis))
console.log(`signing ${transfers} transfers …`)
const raws = Array.from({ length: transfers }, (_, index) => sign(index))
const options = ['--mine', senders[0]!.address, '--threads', '1', '--throttle', '0.2', '--log', 'warn']
const node = await LocalNode.start({
  genesisPath,
  dataDirectory: join(directory, 'node'),
  peers: [],
  options,
})
try {
  const client = new RpcClient(node.ready.rpc, { timeoutMs: 60_000 })
  const started = performance.now()
  const batches = Array.from({ length: Math.ceil(raws.length / BATCH) }, (_, index) =>
    raws.slice(index * BATCH, (index + 1) * BATCH),
  )
  await Promise.all(Array.from({ length: CLIENTS }, () => submitAll(client, batches)))
  const submitted = (performance.now() - started) / 1000
  for (;;) {
    const { pool } = await readStatus(client)
    if (pool.pending + pool.queued === 0) break
    await sleep(50)
  }
  const included = (performance.now() - started) / 1000
  const { head } = await readStatus(client)
  console.log(
    `submitted ${transfers} in batches of ${BATCH} by ${CLIENTS} clients: ${Math.round(transfers / submitted)}/s`,
  )
  console.log(
    `included in ${head.height} blocks: ${Math.round(transfers / included)}/s from the first submission to the last inclusion`,
  )
} finally {
  await node.stop()
  await rm(directory, { recursive: true, force: true })
}
