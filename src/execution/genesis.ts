// The genesis file: a network as data. It sets the rules and the first accounts; the genesis block made from it
// commits to every field through its coinbase record, so two nodes with one genesis id agree on all of them.

import { type Address, parseAddress } from '../chain/address.ts'
import { parseAmount } from '../chain/amount.ts'
import { assembleBlock, type Block, contentRoot } from '../chain/block.ts'
import { decodeCompact } from '../chain/compact.ts'
import { TRANSACTION_GAS_MIN } from '../chain/gas.ts'
import { sha256 } from '../chain/hash.ts'
import { NO_BLOCK } from '../chain/header.ts'
import { type ChainedHeader, firstHeader, type WorkRules } from '../chain/header-chain.ts'
import { canonicalJson, Fields, InvalidField, type Json } from '../encoding/fields.ts'
import { type BlockRules, describeExecution } from './block-execution.ts'
import { issuedUpTo } from './reward.ts'
import { type Account, State } from './state.ts'

/** A network: its rules, its first block and its first state. */
export interface Genesis {
  readonly name: string
  /** Whether the network is for tests: only there may nodes be told to misbehave. */
  readonly forTests: boolean
  readonly work: WorkRules
  readonly blocks: BlockRules
  /** How finality is chosen: `mode` and its settings, which src/finality reads. */
  readonly finality: { readonly [key: string]: Json }
  readonly block: Block
  /** The genesis header, from which `chainHeader` goes on. */
  readonly header: ChainedHeader
  readonly state: State
  /** Wei in all first accounts. */
  readonly supply: bigint
}

const ACCOUNTS_MAX = 100_000
const U32_MAX = 2 ** 32 - 1
const NOBODY: Address = `0x${'00'.repeat(20)}`

/** The network that a genesis file describes. Throws `InvalidField` naming the first field that is wrong. */
export function parseGenesis(file: unknown): Genesis {
  const fields = new Fields('', file)
  const name = fields.text('name')
  const chainId = BigInt(fields.integer('chainId', { min: 1, max: Number.MAX_SAFE_INTEGER }))
  const forTests = fields.has('forTests') ? fields.parse('forTests', 'true or false', readBoolean) : false
  const time = fields.integer('time', { min: 0, max: U32_MAX })
  const { bits, work } = readWork(fields.object('work'))
  const { blocks, baseFee } = readBlocks(fields.object('blocks'), chainId, fields.object('reward'))
  const finality = fields.parse('finality', 'an object with a mode', readObject)
  const accounts = readAccounts(fields.object('accounts'))
  fields.end()
  const supply = [...accounts.values()].reduce((sum, account) => sum + account.balance, 0n)
  // The reward halves to nothing within 256 halvings; all money together must fit in a balance.
  if (supply + issuedUpTo(blocks.reward, 257 * blocks.reward.halvingBlocks) >= 2n ** 256n) {
    throw new InvalidField('accounts', 'the supply together with all rewards passes 2^256')
  }
  const digest = sha256(new TextEncoder().encode(canonicalJson(file as Json)))
  const state = State.EMPTY.with(accounts)
  const execution = { state, changes: accounts, before: new Map(), receipts: [], senders: [], gasUsed: 0n }
  const coinbase = describeExecution(blocks, execution, {
    height: 0,
    beneficiary: NOBODY,
    baseFee,
    extraNonce: digest,
  })
  const merkleRoot = contentRoot({ coinbase, transactions: [] })
  const header = { version: 1, previous: NO_BLOCK, merkleRoot, time, bits, nonce: 0 }
  const block = assembleBlock(header, coinbase, [])
  return { name, forTests, work, blocks, finality, block, header: firstHeader(header), state, supply }
}

/** Half of all numbers: the target that headers without work carry. */
const NO_WORK_BITS = 0x207fffff

function readWork(fields: Fields): { bits: number; work: WorkRules } {
  if (fields.has('proof')) return readNoWork(fields)
  const bits = fields.parse('bits', 'a compact target such as "0x1f00ffff"', readBits)
  const easiest = fields.parse('easiestBits', 'a compact target such as "0x207fffff"', readBits)
  const blockTimeSeconds = fields.integer('blockTimeSeconds', { min: 1, max: 86_400 })
  const halfLifeSeconds = fields.integer('halfLifeSeconds', { min: 1, max: 31_536_000 })
  const futureLimitSeconds = fields.integer('futureLimitSeconds', { min: 1, max: 7_200 })
  fields.end()
  const target = decodeCompact(bits)!
  const targetMax = decodeCompact(easiest)!
  if (target > targetMax) throw new InvalidField('work.bits', 'easier than work.easiestBits')
  return {
    bits,
    work: {
      isProved: true,
      firstTarget: target,
      targetMax,
      blockTimeSeconds,
      halfLifeSeconds,
      futureLimitSeconds,
    },
  }
}

/** A network whose blocks are made without work. */
function readNoWork(fields: Fields): { bits: number; work: WorkRules } {
  fields.parse('proof', '"none"', value => (value === 'none' ? value : null))
  const futureLimitSeconds = fields.integer('futureLimitSeconds', { min: 1, max: 7_200 })
  fields.end()
  const target = decodeCompact(NO_WORK_BITS)!
  const times = { blockTimeSeconds: 1, halfLifeSeconds: 1, futureLimitSeconds }
  return { bits: NO_WORK_BITS, work: { isProved: false, firstTarget: target, targetMax: target, ...times } }
}

function readBlocks(
  fields: Fields,
  chainId: bigint,
  reward: Fields,
): { blocks: BlockRules; baseFee: bigint } {
  const gasLimit = BigInt(fields.integer('gasLimit', { min: TRANSACTION_GAS_MIN, max: 1_000_000_000 }))
  const blockBytesMax = fields.integer('bytesMax', { min: 1_000, max: 8 * 1024 * 1024 })
  const baseFee = fields.parse('baseFee', 'an amount such as "1gwei"', readAmount)
  fields.end()
  const amount = reward.parse('amount', 'an amount such as "2"', readAmount)
  const halvingBlocks = reward.integer('halvingBlocks', { min: 1, max: U32_MAX })
  reward.end()
  return { blocks: { chainId, gasLimit, blockBytesMax, reward: { amount, halvingBlocks } }, baseFee }
}

function readAccounts(fields: Fields): Map<Address, Account> {
  const accounts = new Map<Address, Account>()
  const names = fields.names()
  if (names.length > ACCOUNTS_MAX) throw new InvalidField('accounts', `more than ${ACCOUNTS_MAX}`)
  for (const name of names) {
    const address = parseAddress(name)
    if (address === null)
      throw new InvalidField(fields.path(name), 'not an address, or its checksum is wrong')
    if (accounts.has(address)) throw new InvalidField(fields.path(name), 'given twice')
    const balance = fields.parse(name, 'an amount such as "1000"', readAmount)
    if (balance > 0n) accounts.set(address, { nonce: 0n, balance })
  }
  return accounts
}

function readBits(value: Json): number | null {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{8}$/.test(value)) return null
  const bits = Number(value)
  return decodeCompact(bits) === null ? null : bits
}

function readAmount(value: Json): bigint | null {
  const wei = typeof value === 'string' ? parseAmount(value) : null
  return wei !== null && wei < 2n ** 255n ? wei : null
}

function readBoolean(value: Json): boolean | null {
  return typeof value === 'boolean' ? value : null
}

function readObject(value: Json): { readonly [key: string]: Json } | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : null
}
