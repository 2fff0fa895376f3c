// Blocks as clients see them: Ethereum's fields where the chain has them, constants where it does not (no
// uncles, no logs), and a few of ours. `hash` is the id of the header, SHA-256d in Bitcoin's order; no client
// checks its making.

import { decodeCompact, workOfTarget } from '../chain/compact.ts'
import { encodeHeader } from '../chain/header.ts'
import { toHex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import type { ViewedBlock } from '../replica/chain-view.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { chooseBlock, isFinal } from './block-choice.ts'
import type { Outcome } from './outcome.ts'
import { BLOCK, FLAG, HASH, LATEST, optional, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'
import { NO_LOGS_BLOOM } from './receipts.ts'
import { withSenders } from './senders.ts'
import { minedTransaction } from './transactions.ts'

/** Keccak-256 of the RLP of an empty list: the hash of no uncles. */
const NO_UNCLES = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'
const NO_MIX_HASH = `0x${'00'.repeat(32)}`

/** `eth_blockNumber`: the height of the head. */
export function blockNumber({ replica }: RpcBackend): Json {
  return quantity(replica.tree.head.chained.height)
}

/**
 * `eth_getBlockByNumber`: by any block parameter; with whole transactions when the second parameter is true.
 */
export function getBlockByNumber(backend: RpcBackend, params: Params): Outcome {
  const found = chooseBlock(backend.replica, optional(params, 0, BLOCK, LATEST))
  return found === null ? null : showBlock(backend, found, optional(params, 1, FLAG, false))
}

/** `eth_getBlockByHash`: on the main chain or beside it. */
export function getBlockByHash(backend: RpcBackend, params: Params): Outcome {
  const found = backend.replica.view.block(required(params, 0, HASH))
  return found === null ? null : showBlock(backend, found, optional(params, 1, FLAG, false))
}

function showBlock(backend: RpcBackend, found: ViewedBlock, isHydrated: boolean): Outcome {
  const { replica } = backend
  const { transactions } = found.block
  if (!isHydrated)
    return blockObject(
      replica,
      found,
      transactions.map(tx => tx.id),
    )
  return withSenders(backend, found.block, transactions, senderAt => {
    const shown = transactions.map((_, index) => minedTransaction(found.block, index, senderAt(index)))
    return blockObject(replica, found, shown)
  })
}

function blockObject(replica: Replica, found: ViewedBlock, transactions: Json): Json {
  const { block } = found
  const { header, coinbase } = block
  return {
    hash: block.id,
    parentHash: header.previous,
    sha3Uncles: NO_UNCLES,
    miner: coinbase.beneficiary,
    stateRoot: coinbase.stateRoot,
    transactionsRoot: header.merkleRoot,
    receiptsRoot: coinbase.receiptsRoot,
    logsBloom: NO_LOGS_BLOOM,
    difficulty: quantity(workOfTarget(decodeCompact(header.bits)!)),
    number: quantity(coinbase.height),
    gasLimit: quantity(coinbase.gasLimit),
    gasUsed: quantity(coinbase.gasUsed),
    timestamp: quantity(header.time),
    extraData: toHex(coinbase.extraNonce),
    mixHash: NO_MIX_HASH,
    nonce: `0x${header.nonce.toString(16).padStart(16, '0')}`,
    baseFeePerGas: quantity(coinbase.baseFee),
    size: quantity(block.raw.length),
    transactions,
    uncles: [],
    ...ownFields(replica, found),
  }
}

/**
 * What Ethereum's blocks do not have; `work` is the chain's up to this block, null below the last final one.
 */
function ownFields(replica: Replica, found: ViewedBlock): { readonly [key: string]: Json } {
  const { id, header } = found.block
  const work = replica.tree.get(id)?.chained.work
  return {
    bits: quantity(header.bits),
    headerHex: toHex(encodeHeader(header)),
    work: work === undefined ? null : quantity(work),
    final: isFinal(replica, found),
  }
}
