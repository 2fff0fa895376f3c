// A process that exits while a thread of its pool is inside native code, and says whether that thread got out.

import { setEnvironmentData } from 'node:worker_threads'
import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { RecoveryPool } from '../../src/signatures/recovery-pool.ts'
import { SenderCache } from '../../src/signatures/sender-cache.ts'
import { signedTransactions } from './transactions.ts'

const counters = new Int32Array(new SharedArrayBuffer(16))
counters[0] = 1
setEnvironmentData('mode', 'takes long')
setEnvironmentData('counters', counters)
const workerUrl = new URL('./scripted-worker.ts', import.meta.url)
const pool = new RecoveryPool(new SenderCache(await chooseBackend()), { threads: 1, workerUrl })
void pool.recover(signedTransactions(50))
while (Atomics.load(counters, 3) === 0) await new Promise(resolve => setImmediate(resolve))
process.on('exit', () => console.log(Atomics.load(counters, 3) === 2 ? 'out again' : 'still inside'))
process.exit(3)
