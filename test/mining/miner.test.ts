import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Miner, type MinerOptions } from '../../src/mining/miner.ts'
import { GENESIS } from './headers.ts'

const SOURCE = new URL('../../src/mining/', import.meta.url)
const EASY = 2n ** 256n - 1n
const IMPOSSIBLE = 0n
const header = GENESIS.header
const SMALL_RANGE = { first: 1000, count: 50_000 }

/** A miner whose reports are collected, in order, and can be waited for. It is closed when the body has run. */
async function withMiner(
  options: Partial<MinerOptions>,
  body: (miner: Miner, reports: string[], count: (reports: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const reports: string[] = []
  let onReport = () => {}
  const report = (text: string) => {
    reports.push(text)
    onReport()
  }
  const miner = new Miner({
    threads: 2,
    onFound: ({ id, nonce }) => report(`found ${id} ${nonce}`),
    onExhausted: ({ id }) => report(`exhausted ${id}`),
    onError: error => report(`error ${error.message}: ${(error.cause as Error).message}`),
    ...options,
  })
  const count = async (wanted: number) => {
    // The threads do not keep the process alive, so the waiting test has to.
    const alive = setInterval(() => {}, 1000)
    while (reports.length < wanted) {
      await new Promise<void>(resolve => {
        onReport = resolve
      })
    }
    clearInterval(alive)
  }
  try {
    await body(miner, reports, count)
  } finally {
    await miner.close()
  }
}

/** Waits until the miner's threads have hashed something. */
async function untilHashing(miner: Miner): Promise<void> {
  while (miner.hashrate() === 0) await setTimeout(1)
}

test("the nonce of Bitcoin's genesis block is found by two threads", async () => {
  await withMiner({}, async (miner, reports, count) => {
    const nonceRange = { first: GENESIS.nonce - 300_000, count: 600_000 }
    miner.mine({ id: 'genesis', header, target: GENESIS.target, nonceRange })
    await count(1)
    assert.deepEqual(reports, [`found genesis ${GENESIS.nonce}`])
  })
})

test('a job is reported once, even when every thread finds a nonce in its first slice', async () => {
  await withMiner({ threads: 3 }, async (miner, reports, count) => {
    for (let round = 0; round < 20; round++) {
      miner.mine({ id: `easy${round}`, header, target: EASY })
      await count(2 * round + 1)
      miner.mine({ id: `none${round}`, header, target: IMPOSSIBLE, nonceRange: SMALL_RANGE })
      await count(2 * round + 2)
    }
    // Whatever nonces were found, it was one for each job, in turn.
    const expected = Array.from({ length: 20 }, (_, round) => [
      `found easy${round}`,
      `exhausted none${round}`,
    ]).flat()
    assert.deepEqual(
      reports.map(text => text.split(' ').slice(0, 2).join(' ')),
      expected,
    )
  })
})

test('a nonce range is searched to its end, whatever its size, and only then called exhausted', async () => {
  await withMiner({}, async (miner, reports, count) => {
    const { nonce, target } = GENESIS
    for (const size of [1, 3, 16_383, 16_384, 16_385, 100_000]) {
      const range = { first: nonce - size + 1, count: size }
      reports.length = 0
      miner.mine({ id: 'with', header, target, nonceRange: range })
      await count(1)
      miner.mine({ id: 'without', header, target, nonceRange: { ...range, first: range.first - 1 } })
      await count(2)
      assert.deepEqual(reports, [`found with ${nonce}`, 'exhausted without'])
    }
  })
})

test('the last nonce of all is found', async () => {
  await withMiner({}, async (miner, reports, count) => {
    miner.mine({ id: 'last', header, target: EASY, nonceRange: { first: 2 ** 32 - 1, count: 1 } })
    await count(1)
    assert.deepEqual(reports, ['found last 4294967295'])
  })
})

test('a new job replaces the running one, which is never reported', async () => {
  await withMiner({}, async (miner, reports, count) => {
    miner.mine({ id: 'endless', header, target: IMPOSSIBLE })
    await untilHashing(miner)
    miner.mine({ id: 'small', header, target: IMPOSSIBLE, nonceRange: SMALL_RANGE })
    await count(1)
    assert.deepEqual(reports, ['exhausted small'])
  })
})

test('a job that was replaced before its nonce could be told is never reported', async () => {
  await withMiner({}, async (miner, reports, count) => {
    miner.mine({ id: 'warm', header, target: IMPOSSIBLE, nonceRange: SMALL_RANGE })
    await count(1)
    miner.mine({ id: 'old', header, target: EASY })
    // This thread stands still, so the answer to the old job waits in its queue while the job is replaced.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    miner.mine({ id: 'new', header, target: IMPOSSIBLE, nonceRange: SMALL_RANGE })
    await count(2)
    assert.deepEqual(reports, ['exhausted warm', 'exhausted new'])
  })
})

test('a stopped job is never reported', async () => {
  await withMiner({}, async (miner, reports, count) => {
    miner.mine({ id: 'stopped', header, target: EASY })
    miner.stop()
    miner.stop()
    miner.mine({ id: 'next', header, target: IMPOSSIBLE, nonceRange: SMALL_RANGE })
    await count(1)
    assert.deepEqual(reports, ['exhausted next'])
  })
})

test('a job can be mined again under the same name from within a report', async () => {
  const nonces: number[] = []
  const alive = setInterval(() => {}, 1000)
  await new Promise<void>(resolve => {
    const onFound = ({ nonce }: { nonce: number }) => {
      nonces.push(nonce)
      if (nonces.length === 3) resolve(miner.close())
      else mineFrom(nonce + 1)
    }
    const miner = new Miner({
      threads: 1,
      onFound,
      onExhausted: () => assert.fail(),
      onError: () => assert.fail(),
    })
    const mineFrom = (first: number) =>
      miner.mine({ id: 'same', header, target: EASY, nonceRange: { first, count: 1 } })
    mineFrom(5)
  })
  clearInterval(alive)
  assert.deepEqual(nonces, [5, 6, 7])
})

test('timers fire while the threads search', async () => {
  await withMiner({}, async (miner, reports) => {
    miner.mine({ id: 'endless', header, target: IMPOSSIBLE })
    await untilHashing(miner)
    for (let ticks = 0; ticks < 20; ticks++) await setTimeout(1)
    assert.ok(miner.hashrate() > 0)
    assert.deepEqual(reports, [])
  })
})

test('a thread that rests wakes for a new job', async () => {
  // After its first chunk such a thread rests for years.
  await withMiner({ threads: 1, throttle: 1e-12 }, async (miner, reports, count) => {
    miner.mine({ id: 'endless', header, target: IMPOSSIBLE })
    await untilHashing(miner)
    miner.mine({ id: 'next', header, target: EASY, nonceRange: { first: 3, count: 1 } })
    await count(1)
    assert.deepEqual(reports, ['found next 3'])
  })
})

test('the header that was given may change afterwards', async () => {
  await withMiner({}, async (miner, reports, count) => {
    const scratch = Uint8Array.from(header)
    miner.mine({
      id: 'kept',
      header: scratch,
      target: GENESIS.target,
      nonceRange: { first: GENESIS.nonce, count: 1 },
    })
    scratch.fill(0)
    await count(1)
    assert.deepEqual(reports, [`found kept ${GENESIS.nonce}`])
  })
})

test('threads that crash are reported and started again with the next job', async () => {
  const workerUrl = new URL('data:text/javascript,throw new Error("boom")')
  await withMiner({ workerUrl }, async (miner, reports, count) => {
    miner.mine({ id: 'a', header, target: EASY })
    await count(2)
    miner.mine({ id: 'b', header, target: EASY })
    await count(4)
    assert.deepEqual(
      reports,
      Array.from({ length: 4 }, () => 'error a mining thread crashed: boom'),
    )
  })
})

test('when one thread crashes the others search the whole range', async () => {
  // The thread that comes first takes slices and throws; the other is the real one.
  const code = `
    import { parentPort, workerData } from 'node:worker_threads'
    if (Atomics.add(workerData.hashes, 0, 1n) === 0n) {
      parentPort.once('message', job => {
        Atomics.add(job.progress, 1, 3)
        throw new Error('boom')
      })
    } else await import('${new URL('worker.ts', SOURCE)}')`
  const workerUrl = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
  await withMiner({ workerUrl }, async (miner, reports, count) => {
    const { nonce, target } = GENESIS
    const scratch = Uint8Array.from(header)
    const nonceRange = { first: nonce - 10, count: 100_000 }
    miner.mine({ id: 'range', header: scratch, target, nonceRange })
    // The job that begins again is the one that was given, even if the caller uses the bytes for something else.
    scratch.fill(0)
    await count(2)
    assert.deepEqual(reports.sort(), ['error a mining thread crashed: boom', `found range ${nonce}`])
  })
})

test('a closed miner refuses jobs, and can be stopped and closed again', async () => {
  await withMiner({}, async miner => {
    miner.mine({ id: 'endless', header, target: IMPOSSIBLE })
    await miner.close()
    assert.throws(() => miner.mine({ id: 'late', header, target: EASY }), /closed/)
    miner.stop()
    await miner.close()
  })
})

test('a malformed job or option is refused, and the running job goes on', async () => {
  for (const options of [
    { threads: 0 },
    { threads: 1.5 },
    { throttle: 0 },
    { throttle: 1.1 },
    { throttle: Number.NaN },
  ]) {
    await assert.rejects(
      withMiner(options, async () => assert.fail()),
      RangeError,
    )
  }
  await withMiner({}, async (miner, reports, count) => {
    miner.mine({ id: 'good', header, target: IMPOSSIBLE, nonceRange: { first: 0, count: 500_000 } })
    const good = { id: 'bad', header, target: EASY }
    const bad = [
      { ...good, header: header.subarray(1) },
      { ...good, target: -1n },
      { ...good, nonceRange: { first: 0, count: 0 } },
      { ...good, nonceRange: { first: 1, count: 2 ** 32 } },
    ]
    for (const job of bad) assert.throws(() => miner.mine(job), RangeError)
    await count(1)
    assert.deepEqual(reports, ['exhausted good'])
  })
})

for (const ending of ['await miner.close()', '']) {
  test(`a process ends by itself while mining, ${ending === '' ? 'without' : 'after'} close`, async () => {
    const script = `
      import { Miner } from '${new URL('miner.ts', SOURCE)}'
      const miner = new Miner({ threads: 2, onFound() {}, onExhausted() {}, onError(error) { throw error } })
      miner.mine({ id: 'endless', header: new Uint8Array(80), target: 0n })
      while (miner.hashrate() === 0) await new Promise(resolve => setTimeout(resolve, 1))
      ${ending}
      console.log('ends')`
    const argv = ['--input-type=module', '--eval', script]
    // A process that does not end is killed, which fails the test.
    const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 60_000 })
    assert.equal(stdout, 'ends\n')
  })
}
