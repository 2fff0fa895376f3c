// How many senders per second: each back end in one thread, and the pool in threads, as ratios of one run.
// bin/node24 bench/signatures.ts, about 7 seconds. The rounds alternate, and each figure is a median.

import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { signingHash } from '../src/chain/transaction.ts'
import type { RecoveryBackend } from '../src/signatures/backend.ts'
import { loadBackend } from '../src/signatures/choose-backend.ts'
import { nobleBackend } from '../src/signatures/noble-backend.ts'
import { RecoveryPool } from '../src/signatures/recovery-pool.ts'
import { SenderCache } from '../src/signatures/sender-cache.ts'
import { signedTransactions } from '../test/signatures/transactions.ts'

const ROUNDS = 5
const ROUND_MS = 100
const CACHED = 1024

/** Something to measure: `run` does some of it and says how many senders that were. */
interface Case {
  readonly name: string
  readonly run: () => number | Promise<number>
  readonly close: () => Promise<void>
  readonly rates: number[]
  /** Microseconds of this thread per sender. */
  readonly costs: number[]
}

const transactions = signedTransactions(CACHED)
const digests = transactions.map(signingHash)
const loaded = [await loadBackend('native'), await loadBackend('wasm')]
const fast = loaded.filter(backend => backend !== null)
const threadCounts = [...new Set([1, availableParallelism()])]
const cases = [
  ...[...fast, nobleBackend].map(backendCase),
  ...fast.flatMap(backend => threadCounts.map(threads => poolCase(backend, threads))),
]
for (const { run } of cases) await run()
for (let round = 0; round < ROUNDS; round++) for (const entry of cases) await measure(entry)
for (const { close } of cases) await close()
print()

function backendCase(backend: RecoveryBackend): Case {
  let next = 0
  const run = (): number => {
    const index = next++ % transactions.length
    backend.recover(digests[index]!, transactions[index]!)
    return 1
  }
  return { name: backend.name, run, close: async () => {}, rates: [], costs: [] }
}

function poolCase(backend: RecoveryBackend, threads: number): Case {
  // Room for one, so that each run has all but that one to recover again.
  const cache = new SenderCache(backend, 1)
  const pool = new RecoveryPool(cache, { threads, onError: console.error })
  const run = async (): Promise<number> => {
    await pool.recover(transactions)
    return transactions.length - 1
  }
  return {
    name: `pool, ${backend.name}, ${threads} threads`,
    run,
    close: () => pool.close(),
    rates: [],
    costs: [],
  }
}

async function measure({ run, rates, costs }: Case): Promise<void> {
  const start = performance.now()
  const loop = performance.eventLoopUtilization()
  let count = 0
  while (performance.now() - start < ROUND_MS) count += await run()
  rates.push((count / (performance.now() - start)) * 1000)
  costs.push((performance.eventLoopUtilization(loop).active / count) * 1000)
}

function print(): void {
  const noble = median(cases.find(({ name }) => name === 'noble')!.rates)
  const first = median(cases[0]!.rates)
  console.log(
    `senders per second, median of ${ROUNDS} rounds, ${availableParallelism()} cores, Node ${process.version}`,
  )
  console.log(`${''.padEnd(24)} rate/s   of ${cases[0]!.name}   of noble   us of this thread`)
  for (const { name, rates, costs } of cases) {
    const rate = median(rates)
    const columns = [
      name.padEnd(24),
      rate.toFixed(0).padStart(6),
      `${(rate / first).toFixed(2)}x`.padStart(11),
      `${(rate / noble).toFixed(1)}x`.padStart(10),
      median(costs).toFixed(1).padStart(12),
    ]
    console.log(columns.join(' '))
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
