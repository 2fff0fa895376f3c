// A node without network, disk or miner: a real replica over a Map, mined by stepping, served on loopback.
// And small clients: one that speaks JSON-RPC, one that speaks HTTP and says whatever a test wants said.

import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request } from 'node:http'
import type { TestContext } from 'node:test'
import type { Address } from '../../src/chain/address.ts'
import type { Block } from '../../src/chain/block.ts'
import { nextBaseFee } from '../../src/chain/fees.ts'
import { blockId, meetsTarget } from '../../src/chain/header.ts'
import { addressOfSecretKey, signDigest } from '../../src/chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type Transaction,
  type TransactionFields,
} from '../../src/chain/transaction.ts'
import { fromHex, type Hex, toHex } from '../../src/encoding/bytes.ts'
import type { Json } from '../../src/encoding/fields.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import type { AgreementReport } from '../../src/finality/contract.ts'
import type { Identity } from '../../src/finality/identity.ts'
import { createFinality } from '../../src/finality/registry.ts'
import type { Effect, Input, MiningTemplate, Store, SubmitResult } from '../../src/replica/effects.ts'
import type { CorruptStore } from '../../src/replica/records.ts'
import { Replica } from '../../src/replica/replica.ts'
import type { RpcBackend, RpcCounters, RpcPeer } from '../../src/rpc/backend.ts'
import { RpcServer, type RpcServerOptions } from '../../src/rpc/server.ts'
import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../src/signatures/sender-cache.ts'
import { cleanUp } from '../cleanup.ts'

export const COIN = 10n ** 18n
export const GWEI = 10n ** 9n
const CHAIN_ID = 20261n
const START_SECONDS = 1_767_225_600

/** A person with a key. */
export interface Person {
  readonly secretKey: Hex
  readonly address: Address
}

export const alice = person(1)
export const bob = person(2)
/** Has nothing. */
export const carol = person(3)
export const miner = person(4)

function person(number: number): Person {
  const secretKey: Hex = `0x${number.toString(16).padStart(64, '0')}`
  return { secretKey, address: addressOfSecretKey(fromHex(secretKey)) }
}

/** A network whose blocks cost two hashes; `depth` blocks make one final. */
export function testGenesis(
  settings: { depth?: number; gasLimit?: number; baseFee?: string; forTests?: boolean } = {},
): Genesis {
  return parseGenesis(genesisFile(settings))
}

function genesisFile(
  settings: { depth?: number; gasLimit?: number; baseFee?: string; forTests?: boolean } = {},
): Record<string, unknown> {
  const { depth = 256, gasLimit = 30_000_000, baseFee = '1gwei', forTests } = settings
  return {
    name: 'test',
    ...(forTests === undefined ? {} : { forTests }),
    chainId: Number(CHAIN_ID),
    time: START_SECONDS,
    work: {
      bits: '0x207fffff',
      easiestBits: '0x207fffff',
      blockTimeSeconds: 2,
      halfLifeSeconds: 60,
      futureLimitSeconds: 15,
    },
    blocks: { gasLimit, bytesMax: 1_048_576, baseFee },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: { mode: 'longest-chain', depth },
    accounts: { [alice.address]: '1000', [bob.address]: '1000' },
  }
}

/** A network of validators whose keys are those of alice, bob and so on; `mode` says what they decide. */
export function committeeGenesis(mode: 'pbft' | 'hybrid', people: readonly Person[]): Genesis {
  return parseGenesis(committeeFile(mode, people))
}

/** The genesis file of that network. */
export function committeeFile(mode: 'pbft' | 'hybrid', people: readonly Person[]): Record<string, unknown> {
  const validators = people.map(({ address }, index) => ({ name: `v${index + 1}`, address }))
  const agreement = { mode, pattern: 'all-to-all', timeoutMs: 1_000, validators }
  const { work, ...rest } = genesisFile()
  return {
    ...rest,
    work: mode === 'pbft' ? { proof: 'none', futureLimitSeconds: 15 } : work,
    finality:
      mode === 'pbft'
        ? { ...agreement, intervalMs: 250, heartbeatSeconds: null }
        : { ...agreement, depth: 2, interval: 1 },
  }
}

/** Remembered, for many nodes of a test see the same transactions. */
const { recoverSender } = new SenderCache(await chooseBackend())

/** A node as the RPC sees one. */
export class TestNode implements RpcBackend {
  readonly version = '1.2.3'
  readonly replica: Replica
  /** What is on its disk. */
  readonly records: Map<string, Uint8Array>
  readonly #identity: Identity | undefined
  #template: MiningTemplate | null = null
  #nowMs = START_SECONDS * 1000
  peerList: readonly RpcPeer[] = []
  progress: { height: number; target: number } | null = null
  hashesPerSecond = 0
  counted: RpcCounters = {
    sent: new Map(),
    signaturesChecked: 0,
    hashes: 0,
    reorganisations: 0,
    deepestReorganisation: 0,
  }
  /** What it was stopped for. */
  damage: CorruptStore | null = null

  constructor(
    genesis: Genesis = testGenesis(),
    salt = 0,
    identity?: Identity,
    records = new Map<string, Uint8Array>(),
  ) {
    this.records = records
    this.#identity = identity
    this.replica = new Replica({
      genesis,
      finality: createFinality(genesis, identity),
      store: this.#store(),
      recoverSender,
      salt: Uint8Array.of(0, 0, 0, salt),
    })
    this.step({ type: 'start' })
  }

  /** Records that were read. */
  reads = 0

  #store(): Store {
    const store = storeOf(this.records)
    const get = (key: string): Uint8Array | null => {
      this.reads += 1
      return store.get(key)
    }
    return { ...store, get }
  }

  async submit(raw: Uint8Array): Promise<SubmitResult> {
    const reply = this.step({ type: 'submit', raw, token: 'test' }).find(effect => effect.type === 'reply')
    assert.ok(reply !== undefined)
    return reply.result
  }

  /** Transactions whose senders were asked for. */
  recovered = 0

  async recoverSenders(transactions: readonly Transaction[]): Promise<void> {
    this.recovered += transactions.length
  }

  setMining(beneficiary: Address | null, blocks: number | null): void {
    this.step({ type: 'mining', beneficiary, blocks })
  }

  hashrate(): number {
    return this.hashesPerSecond
  }

  peers(): readonly RpcPeer[] {
    return this.peerList
  }

  finalityReport(): AgreementReport | null {
    return this.replica.finality.report(this.#nowMs)
  }

  counters(): RpcCounters {
    return this.counted
  }

  fail(damage: CorruptStore): void {
    this.damage = damage
  }

  syncProgress(): { height: number; target: number } | null {
    return this.progress
  }

  /** Puts a transaction into the pool. */
  pool(tx: Transaction): void {
    const reply = this.step({ type: 'submit', raw: tx.raw, token: 'test' }).find(
      ({ type }) => type === 'reply',
    )
    assert.deepEqual(reply, { type: 'reply', token: 'test', result: { id: tx.id } })
  }

  /** Mines blocks, two seconds each, and returns the last. */
  mine(count = 1, beneficiary: Address = miner.address): Block {
    for (let mined = 0; mined < count; mined++) {
      this.#nowMs += 2_000
      this.setMining(beneficiary, 1)
      const { id, header, target } = this.#template!
      let nonce = 0
      while (!meetsTarget(blockId({ ...header, nonce }), target)) nonce++
      const before = this.replica.tree.head
      this.step({ type: 'mined', templateId: id, nonce })
      assert.notEqual(this.replica.tree.head, before)
    }
    return this.replica.tree.head.block
  }

  /** Takes blocks of another node in. */
  receive(...blocks: readonly Block[]): void {
    for (const block of blocks)
      this.step({ type: 'message', from: 'peer', message: { type: 'block', block } })
  }

  /** The same node after a restart: on a copy of its disk. */
  restarted(): TestNode {
    const next = new TestNode(this.replica.genesis, 1, this.#identity, new Map(this.records))
    next.#nowMs = this.#nowMs
    return next
  }

  /** Lets time pass without anything happening. */
  wait(ms: number): void {
    this.#nowMs += ms
  }

  step(input: Input): Effect[] {
    const effects = this.replica.step(input, this.#nowMs)
    for (const effect of effects) {
      if (effect.type === 'mine') this.#template = effect.template
      if (effect.type === 'persist') {
        for (const { key, value } of effect.writes) {
          if (value === null) this.records.delete(key)
          else this.records.set(key, value)
        }
      }
    }
    return effects
  }
}

function storeOf(records: Map<string, Uint8Array>): Store {
  return {
    get: key => records.get(key) ?? null,
    entries: prefix =>
      [...records].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
  }
}

/** A signed transfer: alice to bob, 1 coin, unless changed. */
export function transfer(changes: Partial<TransactionFields> & { by?: Person } = {}): Transaction {
  const { by = alice, ...fields } = changes
  const tip = fields.maxPriorityFeePerGas ?? GWEI
  const unsigned: TransactionFields = {
    type: 'eip1559',
    chainId: CHAIN_ID,
    nonce: 0n,
    maxFeePerGas: 10n * GWEI,
    maxPriorityFeePerGas: tip,
    gasLimit: 21_000n,
    to: bob.address,
    value: COIN,
    data: new Uint8Array(),
    accessList: [],
    ...fields,
  }
  const legacy = unsigned.type === 'legacy' ? { maxPriorityFeePerGas: unsigned.maxFeePerGas } : {}
  const signed = { ...unsigned, ...legacy }
  const raw = encodeTransaction(signed, signDigest(signingHash(signed), fromHex(by.secretKey)))
  const tx = decodeTransaction(raw)
  assert.ok(typeof tx !== 'string', `not a transaction: ${String(tx)}`)
  return tx
}

/** The base fee of the next block. */
export function baseFeeNow(node: TestNode): bigint {
  return nextBaseFee(node.replica.tree.head.block.coinbase)
}

/** Serves a node on a free port until the test ends. */
export async function serve(
  t: TestContext,
  node: RpcBackend,
  options: Partial<RpcServerOptions> = {},
): Promise<RpcClient> {
  const server = await RpcServer.open(node, { port: 0, cookieDirectory: null, ...options })
  cleanUp(t, () => server.close())
  return new RpcClient(server)
}

/** The answer to a call: a result or an error. */
export type Answer = {
  readonly jsonrpc: string
  readonly id: Json
  readonly result?: Json
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Json }
}

/** A fresh client of one server. */
export class RpcClient {
  readonly server: RpcServer

  constructor(server: RpcServer) {
    this.server = server
  }

  get url(): string {
    return this.server.url
  }

  /** The result of a call, which must have one. */
  async result(method: string, ...params: readonly Json[]): Promise<Json> {
    const answer = await this.answer({ jsonrpc: '2.0', id: 1, method, params })
    assert.equal(answer.error, undefined, `${method} ${JSON.stringify(answer.error)}`)
    assert.deepEqual(Object.keys(answer), ['jsonrpc', 'id', 'result'])
    return answer.result!
  }

  /** The result of a call that answers an object. */
  async object(method: string, ...params: readonly Json[]): Promise<{ readonly [name: string]: Json }> {
    const result = await this.result(method, ...params)
    assert.ok(typeof result === 'object' && result !== null && !Array.isArray(result))
    return result as { readonly [name: string]: Json }
  }

  /** The code and text of a call's error, which it must have. */
  async error(
    method: string,
    ...params: readonly Json[]
  ): Promise<{ code: number; message: string; data?: Json }> {
    const { error, ...rest } = await this.answer({ jsonrpc: '2.0', id: 1, method, params })
    assert.deepEqual(rest, { jsonrpc: '2.0', id: 1 })
    assert.ok(error !== undefined, `${method} answered ${JSON.stringify(rest)}`)
    return error
  }

  /** The answer to a request, which must come with status 200. */
  async answer(request: Json): Promise<Answer> {
    const { status, text, headers } = await this.post(JSON.stringify(request))
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/json')
    return JSON.parse(text) as Answer
  }

  /** The HTTP answer to any body with any headers. */
  post(
    body: string | Uint8Array,
    options: { headers?: Record<string, string>; method?: string; path?: string } = {},
  ): Promise<HttpAnswer> {
    const { method = 'POST', path = '/', headers = {} } = options
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.url),
        { method, agent: false, headers: { 'content-type': 'application/json', ...headers } },
        response => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({ status: response.statusCode!, headers: response.headers, text })
          })
          response.on('error', reject)
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A number as JSON-RPC writes it. */
export function hex(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** The raw bytes of a transaction as a client sends them. */
export function rawOf(tx: Transaction): Hex {
  return toHex(tx.raw)
}
