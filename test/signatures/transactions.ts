// Signed transactions for the tests and the bench of src/signatures.

import assert from 'node:assert/strict'
import { keccak256 } from '../../src/chain/hash.ts'
import { addressOfSecretKey, signDigest } from '../../src/chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Signature,
  signingHash,
  type Transaction,
  type TransactionFields,
} from '../../src/chain/transaction.ts'

/** A secret key that depends on nothing but the number. */
export const secretKeyOf = (number: number): Uint8Array =>
  keccak256(new TextEncoder().encode(`key ${number}`))

const fieldsOf = (nonce: number): TransactionFields => ({
  type: nonce % 2 === 0 ? 'eip1559' : 'legacy',
  chainId: 1337n,
  nonce: BigInt(nonce),
  maxFeePerGas: 1_000_000_000n,
  maxPriorityFeePerGas: nonce % 2 === 0 ? 1_000_000n : 1_000_000_000n,
  gasLimit: 21_000n,
  to: addressOfSecretKey(secretKeyOf(0)),
  value: 10n ** 18n,
  data: new Uint8Array(),
  accessList: [],
})

/** The transaction of these fields with a signature that need not fit. */
const transactionOf = (fields: TransactionFields, signature: Signature): Transaction => {
  const tx = decodeTransaction(encodeTransaction(fields, signature))
  assert.ok(typeof tx === 'object', `not a transaction: ${tx}`)
  return tx
}

/** Different transactions of three senders, both types. */
export const signedTransactions = (count: number): Transaction[] =>
  Array.from({ length: count }, (_, nonce) => {
    const fields = fieldsOf(nonce)
    return transactionOf(fields, signDigest(signingHash(fields), secretKeyOf(nonce % 3)))
  })

/** A transaction that decodes, but has no signer: no point of the curve has x = 5. */
export const nobodysTransaction = (nonce: number): Transaction =>
  transactionOf(fieldsOf(nonce), { yParity: 0, r: 5n, s: 1n })
