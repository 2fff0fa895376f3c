/**
 * How many nonces a second: the kernel in one thread, the miner with all threads, and the scalar twin, in one run of
 * about eight seconds. The rounds of kernel and twin alternate, so that a busy machine slows both; medians are shown.
 *
 *   bin/node24 bench/mining.ts
 */
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { createKernel } from '../src/mining/kernel.ts'
import { Miner } from '../src/mining/miner.ts'
import { type NonceSearch, searchSlowly } from '../src/mining/nonce-search.ts'

const header = new Uint8Array(80)
const IMPOSSIBLE = 0n
const ROUNDS = 7
const MINER_MS = 3000

/** Millions of nonces a second of one search, which finds nothing. */
function rateOf(search: (search: NonceSearch) => number | null, count: number): number {
  const startMs = performance.now()
  search({ header, target: IMPOSSIBLE, firstNonce: 0, count })
  return count / (performance.now() - startMs) / 1000
}

/** The same of a miner, by its own counter; the start of its threads is part of the time. */
async function rateOfMiner(threads: number): Promise<number> {
  const fail = () => {
    throw new Error('a job with target 0 ended')
  }
  const options = { threads, onFound: fail, onExhausted: fail, onError: fail }
  const miner = new Miner(options)
  miner.mine({ id: 'bench', header, target: IMPOSSIBLE })
  await setTimeout(MINER_MS)
  const rate = miner.hashrate() / 1e6
  await miner.close()
  return rate
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1]!
}

function report(name: string, rate: number, twinRate: number): void {
  console.log(
    `${name.padEnd(34)} ${rate.toFixed(2).padStart(7)} MH/s  ${(rate / twinRate).toFixed(1).padStart(6)} x`,
  )
}

const startMs = performance.now()
const kernel = createKernel()
const createMs = performance.now() - startMs
rateOf(kernel.search, 2 ** 20)
rateOf(searchSlowly, 2 ** 15)

const kernelRates: number[] = []
const twinRates: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  kernelRates.push(rateOf(kernel.search, 2 ** 21))
  twinRates.push(rateOf(searchSlowly, 2 ** 17))
}
const twin = median(twinRates)
const threads = availableParallelism()
report('scalar twin (@noble/hashes)', twin, twin)
report(`kernel (${kernel.kind}), 1 thread`, median(kernelRates), twin)
report(`miner, ${threads} threads, with their start`, await rateOfMiner(threads), twin)
console.log(`generating and compiling the kernel took ${createMs.toFixed(0)} ms`)
