// Replay: executes every block of a chain again from the genesis block, independently of the database.
// The state that a database holds must equal the result.

import type { Block } from '../chain/block.ts'
import type { CoinbaseRecord } from '../chain/coinbase.ts'
import { type ChainedHeader, chainHeader } from '../chain/header-chain.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { executeBlock } from '../execution/block-execution.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { State } from '../execution/state.ts'
import { CorruptStore } from './records.ts'

/** Where a replay ended. */
export interface Replayed {
  readonly head: ChainedHeader
  readonly state: State
  readonly transactions: number
}

/** Executes blocks from height 1 upwards, each checked in full. Throws `CorruptStore` naming the first that is wrong. */
export function replayChain(
  genesis: Genesis,
  blocks: Iterable<Block>,
  recoverSender: RecoverSender,
  onHeight: (height: number) => void = () => {},
): Replayed {
  let head = genesis.header
  let coinbase: CoinbaseRecord = genesis.block.coinbase
  let { state } = genesis
  let transactions = 0
  for (const block of blocks) {
    const refuse = (reason: string): never => {
      throw new CorruptStore(`block ${block.id} at height ${head.height + 1} is wrong: ${reason}`)
    }
    if (block.header.previous !== head.id) refuse('it does not follow the block before it')
    const chained = chainHeader(genesis.work, head, block.header, Number.POSITIVE_INFINITY)
    if (typeof chained === 'string') return refuse(chained)
    const execution = executeBlock(
      genesis.blocks,
      { height: head.height, coinbase, state },
      block,
      recoverSender,
    )
    if (typeof execution === 'string') return refuse(execution)
    head = chained
    coinbase = block.coinbase
    state = execution.state
    transactions += block.transactions.length
    onHeight(head.height)
  }
  return { head, state, transactions }
}
