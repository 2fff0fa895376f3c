// A node that answers nonsense to the commands that ask it: wrong kinds, numbers without bound, lists where none should be,
// and in every text what a terminal obeys. Whatever it says, a command ends with a code of its own, and no such character
// reaches the terminal. The commands are those of the program: one that asks a node and has no line here fails.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { keccak256 } from '../../src/chain/hash.ts'
import { type Command, nameOf } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { fromHex, toHex } from '../../src/encoding/bytes.ts'
import type { Json } from '../../src/encoding/fields.ts'
import { Keystore } from '../../src/wallet/keystore-directory.ts'
import { type FakeNode, startFakeNode } from '../wallet/fake-node.ts'
import { runInProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-hostile-'))
after(() => rmSync(folder, { recursive: true }))
const keys = join(folder, 'keys')
await new Keystore(keys, { n: 2, r: 8, p: 1 }).importKey(
  'ada',
  new Uint8Array(32).fill(1),
  Buffer.from('secret'),
)
writeFileSync(join(folder, 'password'), 'secret', { mode: 0o600 })
writeFileSync(join(folder, 'rpc.cookie'), '0'.repeat(64), { mode: 0o600 })

const ID = `0x${'ab'.repeat(32)}`
const ADDRESS = `0x${'12'.repeat(20)}`
const SIGNATURE = `0x${'01'.repeat(65)}`

/** Each command that asks a node, as it is called; `--rpc` is added. */
const LINES: Readonly<Record<string, string>> = {
  status: 'status',
  doctor: 'doctor --wait 0',
  peers: 'peers',
  tips: 'tips',
  block: 'block latest',
  tx: `tx ${ID}`,
  mine: `mine --to ${ADDRESS} --data ${folder}`,
  'wallet balance': `wallet balance ${ADDRESS}`,
  'wallet send': `wallet send --from ada --to ${ADDRESS} --amount 1 --no-wait --keystore ${keys} --password-file ${join(folder, 'password')}`,
  'wallet history': `wallet history ${ADDRESS} --blocks 1`,
  'wallet wait': `wallet wait ${ID} --timeout 1`,
  'finality proof': 'finality proof',
  'evidence list': 'evidence list',
  'evidence export': `evidence export 1 --out -`,
}

const BLOCK = {
  hash: ID,
  parentHash: ID,
  number: '0x1',
  timestamp: '0x1',
  miner: ADDRESS,
  stateRoot: ID,
  gasUsed: '0x0',
  gasLimit: '0x1',
  baseFeePerGas: '0x1',
  size: '0x1',
}
const TRANSACTION = { hash: ID, from: ADDRESS, to: ADDRESS, value: '0x1', nonce: '0x0', blockNumber: '0x1' }
const VOTE = { phase: 'commit', sequence: 1, view: 0, value: ID, signature: SIGNATURE }
const MEMBER = {
  name: 'v1',
  address: ADDRESS,
  isLinked: true,
  votedIn: ['prepare'],
  wantsViewChange: false,
  status: { view: 0, isActive: true, votes: true, sequence: 1, timeoutMs: 1, clockAheadMs: 0, ageMs: 1 },
}

/** What an honest node may answer to each method. */
const ANSWERS: Readonly<Record<string, Json>> = {
  quorate_status: {
    name: 'lab',
    chainId: '0x1',
    genesisId: ID,
    head: { id: ID, height: '0x1', time: '0x1', stateRoot: ID },
    final: { id: ID, height: '0x1' },
    finality: 'hybrid',
    lag: '0x0',
    halted: 'no reason',
    muted: 'no reason',
    isMined: true,
    checkpoint: { id: ID, height: '0x1', isReached: true },
    peers: '0x0',
    pool: { pending: '0x0', queued: '0x0' },
    mining: { beneficiary: ADDRESS, blocksLeft: '0x0', hashrate: '0x0' },
    syncing: { height: '0x0', target: '0x0' },
    clock: { behindSeconds: '0x40', peers: '0x1' },
    version: '1.0.0',
  },
  quorate_finalityReport: {
    mode: 'pbft',
    isMined: false,
    pattern: 'all-to-all',
    quorum: 1,
    faultsTolerated: 0,
    self: 0,
    view: 0,
    isActive: true,
    muted: 'no reason',
    halted: 'no reason',
    sequence: 1,
    timeoutMs: 1,
    isWaiting: true,
    phases: ['prepare', 'commit'],
    sinceDecisionMs: 1,
    proposer: 0,
    validators: [MEMBER],
    evidence: [],
    head: 1,
    final: 1,
    lag: 0,
    futureLimitMs: 1,
    lastCertificate: { sequence: 1, view: 0, height: 1, id: ID, signers: ['v1'] },
  },
  quorate_peers: [{ id: 'peer', address: '/ip4/127.0.0.1/tcp/1', direction: 'inbound' }],
  quorate_tips: [{ id: ID, height: '0x1', work: '0x1', branchLength: '0x0', status: 'active' }],
  quorate_mine: true,
  quorate_getTransactionStatus: {
    status: 'mined',
    blockHash: ID,
    blockNumber: '0x1',
    confirmations: '0x5',
    final: true,
  },
  quorate_getEvidence: [
    {
      genesisId: ID,
      validator: { name: 'v1', address: ADDRESS },
      type: 'contradiction',
      first: VOTE,
      second: { ...VOTE, value: `0x${'cd'.repeat(32)}` },
    },
  ],
  quorate_getFinalityProof: {
    genesisId: ID,
    chainId: 1,
    block: { id: ID, height: 1 },
    headers: [`0x${'00'.repeat(80)}`],
    certificate: {
      phase: 'commit',
      sequence: 1,
      view: 0,
      value: ID,
      signatures: [{ validator: ADDRESS, signature: SIGNATURE }],
    },
  },
  eth_getTransactionByHash: TRANSACTION,
  eth_getTransactionReceipt: { gasUsed: '0x1', effectiveGasPrice: '0x1' },
  eth_getBalance: '0x1',
  eth_getTransactionCount: '0x0',
  eth_chainId: '0x1',
  eth_feeHistory: { baseFeePerGas: ['0x1', '0x1'] },
  eth_maxPriorityFeePerGas: '0x1',
  eth_sendRawTransaction: ID,
  eth_blockNumber: '0x1',
  eth_getBlockReceipts: [{ transactionHash: ID, gasUsed: '0x1', effectiveGasPrice: '0x1', status: '0x1' }],
}

/** What a terminal would obey, and what would fake a line of ours. */
const ESCAPES = '\u001b]0;title\u0007\u001b[2J\u009b31m\u202e\u2028\u007f\u0000'
const HUGE = `0x${'f'.repeat(64)}`
const DEEP = JSON.parse('['.repeat(90) + ']'.repeat(90)) as Json
const NONSENSE: readonly Json[] = [
  null,
  true,
  -1,
  2 ** 53,
  1e300,
  '',
  ESCAPES,
  `x${ESCAPES}`,
  HUGE,
  '0x',
  [],
  {},
  [null],
  DEEP,
]

/** What a terminal obeys; the end of a line is ours. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** The value, with each value in it replaced by each nonsense in turn, and each member left out. */
function* mutations(value: Json): Generator<Json> {
  yield* NONSENSE
  if (typeof value === 'string') yield `${value}${ESCAPES}`
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    yield [...value, ...value]
    for (const [index, item] of value.entries())
      for (const mutated of mutations(item as Json)) yield value.with(index, mutated) as Json
    return
  }
  for (const [name, item] of Object.entries(value)) {
    const { [name]: _, ...rest } = value as { readonly [key: string]: Json }
    yield rest
    yield { ...value, [`${name}${ESCAPES}`]: ESCAPES }
    for (const mutated of mutations(item)) yield { ...value, [name]: mutated }
  }
}

/** Each command of the program by its whole name. */
function commandsOf(): Map<string, Command> {
  return new Map(
    COMMANDS.flatMap(entry =>
      'commands' in entry
        ? entry.commands.map(command => [`${nameOf(entry)} ${nameOf(command)}`, command] as const)
        : [[nameOf(entry), entry] as const],
    ),
  )
}

const asking = [...commandsOf()].filter(([, { options }]) => 'rpc' in options).map(([name]) => name)

/** Runs a command in this process, as the program does; returns its code and all that it wrote. */
async function run(words: readonly string[]): Promise<{ code: number; said: string }> {
  const { code, out, err } = await runInProcess(words)
  return { code: Number(code), said: out + err }
}

async function honestNode(context: TestContext): Promise<FakeNode> {
  const handlers = Object.entries(ANSWERS).map(([method, answer]) => [method, () => answer] as const)
  const node = await startFakeNode(context, Object.fromEntries(handlers))
  node.handlers.set('eth_getBlockByNumber', (_, isFull) => ({
    ...BLOCK,
    transactions: isFull === true ? [TRANSACTION] : [ID],
  }))
  node.handlers.set('eth_sendRawTransaction', raw => toHex(keccak256(fromHex(String(raw)))))
  return node
}

/** A method's honest answer, for `isFull` as well where that makes a difference. */
const answerOf = (method: string, name: string): Json =>
  ANSWERS[method] ?? { ...BLOCK, transactions: name === 'wallet history' ? [TRANSACTION] : [ID] }

test('every command that asks a node is attacked here', () => {
  assert.deepEqual(asking.toSorted(), Object.keys(LINES).toSorted())
})

for (const [name, line] of Object.entries(LINES))
  test(`a node that answers nonsense to quorate ${name} neither reaches the terminal nor is a fault of ours`, async context => {
    const node = await honestNode(context)
    const words = [...line.split(' '), '--rpc', node.url]
    const honest = await run(words)
    assert.ok(honest.code === 0 || honest.code === 1, `${honest.code}: ${honest.said}`)
    const methods = [...new Set(node.methods())]
    assert.ok(methods.length > 0, 'it asked nothing')
    let runs = 0
    for (const method of methods) {
      const healthy = node.handlers.get(method)!
      for (const answer of mutations(answerOf(method, name))) {
        node.handlers.set(method, () => answer)
        // Every other time for machines.
        const { code, said } = await run(runs % 2 === 0 ? words : [...words, '--json'])
        const what = `${method}: ${JSON.stringify(answer).slice(0, 300)}`
        assert.doesNotMatch(said.replaceAll('\n', ''), OBEYED, what)
        assert.ok(code !== 70 && code !== 3, `${code} at ${what}: ${said}`)
        runs += 1
      }
      node.handlers.set(method, healthy)
    }
    context.diagnostic(`${runs} answers to ${methods.join(', ')}`)
  })

test('an answer that is nested without end, and an error with escapes, are told in a line', async context => {
  const node = await honestNode(context)
  const words = ['block', '--rpc', node.url]
  node.misbehaviours.push({ status: 200, text: `{"result":${'['.repeat(200_000)}${']'.repeat(200_000)}}` })
  const deep = await run(words)
  assert.equal(deep.code, 4)
  assert.match(deep.said, /nested deeper/)
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -1, message: ESCAPES } })
  node.misbehaviours.push({ status: 200, text })
  const refused = await run(words)
  assert.equal(refused.code, 4)
  assert.doesNotMatch(refused.said.replaceAll('\n', ''), OBEYED)
})
