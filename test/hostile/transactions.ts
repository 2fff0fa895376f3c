// A stranger that floods a node with transactions that nobody can pay for. Any point on the curve signs for some address,
// so one signature and another value each time make as many senders as one likes, for nothing.

import type { TestContext } from 'node:test'
import type { Genesis } from '../../src/execution/genesis.ts'
import { RawPeer } from '../node/raw-peer.ts'
import { someUnfunded } from './unfunded.ts'

/** Whom an attack is for. */
export interface AttackTarget {
  readonly address: string
  readonly genesis: Genesis
}

/** An attack that goes on until the test ends. */
export interface TransactionAttack {
  readonly peers: readonly RawPeer[]
  readonly announced: number
  /** How many transactions the node has asked the attackers for. */
  asked(): number
}

/** Connects so many identities, each of which announces so many transactions and gives whatever it is asked for. */
export async function attackWithUnfundedTransactions(
  t: TestContext,
  { address, genesis }: AttackTarget,
  {
    identities = 1,
    transactions = 2_000,
  }: { readonly identities?: number; readonly transactions?: number } = {},
): Promise<TransactionAttack> {
  const { id } = genesis.block
  const status = { genesisId: id, chainId: genesis.blocks.chainId, headId: id, height: 0, work: 0n }
  const peers: RawPeer[] = []
  while (peers.length < identities) {
    const peer = await RawPeer.connect(t, address)
    peer.send({ type: 'status', status })
    peer.offer(...someUnfunded(genesis.blocks.chainId, transactions))
    peers.push(peer)
  }
  const asked = () =>
    peers
      .flatMap(({ received }) => received)
      .reduce((sum, message) => sum + (message.type === 'get-transactions' ? message.ids.length : 0), 0)
  return { peers, announced: identities * transactions, asked }
}
