// The transactions of which messages have their senders recovered before the replica handles them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Block } from '../../src/chain/block.ts'
import { requiredBits } from '../../src/chain/header-chain.ts'
import { decodeTransaction, type Transaction } from '../../src/chain/transaction.ts'
import { SenderRecovery } from '../../src/node/sender-recovery.ts'
import type { Message } from '../../src/replica/messages.ts'
import type { Replica } from '../../src/replica/replica.ts'
import { ANSWER_TICKS } from '../../src/replica/sync-requests.ts'
import { blocksOf, ChainBuilder, START_MS, transfer as transferOfNumber } from '../replica/small-chain.ts'
import { sentOf, TestNode } from '../replica/test-node.ts'
import { ValidatedNetwork } from '../replica/validators.ts'
import { easyGenesis, transfer } from './nodes.ts'

const genesis = easyGenesis()
const decoded = (raw: Uint8Array): Transaction => decodeTransaction(raw) as Transaction
const [known, unknown] = [decoded(transfer(0, 0)), decoded(transfer(0, 1))]

/** A block that stands on the genesis block as far as its header tells, with or without its work. */
function blockWith(hasWork: boolean, previous = genesis.block.id): Block {
  const bits = requiredBits(genesis.work, genesis.header)
  const header = { ...genesis.block.header, previous, bits, time: genesis.block.header.time + 1 }
  return {
    ...genesis.block,
    id: '0xaa',
    // The hash of this header is what it is; a target of 0x03000001 is met by nothing.
    header: hasWork ? header : { ...header, bits: 0x0300_0001 },
    transactions: [known, unknown],
  }
}

function recoveryOf() {
  const recovered: string[][] = []
  /** Requests for blocks that wait for their answers, with their peers and the blocks. */
  const requests = new Set<string>()
  const replica = {
    genesis,
    finality: { followsWork: true },
    tree: {
      get: (id: string) => (id === genesis.block.id ? { chained: genesis.header } : undefined),
      has: (id: string) => id === genesis.block.id,
    },
    relay: {
      wanted: (_from: string, requestId: number, transactions: readonly Transaction[]) =>
        transactions.filter(({ id }) => requestId === 7 && id === unknown.id),
    },
    sync: {
      asksFor: (from: string, requestId: number, id: string) => requests.has(`${from} ${requestId} ${id}`),
    },
  } as unknown as Replica
  const recovery = new SenderRecovery(replica, {
    recover: async transactions => void recovered.push(transactions.map(tx => tx.id)),
  })
  const recover = async (message: Message) => {
    recovered.length = 0
    await recovery.recover('peer', message, 1_767_225_700_000)
    return recovered.flat()
  }
  return { recover, requests }
}

test('transactions are recovered ahead that were asked for', async () => {
  const { recover } = recoveryOf()
  assert.deepEqual(await recover({ type: 'transactions', requestId: 7, transactions: [known, unknown] }), [
    unknown.id,
  ])
})

test('a block is recovered ahead only when its header stands on a known one', async () => {
  const { recover } = recoveryOf()
  const counts: number[] = []
  for (let nonce = 0; nonce < 50; nonce++) {
    const block = blockWith(true)
    counts.push(
      (await recover({ type: 'block', block: { ...block, header: { ...block.header, nonce } } })).length,
    )
  }
  // Every second hash is enough work on this network.
  assert.ok(counts.includes(0) && counts.includes(2))
  assert.deepEqual(await recover({ type: 'block', block: blockWith(false) }), [])
  assert.deepEqual(await recover({ type: 'block', block: blockWith(true, '0xbb') }), [])
})

test('blocks are recovered ahead only when the request asked for them', async () => {
  const { recover, requests } = recoveryOf()
  const blocks: Message = { type: 'blocks', requestId: 1, blocks: [blockWith(true)] }
  assert.deepEqual(await recover(blocks), [])
  requests.add('other 1 0xaa')
  assert.deepEqual(await recover(blocks), [])
  requests.add('peer 1 0xaa')
  assert.deepEqual(await recover(blocks), [known.id, unknown.id])
  assert.deepEqual(await recover({ ...blocks, requestId: 2 }), [])
})

test('the senders of bodies that come late, when their peer is asked for others, are recovered ahead', async () => {
  const network = new ValidatedNetwork('hybrid', 4)
  const node = new TestNode(network.genesis, { nowMs: START_MS + 10_000_000 }).start()
  const chain = new ChainBuilder(network.genesis)
  const [one, two] = chain.extend(chain.root, 2, step => ({ transactions: [transferOfNumber(1, step - 1)] }))
  const recovered: string[] = []
  const recovery = new SenderRecovery(node.replica, {
    recover: async transactions => void recovered.push(...transactions.map(tx => tx.id)),
  })
  node.connect('p')
  const [first] = sentOf(node.receive('p', network.proof(two!.chained.id)), 'get-blocks')
  for (let tick = 0; tick <= ANSWER_TICKS; tick++) node.timeout('sync')
  node.replica.sync.onWanted(one!.chained.id, { promised: ['p'], others: [] }, true)
  const [second] = sentOf(node.timeout('sync'), 'get-blocks')
  assert.notEqual(second!.message.requestId, first!.message.requestId)
  const { requestId } = first!.message
  await recovery.recover('p', { type: 'blocks', requestId, blocks: blocksOf([two!]) }, node.nowMs)
  assert.deepEqual(
    recovered,
    two!.block.transactions.map(tx => tx.id),
  )
})
