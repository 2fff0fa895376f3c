// What the tests of src/chain share: the rules of a small network, and makers of addresses and transactions.

import assert from 'node:assert/strict'
import type { Address } from '../../src/chain/address.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Signature,
  type Transaction,
  type TransactionFields,
} from '../../src/chain/transaction.ts'
import type { BlockRules } from '../../src/execution/block-execution.ts'

export const COIN = 10n ** 18n
export const GWEI = 10n ** 9n

export const RULES: BlockRules = {
  chainId: 20261n,
  gasLimit: 30_000_000n,
  blockBytesMax: 1_048_576,
  reward: { amount: 2n * COIN, halvingBlocks: 1_000_000 },
}

/** In range, so that it decodes. For tests that say themselves which account the sender is. */
export const ANY_SIGNATURE: Signature = { yParity: 0, r: 1n, s: 1n }

/** The address that ends in this number. */
export function addressNumber(number: number): Address {
  return `0x${number.toString(16).padStart(40, '0')}`
}

/** A plain transfer to address 2, but for these changes. A legacy one has its price in both fee fields. */
export function exampleFields(changes: Partial<TransactionFields> = {}): TransactionFields {
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: RULES.chainId,
    nonce: 0n,
    maxFeePerGas: 2n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 21_000n,
    to: addressNumber(2),
    value: 5n,
    data: new Uint8Array(),
    accessList: [],
    ...changes,
  }
  return fields.type === 'legacy' ? { ...fields, maxPriorityFeePerGas: fields.maxFeePerGas } : fields
}

/** The transaction with these fields, through its bytes. */
export function exampleTransaction(
  changes: Partial<TransactionFields> = {},
  signature: Signature = ANY_SIGNATURE,
): Transaction {
  return accepted(decodeTransaction(encodeTransaction(exampleFields(changes), signature)))
}

/** The value, which must not be the name of a rejection. */
export function accepted<T>(result: T | string): T {
  assert.notEqual(typeof result, 'string', `rejected: ${String(result)}`)
  return result as T
}
