// Intrinsic gas: what a transaction uses before anything runs, by its size and what it declares. A transfer uses no more.
// Yellow Paper section 6.2 (g_0), with EIP-2028 (price of data), EIP-2930 (access lists) and EIP-3860 (init code).

import type { TransactionFields } from './transaction.ts'

/** The least gas that any transaction uses: that of a plain transfer. */
export const TRANSACTION_GAS_MIN = 21_000

/** Gas that a transaction uses before anything runs. */
export function intrinsicGas(fields: Pick<TransactionFields, 'to' | 'data' | 'accessList'>): bigint {
  let zeros = 0
  for (const byte of fields.data) if (byte === 0) zeros++
  const storageKeys = fields.accessList.reduce((sum, entry) => sum + entry.storageKeys.length, 0)
  const words = Math.ceil(fields.data.length / 32)
  const gas =
    TRANSACTION_GAS_MIN +
    zeros * 4 +
    (fields.data.length - zeros) * 16 +
    fields.accessList.length * 2_400 +
    storageKeys * 1_900 +
    (fields.to === null ? 32_000 + words * 2 : 0)
  return BigInt(gas)
}
