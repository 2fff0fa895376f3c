// Starting: the block tree from what is on disk.
//
// The state of the base block is read and its root compared with the block's; the blocks above it are executed
// again, in the order in which they once came. What does not fit together is reported, never repaired in silence.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { chainHeader } from '../chain/header-chain.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { executeBlock } from '../execution/block-execution.ts'
import type { Genesis } from '../execution/genesis.ts'
import { type Account, decodeAccount, encodeAccount, State } from '../execution/state.ts'
import { BlockTree, type TreeBlock } from './block-tree.ts'
import type { ReplicaOutbox, Store } from './effects.ts'
import {
  CorruptStore,
  encodeChainedHeader,
  encodeFinal,
  encodeId,
  KEYS,
  readBlockRecord,
  readChainedHeader,
  readId,
  readRecord,
} from './records.ts'

/** The database belongs to another network than the genesis file. */
export class OtherNetwork extends Error {
  override name = 'OtherNetwork'
}

/** The tree of a started node, all of whose blocks are valid, and the number of blocks that it ever received. */
export interface StartedTree {
  readonly tree: BlockTree
  readonly arrivals: number
}

/** Writes a new network into an empty database and returns its tree: the genesis block alone. */
export function initialiseStore(genesis: Genesis, outbox: ReplicaOutbox): StartedTree {
  outbox.write(KEYS.genesis, encodeId(genesis.block.id))
  outbox.write(KEYS.block(genesis.block.id), genesis.block.raw)
  outbox.write(KEYS.final(0), encodeFinal(genesis.header))
  outbox.write(KEYS.base, encodeChainedHeader(genesis.header))
  for (const [address, account] of genesis.state.accounts())
    outbox.write(KEYS.account(address), encodeAccount(account))
  return { tree: new BlockTree(baseEntry(genesis.header, genesis.block, genesis.state)), arrivals: 0 }
}

/** The tree that the database holds, or null when the database is empty. Its head is not chosen yet. */
export function loadTree(genesis: Genesis, store: Store, recoverSender: RecoverSender): StartedTree | null {
  if (store.get(KEYS.genesis) === null && store.get(KEYS.base) === null) return null
  const genesisId = readRecord(KEYS.genesis, store.get(KEYS.genesis), readId)
  if (genesisId !== genesis.block.id) {
    throw new OtherNetwork(
      `the data belongs to the network with genesis ${genesisId}, not ${genesis.block.id}`,
    )
  }
  const chained = readRecord(KEYS.base, store.get(KEYS.base), readChainedHeader)
  const state = State.EMPTY.with(loadAccounts(store))
  const block = readBlockRecord(chained.id, store.get(KEYS.block(chained.id)))
  if (state.root() !== block.coinbase.stateRoot) {
    throw new CorruptStore(`the accounts on disk do not have the state root of block ${chained.height}`)
  }
  const tree = new BlockTree(baseEntry(chained, block, state))
  let arrivals = 0
  for (const [key, value] of store.entries(KEYS.openBlocks)) {
    const arrival = Number(key.slice(KEYS.openBlocks.length))
    const id = readRecord(key, value, readId)
    const block = readBlockRecord(id, store.get(KEYS.block(id)))
    tree.add(replay(genesis, tree, block, arrival, recoverSender))
    arrivals = arrival + 1
  }
  return { tree, arrivals }
}

function replay(
  genesis: Genesis,
  tree: BlockTree,
  block: Block,
  arrival: number,
  recoverSender: RecoverSender,
): TreeBlock {
  const parent = tree.get(block.header.previous)
  if (parent === undefined) throw new CorruptStore(`block ${block.id} has no parent on disk`)
  // Its time was checked against the clock when it came.
  const chained = chainHeader(genesis.work, parent.chained, block.header, Number.POSITIVE_INFINITY)
  if (typeof chained === 'string') throw new CorruptStore(`block ${block.id} on disk is invalid: ${chained}`)
  const parentLayer = {
    height: parent.chained.height,
    coinbase: parent.block.coinbase,
    state: parent.execution.state,
  }
  const execution = executeBlock(genesis.blocks, parentLayer, block, recoverSender)
  if (typeof execution === 'string')
    throw new CorruptStore(`block ${block.id} on disk is invalid: ${execution}`)
  return { chained, block, execution, arrival, seenMs: 0 }
}

function* loadAccounts(store: Store): Generator<readonly [Address, Account]> {
  for (const [key, value] of store.entries(KEYS.accounts)) {
    const account = decodeAccount(value)
    if (account === null) throw new CorruptStore(`record ${key} is damaged`)
    yield [key.slice(KEYS.accounts.length) as Address, account]
  }
}

/** The base block, whose execution is part of the base state. */
function baseEntry(chained: TreeBlock['chained'], block: Block, state: State): TreeBlock {
  const execution = {
    state,
    changes: new Map(),
    before: new Map(),
    receipts: [],
    senders: [],
    gasUsed: block.coinbase.gasUsed,
  }
  return { chained, block, execution, arrival: -1, seenMs: 0 }
}
