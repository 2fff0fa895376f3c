// Logs: contracts write them, so there are none yet. The filter is checked all the same, so that a client
// finds its mistakes now and not when there are contracts.

import type { Json } from '../encoding/fields.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { requireBlock } from './block-choice.ts'
import {
  BLOCK,
  type BlockParameter,
  HASH,
  invalidParams,
  isObject,
  type Kind,
  LATEST,
  member,
  type Params,
  required,
} from './parameters.ts'

/** Blocks that one filter may span. */
const RANGE_BLOCKS_MAX = 1_000

/** `eth_getLogs`: an empty list, when the filter makes sense. */
export function getLogs({ replica }: RpcBackend, params: Params): Json {
  const { blockHash, fromBlock, toBlock } = required(params, 0, FILTER)
  if (blockHash !== null) {
    requireBlock(replica, { hash: blockHash, requireCanonical: false })
    return []
  }
  const from = heightOf(replica, fromBlock)
  const to = heightOf(replica, toBlock)
  if (from > to) throw invalidParams(`fromBlock ${from} is above toBlock ${to}`)
  if (to - from >= RANGE_BLOCKS_MAX)
    throw invalidParams(`the filter spans more than ${RANGE_BLOCKS_MAX} blocks`)
  return []
}

interface LogFilter {
  readonly blockHash: `0x${string}` | null
  readonly fromBlock: BlockParameter
  readonly toBlock: BlockParameter
}

const FILTER: Kind<LogFilter> = {
  expected: 'a filter such as {"fromBlock", "toBlock"} or {"blockHash"}',
  read: value => {
    if (!isObject(value)) return null
    const blockHash = member(value, 'blockHash', HASH) ?? null
    const fromBlock = member(value, 'fromBlock', BLOCK)
    const toBlock = member(value, 'toBlock', BLOCK)
    if (blockHash !== null && (fromBlock ?? toBlock) !== undefined) return null
    return { blockHash, fromBlock: fromBlock ?? LATEST, toBlock: toBlock ?? LATEST }
  },
}

/** Numbers may lie beyond the head: those blocks have no logs either. */
function heightOf(replica: Replica, parameter: BlockParameter): bigint {
  if ('number' in parameter) return parameter.number
  return BigInt(requireBlock(replica, parameter).height)
}
