// Recovery of senders in one thread: a back end against the reference in JavaScript.

import { signingHash } from '../src/chain/transaction.ts'
import type { BackendName, RecoveryBackend } from '../src/signatures/backend.ts'
import { chooseBackend, loadBackend } from '../src/signatures/choose-backend.ts'
import { nobleBackend } from '../src/signatures/noble-backend.ts'
import { signedTransactions } from '../test/signatures/transactions.ts'
import { type Benchmark, compare, type Settings, threadRate } from './benchmark.ts'

const TRANSACTIONS = 1_024
const QUICK_TRANSACTIONS = 32

/** Senders that a back end recovers. */
export const RECOVERY: Benchmark = {
  name: 'recovery',
  summary: 'senders recovered by a back end in one thread',
  unit: 'senders/s',
  reference: 'noble, in JavaScript',
  isShort: true,
  options: {
    backend: {
      summary: 'fastest, native or wasm',
      default: 'fastest',
      choices: ['fastest', 'native', 'wasm'],
    },
  },
  async run(settings) {
    const backend = await backendOf(settings)
    settings.log(`back end ${backend.name}`)
    const transactions = signedTransactions(settings.isQuick ? QUICK_TRANSACTIONS : TRANSACTIONS)
    const signed = transactions.map(tx => ({ digest: signingHash(tx), tx }))
    const few = signed.slice(0, signed.length >> 3)
    const side = (recover: typeof backend.recover, some: typeof signed) => () =>
      threadRate(settings, () => {
        for (const { digest, tx } of some) recover(digest, tx)
        return some.length
      })
    return compare(settings, {
      subject: side(backend.recover, signed),
      reference: side(nobleBackend.recover, few),
    })
  },
}

async function backendOf({ texts }: Settings): Promise<RecoveryBackend> {
  const name = texts.get('backend')!
  if (name === 'fastest') return chooseBackend()
  const backend = await loadBackend(name as BackendName)
  if (backend === null) throw new Error(`there is no ${name} back end on this machine`)
  return backend
}
