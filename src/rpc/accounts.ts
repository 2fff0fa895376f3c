// Accounts: balances and nonces at a block. There are no contracts yet, so every code and every storage slot
// is empty.

import type { Json } from '../encoding/fields.ts'
import type { RpcBackend } from './backend.ts'
import { requireAccounts, requireBlock } from './block-choice.ts'
import { ADDRESS, BLOCK, LATEST, optional, type Params, required, SLOT } from './parameters.ts'
import { quantity } from './quantity.ts'

const EMPTY_SLOT = `0x${'00'.repeat(32)}`

/** `eth_getBalance`: wei. */
export function getBalance({ replica }: RpcBackend, params: Params): Json {
  const address = required(params, 0, ADDRESS)
  const { accounts } = requireAccounts(replica, optional(params, 1, BLOCK, LATEST))
  return quantity(accounts.get(address).balance)
}

/** `eth_getTransactionCount`: the account's nonce; at `pending` the first that nothing in the pool uses. */
export function getTransactionCount({ replica }: RpcBackend, params: Params): Json {
  const address = required(params, 0, ADDRESS)
  const block = optional(params, 1, BLOCK, LATEST)
  if ('tag' in block && block.tag === 'pending') return quantity(replica.pool.nextNonce(address))
  return quantity(requireAccounts(replica, block).accounts.get(address).nonce)
}

/** `eth_getCode`: none. */
export function getCode({ replica }: RpcBackend, params: Params): Json {
  required(params, 0, ADDRESS)
  requireBlock(replica, optional(params, 1, BLOCK, LATEST))
  return '0x'
}

/** `eth_getStorageAt`: 32 zero bytes. */
export function getStorageAt({ replica }: RpcBackend, params: Params): Json {
  required(params, 0, ADDRESS)
  required(params, 1, SLOT)
  requireBlock(replica, optional(params, 2, BLOCK, LATEST))
  return EMPTY_SLOT
}
