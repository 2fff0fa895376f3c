// The variants of a comparison, as data: the finality modes, some of them in two ways, and what their networks are made
// of. The same rules, accounts and coins for all, so that they differ in nothing but that.

import type { Address } from '../../chain/address.ts'
import { encodeCompact, HASH_MAX } from '../../chain/compact.ts'
import type { Json } from '../../encoding/fields.ts'
import { type FinalityMode, sectionOf } from '../../finality/modes/mode.ts'
import { PBFT } from '../../finality/modes/pbft.ts'
import { MODES } from '../../finality/registry.ts'
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
   * it is `BLOCK_MS` where they are mined, and the mode's own interval where they are not.
   */
  readonly blockMs?: number | undefined
}

/** One way to make blocks final. */
export interface Variant {
  /** The name by which it is chosen, and the head of its column. */
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

/** Milliseconds between two blocks on average, where blocks are mined, unless told otherwise. */
export const BLOCK_MS = 400
/** Seconds after which validators make an empty block: rarely, so that figures are of blocks with transfers. */
const HEARTBEAT_SECONDS = 60
/**
 * What may be told. Time in headers is in whole seconds, above the median of the last eleven: chains with more than six
 * blocks a second run away from the clock.
 */
export const BLOCK_MS_LIMITS = { min: 200, max: 10_000 }

/** The node that is killed as the leader where blocks are mined, and no node leads: the second. */
export const SOME_MINER = 1

/** The names of variants whose pattern is not their mode's default; else a variant has the name of its mode. */
const PATTERN_SUFFIXES: ReadonlyMap<string, string> = new Map([['leader-collected', 'leader']])

/** PBFT whose votes the leader collects. */
export const PBFT_LEADER = `${PBFT.name}-leader`

/**
 * All variants, in the order of their columns: each mode with its defaults, and where validators make the blocks, so that
 * nothing but votes takes time, each other pattern too.
 */
export const VARIANTS: readonly Variant[] = MODES.flatMap(mode => {
  const patterns = mode.isMined ? [] : [...mode.protocols.keys()].slice(1)
  const name = (pattern: string): string => `${mode.name}-${PATTERN_SUFFIXES.get(pattern) ?? pattern}`
  return [variantOf(mode), ...patterns.map(pattern => variantOf(mode, { name: name(pattern), pattern }))]
})

/** The variant with this name. Throws a RangeError when there is none. */
export function variantNamed(name: string): Variant {
  const variant = VARIANTS.find(variant => variant.name === name)
  if (variant === undefined) throw new RangeError(`there is no way of making blocks final named ${name}`)
  return variant
}

/** A mode as a variant; its settings are as they are by default but for what keeps runs alike. */
function variantOf(
  mode: FinalityMode,
  { name = mode.name, pattern }: { readonly name?: string; readonly pattern?: string } = {},
): Variant {
  const finality: Variant['finality'] = (validators, { blockMs } = {}) =>
    sectionOf(mode, {
      pattern,
      validators: validators.map(({ name, address }) => ({ name, address })),
      intervalMs: blockMs,
      heartbeatSeconds: HEARTBEAT_SECONDS,
    })
  return {
    name,
    isMined: mode.isMined,
    hasValidators: mode.hasValidators,
    final: mode.hasValidators ? { type: 'certificate' } : { type: 'depth', blocks: DEPTH },
    finalMeans: mode.hasValidators
      ? mode.finalMeans(finality([]))
      : `${mode.finalMeans({ depth: DEPTH })}: P(reversal) < ${RISK_MAX * 100} % for q = ${ATTACKER_SHARE}`,
    finality,
  }
}

/** What a network is made of besides its variant. */
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
export function createGenesis(variant: Variant, parts: NetworkParts): Readonly<Record<string, Json>> {
  const mined = {
    bits: `0x${encodeCompact(HASH_MAX / BigInt(Math.max(2, Math.round(parts.hashesPerBlock)))).toString(16)}`,
    easiestBits: '0x207fffff',
    blockTimeSeconds: 1,
    halfLifeSeconds: 31_536_000,
    futureLimitSeconds: 15,
  }
  return {
    name: `compare-${variant.name}`,
    chainId: CHAIN_ID,
    forTests: true,
    time: parts.time,
    work: variant.isMined ? mined : { proof: 'none', futureLimitSeconds: 15 },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: variant.finality(parts.validators, parts),
    accounts: Object.fromEntries(parts.funded.map(address => [address, '1000'])),
  }
}
