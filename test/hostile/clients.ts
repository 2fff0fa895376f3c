// Clients of the RPC that ask for what is dear: each method without end, the dearest in batches, requests that are large
// or odd, and connections that are only there.

import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Json } from '../../src/encoding/fields.ts'
import { METHODS } from '../../src/rpc/methods.ts'
import type { Attack } from './attack.ts'
import type { Attacker } from './attacker.ts'

/** More than there are places. */
const CONNECTIONS = 520
const JUNK_BYTES = 256 * 1024
const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
/** Requests of one client that are under way at once. */
const AT_ONCE = 4
const HEX_32 = `0x${'ab'.repeat(32)}`
const ACCOUNT = `0x${'11'.repeat(20)}`
const CALL = { to: ACCOUNT, value: '0x1' }

/** For each method the dearest parameters that are allowed. A method that is not here has none of its own. */
export const DEAR_PARAMS: ReadonlyMap<string, readonly Json[]> = new Map<string, readonly Json[]>([
  ['eth_accounts', []],
  ['eth_blockNumber', []],
  ['eth_call', [CALL, 'latest']],
  ['eth_chainId', []],
  ['eth_coinbase', []],
  ['eth_estimateGas', [CALL, 'latest']],
  ['eth_feeHistory', ['0x400', 'latest', [0, 25, 50, 75, 100]]],
  ['eth_gasPrice', []],
  ['eth_getBalance', [ACCOUNT, 'finalized']],
  ['eth_getBlockByHash', [HEX_32, true]],
  ['eth_getBlockByNumber', ['latest', true]],
  ['eth_getBlockReceipts', ['latest']],
  ['eth_getBlockTransactionCountByHash', [HEX_32]],
  ['eth_getBlockTransactionCountByNumber', ['latest']],
  ['eth_getCode', [ACCOUNT, 'latest']],
  ['eth_getLogs', [{ fromBlock: 'earliest', toBlock: 'latest' }]],
  ['eth_getStorageAt', [ACCOUNT, '0x0', 'latest']],
  ['eth_getTransactionByBlockHashAndIndex', [HEX_32, '0x0']],
  ['eth_getTransactionByBlockNumberAndIndex', ['latest', '0x0']],
  ['eth_getTransactionByHash', [HEX_32]],
  ['eth_getTransactionCount', [ACCOUNT, 'pending']],
  ['eth_getTransactionReceipt', [HEX_32]],
  ['eth_hashrate', []],
  ['eth_maxPriorityFeePerGas', []],
  ['eth_mining', []],
  ['eth_sendRawTransaction', [`0x02${'ff'.repeat(1_000)}`]],
  ['eth_syncing', []],
  ['net_listening', []],
  ['net_peerCount', []],
  ['net_version', []],
  ['txpool_content', []],
  ['txpool_contentFrom', [ACCOUNT]],
  ['txpool_status', []],
  ['web3_clientVersion', []],
  ['web3_sha3', [`0x${'00'.repeat(100_000)}`]],
  ['quorate_counters', []],
  ['quorate_finalityReport', []],
  ['quorate_finalityStatus', []],
  ['quorate_getAccountProof', [ACCOUNT, 'latest']],
  ['quorate_getEvidence', []],
  ['quorate_getFinalityProof', ['latest']],
  ['quorate_getInclusionProof', [HEX_32]],
  ['quorate_getTransactionStatus', [HEX_32]],
  ['quorate_peers', []],
  ['quorate_status', []],
  ['quorate_tips', []],
])

/** What clients do. */
export const clients: readonly Attack[] = [
  {
    name: 'asks for the dearest of every method without end',
    covers: [...METHODS.keys()],
    run: attacker => {
      const calls = [...DEAR_PARAMS].map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }))
      return posting(attacker, count => JSON.stringify(calls[count % calls.length]))
    },
  },
  {
    name: 'asks for batches of 100 fee histories',
    covers: ['eth_feeHistory'],
    run: attacker => posting(attacker, () => JSON.stringify(feeHistories(100, true))),
  },
  {
    name: 'asks for fee histories as notifications',
    covers: ['eth_feeHistory'],
    run: attacker => posting(attacker, () => JSON.stringify(feeHistories(100, false))),
  },
  {
    name: 'sends a megabyte of names',
    covers: ['body'],
    run: attacker => {
      const names = Array.from({ length: 70_000 }, (_, index) => `"n${index}":1`).join(',')
      return posting(attacker, () => `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[{${names}}]}`)
    },
  },
  {
    name: 'sends a megabyte of brackets',
    covers: ['body'],
    run: attacker => posting(attacker, () => '['.repeat(999_000)),
  },
  {
    name: 'streams bodies that are said to be too long',
    covers: ['body'],
    run: async attacker => {
      const junk = Buffer.alloc(JUNK_BYTES, ' ')
      const pour = (socket: Socket) => {
        socket.write(`${HEAD}Content-Length: 100000000000\r\n\r\n`)
        const more = () => {
          while (!socket.destroyed && socket.write(junk)) attacker.spend({ bytesSent: junk.length })
        }
        socket.on('drain', more)
        more()
      }
      const options = { allowHalfOpen: true, onConnect: pour }
      await Promise.all(Array.from({ length: AT_ONCE }, () => connecting(attacker, options)))
    },
  },
  {
    name: 'opens 520 connections and asks nothing',
    covers: ['places'],
    run: async attacker => {
      await Promise.all(Array.from({ length: CONNECTIONS }, () => connecting(attacker)))
    },
  },
  {
    name: 'keeps a connection from each of 520 addresses and asks now and then',
    covers: ['places'],
    run: async attacker => {
      const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' })
      const onConnect = (socket: Socket) => {
        const ask = () => socket.write(`${HEAD}Content-Length: ${call.length}\r\n\r\n${call}`)
        const timer = setInterval(ask, 1_000)
        socket.once('close', () => clearInterval(timer))
        ask()
      }
      await Promise.all(
        Array.from({ length: CONNECTIONS }, (_, index) =>
          connecting(attacker, { localAddress: `127.67.${index >> 8}.${index & 255 || 255}`, onConnect }),
        ),
      )
    },
  },
]

function feeHistories(count: number, isAnswered: boolean): Json[] {
  const params = [...DEAR_PARAMS.get('eth_feeHistory')!]
  return Array.from({ length: count }, (_, id) => ({
    jsonrpc: '2.0',
    ...(isAnswered ? { id } : {}),
    method: 'eth_feeHistory',
    params,
  }))
}

/** Posts what `next` makes without end, a few at once. */
async function posting(attacker: Attacker, next: (count: number) => string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  let count = 0
  const one = async () => {
    while (!attacker.isOver) await post(attacker, agent, next(count++))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  agent.destroy()
}

async function post(attacker: Attacker, agent: Agent, body: string): Promise<void> {
  const isAnswered = await new Promise<boolean>(resolve => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(attacker.target.rpc!, { method: 'POST', agent, headers, signal: attacker.signal })
    sent.on('error', () => resolve(false))
    sent.on('response', answer => {
      answer.on('data', (chunk: Uint8Array) => attacker.spend({ bytesReceived: chunk.length }))
      answer.on('error', () => resolve(false))
      answer.on('end', () => resolve(answer.statusCode === 200))
    })
    sent.end(body)
    attacker.spend({ bytesSent: body.length })
  })
  attacker.spend(isAnswered ? { connections: 0 } : { refusals: 1 })
  // A refusal costs the node little; an attacker that does not wait after one costs itself most.
  if (!isAnswered) await attacker.pause(1)
}

/** Connects to the RPC, and again whenever the connection ends. */
async function connecting(
  attacker: Attacker,
  options: {
    readonly localAddress?: string
    /** Whether it goes on to send when the node has ended its side. */
    readonly allowHalfOpen?: boolean
    readonly onConnect?: (socket: Socket) => void
  } = {},
): Promise<void> {
  const { hostname, port } = new URL(attacker.target.rpc!)
  const { localAddress, allowHalfOpen = false, onConnect = () => {} } = options
  while (!attacker.isOver) {
    await new Promise<void>(resolve => {
      const socket = connect({ port: Number(port), host: hostname, localAddress, allowHalfOpen })
      const end = () => socket.destroy()
      attacker.signal.addEventListener('abort', end, { once: true })
      socket.on('error', () => {})
      socket.on('connect', () => onConnect(socket))
      socket.resume()
      socket.on('close', () => {
        attacker.signal.removeEventListener('abort', end)
        resolve()
      })
    })
    attacker.spend({ connections: 1 })
    await attacker.pause(100)
  }
}
