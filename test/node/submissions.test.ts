import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Block } from '../../src/chain/block.ts'
import { requiredBits } from '../../src/chain/header-chain.ts'
import { decodeTransaction, type Transaction } from '../../src/chain/transaction.ts'
import { type SenderRecoverer, SenderRecovery } from '../../src/node/sender-recovery.ts'
import { NodeClosed, SUBMISSIONS_MAX, Submissions } from '../../src/node/submissions.ts'
import type { Message } from '../../src/replica/messages.ts'
import type { Replica } from '../../src/replica/replica.ts'
import { easyGenesis, silent, transfer } from './nodes.ts'

/** A recoverer that finishes when the test says so. */
class SlowRecoverer implements SenderRecoverer {
  readonly batches: { readonly size: number; finish(): void }[] = []

  recover(transactions: readonly Transaction[]): Promise<void> {
    return new Promise(finish => this.batches.push({ size: transactions.length, finish }))
  }
}

const turn = () => new Promise(setImmediate)

function setUp() {
  const recoverer = new SlowRecoverer()
  const submitted: string[] = []
  const submissions = new Submissions(
    recoverer,
    (raw, token) => submitted.push(`${raw.length} ${token}`),
    silent,
  )
  return { recoverer, submitted, submissions }
}

test('transactions that come together are recovered together and submitted one by one', async () => {
  const { recoverer, submitted, submissions } = setUp()
  const raw = transfer(0, 0)
  const answers = [submissions.add(raw), submissions.add(raw), submissions.add(Uint8Array.of(1))]
  await turn()
  assert.deepEqual([recoverer.batches.map(({ size }) => size), submitted], [[2], []])
  recoverer.batches[0]!.finish()
  await turn()
  assert.deepEqual(submitted, [`${raw.length} 1`, `${raw.length} 2`, '1 3'])
  submissions.onReply('2', { rejection: 'tx-already-known' })
  submissions.onReply('1', { id: '0x01' })
  submissions.onReply('3', { rejection: 'tx-malformed' })
  submissions.onReply('4', { id: '0x02' })
  assert.deepEqual(await Promise.all(answers), [
    { id: '0x01' },
    { rejection: 'tx-already-known' },
    { rejection: 'tx-malformed' },
  ])
})

test('a batch that is recovered sooner does not overtake the one before it', async () => {
  const { recoverer, submitted, submissions } = setUp()
  void submissions.add(new Uint8Array(1))
  await turn()
  void submissions.add(new Uint8Array(2))
  await turn()
  recoverer.batches[1]!.finish()
  await turn()
  assert.deepEqual(submitted, [])
  recoverer.batches[0]!.finish()
  await turn()
  assert.deepEqual(submitted, ['1 1', '2 2'])
})

test('what waits is bounded, and any more is rejected', async () => {
  const { recoverer, submissions } = setUp()
  const waiting = Array.from({ length: SUBMISSIONS_MAX }, () => submissions.add(Uint8Array.of(1)))
  assert.deepEqual(await submissions.add(Uint8Array.of(1)), { rejection: 'tx-pool-full' })
  await turn()
  recoverer.batches[0]!.finish()
  for (let count = 0; count <= SUBMISSIONS_MAX / 64; count++) await turn()
  void submissions.add(Uint8Array.of(1)).catch(() => {})
  await turn()
  assert.equal(recoverer.batches.length, 2)
  submissions.close()
  for (const answer of waiting) await assert.rejects(answer, NodeClosed)
})

test('a submission that is not answered when the node ends is refused, wherever it was', async () => {
  const { recoverer, submitted, submissions } = setUp()
  const handedIn = submissions.add(Uint8Array.of(1))
  await turn()
  recoverer.batches[0]!.finish()
  await turn()
  const recovering = submissions.add(Uint8Array.of(2))
  await turn()
  const arrived = submissions.add(Uint8Array.of(3))
  submissions.close()
  recoverer.batches[1]!.finish()
  const late = submissions.add(Uint8Array.of(4))
  for (const answer of [handedIn, recovering, arrived, late]) await assert.rejects(answer, NodeClosed)
  assert.equal(submitted.length, 1)
})

test('submitted bytes are copied', async () => {
  const recoverer: SenderRecoverer = { recover: async () => {} }
  const seen: Uint8Array[] = []
  const submissions = new Submissions(recoverer, raw => seen.push(raw), silent)
  const raw = Buffer.from([1, 2, 3])
  void submissions.add(raw).catch(() => {})
  raw.fill(0)
  await turn()
  await turn()
  assert.deepEqual(seen, [Uint8Array.of(1, 2, 3)])
  submissions.close()
})

// ---- what is recovered ahead

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
  } as unknown as Replica
  const recovery = new SenderRecovery(replica, {
    recover: async transactions => void recovered.push(transactions.map(tx => tx.id)),
  })
  const recover = async (message: Message) => {
    recovered.length = 0
    await recovery.recover('peer', message, 1_767_225_700_000)
    return recovered.flat()
  }
  return { recovery, recover }
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

test('blocks are recovered ahead only when they were asked for', async () => {
  const { recovery, recover } = recoveryOf()
  const blocks: Message = { type: 'blocks', requestId: 1, blocks: [blockWith(true)] }
  assert.deepEqual(await recover(blocks), [])
  recovery.onSend('other', { type: 'get-blocks', requestId: 1, ids: ['0xaa'] })
  assert.deepEqual(await recover(blocks), [])
  recovery.onSend('peer', { type: 'get-blocks', requestId: 2, ids: ['0xaa'] })
  assert.deepEqual(await recover(blocks), [known.id, unknown.id])
  recovery.forget('peer')
  assert.deepEqual(await recover(blocks), [])
})
