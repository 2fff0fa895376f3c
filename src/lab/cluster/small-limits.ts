// The limits of replicas made small: with a pool of four transactions and a batch of one, a short run gets to edges that a
// real node meets only under attack (FoundationDB calls it BUGGIFY). All nodes of a run have the same limits.

import { REPLICA_LIMITS, type ReplicaLimits } from '../../replica/limits.ts'
import type { Random } from '../virtual/random.ts'

const {
  pool,
  gossipTransactionsMax,
  headersMax,
  bodiesMax,
  bodiesAheadMax,
  sideBlocksMax,
  branchHeadersMax,
} = REPLICA_LIMITS

/** What a node has, and from what to what it is drawn when it is small. A transfer has 110 to 120 bytes. */
const LIMITS = {
  /** Transactions and bytes of a pool. */
  pool: { usual: pool.transactionsMax, min: 2, max: 8 },
  'pool-bytes': { usual: pool.bytesMax, min: 250, max: 1_000 },
  /** Transactions of one sender in it, which is also how far ahead its nonces may be. */
  sender: { usual: pool.senderTransactionsMax, min: 1, max: 4 },
  /** Transactions that are announced or asked for together. */
  gossip: { usual: gossipTransactionsMax, min: 1, max: 3 },
  /** Headers in an answer. */
  headers: { usual: headersMax, min: 1, max: 8 },
  /** Bodies that a peer is asked for at once, and that are asked for or wait. */
  bodies: { usual: bodiesMax, min: 1, max: 3 },
  'bodies-ahead': { usual: bodiesAheadMax, min: 1, max: 6 },
  /** Blocks beside the main chain, and headers that are kept of a branch before it is fetched. */
  'side-blocks': { usual: sideBlocksMax, min: 1, max: 6 },
  'branch-headers': { usual: branchHeadersMax, min: 1, max: 6 },
} as const

const SMALL_RATE = 0.5

/** One of the limits. */
export type LimitName = keyof typeof LIMITS

/** Those limits of a run that are small. */
export type SmallLimits = Readonly<Partial<Record<LimitName, number>>>

/** The names, in their order. */
export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

/** What a node has where nothing is small. */
export function usualLimit(name: LimitName): number {
  return LIMITS[name].usual
}

/** Small limits in half of the runs, each in half of those: many runs have none, and many have several at once. */
export function drawLimits(random: Random): SmallLimits {
  const limits: Partial<Record<LimitName, number>> = {}
  if (!random.chance(SMALL_RATE)) return limits
  for (const name of LIMIT_NAMES) {
    const [stream, { min, max }] = [random.stream(name), LIMITS[name]]
    if (stream.chance(SMALL_RATE)) limits[name] = stream.integer(min, max)
  }
  return limits
}

/** The limits of the nodes of a run. */
export function limitsOf(small: SmallLimits): ReplicaLimits {
  const limit = (name: LimitName): number => small[name] ?? usualLimit(name)
  return {
    pool: {
      transactionsMax: limit('pool'),
      bytesMax: limit('pool-bytes'),
      senderTransactionsMax: limit('sender'),
      senderBytesMax: pool.senderBytesMax,
    },
    gossipTransactionsMax: limit('gossip'),
    headersMax: limit('headers'),
    bodiesMax: limit('bodies'),
    bodiesAheadMax: limit('bodies-ahead'),
    sideBlocksMax: limit('side-blocks'),
    branchHeadersMax: limit('branch-headers'),
  }
}

/** Whether a pool may evict what its node has acknowledged. */
export function isPoolSmall(small: SmallLimits): boolean {
  return small.pool !== undefined || small['pool-bytes'] !== undefined || small.sender !== undefined
}
