// Proofs for clients that trust headers, and so work, but not this node.
//
// An account: leaf and siblings lead to the state root; the state root stands in the coinbase record; that is
// leaf 0 of the block's Merkle tree, whose root stands in the header. The bytes of transaction i are leaf
// i + 1. All hex is in the order in which it is hashed. What checks proofs: `verifyAccountProof`
// (src/execution/state.ts) and `verifyInclusionProof` (src/chain/inclusion-proof.ts).

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { leavesOf } from '../chain/block.ts'
import { encodeCoinbase } from '../chain/coinbase.ts'
import { encodeHeader } from '../chain/header.ts'
import { merkleBranch } from '../chain/merkle.ts'
import { type Hex, toHex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import type { Account, AccountProof, State } from '../execution/state.ts'
import type { ViewedBlock } from '../replica/chain-view.ts'
import { CorruptStore } from '../replica/records.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { requireAccounts, stateUnavailable } from './block-choice.ts'
import { type Outcome, Slices } from './outcome.ts'
import { ADDRESS, BLOCK, HASH, LATEST, optional, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'

/** `quorate_getAccountProof`: the account at a block, or its absence, under the block's header. */
export function getAccountProof({ replica }: RpcBackend, params: Params): Outcome {
  const address = required(params, 0, ADDRESS)
  const { block, height } = requireAccounts(replica, optional(params, 1, BLOCK, LATEST)).found
  const open = replica.tree.get(block.id)?.execution.state
  return open === undefined
    ? new Slices(proveEarlier(replica, address, { block, height }))
    : accountProof(address, block, open)
}

/** The tree of a final block below the last one is made again for its proof. */
function* proveEarlier(
  replica: Replica,
  address: Address,
  { block, height }: Pick<ViewedBlock, 'block' | 'height'>,
): Generator<void, Json> {
  const state = yield* replica.view.states.rebuild(height)
  if (state === null) throw stateUnavailable(replica, height)
  if (state.root() !== block.coinbase.stateRoot)
    throw new CorruptStore(`the records undo/ on disk do not lead to the state root of block ${height}`)
  return accountProof(address, block, state)
}

function accountProof(address: Address, block: Block, state: State): Json {
  const proof = state.prove(address)
  return {
    address,
    ...accountFields(state.get(address)),
    ...blockProof(block),
    stateRoot: block.coinbase.stateRoot,
    siblings: proof.siblings.map(toHex),
    leaf: leafOf(proof),
  }
}

/**
 * `quorate_getInclusionProof`: a transaction of the main chain under its block's header; null when it is in
 * none.
 */
export function getInclusionProof({ replica }: RpcBackend, params: Params): Json {
  const place = replica.view.locate(required(params, 0, HASH))
  if (place === null) return null
  const { block, index } = place
  const tx = block.transactions[index]!
  return {
    transactionHash: tx.id,
    raw: toHex(tx.raw),
    transactionIndex: quantity(index),
    ...blockProof(block),
    merkleBranch: branchTo(block, index + 1),
  }
}

/** The header, and the coinbase record under it: it shows the height, and how deep the tree is. */
function blockProof(block: Block): { readonly [key: string]: Json } {
  return {
    blockHash: block.id,
    blockNumber: quantity(block.coinbase.height),
    headerHex: toHex(encodeHeader(block.header)),
    coinbase: toHex(encodeCoinbase(block.coinbase)),
    coinbaseBranch: branchTo(block, 0),
  }
}

/** The siblings from a leaf up to the Merkle root. */
function branchTo(block: Block, leaf: number): Hex[] {
  return merkleBranch(leavesOf(block), leaf).map(toHex)
}

function leafOf({ leaf }: AccountProof): Json {
  return leaf === null ? null : { path: toHex(leaf.path), ...accountFields(leaf.account) }
}

function accountFields({ nonce, balance }: Account): { readonly nonce: Hex; readonly balance: Hex } {
  return { nonce: quantity(nonce), balance: quantity(balance) }
}
