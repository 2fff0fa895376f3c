import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setEnvironmentData } from 'node:worker_threads'
import { recoverSender } from '../../src/chain/signature.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import type { RecoveryBackend } from '../../src/signatures/backend.ts'
import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { Places } from '../../src/signatures/places.ts'
import {
  BATCH_TRANSACTIONS_MAX,
  BATCH_TRANSACTIONS_MIN,
  BATCHES_PER_THREAD_MAX,
  RecoveryPool,
  type RecoveryPoolOptions,
} from '../../src/signatures/recovery-pool.ts'
import { CRASHES_MAX } from '../../src/signatures/recovery-thread.ts'
import { SenderCache } from '../../src/signatures/sender-cache.ts'
import { cleanUp } from '../cleanup.ts'
import { nobodysTransaction, signedTransactions } from './transactions.ts'

const fast = await chooseBackend()
const scripted = new URL('./scripted-worker.ts', import.meta.url)
const scriptedSender = `0x${'01'.repeat(20)}`
/** More than all batches of one thread, so that the last must wait for a place. */
const many = signedTransactions(BATCH_TRANSACTIONS_MAX * (BATCHES_PER_THREAD_MAX + 1) + 100)
const few = many.slice(0, 64)

/** A pool, its cache, and how many signatures were recovered in this thread. */
const setUp = (t: TestContext, options: RecoveryPoolOptions, capacity?: number) => {
  const recovered = { here: 0 }
  const backend: RecoveryBackend = {
    ...fast,
    recover(digest, signature) {
      recovered.here++
      return fast.recover(digest, signature)
    },
  }
  const cache = new SenderCache(backend, capacity)
  const pool = new RecoveryPool(cache, options)
  cleanUp(t, () => pool.close())
  return { cache, recovered, pool }
}

/** Makes the next scripted workers fail in a certain way; says what became of them. */
const script = (mode: string, crashes: number) => {
  const counters = new Int32Array(new SharedArrayBuffer(16))
  counters[0] = crashes
  setEnvironmentData('mode', mode)
  setEnvironmentData('counters', counters)
  return {
    /** How many signatures the workers were asked for. */
    asked: () => counters[1]!,
    /** How many workers there were. */
    started: () => counters[2]!,
    /** Whether a worker is inside its gate (1) or was (2). */
    inside: () => Atomics.load(counters, 3),
  }
}

/** Runs a file of this folder to its end. */
const run = (path: string) => {
  const file = fileURLToPath(new URL(path, import.meta.url))
  const { stdout, status } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 })
  return { stdout, status }
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

const assertKnown = (cache: SenderCache, transactions: readonly Transaction[]): void => {
  for (const tx of transactions) assert.ok(cache.has(tx.id), `${tx.nonce} is not known`)
}

for (const threads of [0, 1, 2]) {
  test(`with ${threads} threads the pool finds the senders that the reference finds`, async t => {
    const { cache, pool, recovered } = setUp(t, { threads })
    const nobodys = nobodysTransaction(5000)
    const transactions = [nobodys, ...many, nobodys]
    await pool.recover(transactions)
    assert.equal(recovered.here, threads === 0 ? many.length + 1 : 0)
    assertKnown(cache, transactions)
    assert.equal(cache.size, many.length + 1)
    const senders = new Map([0, 1, 2].map(key => [key, recoverSender(many[key]!)]))
    for (const tx of many) assert.equal(cache.recoverSender(tx), senders.get(Number(tx.nonce) % 3))
    assert.equal(cache.recoverSender(nobodys), null)
  })
}

test('fewer transactions than make a batch are recovered at once, without a thread', async t => {
  const { asked } = script('works', 0)
  const { cache, pool, recovered } = setUp(t, { threads: 1, workerUrl: scripted })
  const transactions = few.slice(0, BATCH_TRANSACTIONS_MIN - 1)
  const finished = pool.recover(transactions)
  assertKnown(cache, transactions)
  assert.equal(recovered.here, transactions.length)
  await finished
  await pool.recover([])
  assert.equal(asked(), 0)
})

test('what is known or under way is not recovered again', async t => {
  const { asked } = script('works', 0)
  const { cache, pool, recovered } = setUp(t, { threads: 1, workerUrl: scripted })
  for (const tx of few.slice(0, 10)) cache.recoverSender(tx)
  await Promise.all([
    pool.recover(few),
    pool.recover(few),
    pool.recover([...few, ...few]),
    pool.recover(many),
    pool.recover(many),
    nextTurn().then(() => pool.recover(few.slice(20, 22))),
  ])
  await pool.recover(many)
  assert.equal(asked(), many.length - 10)
  assert.equal(recovered.here, 10)
  assertKnown(cache, many)
})

test('every concurrent call waits until its own transactions are known', async t => {
  const { cache, pool } = setUp(t, { threads: 1 })
  const recover = async (transactions: readonly Transaction[]) => {
    await pool.recover(transactions)
    assertKnown(cache, transactions)
  }
  const early = [
    recover(many),
    recover(many.slice(-300)),
    recover(many.slice(0, 3)),
    recover(many.toReversed()),
  ]
  await nextTurn()
  await Promise.all([...early, recover(many.slice(0, 100)), recover(many.slice(100, 103))])
})

test('a cache smaller than what is recovered keeps its cap', async t => {
  const { cache, pool } = setUp(t, { threads: 1 }, 50)
  await pool.recover(many)
  assert.equal(cache.size, 50)
})

test('what the cache has forgotten is recovered again', async t => {
  const { asked } = script('works', 0)
  const { pool } = setUp(t, { threads: 1, workerUrl: scripted }, 1)
  await pool.recover(few)
  await pool.recover(few)
  assert.equal(asked(), few.length + few.length - 1)
})

test('all threads get a share', async t => {
  const { asked, started } = script('works', 0)
  const { pool } = setUp(t, { threads: 2, workerUrl: scripted })
  await pool.recover(few)
  assert.equal(asked(), few.length)
  assert.equal(started(), 2)
})

test('a thread is asked for a few batches, and the rest waits', { timeout: 20_000 }, async t => {
  const { asked } = script('never answers', 1)
  const { pool } = setUp(t, { threads: 1, workerUrl: scripted })
  const finished = Promise.all([pool.recover(many), pool.recover(many.toReversed())])
  const cap = BATCH_TRANSACTIONS_MAX * BATCHES_PER_THREAD_MAX
  while (asked() < cap) await nextTurn()
  for (let turn = 0; turn < 1000; turn++) await nextTurn()
  assert.equal(asked(), cap)
  await pool.close()
  await finished
})

for (const threads of [0, 1]) {
  test(`with ${threads} threads the event loop turns while a large batch is recovered`, async t => {
    const { pool } = setUp(t, { threads })
    let turns = 0
    let isDone = false
    const turn = () => {
      turns++
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    await pool.recover(many)
    isDone = true
    // Without threads a turn comes after every 16 transactions, however many batches there are.
    assert.ok(turns >= Math.floor(many.length / 16), `${turns} turns`)
  })
}

test('closing ends what is under way', { timeout: 20_000 }, async t => {
  for (const threads of [0, 1]) {
    const { cache, pool } = setUp(t, { threads, onError: assert.ifError })
    const finished = Promise.all([pool.recover(many), pool.recover(many), pool.recover(many.toReversed())])
    while (cache.size === 0) await nextTurn()
    const { size } = cache
    await Promise.all([pool.close(), pool.close()])
    await finished
    await nextTurn()
    assert.equal(cache.size, size)
    assert.ok(size < many.length)
  }
})

test('a closed pool does nothing, and senders are still recovered', async t => {
  const { cache, pool } = setUp(t, { threads: 1 })
  await pool.close()
  await pool.recover(many)
  await pool.recover(few.slice(0, 2))
  assert.equal(cache.size, 0)
  assert.equal(cache.recoverSender(few[0]!), recoverSender(few[0]!))
})

test('closing does not wait for a thread that never answers', { timeout: 20_000 }, async t => {
  const { asked } = script('never answers', 1)
  const { pool } = setUp(t, { threads: 1, workerUrl: scripted })
  const finished = pool.recover(many)
  while (asked() === 0) await nextTurn()
  await pool.close()
  await finished
})

test('closing ends no thread while it is inside native code', { timeout: 20_000 }, async t => {
  const { inside } = script('takes long', 1)
  const { pool } = setUp(t, { threads: 1, workerUrl: scripted })
  const finished = pool.recover(few)
  while (inside() === 0) await nextTurn()
  await pool.close()
  assert.equal(inside(), 2)
  await finished
})

test('exiting ends no thread while it is inside native code', () => {
  assert.deepEqual(run('./hasty-process.ts'), { stdout: 'out again\n', status: 3 })
})

for (const mode of ['throws at once', 'throws', 'exits', 'answers too little', 'answers nonsense']) {
  test(`a worker that ${mode} is replaced, and its batches are recovered here`, {
    timeout: 20_000,
  }, async t => {
    const { asked } = script(mode, 1)
    const errors: Error[] = []
    const { cache, pool, recovered } = setUp(t, {
      threads: 1,
      workerUrl: scripted,
      onError: e => errors.push(e),
    })
    await pool.recover(few)
    assert.equal(errors.length, 1)
    assert.equal(recovered.here, few.length)
    for (const tx of few.slice(0, 3)) assert.equal(cache.recoverSender(tx), recoverSender(tx))
    const askedBefore = asked()
    await pool.recover(many)
    assert.equal(errors.length, 1)
    assert.equal(recovered.here, few.length)
    assert.equal(asked() - askedBefore, many.length - few.length)
    assert.equal(cache.recoverSender(many.at(-1)!), scriptedSender)
  })
}

test('an unexpected answer is a crash', { timeout: 20_000 }, async t => {
  script('answers twice', 1)
  const { promise: crashed, resolve } = Promise.withResolvers<Error>()
  const { cache, pool } = setUp(t, { threads: 1, workerUrl: scripted, onError: resolve })
  await pool.recover(few)
  assert.match((await crashed).message, /belongs to no batch/)
  await pool.recover(many)
  assertKnown(cache, many)
})

test('a thread whose workers crash again and again is given up', { timeout: 20_000 }, async t => {
  script('throws', 1000)
  let errors = 0
  const { cache, pool, recovered } = setUp(t, { threads: 1, workerUrl: scripted, onError: () => errors++ })
  for (let start = 0; start < 64; start += 8) await pool.recover(many.slice(start, start + 8))
  await pool.recover(many)
  assertKnown(cache, many)
  assert.equal(errors, CRASHES_MAX)
  assert.equal(recovered.here, many.length)
})

test('a thread that is given up leaves its work to the others', { timeout: 20_000 }, async t => {
  const { started } = script('throws', CRASHES_MAX)
  const { pool, recovered } = setUp(t, { threads: 2, workerUrl: scripted })
  // One batch each, which the first of two idle threads gets.
  for (let crash = 0; crash < CRASHES_MAX; crash++) await pool.recover(many.slice(crash * 8, crash * 8 + 8))
  assert.equal(recovered.here, CRASHES_MAX * 8)
  await pool.recover(many)
  assert.equal(recovered.here, CRASHES_MAX * 8)
  assert.equal(started(), CRASHES_MAX + 1)
})

test('a thread that answers between crashes is not given up', { timeout: 20_000 }, async t => {
  script('answers twice', 1000)
  let crashed = Promise.withResolvers<Error>()
  const onError = (error: Error) => crashed.resolve(error)
  const { pool, recovered } = setUp(t, { threads: 1, workerUrl: scripted, onError })
  for (let round = 0; round < CRASHES_MAX + 2; round++) {
    crashed = Promise.withResolvers()
    await pool.recover(many.slice(round * 8, round * 8 + 8))
    await crashed.promise
  }
  assert.equal(recovered.here, 0)
})

test('where no worker can be started everything is recovered here', async t => {
  let errors = 0
  // Worker refuses this scheme in its constructor, as it does when the system has no thread left.
  const { cache, pool, recovered } = setUp(t, {
    threads: 2,
    workerUrl: new URL('https://x.test'),
    onError: () => errors++,
  })
  await pool.recover(many)
  assertKnown(cache, many)
  assert.equal(recovered.here, many.length)
  await pool.recover(many.map(tx => ({ ...tx, id: `${tx.id}00` as const })))
  assert.equal(errors, 2 * CRASHES_MAX)
})

test('a pool keeps the process alive while it works and not a moment longer', () => {
  assert.deepEqual(run('./short-process.ts'), { stdout: '100\n', status: 0 })
})

test('a number of threads that is none is refused', t => {
  for (const threads of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => setUp(t, { threads }), RangeError)
  }
})

test('what a peer sends is left to the threads, however little it is', async t => {
  const { cache, pool, recovered } = setUp(t, { threads: 1 })
  const [one, ...others] = few.slice(0, 4)
  await pool.recover([one!], 'peer')
  await pool.recover(others, 'peer')
  assertKnown(cache, [one!, ...others])
  assert.equal(recovered.here, 0)
})

test('what is more urgent takes the next place, and else the one that has waited longest', async () => {
  const places = new Places(1)
  await places.take()
  const order: string[] = []
  const waiting = (['peer', 'submission', 'block', 'peer', 'block'] as const).map(async (urgency, index) => {
    await places.take(urgency)
    order.push(`${urgency} ${index}`)
    places.give()
  })
  places.give()
  await Promise.all(waiting)
  assert.deepEqual(order, ['block 2', 'block 4', 'submission 1', 'peer 0', 'peer 3'])
})
