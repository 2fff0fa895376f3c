// Which of the peers that connected to us goes when another one comes and all places are taken.
//
// After Bitcoin Core's SelectNodeToEvict (node/eviction.cpp; Heilman et al. 2015, countermeasure 7): whatever an attacker
// is good at, some places are out of its reach. Being one of a few provider groups that a secret picks, having given
// blocks or transactions lately, and having been here for long each protect some; of the rest the youngest of the
// group that holds most goes. What has not shaken hands yet is protected by nothing.

/** A peer that opened a connection to us. */
export interface InboundPeer {
  /** What its provider has; see network-group.ts. */
  readonly group: string
  /** Where the group stands in an order that nobody outside knows. */
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

/** The one that makes room, or null when all are protected. */
export function chooseEvicted<Peer extends InboundPeer>(peers: readonly Peer[]): Peer | null {
  const candidates = peers.filter(peer => !peer.isPrivileged)
  const strangers = candidates.filter(peer => !peer.isGreeted)
  // The oldest: it had time to shake hands, and one that has just come has not.
  if (strangers.length > 0) return oldest(greatestGroup(strangers))
  let rest = protect(candidates, BY_GROUP, (a, b) => a.groupRank - b.groupRank)
  rest = protect(rest, BY_BLOCKS, (a, b) => descending(a.blockMs, b.blockMs), hasGivenBlock)
  rest = protect(
    rest,
    BY_TRANSACTIONS,
    (a, b) => descending(a.transactionsMs, b.transactionsMs),
    hasGivenNews,
  )
  rest = protect(rest, Math.floor(rest.length / 2), (a, b) => a.sinceMs - b.sinceMs)
  return rest.length === 0 ? null : youngest(greatestGroup(rest))
}

/** Those of the greatest group; of groups of one size that of the youngest member. Never empty when `peers` is not. */
export function greatestGroup<Peer extends { readonly group: string; readonly sinceMs: number }>(
  peers: readonly Peer[],
): Peer[] {
  const groups = [...Map.groupBy(peers, peer => peer.group).values()]
  groups.sort((a, b) => b.length - a.length || youngest(b).sinceMs - youngest(a).sinceMs)
  return groups[0] ?? []
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
