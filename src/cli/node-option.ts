// The option of every command that asks a node, and small readers of values that several commands take.
// Each reader ends the command with what was given and what was expected.

import { type Address, parseAddress } from '../chain/address.ts'
import { parseAmount } from '../chain/amount.ts'
import type { Keystore } from '../wallet/keystore-directory.ts'
import { NODE_URL_DEFAULT, RpcClient } from '../wallet/rpc-client.ts'
import { variable } from './environment.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** The options of a command that asks a node. */
export const nodeOptions = {
  rpc: {
    type: 'string',
    default: variable('QUORATE_RPC') ?? NODE_URL_DEFAULT,
    describe: 'The node to ask (or set QUORATE_RPC)',
  },
} as const

/** A client of the node that the options name. */
export function clientOf(args: { rpc: string }): RpcClient {
  return new RpcClient(args.rpc)
}

/** Wei in what a person typed. Ends the command when it is no amount. */
export function readAmount(option: string, text: string): bigint {
  const wei = parseAmount(text)
  if (wei !== null) return wei
  throw new CommandError(
    EXIT.usage,
    `${option}: ${JSON.stringify(text)} is not an amount`,
    'Examples: 1.5 (coins), 10gwei, 100wei.',
  )
}

/** A whole number that a person typed. Ends the command when it is out of bounds. */
export function readCount(
  option: string,
  value: number | string,
  bounds: { min: number; max: number },
): number {
  const number = String(value).trim() === '' ? Number.NaN : Number(value)
  if (Number.isSafeInteger(number) && number >= bounds.min && number <= bounds.max) return number
  throw new CommandError(
    EXIT.usage,
    `${option}: expected a whole number from ${bounds.min} to ${bounds.max}, got ${value === '' ? 'none' : value}`,
  )
}

/** A share from 0 to 1, or a percentage such as 10%. Ends the command when it is neither. */
export function readShare(option: string, text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,9})?)(%?)$/.exec(text)
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1)
  if (share >= 0 && share <= 1) return share
  throw new CommandError(EXIT.usage, `${option}: expected a share such as 0.1 or 10%, got ${text}`)
}

/** A transaction id that a person typed. Ends the command when it is none. */
export function readTransactionId(text: string): `0x${string}` {
  const id = text.toLowerCase()
  if (/^0x[0-9a-f]{64}$/.test(id)) return id as `0x${string}`
  throw new CommandError(EXIT.usage, `${text} is not a transaction id`, 'An id is 0x and 64 hex digits.')
}

/** Names of blocks that move. */
const BLOCK_TAGS = ['latest', 'safe', 'finalized', 'earliest', 'pending']

/** A block as a person names it, as nodes are asked for it. Ends the command when it is no name of a block. */
export function readBlockName(
  text: string,
):
  | { readonly type: 'id'; readonly parameter: `0x${string}` }
  | { readonly type: 'height' | 'tag'; readonly parameter: string } {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return { type: 'id', parameter: text.toLowerCase() as `0x${string}` }
  if (/^\d{1,15}$/.test(text)) return { type: 'height', parameter: `0x${Number(text).toString(16)}` }
  if (/^0x[0-9a-f]{1,12}$/i.test(text)) return { type: 'height', parameter: `0x${Number(text).toString(16)}` }
  if (BLOCK_TAGS.includes(text)) return { type: 'tag', parameter: text }
  throw new CommandError(
    EXIT.usage,
    `${JSON.stringify(text)} names no block`,
    `Expected a height such as 12, an id (0x and 64 hex digits), or ${BLOCK_TAGS.join(', ')}.`,
  )
}

/** The address that a person means: written out, or the name of one of his accounts. */
export async function readAddress(keystore: Keystore, text: string): Promise<Address> {
  const address = parseAddress(text)
  if (address !== null) return address
  if (text.startsWith('0x')) {
    throw new CommandError(
      EXIT.usage,
      `${text} is not an address, or its checksum is wrong`,
      'Check it for a typing mistake.',
    )
  }
  return (await keystore.find(text)).address
}
