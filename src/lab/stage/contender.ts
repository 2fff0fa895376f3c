// The contenders of a comparison, as data: how each makes blocks final, and what its networks are made of. The same
// rules, accounts and coins for all, so that they differ in nothing but that.

import type { Address } from '../../chain/address.ts'
import { encodeCompact, HASH_MAX } from '../../chain/compact.ts'
import { InvalidField, type Json } from '../../encoding/fields.ts'
import { parseGenesis } from '../../execution/genesis.ts'
import { createFinality } from '../../finality/registry.ts'
import { confirmationsBelow, exactReversal } from '../../finality/reversal.ts'

/** From when a block counts as final: so many blocks deep, itself counted, or when the node calls it `finalized`. */
export type FinalRule = { readonly type: 'depth'; readonly blocks: number } | { readonly type: 'certificate' }

/** A validator as a genesis file names it. */
export interface NamedValidator {
  readonly name: string
  readonly address: Address
}

/** How fast blocks come. */
export interface BlockTime {
  /**
   * Milliseconds between two blocks: on average where they are mined, at least where validators take turns. When absent
   * it is `BLOCK_MS` where they are mined, and `INTERVAL_MS` where they are not.
   */
  readonly blockMs?: number | undefined
}

/** One way to make blocks final. */
export interface Contender {
  /** By which it is chosen, and the head of its column. */
  readonly name: string
  /** Whether blocks are mined. */
  readonly isMined: boolean
  /** Whether nodes are validators, with keys. */
  readonly hasValidators: boolean
  readonly final: FinalRule
  /** The same in words. */
  readonly finalMeans: string
  /** The `finality` section of its genesis files. */
  finality(validators: readonly NamedValidator[], pace?: BlockTime): Readonly<Record<string, Json>>
}

/** An attacker's share of all hashes, and the probability of reversal that people would call final. */
const ATTACKER_SHARE = 0.1
const RISK_MAX = 0.001

/** Blocks until an attacker with this share reverses one with a probability below `risk`, by the exact formula. */
export function confirmationsFor(share: number, risk: number): number {
  return confirmationsBelow(exactReversal, share, { risk, max: 1_000_000 }) ?? Number.POSITIVE_INFINITY
}

const DEPTH = confirmationsFor(ATTACKER_SHARE, RISK_MAX)

const pbft = (name: string, pattern: string): Contender => ({
  name,
  isMined: false,
  hasValidators: true,
  final: { type: 'certificate' },
  finalMeans: 'n − f signatures over the block',
  finality: (validators, { blockMs = INTERVAL_MS } = {}) => ({
    mode: 'pbft',
    pattern,
    validators: validators.map(({ name, address }) => ({ name, address })),
    timeoutMs: 1_000,
    intervalMs: blockMs,
    heartbeatSeconds: 60,
  }),
})

/** Milliseconds between two blocks on average, where blocks are mined, unless told otherwise. */
export const BLOCK_MS = 400
/** Milliseconds between two blocks at least, where validators take turns, unless told otherwise. */
const INTERVAL_MS = 250
/**
 * What may be told. Time in headers is in whole seconds, above the median of the last eleven: chains with more than six
 * blocks a second run away from the clock.
 */
export const BLOCK_MS_LIMITS = { min: 200, max: 10_000 }

/** Who is killed as leader where all lead alike, as miners do: the second node. */
export const SOME_MINER = 1

/** All contenders, in the order of their columns. */
const CONTENDERS: readonly Contender[] = [
  {
    name: 'longest-chain',
    isMined: true,
    hasValidators: false,
    final: { type: 'depth', blocks: DEPTH },
    finalMeans: `${DEPTH} blocks deep: P(reversal) < ${RISK_MAX * 100} % for q = ${ATTACKER_SHARE}`,
    finality: () => ({ mode: 'longest-chain', depth: 256 }),
  },
  {
    name: 'hybrid',
    isMined: true,
    hasValidators: true,
    final: { type: 'certificate' },
    finalMeans: 'n − f signatures over a mined block, 2 deep',
    finality: validators => ({
      mode: 'hybrid',
      pattern: 'all-to-all',
      validators: validators.map(({ name, address }) => ({ name, address })),
      timeoutMs: 1_000,
      depth: 2,
      interval: 1,
    }),
  },
  pbft('pbft', 'all-to-all'),
  pbft('pbft-leader', 'leader-collected'),
]

/** What a network is made of beside its contender. */
export interface NetworkParts extends BlockTime {
  /** Second of the genesis block. */
  readonly time: number
  readonly validators: readonly NamedValidator[]
  /** Accounts that have money. */
  readonly funded: readonly Address[]
  /** Hashes that a block takes on average, where blocks are mined. */
  readonly hashesPerBlock: number
}

/** The chain id that all transfers are signed for. */
export const CHAIN_ID = 20_303

/** The JSON of a genesis file. Work, where there is any, stays as hard as it begins, so that runs are alike. */
export function createGenesis(contender: Contender, parts: NetworkParts): Readonly<Record<string, Json>> {
  const mined = {
    bits: `0x${encodeCompact(HASH_MAX / BigInt(Math.max(2, Math.round(parts.hashesPerBlock)))).toString(16)}`,
    easiestBits: '0x207fffff',
    blockTimeSeconds: 1,
    halfLifeSeconds: 31_536_000,
    futureLimitSeconds: 15,
  }
  return {
    name: `compare-${contender.name}`,
    chainId: CHAIN_ID,
    forTests: true,
    time: parts.time,
    work: contender.isMined ? mined : { proof: 'none', futureLimitSeconds: 15 },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: contender.finality(parts.validators, parts),
    accounts: Object.fromEntries(parts.funded.map(address => [address, '1000'])),
  }
}

/** The contenders that this program can run: a mode that src/finality does not know yet is left out. */
export function availableContenders(): Contender[] {
  const validators = [1, 2, 3, 4].map(
    (digit): NamedValidator => ({ name: `validator-${digit}`, address: `0x${String(digit).repeat(40)}` }),
  )
  const parts = { time: 1, validators, funded: [], hashesPerBlock: 2 }
  return CONTENDERS.filter(contender => {
    try {
      createFinality(parseGenesis(createGenesis(contender, parts)))
      return true
    } catch (error) {
      if (error instanceof InvalidField) return false
      throw error
    }
  })
}
