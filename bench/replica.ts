// A replica that imports a chain of blocks full of transfers, in memory, against bare recovery of their senders: what decoding,
// checking, execution and records add to the signatures that nobody can avoid.

import assert from 'node:assert/strict'
import { addressOfSecretKey, signDigest } from '../src/chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type TransactionFields,
} from '../src/chain/transaction.ts'
import type { Genesis } from '../src/execution/genesis.ts'
import { decodeMessage, encodeMessage } from '../src/replica/message-codec.ts'
import type { Message } from '../src/replica/messages.ts'
import type { RecoveryBackend } from '../src/signatures/backend.ts'
import { chooseBackend } from '../src/signatures/choose-backend.ts'
import { SenderCache } from '../src/signatures/sender-cache.ts'
import { accepted, GWEI } from '../test/chain/examples.ts'
import { smallGenesis } from '../test/replica/small-chain.ts'
import { TestNode } from '../test/replica/test-node.ts'
import { secretKeyOf } from '../test/signatures/transactions.ts'
import { type Benchmark, compare, threadRate } from './benchmark.ts'

const SENDERS = 20
const SIZE = { blocks: 10, transfersOfSender: 5 }
const QUICK_SIZE = { blocks: 2, transfersOfSender: 1 }

/** Transfers in blocks that a replica imports. */
export const REPLICA: Benchmark = {
  name: 'replica',
  summary: 'transfers of blocks that a replica imports in memory',
  unit: 'transfers/s',
  reference: 'bare recovery of their senders',
  isShort: true,
  options: {},
  async run(settings) {
    const backend = await chooseBackend()
    const accounts = Array.from({ length: SENDERS }, (_, index) => addressOfSecretKey(secretKeyOf(index)))
    const genesis = smallGenesis({
      blocks: { gasLimit: 30_000_000 },
      accounts: Object.fromEntries(accounts.map(address => [address, '1000'])),
    })
    const { blocks, transfersOfSender } = settings.isQuick ? QUICK_SIZE : SIZE
    const raws = Array.from({ length: blocks }, (_, block) => signBlock(genesis, block, transfersOfSender))
    const messages = mineAll(genesis, backend, raws)
    const transactions = raws.flat().map(raw => accepted(decodeTransaction(raw)))
    const signed = transactions.map(tx => ({ digest: signingHash(tx), tx }))
    return compare(settings, {
      subject: () =>
        threadRate(settings, () => {
          const { recoverSender } = new SenderCache(backend)
          const node = new TestNode(genesis, { recoverSender }).start()
          node.nowMs += blocks * genesis.work.blockTimeSeconds * 1_000
          for (const bytes of messages) {
            const message = accepted<Message>(decodeMessage(bytes))
            node.step({ type: 'message', from: 'feeder', message })
          }
          assert.equal(node.height, blocks)
          return signed.length
        }),
      reference: () =>
        threadRate(settings, () => {
          for (const { digest, tx } of signed) backend.recover(digest, tx)
          return signed.length
        }),
    })
  },
}

/** The transfers of one block, encoded. */
function signBlock(genesis: Genesis, block: number, transfersOfSender: number): Uint8Array[] {
  return Array.from({ length: SENDERS * transfersOfSender }, (_, index) => {
    const sender = index % SENDERS
    const fields: TransactionFields = {
      type: 'eip1559',
      chainId: genesis.blocks.chainId,
      nonce: BigInt(block * transfersOfSender + Math.floor(index / SENDERS)),
      maxFeePerGas: 1_000n * GWEI,
      maxPriorityFeePerGas: GWEI,
      gasLimit: 21_000n,
      to: addressOfSecretKey(secretKeyOf((sender * 7 + 1) % SENDERS)),
      value: 1n,
      data: new Uint8Array(),
      accessList: [],
    }
    return encodeTransaction(fields, signDigest(signingHash(fields), secretKeyOf(sender)))
  })
}

/** The blocks that hold these transfers, as messages: another replica mines them. */
function mineAll(
  genesis: Genesis,
  backend: RecoveryBackend,
  raws: readonly (readonly Uint8Array[])[],
): Uint8Array[] {
  const miner = new TestNode(genesis, { recoverSender: new SenderCache(backend).recoverSender }).start()
  return raws.map((transfers, index) => {
    for (const raw of transfers) miner.submit(raw)
    miner.nowMs += genesis.work.blockTimeSeconds * 1_000
    miner.startMining(1)
    miner.finishMining()
    const block = miner.replica.view.blockAt(index + 1)!
    assert.equal(block.transactions.length, transfers.length)
    return encodeMessage({ type: 'block', block })
  })
}
