// Mining: what the node does, and the two control methods that start and stop it. Control methods need the
// cookie.

import type { Json } from '../encoding/fields.ts'
import type { RpcBackend } from './backend.ts'
import { CODES, RpcError } from './errors.ts'
import { ADDRESS, type Kind, optional, type Params, required } from './parameters.ts'
import { parseQuantity, quantity } from './quantity.ts'

/** `eth_mining`. */
export function isMining({ replica }: RpcBackend): Json {
  return replica.genesis.work.isProved && replica.mining !== null
}

/** `eth_hashrate`: hashes per second. */
export function hashrate(backend: RpcBackend): Json {
  return quantity(Math.round(backend.hashrate()))
}

/** `eth_coinbase`: the beneficiary of what this node mines or proposes; geth's error if none is set. */
export function coinbase({ replica }: RpcBackend): Json {
  const order = replica.mining
  if (order === null) throw new RpcError(CODES.refused, 'etherbase must be explicitly specified')
  return order.beneficiary
}

/** `quorate_mine`: mines for an account, without end (null or absent) or for so many blocks. Refused without miners. */
export function mine(backend: RpcBackend, params: Params): Json {
  const beneficiary = required(params, 0, ADDRESS)
  const blocks = optional(params, 1, BLOCK_COUNT, null)
  if (!backend.replica.genesis.work.isProved)
    throw new RpcError(CODES.refused, 'this network has no miners: its validators make the blocks')
  backend.setMining(beneficiary, blocks)
  return true
}

/** `quorate_stopMining`. */
export function stopMining(backend: RpcBackend): Json {
  backend.setMining(null, null)
  return true
}

const BLOCK_COUNT: Kind<number> = {
  expected: 'a number of blocks: a quantity from 0x1 to 0xffffffff, or null for no end',
  read: value => {
    const count = parseQuantity(value)
    return count !== null && count >= 1n && count <= 0xffff_ffffn ? Number(count) : null
  },
}
