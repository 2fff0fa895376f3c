// Which inbound peer is evicted when another one connects and all places are taken.
//
// After Bitcoin Core's SelectNodeToEvict (node/eviction.cpp; Heilman et al. 2015, countermeasure 7): each criterion
// protects some peers, so that no attacker can win all places by one skill. The criteria: being in one of a few provider
// groups that a secret picks, having sent new blocks or transactions lately, and a long connection. Of the rest, the
// youngest of the largest group is evicted.
//
// Peers that have not said which network they follow go first, but only after a while: otherwise a crowd that reconnects
// at once would evict each newcomer before its first message is read. Only some of the places are for such newcomers, so
// that silent peers can not hold all.

/** A peer that opened a connection to us. */
export interface InboundPeer {
  /** What its provider has; see network-group.ts. */
  readonly group: string
  /** The rank of the group in a secret order. */
  readonly groupRank: number
  /** When it connected. Milliseconds, as all times here, of a clock that never steps back. */
  readonly sinceMs: number
  /** It was given by a person, or proved to speak for a validator. */
  readonly isPrivileged: boolean
  /** It has said that it follows our network. */
  readonly isGreeted: boolean
  /** When it last gave a block that moved our head, and transactions that were news. -Infinity for never. */
  readonly blockMs: number
  readonly transactionsMs: number
}

/** How many of the best in each discipline stay: as many as Bitcoin Core protects, in its proportion to the places. */
const BY_GROUP = 4
const BY_BLOCKS = 4
const BY_TRANSACTIONS = 4

/** Milliseconds that a newcomer has to say which network it follows: some round trips, and a node that is busy. */
export const GREETING_MS = 3_000
/** Among those that compete, one in so many may be a newcomer that has not said so yet. */
const NEWCOMERS_SHARE = 4

/** The peer to evict, or null when all are protected. Times are milliseconds of a monotonic clock. */
export function chooseEvicted<Peer extends InboundPeer>(peers: readonly Peer[], nowMs: number): Peer | null {
  const candidates = peers.filter(peer => !peer.isPrivileged)
  const strangers = candidates.filter(peer => !peer.isGreeted)
  const silent = strangers.filter(({ sinceMs }) => nowMs - sinceMs >= GREETING_MS)
  if (silent.length > 0) return oldest(greatestGroups(silent))
  if (strangers.length > Math.floor(candidates.length / NEWCOMERS_SHARE))
    return oldest(greatestGroups(strangers))
  const greeted = chooseGreeted(candidates)
  if (greeted !== null || strangers.length === 0) return greeted
  return oldest(greatestGroups(strangers))
}

/** Of those that have shaken hands: the youngest that no rule protects, of the groups that have most of all candidates. */
function chooseGreeted<Peer extends InboundPeer>(candidates: readonly Peer[]): Peer | null {
  let rest = protect(
    candidates.filter(({ isGreeted }) => isGreeted),
    BY_GROUP,
    (a, b) => a.groupRank - b.groupRank,
  )
  rest = protect(rest, BY_BLOCKS, (a, b) => descending(a.blockMs, b.blockMs), hasGivenBlock)
  rest = protect(
    rest,
    BY_TRANSACTIONS,
    (a, b) => descending(a.transactionsMs, b.transactionsMs),
    hasGivenNews,
  )
  rest = protect(rest, Math.floor(rest.length / 2), (a, b) => a.sinceMs - b.sinceMs)
  return rest.length === 0 ? null : youngest(greatestGroups(rest, candidates))
}

/** Those of `peers` whose group has most members among `all`, of one group or of several. Never empty when `peers` is not. */
export function greatestGroups<Peer extends { readonly group: string }>(
  peers: readonly Peer[],
  all: readonly { readonly group: string }[] = peers,
): Peer[] {
  const sizes = new Map<string, number>()
  for (const { group } of all) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  const sizeOf = ({ group }: Peer): number => sizes.get(group) ?? 0
  const greatest = Math.max(...peers.map(sizeOf))
  return peers.filter(peer => sizeOf(peer) === greatest)
}

/** All but the first `count`, in this order, of those that `qualifies` lets take part. */
function protect<Peer>(
  peers: readonly Peer[],
  count: number,
  order: (a: Peer, b: Peer) => number,
  qualifies: (peer: Peer) => boolean = () => true,
): Peer[] {
  const safe = new Set(peers.filter(qualifies).sort(order).slice(0, count))
  return peers.filter(peer => !safe.has(peer))
}

function hasGivenBlock({ blockMs }: InboundPeer): boolean {
  return blockMs > Number.NEGATIVE_INFINITY
}

function hasGivenNews({ transactionsMs }: InboundPeer): boolean {
  return transactionsMs > Number.NEGATIVE_INFINITY
}

function descending(a: number, b: number): number {
  return b - a
}

function oldest<Peer extends { readonly sinceMs: number }>(peers: readonly Peer[]): Peer {
  return peers.reduce((best, peer) => (peer.sinceMs < best.sinceMs ? peer : best))
}

function youngest<Peer extends { readonly sinceMs: number }>(peers: readonly Peer[]): Peer {
  return peers.reduce((best, peer) => (peer.sinceMs >= best.sinceMs ? peer : best))
}
