// The file of known peers: the secret of the book's buckets, its anchors, and its peers, as JSON.
//
// It may be damaged, or written by an earlier version, which wrote the list of peers alone. What can't be read in it is
// left out, entry by entry.

import type { PeerId } from '../replica/effects.ts'
import { type PeerAddress, parsePeerAddress, parsePeerId, printPeerAddress } from './peer-address.ts'

/** Bytes of a file that is read: more than the fullest book of the longest names takes. */
export const BOOK_BYTES_MAX = 4 * 1024 * 1024

/** Entries, addresses of an entry and anchors that are looked at. */
const ENTRIES_MAX = 1_024
const ADDRESSES_MAX = 8
const ANCHORS_READ_MAX = 8
const KEY = /^[0-9a-f]{64}$/
/** A group of addresses: see network-group.ts. */
const SOURCE = /^[\w.:/ -]{1,300}$/

/** A peer as the file has it; see KnownPeer. */
interface StoredPeer {
  readonly id: PeerId
  readonly addresses: readonly PeerAddress[]
  readonly wasDialled: boolean
  /** Null where the file does not say it. */
  readonly source: string | null
}

/** What a file holds. */
export interface BookContent {
  /** The 32 bytes of the secret; null where the file has none. */
  readonly key: Uint8Array | null
  readonly anchors: readonly PeerId[]
  readonly peers: readonly StoredPeer[]
  /** How many entries and addresses could not be read. */
  readonly dropped: number
}

/** The text of a file. */
export function writeBook(content: {
  readonly key: Uint8Array
  readonly anchors: readonly PeerId[]
  readonly peers: readonly StoredPeer[]
}): string {
  const peers = content.peers.map(({ id, addresses, wasDialled, source }) => ({
    id,
    addresses: addresses.map(printPeerAddress),
    wasDialled,
    source,
  }))
  const key = Buffer.from(content.key).toString('hex')
  return `${JSON.stringify({ key, anchors: content.anchors, peers }, null, 1)}\n`
}

/** What is in the text of a file. Throws when it is no book at all. */
export function readBook(text: string): BookContent {
  const json: unknown = JSON.parse(text)
  const given: { readonly [name: string]: unknown } =
    typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : { peers: json }
  if (!Array.isArray(given.peers)) throw new Error('not a list of peers')
  const entries = given.peers.slice(0, ENTRIES_MAX).map(readPeer)
  const anchors: unknown[] = Array.isArray(given.anchors) ? given.anchors.slice(0, ANCHORS_READ_MAX) : []
  return {
    key: typeof given.key === 'string' && KEY.test(given.key) ? Buffer.from(given.key, 'hex') : null,
    anchors: anchors.map(readId).filter(id => id !== null),
    peers: entries.map(({ peer }) => peer).filter(peer => peer !== null),
    dropped: entries.reduce((sum, { dropped }) => sum + dropped, 0),
  }
}

/** One entry, without the addresses that are none or another peer's; null when nothing is left of it. */
function readPeer(entry: unknown): { readonly peer: StoredPeer | null; readonly dropped: number } {
  const given = typeof entry === 'object' && entry !== null ? entry : {}
  const { id, addresses, wasDialled, source } = given as Partial<Record<keyof StoredPeer, unknown>>
  const peer = readId(id)
  if (peer === null || !Array.isArray(addresses)) return { peer: null, dropped: 1 }
  const looked = addresses.slice(0, ADDRESSES_MAX)
  const readable = looked
    .map(address => (typeof address === 'string' ? parsePeerAddress(address) : null))
    .filter(address => address !== null)
    .filter(address => (address.peer ?? peer) === peer)
  const stored = {
    id: peer,
    addresses: readable,
    wasDialled: wasDialled === true,
    source: typeof source === 'string' && SOURCE.test(source) ? source : null,
  }
  return { peer: readable.length === 0 ? null : stored, dropped: looked.length - readable.length }
}

function readId(id: unknown): PeerId | null {
  return typeof id === 'string' ? parsePeerId(id) : null
}
