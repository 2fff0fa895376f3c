// Transactions of accounts that have nothing: any r on the curve recovers to some address, so a signature that was never
// made costs its sender nothing and its reader a recovery.

import { decodeTransaction, encodeTransaction, type Transaction } from '../../src/chain/transaction.ts'

/** The x of the generator of secp256k1. */
const ON_CURVE = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n
/** Where numbers begin: an s of as many bytes as one can have, in the lower half of its range. */
const S_MIN = 2n ** 248n

/** Makes transactions that nobody signed, each of another sender, and none of which was made by anybody before. */
export function unfundedTransactions(chainId: bigint): () => Transaction {
  const fields = {
    type: 'eip1559',
    chainId,
    nonce: 0n,
    maxFeePerGas: 10n ** 12n,
    maxPriorityFeePerGas: 10n ** 9n,
    gasLimit: 21_000n,
    to: `0x${'22'.repeat(20)}`,
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
  } as const
  const { raw: first } = decoded(encodeTransaction(fields, { yParity: 0, r: ON_CURVE, s: S_MIN }))
  let number = Math.floor(Math.random() * 2 ** 31)
  return () => {
    const raw = first.slice()
    new DataView(raw.buffer).setUint32(raw.length - 4, number++)
    return decoded(raw)
  }
}

/** So many of them. */
export function someUnfunded(chainId: bigint, count: number): Transaction[] {
  return Array.from({ length: count }, unfundedTransactions(chainId))
}

function decoded(raw: Uint8Array): Transaction {
  const tx = decodeTransaction(raw)
  if (typeof tx === 'string') throw new Error(`not well formed: ${tx}`)
  return tx
}
