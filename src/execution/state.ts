// The state: accounts under one binary SHA-256 Merkle tree, sparse and path-compressed. An account's path is the
// SHA-256 of its address, and a subtree that holds one account is that account's leaf (Dahlberg, Pulls and Peeters,
// "Efficient Sparse Merkle Trees", 2016; the trees of Libra and Jellyfish). So the root depends on the accounts
// alone, not on the order in which they came, and a path is about log2(accounts) long.
//
//   empty = 32 zero bytes     leaf = H(0x00 | path | account)     node = H(0x01 | left | right)
//
// A state is never changed: an update makes a new one that shares all untouched nodes, which makes each block's
// state a layer. Each dirty node is hashed once, when a root is asked for, however many accounts below it changed.

import { type Address, addressBytes } from '../chain/address.ts'
import { sha256 } from '../chain/hash.ts'
import {
  ByteReader,
  ByteWriter,
  concatBytes,
  equalBytes,
  type Hex,
  readOrNull,
  toHex,
} from '../encoding/bytes.ts'

/** What one account has. An account with neither nonce nor balance does not exist (EIP-161). */
export interface Account {
  /** Transactions sent so far. */
  readonly nonce: bigint
  /** Wei. */
  readonly balance: bigint
}

/** What an address without an account has. */
export const NO_ACCOUNT: Account = { nonce: 0n, balance: 0n }

/** Evidence that an account is, or is not, under a state root. */
export interface AccountProof {
  /** The hash beside each node of the path, from the root downwards. */
  readonly siblings: readonly Uint8Array[]
  /** The leaf at the path's end: the account's own, another one's in its place, or none. */
  readonly leaf: { readonly path: Uint8Array; readonly account: Account } | null
}

interface Leaf {
  readonly kind: 'leaf'
  readonly path: Uint8Array
  readonly address: Address
  readonly account: Account
  hash: Uint8Array | null
}

interface Inner {
  readonly kind: 'inner'
  readonly left: Node
  readonly right: Node
  hash: Uint8Array | null
}

type Node = Leaf | Inner | null

const EMPTY_HASH = new Uint8Array(32)
const LEAF_TAG = Uint8Array.of(0)
const INNER_TAG = Uint8Array.of(1)
const PATH_BITS = 256

/** One version of all accounts. */
export class State {
  /** The state without accounts. */
  static readonly EMPTY = new State(null)

  readonly #root: Node

  private constructor(root: Node) {
    this.#root = root
  }

  /** The account of an address; `NO_ACCOUNT` where there is none. */
  get(address: Address): Account {
    const path = pathOf(address)
    const end = descend(this.#root, path).end
    return end !== null && equalBytes(end.path, path) ? end.account : NO_ACCOUNT
  }

  /** The state in which these accounts have these values and all others are unchanged. */
  with(changes: Iterable<readonly [Address, Account]>): State {
    let root = this.#root
    for (const [address, account] of changes) {
      const path = pathOf(address)
      const exists = account.nonce !== 0n || account.balance !== 0n
      root = exists
        ? insert(root, { kind: 'leaf', path, address, account, hash: null }, 0)
        : remove(root, path, 0)
    }
    return new State(root)
  }

  /** The root of the tree: 32 bytes as hex. */
  root(): Hex {
    return toHex(hashOf(this.#root))
  }

  /** Proof of what `get` answers for this address. */
  prove(address: Address): AccountProof {
    const { siblings, end } = descend(this.#root, pathOf(address))
    return {
      siblings: siblings.map(hashOf),
      leaf: end === null ? null : { path: end.path, account: end.account },
    }
  }

  /** Every account, in the order of the tree. */
  *accounts(): Generator<readonly [Address, Account]> {
    yield* accountsUnder(this.#root)
  }
}

/**
 * The account that a proof shows under a state root; `NO_ACCOUNT` when it shows that there is none; null when
 * it shows nothing.
 */
export function verifyAccountProof(root: Hex, address: Address, proof: AccountProof): Account | null {
  const path = pathOf(address)
  const { siblings, leaf } = proof
  if (siblings.length > PATH_BITS) return null
  if (leaf !== null && !(fits(leaf.account) && sharesPrefix(leaf.path, path, siblings.length))) return null
  let hash = leaf === null ? EMPTY_HASH : hashLeaf(leaf.path, leaf.account)
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth]!
    hash = bitAt(path, depth) === 0 ? hashInner(hash, sibling) : hashInner(sibling, hash)
  }
  if (toHex(hash) !== root) return null
  return leaf !== null && equalBytes(leaf.path, path) ? leaf.account : NO_ACCOUNT
}

/** Which of 256 subtrees an account stands in: those of one can be set together without touching the others. */
export function subtreeOf(address: Address): number {
  return pathOf(address)[0]!
}

/** The 40 bytes of an account: nonce 8, balance 32, little-endian. */
export function encodeAccount(account: Account): Uint8Array {
  return new ByteWriter().u64(account.nonce).u256(account.balance).finish()
}

/** The account in these bytes, or null when there is none. */
export function decodeAccount(bytes: Uint8Array): Account | null {
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const account = { nonce: reader.u64(), balance: reader.u256() }
    reader.end()
    return account
  })
}

/** Whether an account's numbers fit in its 40 bytes; those of a proof are whatever a stranger wrote. */
function fits({ nonce, balance }: Account): boolean {
  return nonce >= 0n && nonce >> 64n === 0n && balance >= 0n && balance >> 256n === 0n
}

function descend(root: Node, path: Uint8Array): { siblings: Node[]; end: Leaf | null } {
  const siblings: Node[] = []
  let node = root
  while (node !== null && node.kind === 'inner') {
    const goesLeft = bitAt(path, siblings.length) === 0
    siblings.push(goesLeft ? node.right : node.left)
    node = goesLeft ? node.left : node.right
  }
  return { siblings, end: node }
}

function insert(node: Node, leaf: Leaf, depth: number): Node {
  if (node === null) return leaf
  if (node.kind === 'leaf') return equalBytes(node.path, leaf.path) ? leaf : fork(node, leaf, depth)
  return bitAt(leaf.path, depth) === 0
    ? inner(insert(node.left, leaf, depth + 1), node.right)
    : inner(node.left, insert(node.right, leaf, depth + 1))
}

/** Two leaves under one node: inner nodes down to where their paths part. */
function fork(a: Leaf, b: Leaf, depth: number): Inner {
  const bit = bitAt(a.path, depth)
  if (bit === bitAt(b.path, depth)) {
    const below = fork(a, b, depth + 1)
    return bit === 0 ? inner(below, null) : inner(null, below)
  }
  return bit === 0 ? inner(a, b) : inner(b, a)
}

function remove(node: Node, path: Uint8Array, depth: number): Node {
  if (node === null) return null
  if (node.kind === 'leaf') return equalBytes(node.path, path) ? null : node
  const goesLeft = bitAt(path, depth) === 0
  const left = goesLeft ? remove(node.left, path, depth + 1) : node.left
  const right = goesLeft ? node.right : remove(node.right, path, depth + 1)
  // A leaf that is left alone moves up, so that the shape depends on the accounts only.
  if (left === null && (right === null || right.kind === 'leaf')) return right
  if (right === null && left !== null && left.kind === 'leaf') return left
  return inner(left, right)
}

function inner(left: Node, right: Node): Inner {
  return { kind: 'inner', left, right, hash: null }
}

function* accountsUnder(node: Node): Generator<readonly [Address, Account]> {
  if (node === null) return
  if (node.kind === 'leaf') {
    yield [node.address, node.account]
    return
  }
  yield* accountsUnder(node.left)
  yield* accountsUnder(node.right)
}

function hashOf(node: Node): Uint8Array {
  if (node === null) return EMPTY_HASH
  node.hash ??=
    node.kind === 'leaf'
      ? hashLeaf(node.path, node.account)
      : hashInner(hashOf(node.left), hashOf(node.right))
  return node.hash
}

function hashLeaf(path: Uint8Array, account: Account): Uint8Array {
  return sha256(concatBytes(LEAF_TAG, path, encodeAccount(account)))
}

function hashInner(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(INNER_TAG, left, right))
}

function pathOf(address: Address): Uint8Array {
  return sha256(addressBytes(address))
}

function bitAt(path: Uint8Array, depth: number): 0 | 1 {
  return ((path[depth >> 3]! >> (7 - (depth & 7))) & 1) as 0 | 1
}

function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let depth = 0; depth < bits; depth++) if (bitAt(a, depth) !== bitAt(b, depth)) return false
  return true
}
