// The miner with all its threads against the kernel alone in this one: what slices, shared counters and threads cost.

import { availableParallelism } from 'node:os'
import { createKernel } from '../src/mining/kernel.ts'
import { Miner } from '../src/mining/miner.ts'
import { type Benchmark, compare, processRate, threadRate } from './benchmark.ts'

const NONCES = 2 ** 21
const QUICK_NONCES = 2 ** 16

/** Nonces that the miner tries per second of processor time of all threads. */
export const MINER: Benchmark = {
  name: 'miner',
  summary: 'nonces tried by the miner in as many threads as there are processors',
  unit: 'nonces/s',
  reference: 'the kernel alone',
  isShort: true,
  options: {},
  async run(settings) {
    // No hash is 0: every nonce is tried.
    const job = { id: 'bench', header: new Uint8Array(80), target: 0n }
    const count = settings.isQuick ? QUICK_NONCES : NONCES
    const kernel = createKernel()
    let ended = Promise.withResolvers<void>()
    const miner = new Miner({
      threads: availableParallelism(),
      onFound: () => ended.reject(new Error('a hash is 0')),
      onExhausted: () => ended.resolve(),
      onError: error => ended.reject(error),
    })
    // Its threads do not keep the process alive.
    const alive = setInterval(() => {}, 1_000)
    try {
      return await compare(settings, {
        subject: () =>
          processRate(settings, async () => {
            ended = Promise.withResolvers<void>()
            miner.mine({ ...job, nonceRange: { first: 0, count } })
            await ended.promise
            return count
          }),
        reference: () =>
          threadRate(settings, () => {
            kernel.search({ ...job, firstNonce: 0, count })
            return count
          }),
      })
    } finally {
      clearInterval(alive)
      await miner.close()
    }
  },
}
