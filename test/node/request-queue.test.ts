import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestQueue } from '../../src/node/request-queue.ts'

/** A queue in virtual time: each request costs so many milliseconds, and a wait passes at once. */
function inVirtualTime() {
  let nowMs = 0
  const queue = new RequestQueue({
    now: () => nowMs,
    sleep: async ms => {
      nowMs += ms
    },
  })
  const ask = (peer: string, costMs: number, bytes = 0, group = peer): Promise<void> =>
    queue.serve(peer, group, () => {
      nowMs += costMs
      return bytes
    })
  const spend = (ms: number): void => {
    nowMs += ms
  }
  return { queue, ask: Object.assign(ask, { spend }), now: () => nowMs }
}

test('what is asked is served one at a time, in the order in which it came, with the event loop free in between', async () => {
  const queue = new RequestQueue()
  const seen: string[] = []
  let turns = 0
  const count = (): void => {
    turns += 1
    if (seen.length < 4) setImmediate(count)
  }
  setImmediate(count)
  const peers = ['a', 'b', 'c', 'd']
  const served = peers.map(peer =>
    queue.serve(peer, peer, () => {
      seen.push(`${peer} ${turns}`)
      return 0
    }),
  )
  await Promise.all(served)
  assert.deepEqual(
    seen.map(one => one[0]),
    peers,
  )
  assert.equal(new Set(seen.map(one => one.slice(2))).size, 4, 'each in a turn of its own')
})

test('a peer gets no more than its share of the time, whatever a request costs', async () => {
  for (const costMs of [1, 40, 400]) {
    const { ask, now } = inVirtualTime()
    let spentMs = 0
    while (now() < 60_000) {
      await ask('a', costMs)
      spentMs += costMs
    }
    assert.ok(spentMs <= 0.16 * now() + 250 + costMs, `${spentMs} of ${now()} ms`)
    assert.ok(spentMs >= 0.12 * now(), 'and no less')
  }
})

test('many peers get no more than twice as much together', async () => {
  const { ask, now } = inVirtualTime()
  let spentMs = 0
  while (now() < 60_000)
    for (let peer = 0; peer < 40; peer++) {
      await ask(`p${peer}`, 20)
      spentMs += 20
    }
  assert.ok(spentMs <= 0.32 * now() + 250 + 20, `${spentMs} of ${now()} ms`)
})

test('the peers of one group of addresses get no more than its share, and a new identity no more at once', async () => {
  const { ask, now } = inVirtualTime()
  let [spentMs, identities] = [0, 0]
  while (now() < 60_000) {
    await ask(`p${identities++}`, 20, 0, 'one house')
    spentMs += 20
  }
  assert.ok(spentMs <= 0.21 * now() + 250 + 20, `${spentMs} of ${now()} ms`)
  assert.ok(spentMs >= 0.17 * now(), 'and no less')
})

test('of those that wait the one that owes least is served first, and none starves for having owed something', async () => {
  const { queue, ask } = inVirtualTime()
  for (const [peer, costMs] of [
    ['much', 200],
    ['some', 20],
  ] as const)
    await ask(peer, costMs)
  const order: string[] = []
  const served = ['much', 'some', 'nothing'].map(peer =>
    queue.serve(peer, peer, () => {
      order.push(peer)
      return 0
    }),
  )
  await Promise.all(served)
  assert.deepEqual(order, ['nothing', 'some', 'much'])
})

test('a hello is served although all that strangers may cost is spent, and hellos have a share too', async () => {
  const { queue, ask, now } = inVirtualTime()
  for (let peer = 0; peer < 40; peer++) await ask(`p${peer}`, 40, 4 * 1024 * 1024)
  const beganMs = now()
  const hello = (costMs: number) =>
    queue.serveHello('validator', 'house', () => {
      ask.spend(costMs)
      return 0
    })
  await hello(1)
  assert.equal(now(), beganMs + 1)
  for (let count = 0; count < 1_000; count++) await hello(1)
  assert.ok(now() - beganMs >= (1_000 - 260) / 0.05, `${now() - beganMs} ms`)
})

test('hellos that no validator could need wait with all other requests, and as few as those', async () => {
  const queue = new RequestQueue()
  let [served, asked] = [0, 0]
  const work = () => {
    served += 1
    return 0
  }
  const hellos: Promise<void>[] = []
  for (; asked < 1_000; asked++) hellos.push(queue.serveHello('a', 'house', work))
  await Promise.all(hellos)
  // The lane holds 256; of the others one waits among the requests of its peer, and the rest is dropped.
  assert.equal(served, 257)
  await queue.serveHello('b', 'house', work)
  assert.equal(served, 258)
})

test('large answers cost, though they take no time', async () => {
  const { ask, now } = inVirtualTime()
  for (let answer = 0; answer < 100; answer++) await ask('a', 0.001, 4 * 1024 * 1024)
  // 40 ms each, of which 250 may be spent at once.
  assert.ok(now() >= (100 * 40 - 300) / 0.15, `${now()} ms`)
})

test('a peer that asks on another link while it waits is not heard', async () => {
  const queue = new RequestQueue()
  let served = 0
  const work = () => {
    served += 1
    return 0
  }
  await Promise.all([queue.serve('a', 'a', work), queue.serve('a', 'a', work), queue.serve('b', 'b', work)])
  assert.equal(served, 2)
})

test('a request that fails does not keep the next from being served', async () => {
  const queue = new RequestQueue()
  await assert.rejects(
    queue.serve('a', 'a', () => {
      throw new Error('no')
    }),
  )
  let isServed = false
  await queue.serve('b', 'b', () => {
    isServed = true
    return 0
  })
  assert.ok(isServed)
})

test('what waits when the queue is closed is dropped', async () => {
  const queue = new RequestQueue()
  const spend = (peer: string, ms: number) =>
    queue.serve(peer, peer, () => {
      const endMs = performance.now() + ms
      while (performance.now() < endMs);
      return 0
    })
  await spend('a', 300)
  let isServed = false
  const waiting = queue.serve('a', 'a', () => {
    isServed = true
    return 0
  })
  queue.close()
  await waiting
  assert.equal(isServed, false)
})
