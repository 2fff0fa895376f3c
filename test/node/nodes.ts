// Networks and nodes for the tests of src/node.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Logger, pino } from 'pino'
import type { Address } from '../../src/chain/address.ts'
import { keccak256 } from '../../src/chain/hash.ts'
import { addressOfSecretKey, signDigest } from '../../src/chain/signature.ts'
import { encodeTransaction, signingHash, type TransactionFields } from '../../src/chain/transaction.ts'
import type { Json } from '../../src/encoding/fields.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import { Node } from '../../src/node/node.ts'
import type { NodeOptions } from '../../src/node/node-options.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'

/** A log that says nothing. */
export const silent: Logger = pino({ level: 'silent' })

/** A secret key that depends on nothing but the number. */
const keyOf = (number: number): Uint8Array => keccak256(new TextEncoder().encode(`key ${number}`))

/** The account of a secret key. */
export const addressOf = (number: number): Address => addressOfSecretKey(keyOf(number))

/** A network on which every second hash makes a block, and in which the first accounts hold 1000 each. */
export function easyGenesis(changes: { readonly [key: string]: Json } = {}): Genesis {
  const accounts = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [addressOf(index), '1000']))
  return parseGenesis({
    name: 'test',
    chainId: 7,
    time: 1_767_225_600,
    work: {
      bits: '0x207fffff',
      easiestBits: '0x207fffff',
      blockTimeSeconds: 1,
      halfLifeSeconds: 31_536_000,
      futureLimitSeconds: 7_200,
    },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: { mode: 'longest-chain', depth: 256 },
    accounts,
    ...changes,
  })
}

/** A signed transfer of 1 wei between the first accounts. */
export function transfer(from: number, nonce: number, changes: Partial<TransactionFields> = {}): Uint8Array {
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: 7n,
    nonce: BigInt(nonce),
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 10n ** 9n,
    gasLimit: 21_000n,
    to: addressOf(99),
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
    ...changes,
  }
  return encodeTransaction(fields, signDigest(signingHash(fields), keyOf(from)))
}

/** Opens nodes that are closed, and their directories removed, when the test ends. */
export function nodesOf(t: TestContext) {
  return async (options: Partial<NodeOptions> = {}): Promise<Node> => {
    const dataDirectory = options.dataDirectory ?? (await temporaryDirectory(t))
    const node = await Node.open({
      genesis: easyGenesis(),
      version: '0',
      mining: { threads: 1 },
      log: silent,
      ...options,
      dataDirectory,
    })
    cleanUp(t, () => node.close())
    return node
  }
}

/** Resolves as soon as the condition holds, which is looked at every few milliseconds; fails after ten seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000
  while (!condition()) {
    assert.ok(performance.now() < endMs, `never happened: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Resolves when the node follows a head of at least this height. */
export async function headAt(node: Node, height: number): Promise<void> {
  const isThere = () => node.replica.tree.head.chained.height >= height
  if (isThere()) return
  await new Promise<void>(resolve => {
    const stop = node.onHead(event => {
      if (event.height < height) return
      stop()
      resolve()
    })
  })
}
