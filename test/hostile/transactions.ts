// A stranger that floods a node with transactions that nobody can pay for. Any point on the curve signs for some address,
// so one signature and another value each time make as many senders as one likes, for nothing.

import type { TestContext } from 'node:test'
import type { Genesis } from '../../src/chain/genesis.ts'
import { decodeTransaction, encodeTransaction, type Transaction } from '../../src/chain/transaction.ts'
import { RawPeer } from '../node/raw-peer.ts'

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

/** Transactions that are well formed, each of another sender, which has nothing. */
export function unfundedTransactions(genesis: Genesis, count: number, first = 0): Transaction[] {
  return Array.from({ length: count }, (_, index) => {
    const fields = {
      type: 'eip1559',
      chainId: BigInt(genesis.blocks.chainId),
      nonce: 0n,
      maxFeePerGas: 10n ** 12n,
      maxPriorityFeePerGas: 10n ** 9n,
      gasLimit: 21_000n,
      to: `0x${'99'.repeat(20)}`,
      value: BigInt(1 + first + index),
      data: new Uint8Array(),
      accessList: [],
    } as const
    // The abscissa of the base point of the curve, which is one of its points.
    const r = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n
    const tx = decodeTransaction(encodeTransaction(fields, { yParity: 0, r, s: 1n }))
    if (typeof tx === 'string') throw new Error(`not well formed: ${tx}`)
    return tx
  })
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
    peer.offer(...unfundedTransactions(genesis, transactions, peers.length * transactions))
    peers.push(peer)
  }
  const asked = () =>
    peers
      .flatMap(({ received }) => received)
      .reduce((sum, message) => sum + (message.type === 'get-transactions' ? message.ids.length : 0), 0)
  return { peers, announced: identities * transactions, asked }
}
