// `quorate block` and `quorate tx`: what is on the chain, as Ethereum's methods answer it.
// With --json the node's answer is passed on as it is.

import { checksumAddress } from '../chain/address.ts'
import type { Hex } from '../chain/bytes.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { clientOf, nodeOptions, readBlockName, readTransactionId } from './node-option.ts'
import { table } from './output.ts'
import { coins } from './status.ts'

interface RpcBlock {
  readonly hash: Hex
  readonly parentHash: Hex
  readonly number: Hex
  readonly timestamp: Hex
  readonly miner: Hex
  readonly stateRoot: Hex
  readonly gasUsed: Hex
  readonly gasLimit: Hex
  readonly baseFeePerGas: Hex
  readonly size: Hex
  readonly transactions: readonly Hex[]
}

interface RpcTransaction {
  readonly hash: Hex
  readonly from: Hex
  readonly to: Hex | null
  readonly value: Hex
  readonly nonce: Hex
  readonly type: Hex
  readonly blockNumber: Hex | null
}

/** One block. */
export const blockCommand = defineCommand({
  command: 'block [which]',
  describe: 'One block: by height, by id, or latest, safe, finalized, earliest',
  positionals: { which: { type: 'string', default: 'latest', describe: 'Height, id or tag' } },
  options: nodeOptions,
  run: async (args, output) => {
    const { type, parameter } = readBlockName(args.which)
    const method = type === 'id' ? 'eth_getBlockByHash' : 'eth_getBlockByNumber'
    const block = (await clientOf(args).call(method, [parameter, false])) as RpcBlock | null
    if (block === null) throw new CommandError(EXIT.no, `the node has no block ${args.which}`)
    output.data(block, () =>
      table([
        ['block', String(Number(block.number))],
        ['id', block.hash],
        ['parent', block.parentHash],
        ['time', new Date(Number(block.timestamp) * 1000).toISOString()],
        ['miner', checksumAddress(block.miner)],
        ['state root', block.stateRoot],
        [
          'gas',
          `${Number(block.gasUsed)} of ${Number(block.gasLimit)}, base fee ${Number(block.baseFeePerGas)} wei`,
        ],
        ['size', `${Number(block.size)} bytes`],
        [
          'transactions',
          block.transactions.length === 0 ? 'none' : block.transactions.join('\n              '),
        ],
      ]),
    )
    return EXIT.done
  },
})

/** One transaction and what became of it. */
export const txCommand = defineCommand({
  command: 'tx <transaction>',
  describe: 'One transaction and what became of it',
  positionals: { transaction: { type: 'string', demandOption: true, describe: 'Id of the transaction' } },
  options: nodeOptions,
  run: async (args, output) => {
    const id = readTransactionId(args.transaction)
    const client = clientOf(args)
    const [tx, receipt, status] = (await client.batch([
      { method: 'eth_getTransactionByHash', params: [id] },
      { method: 'eth_getTransactionReceipt', params: [id] },
      { method: 'quorate_getTransactionStatus', params: [id] },
    ])) as [
      RpcTransaction | null,
      { gasUsed: Hex; effectiveGasPrice: Hex } | null,
      Record<string, unknown> | null,
    ]
    if (tx === null && status === null) throw new CommandError(EXIT.no, `the node has never had ${id}`)
    const fee =
      receipt === null
        ? null
        : `0x${(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)).toString(16)}`
    output.data({ transaction: tx, receipt, status }, () =>
      table([
        ['transaction', id],
        [
          'status',
          Object.values(status ?? { status: 'unknown' })
            .map(describeValue)
            .join(' '),
        ],
        ...(tx === null
          ? []
          : ([
              ['from', checksumAddress(tx.from)],
              ['to', tx.to === null ? 'a new contract' : checksumAddress(tx.to)],
              ['value', coins(tx.value)],
              ['nonce', String(Number(tx.nonce))],
              ['block', tx.blockNumber === null ? 'none yet' : String(Number(tx.blockNumber))],
            ] as const)),
        ...(fee === null ? [] : [['fee', coins(fee)] as const]),
      ]),
    )
    return EXIT.done
  },
})

function describeValue(value: unknown): string {
  return typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value) ? String(Number(value)) : String(value)
}
