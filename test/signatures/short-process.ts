// A process with nothing to do but to fill a cache, twice: it must live until both are done, and then end.

import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { RecoveryPool } from '../../src/signatures/recovery-pool.ts'
import { SenderCache } from '../../src/signatures/sender-cache.ts'
import { signedTransactions } from './transactions.ts'

const cache = new SenderCache(await chooseBackend())
const pool = new RecoveryPool(cache, { threads: 2, onError: console.log })
const transactions = signedTransactions(100)
await pool.recover(transactions.slice(0, 50))
await pool.recover(transactions)
console.log(cache.size)
