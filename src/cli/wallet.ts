// `quorate wallet`: keys, balances and transfers. Keys stay in files on this machine; the node never sees them.
// The commands for accounts are in wallet-accounts.ts.

import { checksumAddress } from '../chain/address.ts'
import { formatAmount } from '../chain/amount.ts'
import { readHistory } from '../wallet/history.ts'
import { submit } from '../wallet/submission.ts'
import { prepareTransfer, signTransfer, type TransferRequest } from '../wallet/transfer.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import {
  accountPositional,
  askPassword,
  keystoreOf,
  keystoreOption,
  passwordOption,
} from './keystore-option.ts'
import {
  clientOf,
  nodeOptions,
  readAddress,
  readAmount,
  readCount,
  readTransactionId,
} from './node-option.ts'
import { columns, table } from './output.ts'
import { timeText } from './terminal-text.ts'
import { accountCommands } from './wallet-accounts.ts'
import { watch, watchOptions } from './watch.ts'

const balanceCommand = defineCommand({
  command: 'balance <account>',
  describe: 'The balance of an account',
  positionals: accountPositional,
  options: { ...keystoreOption, ...nodeOptions },
  run: async (args, output) => {
    const address = await readAddress(keystoreOf(args), args.account)
    const client = clientOf(args)
    const balance = await client.quantity('eth_getBalance', [address, 'latest'])
    const nonce = await client.quantity('eth_getTransactionCount', [address, 'latest'])
    output.data({ address, balance, nonce }, () => `${formatAmount(balance)} coins`)
    return EXIT.done
  },
})

const sendCommand = defineCommand({
  command: 'send',
  describe: 'Pay: sign a transfer here, submit it to a node and follow it',
  options: {
    ...keystoreOption,
    ...passwordOption,
    from: { type: 'string', demandOption: true, describe: 'Account that pays' },
    to: { type: 'string', demandOption: true, describe: 'Address or account that is paid' },
    amount: { type: 'string', demandOption: true, describe: 'How much: 1.5 (coins), 10gwei, 100wei' },
    nonce: { type: 'number', describe: 'Nonce of the transfer', defaultDescription: 'the next' },
    tip: { type: 'string', describe: 'Tip per gas for the miner, such as 2gwei' },
    'max-fee': { type: 'string', describe: 'Price per gas at most, such as 50gwei' },
    'chain-id': { type: 'number', describe: 'Chain id that the node must serve' },
    wait: { type: 'boolean', default: true, describe: 'Wait until it is confirmed' },
    ...watchOptions,
  },
  examples: [['quorate wallet send --from alice --to bob --amount 1.5 --confirmations 6', '']],
  run: async (args, output) => {
    const keystore = keystoreOf(args)
    const client = clientOf(args)
    const request: TransferRequest = {
      from: (await keystore.find(args.from)).address,
      to: await readAddress(keystore, args.to),
      value: readAmount('--amount', args.amount),
      ...(args.nonce === undefined
        ? {}
        : { nonce: BigInt(readCount('--nonce', args.nonce, { min: 0, max: Number.MAX_SAFE_INTEGER })) }),
      ...(args.tip === undefined ? {} : { maxPriorityFeePerGas: readAmount('--tip', args.tip) }),
      ...(args['max-fee'] === undefined ? {} : { maxFeePerGas: readAmount('--max-fee', args['max-fee']) }),
      ...(args['chain-id'] === undefined
        ? {}
        : {
            chainId: BigInt(
              readCount('--chain-id', args['chain-id'], { min: 1, max: Number.MAX_SAFE_INTEGER }),
            ),
          }),
    }
    const fields = await prepareTransfer(client, request)
    const password = await askPassword(args.from, args['password-file'], false)
    const secretKey = await keystore.open(args.from, password)
    const { id, raw } = signTransfer(fields, secretKey)
    secretKey.fill(0)
    output.note(
      `signed ${id}: ${formatAmount(fields.value)} coins to ${checksumAddress(request.to)}, nonce ${fields.nonce}`,
    )
    const submission = await submit(client, raw)
    if (submission.status === 'refused')
      throw new CommandError(EXIT.no, `the node refused it: ${submission.error.message}`)
    if (submission.status === 'unknown') {
      throw new CommandError(
        EXIT.unknown,
        `the node may have it: ${submission.error.message}`,
        `Follow it with: quorate wallet wait ${id}`,
      )
    }
    if (args.wait) return await watch(client, id, args, output)
    output.data({ id, status: 'accepted' }, () =>
      table([
        ['transaction', id],
        ['outcome', 'accepted'],
      ]),
    )
    return EXIT.done
  },
})

const historyCommand = defineCommand({
  command: 'history <account>',
  describe: 'Transfers and blocks of an account, newest first',
  positionals: accountPositional,
  options: {
    ...keystoreOption,
    ...nodeOptions,
    blocks: {
      type: 'number',
      default: 1_000,
      describe: 'Number of blocks to search, from the head backwards',
    },
  },
  run: async (args, output) => {
    const address = await readAddress(keystoreOf(args), args.account)
    const blocks = readCount('--blocks', args.blocks, { min: 1, max: 100_000_000 })
    const entries = await Array.fromAsync(readHistory(clientOf(args), address, { blocks, batchSize: 50 }))
    output.data(entries, () =>
      entries.length === 0
        ? `nothing in the last ${blocks} blocks`
        : columns([
            ['block', 'time', 'what', 'coins', 'fee', 'with', 'transaction'],
            ...entries.map(entry => [
              String(entry.blockNumber),
              timeText(entry.time).slice(0, 19),
              entry.direction,
              entry.value === null ? '' : formatAmount(entry.value),
              entry.fee === 0n ? '' : formatAmount(entry.fee),
              entry.counterparty === null ? '' : checksumAddress(entry.counterparty),
              entry.id ?? '',
            ]),
          ]),
    )
    return EXIT.done
  },
})

const waitCommand = defineCommand({
  command: 'wait <transaction>',
  describe: 'Follow a transaction until it is confirmed',
  positionals: { transaction: { type: 'string', demandOption: true, describe: 'Id of the transaction' } },
  options: watchOptions,
  examples: [
    ['quorate wallet wait 0x… --risk 0.1% --attacker 0.1', 'as many blocks as that risk needs'],
    ['quorate wallet wait 0x… --final', 'until validators have signed it'],
  ],
  run: (args, output) => watch(clientOf(args), readTransactionId(args.transaction), args, output),
})

/** The wallet's commands. */
export const walletCommand = defineGroup('wallet', 'Keys, balances and transfers', [
  ...accountCommands,
  balanceCommand,
  sendCommand,
  historyCommand,
  waitCommand,
])
