// A client that means harm: for every RPC method an honest call, and that call with each of its parameters replaced by
// what a hostile client would send. A method that is not here fails the suite.

import type { Json } from '../../src/encoding/fields.ts'
import { METHODS } from '../../src/rpc/methods.ts'

const ADDRESS = `0x${'11'.repeat(20)}`
const NO_HASH = `0x${'ab'.repeat(32)}`

/** What a node has that a call may name. */
export interface Known {
  readonly blockId: string
  readonly transactionId: string
}

/** An honest call of each method: its parameters. */
export function honestCalls({ blockId, transactionId }: Known): ReadonlyMap<string, readonly Json[]> {
  const request = { from: ADDRESS, to: ADDRESS, value: '0x0', input: '0x', accessList: [] }
  return new Map<string, readonly Json[]>([
    ['eth_accounts', []],
    ['eth_blockNumber', []],
    ['eth_call', [request, 'latest']],
    ['eth_chainId', []],
    ['eth_coinbase', []],
    ['eth_estimateGas', [request, 'latest']],
    ['eth_feeHistory', ['0x400', 'latest', [25, 75]]],
    ['eth_gasPrice', []],
    ['eth_getBalance', [ADDRESS, 'latest']],
    ['eth_getBlockByHash', [blockId, true]],
    ['eth_getBlockByNumber', ['0x1', true]],
    ['eth_getBlockReceipts', ['0x1']],
    ['eth_getBlockTransactionCountByHash', [blockId]],
    ['eth_getBlockTransactionCountByNumber', ['0x1']],
    ['eth_getCode', [ADDRESS, 'latest']],
    ['eth_getLogs', [{ fromBlock: 'earliest', toBlock: 'latest' }]],
    ['eth_getStorageAt', [ADDRESS, '0x0', 'latest']],
    ['eth_getTransactionByBlockHashAndIndex', [blockId, '0x0']],
    ['eth_getTransactionByBlockNumberAndIndex', ['0x1', '0x0']],
    ['eth_getTransactionByHash', [transactionId]],
    ['eth_getTransactionCount', [ADDRESS, 'latest']],
    ['eth_getTransactionReceipt', [transactionId]],
    ['eth_hashrate', []],
    ['eth_maxPriorityFeePerGas', []],
    ['eth_mining', []],
    ['eth_sendRawTransaction', ['0x']],
    ['eth_syncing', []],
    ['net_listening', []],
    ['net_peerCount', []],
    ['net_version', []],
    ['txpool_content', []],
    ['txpool_contentFrom', [ADDRESS]],
    ['txpool_status', []],
    ['web3_clientVersion', []],
    ['web3_sha3', ['0x']],
    ['quorate_counters', []],
    ['quorate_cutOff', [[]]],
    ['quorate_finalityReport', []],
    ['quorate_finalityStatus', ['0x1']],
    ['quorate_getAccountProof', [ADDRESS, 'latest']],
    ['quorate_getEvidence', []],
    ['quorate_getFinalityProof', ['0x1']],
    ['quorate_getInclusionProof', [transactionId]],
    ['quorate_getTransactionStatus', [transactionId]],
    ['quorate_mine', [ADDRESS, '0x1']],
    ['quorate_peers', []],
    ['quorate_status', []],
    ['quorate_stopMining', []],
    ['quorate_tips', []],
  ])
}

/** What may stand where a parameter is expected. */
function hostileValues({ blockId, transactionId }: Known): readonly Json[] {
  const deep = Array.from({ length: 25 }).reduce<Json>(inner => [inner], 0)
  const deepObject = Array.from({ length: 25 }).reduce<Json>(inner => ({ a: inner }), 0)
  return [
    // Wrong types, and numbers that are none here.
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    [],
    {},
    // Quantities: negative, 2^256 - 1, 2^256, without end, in other bases.
    '-0x1',
    '0x-1',
    `0x${'f'.repeat(64)}`,
    `0x1${'0'.repeat(64)}`,
    `0x${'f'.repeat(30_000)}`,
    '9'.repeat(30_000),
    '0x00',
    '0b1',
    ' 0x1 ',
    '1e3',
    '0x0',
    '0x1',
    '0x400',
    '0x7',
    // Texts.
    '',
    '0x',
    '0xg',
    'x'.repeat(30_000),
    '\u0000',
    '\ud800',
    '\u001b]0;harm\u0007',
    'toString',
    '../../../etc/passwd',
    // Blocks.
    'latest',
    'earliest',
    'pending',
    'safe',
    'finalized',
    'Latest',
    blockId,
    transactionId,
    NO_HASH,
    { blockHash: blockId, requireCanonical: true },
    { blockHash: blockId, blockNumber: '0x1' },
    { blockHash: NO_HASH, requireCanonical: true },
    { blockNumber: { blockNumber: '0x1' } },
    { blockHash: [blockId], requireCanonical: 'yes' },
    // Shapes.
    deep,
    deepObject,
    Array.from({ length: 2_000 }, () => 0),
    Array.from({ length: 2_000 }, (_, index) => index / 20),
    Array.from({ length: 100 }, (_, index) => index),
    Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`k${index}`, index])),
    // Filters and requests.
    { fromBlock: '0x0', toBlock: `0x${'f'.repeat(64)}` },
    { fromBlock: `0x${'f'.repeat(64)}`, toBlock: '0x0' },
    { blockHash: blockId, fromBlock: '0x0' },
    { to: ADDRESS, input: `0x${'00'.repeat(20_000)}`, gas: `0x${'f'.repeat(64)}` },
    { to: ADDRESS, from: ADDRESS, value: `0x${'f'.repeat(64)}`, gasPrice: `0x${'f'.repeat(64)}` },
    { to: ADDRESS, accessList: Array.from({ length: 500 }, () => ({ address: ADDRESS, storageKeys: [] })) },
    { to: ADDRESS, accessList: [{ address: ADDRESS, storageKeys: [deep] }] },
    { to: [ADDRESS], input: 5 },
  ]
}

/** Hostile calls of one method: parameters that are replaced one by one, that are missing, and that are too many. */
export function* hostileCalls(method: string, known: Known): Generator<readonly Json[]> {
  const honest = honestCalls(known).get(method)
  if (honest === undefined)
    throw new Error(`there is no honest call of ${method}: say in test/hostile/rpc.ts what one is`)
  yield []
  yield [...honest, ...honest, ...honest, {}]
  const values = hostileValues(known)
  for (let index = 0; index <= honest.length; index++)
    for (const value of values) yield honest.toSpliced(index, 1, value)
}

/** The names of all methods that need no cookie. */
export const OPEN_METHODS: readonly string[] = [...METHODS.keys()]
