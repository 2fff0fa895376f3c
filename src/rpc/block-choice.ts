// From a block parameter to a block, and from a block to what is known of its place: whether it is final, how
// many blocks confirm it, and the state after it.
//
// `finalized` and `safe` are never guessed: before anything is final both are the error -39001. `pending` is
// the head; only nonces take the pool into account.

import type { Block } from '../chain/block.ts'
import type { ChainView, ViewedBlock } from '../replica/chain-view.ts'
import type { Accounts } from '../replica/earlier-states.ts'
import type { Replica } from '../replica/replica.ts'
import { CODES, RpcError, unknownBlock } from './errors.ts'
import type { BlockParameter, BlockTag } from './parameters.ts'

/** The block that a parameter names, or null where there is none. Throws -39001 and, for EIP-1898, -32000. */
export function chooseBlock(replica: Replica, parameter: BlockParameter): ViewedBlock | null {
  if ('tag' in parameter) return blockOfTag(replica, parameter.tag)
  if ('number' in parameter) return mainBlock(replica.view, parameter.number)
  const found = replica.view.block(parameter.hash)
  if (found !== null && parameter.requireCanonical && !found.isMain) {
    throw new RpcError(CODES.refused, 'hash is not currently canonical')
  }
  return found
}

/** The block that a parameter names. Throws -39001 where there is none. */
export function requireBlock(replica: Replica, parameter: BlockParameter): ViewedBlock {
  const found = chooseBlock(replica, parameter)
  if (found === null) throw unknownBlock()
  return found
}

/** A block, and all accounts after it. */
export interface AccountsAt {
  readonly found: ViewedBlock
  readonly accounts: Accounts
}

/** The accounts after the block that a parameter names. Throws -39001, or -32000 where they are not kept any more. */
export function requireAccounts(replica: Replica, parameter: BlockParameter): AccountsAt {
  const found = requireBlock(replica, parameter)
  const open = replica.tree.get(found.block.id)?.execution.state
  // A block of another branch than the main one has the state of no height.
  const accounts = open ?? (found.isMain ? replica.view.states.at(found.height) : null)
  if (accounts === null) throw stateUnavailable(replica, found.height)
  return { found, accounts }
}

/** The error for a state that is not kept any more. Tools look for geth's words at its beginning. */
export function stateUnavailable(replica: Replica, height: number): RpcError {
  const { keptFrom } = replica.view.states
  const text = `missing trie node: the state after block ${height} is not kept any more (kept from block ${keptFrom})`
  return new RpcError(CODES.refused, text)
}

/** The height of the last final block, or null before anything is final. */
export function finalHeight(replica: Replica): number | null {
  const { height } = replica.tree.base.chained
  return height > 0 ? height : null
}

/** The greatest height that may be called safe, or null before anything is final. */
export function safeHeight(replica: Replica): number | null {
  const final = finalHeight(replica)
  return final === null ? null : replica.finality.safeHeight(replica.tree.head.chained, final)
}

/** Whether a block can't be reversed any more. */
export function isFinal(
  replica: Replica,
  { isMain, height }: Pick<ViewedBlock, 'isMain' | 'height'>,
): boolean {
  return isMain && height <= (finalHeight(replica) ?? -1)
}

/** The block and those on top of it: 1 for the head, 0 for a block beside the main chain. */
export function confirmations(
  replica: Replica,
  { isMain, height }: Pick<ViewedBlock, 'isMain' | 'height'>,
): number {
  return isMain ? replica.tree.head.chained.height - height + 1 : 0
}

function blockOfTag(replica: Replica, tag: BlockTag): ViewedBlock | null {
  switch (tag) {
    case 'earliest':
      return onMainChain(replica.genesis.block)
    case 'latest':
    case 'pending':
      return onMainChain(replica.tree.head.block)
    case 'safe':
      return settledBlock(replica, safeHeight(replica))
    case 'finalized':
      return settledBlock(replica, finalHeight(replica))
  }
}

function settledBlock(replica: Replica, height: number | null): ViewedBlock | null {
  if (height === null) throw unknownBlock()
  return mainBlock(replica.view, height)
}

function mainBlock(view: ChainView, height: bigint | number): ViewedBlock | null {
  if (height > Number.MAX_SAFE_INTEGER) return null
  const block = view.blockAt(Number(height))
  return block === null ? null : onMainChain(block)
}

function onMainChain(block: Block): ViewedBlock {
  return { block, height: block.coinbase.height, isMain: true }
}
