// Attacks with transactions, and with questions for them: those of others again, such as exist nowhere, and well-signed ones
// of an account that has no money.

import { signDigest } from '../../chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type Transaction,
  type TransactionFields,
  type TransactionId,
} from '../../chain/transaction.ts'
import { MESSAGE_LIMITS, type OutgoingMessage } from '../../replica/messages.ts'
import { type Answer, type Attack, randomId, randomNumber, type Scene, some, times } from './scene.ts'

const GWEI = 10n ** 9n

/** Announcements. */
export const ANNOUNCE_ATTACKS: readonly Attack[] = [
  {
    name: 'ids of transactions of others again',
    make: ({ overheard, random }) => [announce(some(overheard.transactions, random))],
  },
  {
    name: 'ids of transactions that are nowhere',
    make: ({ random }) => [
      { type: 'announce', ids: times(MESSAGE_LIMITS.transactionsMax, () => randomId(random)) },
    ],
  },
  {
    name: 'a transaction without funds',
    make: scene => [announce(remembered(scene, unfunded(scene, {})))],
  },
  {
    name: 'a transaction of another chain',
    isBlatant: true,
    make: scene => [
      announce(remembered(scene, unfunded(scene, { chainId: scene.genesis.blocks.chainId + 1n }))),
    ],
  },
  {
    name: 'transactions without funds among those of others',
    make: scene => [
      announce([
        ...some(scene.overheard.transactions, scene.random),
        ...remembered(scene, unfunded(scene, { nonce: 7n })),
      ]),
    ],
  },
]

/** Questions for transactions. */
export const TRANSACTION_QUESTIONS: readonly Attack[] = [
  {
    name: 'a question for transactions',
    make: scene => [askTransactions(scene, some(scene.overheard.transactions, scene.random).map(idOf))],
  },
  {
    name: 'a question for unknown transactions',
    make: scene => [
      askTransactions(
        scene,
        times(MESSAGE_LIMITS.transactionsMax, () => randomId(scene.random)),
      ),
    ],
  },
]

/** Transactions that were not asked for. */
export const TRANSACTION_ATTACKS: readonly Attack[] = [
  {
    name: 'transactions that nobody asked for',
    make: ({ overheard, random }) => [batchTo(randomNumber(random), some(overheard.transactions, random))],
  },
  {
    name: 'transactions without funds, unasked',
    make: scene => [batchTo(randomNumber(scene.random), unfunded(scene, {}))],
  },
]

/** Answers to a question for transactions. */
export const TRANSACTION_ANSWERS: readonly Answer[] = [
  { name: 'no transactions at all', make: () => [] },
  { name: 'transactions that are none', make: ({ requestId }) => [batchTo(requestId, [])] },
  {
    name: 'other transactions than were asked for',
    make: ({ requestId }, scene) => [batchTo(requestId, unfunded(scene, {}))],
  },
  {
    name: 'the transactions that were asked for',
    isLure: true,
    make: (question, { overheard }) => {
      const ids: readonly TransactionId[] = question.type === 'get-transactions' ? question.ids : []
      return [
        batchTo(
          question.requestId,
          overheard.transactions.filter(({ id }) => ids.includes(id)),
        ),
      ]
    },
  },
]

function announce(transactions: readonly Transaction[]): OutgoingMessage {
  return { type: 'announce', ids: transactions.map(idOf) }
}

function askTransactions({ random }: Scene, ids: readonly TransactionId[]): OutgoingMessage {
  return { type: 'get-transactions', requestId: randomNumber(random), ids }
}

function batchTo(requestId: number, transactions: readonly Transaction[]): OutgoingMessage {
  return { type: 'transactions', requestId, transactions }
}

/** Remembers transactions that a stranger made, for nodes that ask for them. */
function remembered({ overheard }: Scene, transactions: readonly Transaction[]): readonly Transaction[] {
  overheard.note({ type: 'transactions', requestId: 0, transactions })
  return transactions
}

function idOf({ id }: Transaction): TransactionId {
  return id
}

/** Transfers that are signed as they should be, by an account that never had anything. */
function unfunded({ genesis, account, random }: Scene, changes: Partial<TransactionFields>): Transaction[] {
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: genesis.blocks.chainId,
    nonce: BigInt(random.integer(0, 3)),
    maxFeePerGas: 1_000n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 21_000n,
    to: account.address,
    value: BigInt(random.integer(1, 1_000)),
    data: new Uint8Array(),
    accessList: [],
    ...changes,
  }
  const tx = decodeTransaction(encodeTransaction(fields, signDigest(signingHash(fields), account.secretKey)))
  if (typeof tx === 'string') throw new Error(`a stranger signs what is no transaction: ${tx}`)
  return [tx]
}
