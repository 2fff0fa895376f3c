// The nonce search of one thread against the hash function of node:crypto (OpenSSL), called twice for each nonce.

import { hash } from 'node:crypto'
import { createKernel } from '../src/mining/kernel.ts'
import { type Benchmark, compare, threadRate } from './benchmark.ts'

const NONCES = 2 ** 21
const NONCES_HASHED = 2 ** 16
const QUICK_SHARE = 2 ** -4

/** Nonces that the kernel tries. */
export const MINING: Benchmark = {
  name: 'mining',
  summary: 'nonces tried by the WebAssembly kernel in one thread',
  unit: 'nonces/s',
  reference: 'SHA-256d by node:crypto',
  isShort: true,
  options: {},
  async run(settings) {
    const share = settings.isQuick ? QUICK_SHARE : 1
    const startMs = performance.now()
    const kernel = createKernel()
    settings.log(`kernel ${kernel.kind}, made in ${(performance.now() - startMs).toFixed(0)} ms`)
    const header = new Uint8Array(80)
    const count = NONCES * share
    return compare(settings, {
      subject: () =>
        threadRate(settings, () => {
          // No hash is 0.
          kernel.search({ header, target: 0n, firstNonce: 0, count })
          return count
        }),
      reference: () => threadRate(settings, () => hashHeaders(header, NONCES_HASHED * share)),
    })
  },
}

function hashHeaders(header: Uint8Array, count: number): number {
  for (let nonce = 0; nonce < count; nonce++) {
    new DataView(header.buffer).setUint32(76, nonce, true)
    hash('sha256', hash('sha256', header, 'buffer'), 'buffer')
  }
  return count
}
