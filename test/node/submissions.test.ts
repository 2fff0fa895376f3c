import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transaction } from '../../src/chain/transaction.ts'
import type { SenderRecoverer } from '../../src/node/sender-recovery.ts'
import { NodeClosed, SUBMISSIONS_MAX, Submissions } from '../../src/node/submissions.ts'
import { silent, transfer } from './nodes.ts'

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
