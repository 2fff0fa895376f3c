// `quorate block` and `quorate tx`: what is on the chain, as Ethereum's methods answer it.
// With --json the node's answer is passed on as it is, once it is seen to be one.

import { checksumAddress } from '../chain/address.ts'
import { formatAmount } from '../chain/amount.ts'
import type { Fields, Json } from '../encoding/fields.ts'
import {
  addressField,
  hashField,
  listField,
  parseHash,
  parseQuantity,
  printable,
  quantityField,
  readObject,
} from '../wallet/rpc-answer.ts'
import { RpcError } from '../wallet/rpc-client.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { clientOf, nodeOptions, readBlockName, readTransactionId } from './node-option.ts'
import { table } from './output.ts'
import { timeText } from './terminal-text.ts'

const METHOD = 'quorate_getTransactionStatus'

/** A block as `quorate block` shows it. */
function readBlock(fields: Fields) {
  return {
    hash: hashField(fields, 'hash'),
    parentHash: hashField(fields, 'parentHash'),
    number: quantityField(fields, 'number'),
    timestamp: quantityField(fields, 'timestamp'),
    miner: addressField(fields, 'miner'),
    stateRoot: hashField(fields, 'stateRoot'),
    gasUsed: quantityField(fields, 'gasUsed'),
    gasLimit: quantityField(fields, 'gasLimit'),
    baseFeePerGas: quantityField(fields, 'baseFeePerGas'),
    size: quantityField(fields, 'size'),
    transactions: listField(fields, 'transactions', parseHash),
  }
}

/** A transaction as `quorate tx` shows it. */
function readTransaction(fields: Fields) {
  return {
    from: addressField(fields, 'from'),
    to: fields.isNull('to') ? null : addressField(fields, 'to'),
    value: quantityField(fields, 'value'),
    nonce: quantityField(fields, 'nonce'),
    blockNumber: fields.isNull('blockNumber') ? null : quantityField(fields, 'blockNumber'),
  }
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
    const answer = await clientOf(args).call(method, [parameter, false])
    if (answer === null) throw new CommandError(EXIT.no, `the node has no block ${args.which}`)
    const block = readObject(method, answer, readBlock)
    output.data(answer, () =>
      table([
        ['block', String(block.number)],
        ['id', block.hash],
        ['parent', block.parentHash],
        ['time', timeText(block.timestamp)],
        ['miner', checksumAddress(block.miner)],
        ['state root', block.stateRoot],
        ['gas', `${block.gasUsed} of ${block.gasLimit}, base fee ${block.baseFeePerGas} wei`],
        ['size', `${block.size} bytes`],
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
  describe: 'One transaction and its outcome',
  positionals: { transaction: { type: 'string', demandOption: true, describe: 'Id of the transaction' } },
  options: nodeOptions,
  run: async (args, output) => {
    const id = readTransactionId(args.transaction)
    const client = clientOf(args)
    const methods = ['eth_getTransactionByHash', 'eth_getTransactionReceipt', METHOD] as const
    const outcomes = await client.batch(methods.map(method => ({ method, params: [id] })))
    for (const outcome of outcomes) if (outcome instanceof RpcError) throw outcome
    const [transaction, receipt, status] = outcomes
    if (transaction === null && status === null)
      throw new CommandError(EXIT.no, `the node has never had ${id}`)
    const tx = transaction === null ? null : readObject(methods[0], transaction, readTransaction)
    const fee = receipt === null ? null : readObject(methods[1], receipt, readFee)
    const words = status === null ? 'unknown' : readObject(METHOD, status, readWords)
    output.data({ transaction, receipt, status }, () =>
      table([
        ['transaction', id],
        ['status', words],
        ...(tx === null
          ? []
          : ([
              ['from', checksumAddress(tx.from)],
              ['to', tx.to === null ? 'a new contract' : checksumAddress(tx.to)],
              ['value', `${formatAmount(tx.value)} coins`],
              ['nonce', String(tx.nonce)],
              ['block', tx.blockNumber === null ? 'none yet' : String(tx.blockNumber)],
            ] as const)),
        ...(fee === null ? [] : [['fee', `${formatAmount(fee)} coins`] as const]),
      ]),
    )
    return EXIT.done
  },
})

function readFee(fields: Fields): bigint {
  return quantityField(fields, 'gasUsed') * quantityField(fields, 'effectiveGasPrice')
}

/** All that a node says of what became of a transaction, in the order in which it says it. */
function readWords(fields: Fields): string {
  return fields
    .names()
    .map(name => fields.parse(name, 'a text or a flag', describeValue))
    .join(' ')
}

function describeValue(value: Json): string | null {
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return null
  const quantity = parseQuantity(value)
  return quantity !== null && value.length <= 18 ? String(quantity) : printable(value)
}
