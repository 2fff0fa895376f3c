// What a person wants to know of a node and of a transfer: how far it is, what is final, what waits, what
// became of it. All numbers are quantities, but for probabilities.

import type { Hex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import { modeOf } from '../finality/registry.ts'
import { exactReversal, nakamotoReversal } from '../finality/reversal.ts'
import type { TreeBlock } from '../replica/block-tree.ts'
import type { ViewedBlock } from '../replica/chain-view.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { chooseBlock, confirmations, finalHeight, isFinal, safeHeight } from './block-choice.ts'
import { BLOCK, HASH, LATEST, optional, type Params, required } from './parameters.ts'
import { countPool } from './pool.ts'
import { quantity } from './quantity.ts'

/** `quorate_status`: the node at a glance. */
export function status(backend: RpcBackend): Json {
  const { replica } = backend
  const { genesis } = replica
  const report = backend.finalityReport()
  return {
    name: genesis.name,
    chainId: quantity(genesis.blocks.chainId),
    genesisId: genesis.block.id,
    head: headOf(replica),
    final: placeOf(replica, finalHeight(replica)),
    safe: placeOf(replica, safeHeight(replica)),
    finality: modeOf(genesis).name,
    lag: quantity(replica.tree.head.chained.height - (finalHeight(replica) ?? 0)),
    halted: report?.halted ?? null,
    muted: report?.muted ?? null,
    isMined: genesis.work.isProved,
    checkpoint: checkpointOf(replica),
    peers: quantity(backend.peers().length),
    pool: poolOf(replica),
    mining: miningOf(backend),
    syncing: syncingOf(backend),
    clock: clockOf(replica),
    version: backend.version,
  }
}

/**
 * `quorate_finalityStatus`: how final a block (any block parameter) or a transaction (its hash) is; null when it is in no
 * block. `reversal` is the probability that an attacker with that share of all hashes reverses it; null where work does not
 * matter, because validators have certified the block or blocks are not mined.
 */
export function finalityStatus({ replica }: RpcBackend, params: Params): Json {
  const parameter = optional(params, 0, BLOCK, LATEST)
  const found =
    chooseBlock(replica, parameter) ??
    ('hash' in parameter ? blockOfTransaction(replica, parameter.hash) : null)
  if (found === null) return null
  const count = confirmations(replica, found)
  return {
    blockHash: found.block.id,
    blockNumber: quantity(found.height),
    confirmations: quantity(count),
    final: isFinal(replica, found),
    finality: modeOf(replica.genesis).name,
    reversal: isLeftToWork(replica, found) ? SHARES.map(share => reversalBy(share, count)) : null,
  }
}

/** `quorate_tips`: the ends of all branches above the last final block, the head first. */
export function tips({ replica }: RpcBackend): Json {
  const { tree } = replica
  const lengths = branchLengths(replica)
  return [...tree.tips()]
    .toSorted((a, b) => Number(b === tree.head) - Number(a === tree.head) || b.arrival - a.arrival)
    .map(entry => ({
      id: entry.chained.id,
      height: quantity(entry.chained.height),
      work: quantity(entry.chained.work),
      branchLength: quantity(lengths.get(entry)!),
      status: entry === tree.head ? 'active' : 'branch',
    }))
}

/** `quorate_getTransactionStatus`: mined, pending, replaced, dropped; or null when this node never had it. */
export function getTransactionStatus({ replica }: RpcBackend, params: Params): Json {
  const id = required(params, 0, HASH)
  const found = blockOfTransaction(replica, id)
  if (found !== null) {
    return {
      status: 'mined',
      blockHash: found.block.id,
      blockNumber: quantity(found.height),
      confirmations: quantity(confirmations(replica, found)),
      final: isFinal(replica, found),
    }
  }
  return pendingStatus(replica, id) ?? (replica.outcomes.get(id) as Json | undefined) ?? null
}

/** Shares of all hashes for which reversal is shown. */
const SHARES = [0.1, 0.2, 0.3] as const
/**
 * The formulas take as long as there are blocks. Counting fewer than there are errs on the side of caution.
 */
const CONFIRMATIONS_COUNTED_MAX = 10_000

/** Whether nothing but the work on top of a block keeps it where it is. */
function isLeftToWork(replica: Replica, found: ViewedBlock): boolean {
  if (!replica.genesis.work.isProved) return false
  return !isFinal(replica, found) || replica.view.certificateAt(found.height) === null
}

function reversalBy(share: number, count: number): Json {
  const z = Math.min(count, CONFIRMATIONS_COUNTED_MAX)
  return { share, exact: exactReversal(share, z), nakamoto: nakamotoReversal(share, z) }
}

/** `waitsFor` is the first nonce that is missing before a queued transaction. */
function pendingStatus(replica: Replica, id: Hex): Json {
  const pooled = replica.pool.get(id)
  if (pooled === undefined) return null
  const nextNonce = replica.pool.nextNonce(pooled.sender)
  if (pooled.tx.nonce < nextNonce) return { status: 'pending', queued: false }
  return { status: 'pending', queued: true, waitsFor: quantity(nextNonce) }
}

function blockOfTransaction(replica: Replica, id: Hex): ViewedBlock | null {
  const place = replica.view.locate(id)
  return place === null ? null : { block: place.block, height: place.block.coinbase.height, isMain: true }
}

function headOf({ tree }: Replica): Json {
  const { chained, block } = tree.head
  return {
    id: chained.id,
    height: quantity(chained.height),
    time: quantity(chained.header.time),
    work: quantity(chained.work),
    stateRoot: block.coinbase.stateRoot,
  }
}

function placeOf(replica: Replica, height: number | null): Json {
  const id = height === null ? undefined : replica.view.headerAt(height)?.id
  return height === null || id === undefined ? null : { height: quantity(height), id }
}

/** Null where none was given. */
function checkpointOf({ checkpoint, isCheckpointReached }: Replica): Json {
  if (checkpoint === null) return null
  return { height: quantity(checkpoint.height), id: checkpoint.id, isReached: isCheckpointReached }
}

function poolOf({ pool }: Replica): Json {
  const { pending, queued } = countPool(pool)
  return { pending: quantity(pending), queued: quantity(queued), bytes: quantity(pool.bytes) }
}

/** `blocksLeft` is null when there is no end. */
function miningOf(backend: RpcBackend): Json {
  const { mining, genesis } = backend.replica
  if (mining === null || !genesis.work.isProved) return null
  return {
    beneficiary: mining.beneficiary,
    blocksLeft: mining.blocksLeft === null ? null : quantity(mining.blocksLeft),
    hashrate: quantity(Math.round(backend.hashrate())),
  }
}

function syncingOf(backend: RpcBackend): Json {
  const progress = backend.syncProgress()
  return progress === null ? null : { height: quantity(progress.height), target: quantity(progress.target) }
}

/** What speaks against this node's clock: how far it is behind at least, and how many peers say so; null for nothing. */
function clockOf({ clockDoubt }: Replica): Json {
  if (clockDoubt === null) return null
  return { behindSeconds: quantity(clockDoubt.behindSeconds), peers: quantity(clockDoubt.peers) }
}

/** How many blocks off the main chain each block of the tree is. */
function branchLengths({ tree }: Replica): Map<TreeBlock, number> {
  const lengths = new Map<TreeBlock, number>()
  // Parents come before children.
  for (const entry of tree.blocks()) {
    const parent = tree.get(entry.chained.header.previous)
    const below = parent === undefined ? 0 : lengths.get(parent)!
    lengths.set(entry, tree.isOnMainChain(entry) ? 0 : below + 1)
  }
  return lengths
}
