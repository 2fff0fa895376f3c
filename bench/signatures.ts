// The pool of recovery threads against a bare worker that recovers the same signatures: what packing, places, the gate of a
// thread and the cache cost. Per second of processor time of all threads.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Transaction } from '../src/chain/transaction.ts'
import { chooseBackend } from '../src/signatures/choose-backend.ts'
import { packTransactions } from '../src/signatures/packed.ts'
import { RecoveryPool } from '../src/signatures/recovery-pool.ts'
import { SenderCache } from '../src/signatures/sender-cache.ts'
import { signedTransactions } from '../test/signatures/transactions.ts'
import { type Benchmark, compare, processRate, type Settings } from './benchmark.ts'

const TRANSACTIONS = 2_048
const QUICK_TRANSACTIONS = 64

/** Senders that the pool recovers. */
export const SIGNATURES: Benchmark = {
  name: 'signatures',
  summary: 'senders recovered by the pool of threads of a node',
  unit: 'senders/s',
  reference: 'a bare worker',
  isShort: true,
  options: { threads: { summary: 'threads of the pool', default: 1 } },
  async run(settings) {
    const transactions = signedTransactions(settings.isQuick ? QUICK_TRANSACTIONS : TRANSACTIONS)
    // Room for one, so that each round has all but that one to recover again.
    const cache = new SenderCache(await chooseBackend(), 1)
    const threads = settings.numbers.get('threads')!
    const pool = new RecoveryPool(cache, { threads, onError: console.error })
    const worker = new Worker(new URL('./signatures/bare-worker.ts', import.meta.url))
    try {
      return await compare(settings, {
        subject: () =>
          processRate(settings, async () => {
            const before = cache.recoveries
            await pool.recover(transactions)
            return cache.recoveries - before
          }),
        reference: () => recoverBare(worker, transactions, settings),
      })
    } finally {
      await Promise.all([pool.close(), worker.terminate()])
    }
  },
}

async function recoverBare(
  worker: Worker,
  transactions: readonly Transaction[],
  settings: Settings,
): Promise<number> {
  const packed = packTransactions(transactions)
  return processRate(settings, async () => {
    const answered = once(worker, 'message')
    worker.postMessage(packed)
    const [count] = await answered
    if (count !== transactions.length) throw new Error(`${count} of ${transactions.length} senders`)
    return count
  })
}
