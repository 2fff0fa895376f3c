// `quorate start`: the whole thing once, on one machine, in about a minute: a new network of four nodes, a funded
// account, miners, signed transfers, and the balances as every node sees them; then a comparison of finality modes
// in the simulator. It leaves nothing running.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, checksumAddress } from '../chain/address.ts'
import { formatAmount, parseAmount } from '../chain/amount.ts'
import type { TransactionId } from '../chain/transaction.ts'
import { type Comparison, showComparison } from '../lab/compare/comparison.ts'
import { type StageKind, simulatedStage } from '../lab/compare/stage-kinds.ts'
import { type LocalNode, startNetwork, stopNetwork } from '../lab/stage/local-network.ts'
import { VARIANTS } from '../lab/stage/variant.ts'
import { Keystore } from '../wallet/keystore-directory.ts'
import { RpcClient } from '../wallet/rpc-client.ts'
import { submit } from '../wallet/submission.ts'
import { prepareTransfer, signTransfer } from '../wallet/transfer.ts'
import { watchTransaction } from '../wallet/wait.ts'
import { defineCommand } from './command.ts'
import { runComparison, terminalColumns } from './compare.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { createGenesisFile } from './genesis.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'
import { readStatus } from './status.ts'

const NODES = 4
/** The first node mines nothing: it is the one that the wallet asks. */
const THROTTLE = 0.25
const AMOUNTS = ['1.5', '0.25', '10'] as const
const CONFIRMATIONS = 2n
/** Milliseconds after which the demonstration gives up. */
const PATIENCE_MS = 60_000
/** What is compared at the end: the default of `quorate compare`. */
const COMPARED = { nodes: 4, transfers: 300, rate: 50, seed: 1, hasFaults: true }

/** The demonstration. */
export const startCommand = defineCommand({
  command: 'start',
  describe:
    'A demonstration in about a minute: four nodes that mine, a wallet that pays, a comparison of finality modes',
  options: {
    keep: { type: 'boolean', default: false, describe: 'Keep the folder with chain and keys afterwards' },
  },
  run: async (args, output) => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-'))
    try {
      return await demonstrate(directory, output)
    } finally {
      if (args.keep) output.note(`kept: ${directory}`)
      else await rm(directory, { recursive: true, force: true })
    }
  },
})

async function demonstrate(directory: string, output: Output): Promise<0> {
  output.note('1. A wallet with two accounts, and a network whose genesis file gives alice 1000 coins.')
  const keystore = new Keystore(join(directory, 'keystore'))
  const password = randomBytes(24)
  const alice = await keystore.create('alice', password)
  const bob = await keystore.create('bob', password)
  output.note(`   alice ${checksumAddress(alice.address)}\n   bob   ${checksumAddress(bob.address)}`)
  const genesisPath = join(directory, 'genesis.json')
  const accounts = { [alice.address]: '1000' }
  await writeFile(
    genesisPath,
    JSON.stringify(
      createGenesisFile({ name: 'demo', chainId: 20_264, blockTimeSeconds: 2, accounts, bits: '0x1e03ffff' }),
    ),
  )

  output.note(`2. ${NODES} nodes, each a process of its own, connected over libp2p; all but the first mine.`)
  const miners = Array.from(
    { length: NODES },
    (_, index): Address => `0x${String(index + 1).padStart(40, '0')}`,
  )
  const progress = createProgress('   starting nodes', NODES)
  const nodeOptions = (index: number): string[] =>
    index === 0 ? [] : ['--mine', miners[index]!, '--threads', '1', '--throttle', String(THROTTLE)]
  const nodes = await startNetwork(NODES, { genesisPath, directory, nodeOptions }, (_, index) =>
    progress.update(index + 1),
  )
  progress.end()
  try {
    const clients = nodes.map(node => new RpcClient(node.ready.rpc))
    for (const [index, node] of nodes.entries())
      output.note(`   node ${index + 1}: process ${node.ready.pid}, ${node.ready.rpc}`)
    output.note('3. Alice pays bob three times: signed by the wallet, handed to node 1, mined by the others.')
    const secretKey = await keystore.open('alice', password)
    const ids = await payAll(clients[0]!, { from: alice.address, to: bob.address, secretKey }, output)
    secretKey.fill(0)
    output.note('4. What every node says.')
    const report = await compareNodes(clients, nodes, { alice: alice.address, bob: bob.address })
    output.note(`   ${describe(report)}`)
    output.note('5. Stopping the nodes.')
    await stopNetwork(nodes)
    const ended = nodes.map(node => node.process.exitCode)
    if (ended.some(code => code !== 0))
      throw new CommandError(EXIT.fault, `the nodes ended with exit codes ${ended.join(', ')}`)
    const stage = simulatedStage()
    const comparison = await compareKinds(stage, output)
    const data = { alice: alice.address, bob: bob.address, transfers: ids, nodes: report, comparison }
    output.data(data, () => showComparison(comparison, { stage, columns: terminalColumns() }))
    output.note('\nThe same on real processes, in a few minutes: npx quorate compare --live')
    return EXIT.done
  } finally {
    await stopNetwork(nodes)
  }
}

async function payAll(
  client: RpcClient,
  { from, to, secretKey }: { from: Address; to: Address; secretKey: Uint8Array },
  output: Output,
): Promise<TransactionId[]> {
  const ids: TransactionId[] = []
  for (const amount of AMOUNTS) {
    const { id, raw } = signTransfer(
      await prepareTransfer(client, { from, to, value: parseAmount(amount)! }),
      secretKey,
    )
    const submission = await submit(client, raw)
    if (submission.status !== 'accepted')
      throw new CommandError(EXIT.fault, `the node did not take a transfer: ${submission.error.message}`)
    ids.push(id)
    output.note(`   ${amount} coins: ${id}`)
  }
  for (const [index, id] of ids.entries()) {
    const progress = createProgress(`   transfer ${index + 1}: confirmations`, Number(CONFIRMATIONS))
    for await (const state of watchTransaction(client, id, {
      confirmations: CONFIRMATIONS,
      timeoutMs: PATIENCE_MS,
      pollMs: 200,
      attackerShare: 0.1,
    })) {
      if (state.status !== 'mined') continue
      progress.update(Number(state.confirmations), `block ${state.blockNumber}`)
      if (state.confirmations < CONFIRMATIONS) continue
      progress.end()
      const risk = (state.reversal!.exact * 100).toPrecision(2)
      output.note(
        `   transfer ${index + 1}: block ${state.blockNumber}, ${state.confirmations} confirmations; a miner with 10% of all hashes could still reverse it with probability ${risk}%`,
      )
    }
  }
  return ids
}

interface NodeReport {
  readonly node: number
  readonly height: number
  readonly head: string
  readonly stateRoot: string
  readonly alice: bigint
  readonly bob: bigint
}

/** Balances on all nodes at one height that all have reached. */
async function compareNodes(
  clients: readonly RpcClient[],
  nodes: readonly LocalNode[],
  accounts: { alice: Address; bob: Address },
): Promise<NodeReport[]> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const heights = await Promise.all(clients.map(async client => (await readStatus(client)).head.height))
    const height = Math.min(...heights)
    const reports = await Promise.all(
      clients.map((client, index) => reportAt(client, index + 1, height, accounts)),
    )
    const isEqual = reports.every(
      report => report.head === reports[0]!.head && report.bob === reports[0]!.bob,
    )
    if (isEqual && reports[0]!.bob > 0n) return reports
    if (Date.now() > deadline || nodes.some(node => !node.isRunning))
      throw new CommandError(EXIT.fault, 'the nodes do not come to one head')
    await sleep(300)
  }
}

async function reportAt(
  client: RpcClient,
  node: number,
  height: number,
  accounts: { alice: Address; bob: Address },
): Promise<NodeReport> {
  const at = `0x${height.toString(16)}`
  const block = (await client.call('eth_getBlockByNumber', [at, false])) as {
    hash: string
    stateRoot: string
  }
  const alice = await client.quantity('eth_getBalance', [accounts.alice, at])
  const bob = await client.quantity('eth_getBalance', [accounts.bob, at])
  return { node, height, head: block.hash, stateRoot: block.stateRoot, alice, bob }
}

function describe(reports: readonly NodeReport[]): string {
  const { height, head, alice, bob } = reports[0]!
  return `All ${reports.length} agree at height ${height}, block ${head.slice(0, 22)}…: alice ${formatAmount(alice)}, bob ${formatAmount(bob)}.`
}

function compareKinds(stage: StageKind, output: Output): Promise<Comparison> {
  output.note(
    '6. When is a transfer final? The same transfers through several kinds of finality, in the simulator:',
  )
  output.note('   undisturbed, then with the leader killed, then with the network cut in half.\n')
  return runComparison({ variants: VARIANTS, settings: COMPARED, stage })
}
