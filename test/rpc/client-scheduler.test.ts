import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, clientOf } from '../../src/rpc/client-address.ts'
import { ClientScheduler, type Turn, type TurnLimits } from '../../src/rpc/client-scheduler.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { serve, TestNode } from './harness.ts'

/** A clock that moves when work is done, or when all wait. */
class VirtualTime {
  nowMs = 0
  /** ClientScheduler of the event loop so far. */
  turns = 0
  #soon: (() => void)[] = []
  #timers: { atMs: number; task: () => void }[] = []

  readonly now = (): number => this.nowMs

  soon(task: () => void): void {
    this.#soon.push(task)
  }

  later(ms: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  /** Lets everything happen that is to happen before this hour. */
  async runUntil(endMs: number): Promise<void> {
    for (;;) {
      await Promise.resolve()
      this.turns += 1
      const task = this.#soon.shift() ?? this.#nextTimer(endMs)
      if (task === undefined) break
      task()
      if (this.nowMs >= endMs) return
    }
    this.nowMs = Math.max(this.nowMs, endMs)
  }

  #nextTimer(endMs: number): (() => void) | undefined {
    const [next] = this.#timers.sort((a, b) => a.atMs - b.atMs)
    if (next === undefined || next.atMs > endMs) return undefined
    this.#timers.shift()
    this.nowMs = Math.max(this.nowMs, next.atMs)
    return next.task
  }
}

function setUp(changes: Partial<TurnLimits> = {}) {
  const time = new VirtualTime()
  const turns = new ClientScheduler({ ...RPC_LIMITS, ...changes }, time)
  const spent = new Map<string, number>()
  let refused = 0
  const ask = (client: Client, costMs: number, steps = 1): Promise<void> => {
    let left = steps
    return turns.run(client, turn => {
      if (turn.isRefused) {
        refused += 1
        return 'done'
      }
      time.nowMs += costMs
      spent.set(client.key, (spent.get(client.key) ?? 0) + costMs)
      left -= 1
      return left > 0 ? 'more' : 'done'
    })
  }
  return { time, turns, ask, spent, refused: () => refused }
}

const a = clientOf('192.0.2.1')
const b = clientOf('192.0.2.2')
const local = clientOf('127.0.0.1')

test('a turn of the event loop has 10 ms of work at most, but for its last step', async () => {
  const { time, ask, turns } = setUp()
  const costs = new Map<number, number>()
  const note = (turn: Turn): void => {
    assert.ok(turn.endMs <= time.nowMs + 10)
    costs.set(time.turns, (costs.get(time.turns) ?? 0) + 3)
    time.nowMs += 3
  }
  for (let request = 0; request < 50; request++) {
    void turns.run(request % 2 === 0 ? a : local, turn => {
      note(turn)
      return 'done'
    })
  }
  void ask(b, 1)
  await time.runUntil(10_000)
  assert.equal(
    [...costs.values()].reduce((sum, cost) => sum + cost),
    150,
  )
  for (const cost of costs.values()) assert.ok(cost <= 12, `${cost} ms`)
})

test('an address that asks for much does not keep another waiting for more than a turn', async () => {
  const { time, turns } = setUp()
  const order: string[] = []
  const request = (client: Client, name: string): Promise<void> =>
    turns.run(client, () => {
      time.nowMs += 20
      order.push(name)
      return 'done'
    })
  for (let index = 0; index < 40; index++) void request(a, 'a')
  void request(b, 'b')
  void request(b, 'b')
  void request(local, 'local')
  await time.runUntil(500)
  assert.deepEqual(order.slice(0, 7), ['a', 'local', 'a', 'b', 'a', 'b', 'a'])
})

test('of the requests of one address a long one does not hold up short ones', async () => {
  const { time, turns } = setUp()
  const order: string[] = []
  let left = 10
  const long = turns.run(a, () => {
    time.nowMs += 10
    order.push('long')
    left -= 1
    return left > 0 ? 'more' : 'done'
  })
  for (const name of ['short 1', 'short 2'])
    void turns.run(a, () => {
      order.push(name)
      return 'done'
    })
  await time.runUntil(1_000)
  await long
  assert.deepEqual(order.slice(0, 4), ['long', 'long', 'short 1', 'short 2'])
})

test('of one address a connection with few calls does not wait behind those with many, which go on', async () => {
  for (const client of [a, local]) {
    const credit = { share: 1, burstMs: 1_000 }
    const { time, turns } = setUp({ addressCredit: credit, strangersCredit: credit })
    const doneMs = Array.from({ length: 8 }, () => 0)
    for (const index of doneMs.keys()) {
      const step = () => {
        time.nowMs += 10
        doneMs[index]! += 10
        return 'more' as const
      }
      void turns.run(client, step, {})
    }
    const probe = {}
    let longestMs = 0
    while (time.nowMs < 5_000) {
      const askedMs = time.nowMs
      const step = () => {
        // At first no address has cost anything.
        if (askedMs >= 500) longestMs = Math.max(longestMs, time.nowMs - askedMs)
        return 'done' as const
      }
      void turns.run(client, step, probe)
      await time.runUntil(askedMs + 50)
    }
    assert.ok(longestMs <= 20, `it waited for ${longestMs} ms`)
    assert.ok(Math.min(...doneMs) > 400, `of 5,000 ms one of eight had ${Math.min(...doneMs)}`)
  }
})

test('of one address connections that are new with each call do not keep an old one from its turn', async () => {
  const { time, turns } = setUp()
  let oldMs = 0
  const old = () => {
    time.nowMs += 10
    oldMs += 10
    return 'more' as const
  }
  void turns.run(local, old, {})
  const brief = () => {
    time.nowMs += 10
    return 'done' as const
  }
  for (let count = 0; count < 9; count++) {
    const again = (): Promise<void> => turns.run(local, brief, {}).then(again)
    void again()
  }
  await time.runUntil(5_000)
  assert.ok(oldMs >= 250, `of 5,000 ms it had ${oldMs}, one of ten`)
})

test('an address of another machine gets no more than its share, whatever a request costs', async () => {
  for (const costMs of [1, 40, 700]) {
    const { time, ask, spent } = setUp()
    while (time.nowMs < 20_000) {
      void ask(a, costMs)
      void ask(a, costMs)
      await time.runUntil(time.nowMs + 2 * costMs)
    }
    const total = spent.get(a.key)!
    assert.ok(total <= 0.15 * time.nowMs + 1_000 + 2 * costMs, `${total} of ${time.nowMs} ms`)
    assert.ok(total >= 0.1 * time.nowMs, `and no less than ${total}`)
  }
})

test('many addresses get no more than twice as much together, and this machine goes on', async () => {
  const { time, ask, spent } = setUp()
  while (time.nowMs < 60_000) {
    for (let index = 0; index < 50; index++) void ask(clientOf(`198.51.100.${index}`), 20)
    const before = time.nowMs
    let isServed = false
    void ask(local, 1).then(() => {
      isServed = true
    })
    await time.runUntil(before + 100)
    assert.ok(isServed, 'within a turn or two')
  }
  spent.delete(local.key)
  const total = [...spent.values()].reduce((sum, ms) => sum + ms)
  assert.ok(total <= 0.3 * time.nowMs + 1_000 + 100, `${total} of ${time.nowMs} ms`)
})

test('an address that owes so much that it would wait for more than five seconds is refused, and its request is not read', async () => {
  const { time, turns, ask, refused } = setUp()
  void ask(a, 3_000)
  void ask(a, 1)
  assert.equal(turns.mayAsk(a), false)
  assert.equal(turns.mayAsk(b), false, 'what strangers owe together')
  assert.equal(turns.mayAsk(local), true)
  await time.runUntil(time.nowMs + 4_900)
  assert.equal(refused(), 0, 'it waits')
  await time.runUntil(time.nowMs + 200)
  assert.equal(refused(), 1)
  await time.runUntil(time.nowMs + 20_000)
  assert.equal(turns.mayAsk(a), true)
})

test('an address that owes a little waits and is served', async () => {
  const { time, ask, spent, refused } = setUp()
  void ask(a, 1_300)
  void ask(a, 1)
  await time.runUntil(2_000)
  assert.equal(spent.get(a.key), 1_300)
  await time.runUntil(4_000)
  assert.deepEqual([spent.get(a.key), refused()], [1_301, 0])
})

test('what follows an answer is owed too, and so are its bytes', () => {
  const { time, turns } = setUp()
  void turns.run(a, turn => {
    turn.charge(3_000)
    return 'done'
  })
  assert.equal(time.nowMs, 0)
  assert.equal(turns.mayAsk(a), false)
  turns.chargeBytes(local, 2_000 * 1_048_576)
  assert.equal(turns.mayAsk(local), false)
})

test('an address has so many requests waiting at most, those that wait for something else too', async () => {
  const { turns, time } = setUp({ waitingMax: 2 })
  let go = (): void => {}
  const waited = new Promise<void>(resolve => {
    go = resolve
  })
  let steps = 0
  const run = () =>
    turns.run(a, () => {
      steps += 1
      return steps <= 2 ? waited : 'done'
    })
  const both = Promise.all([run(), run()])
  assert.equal(turns.mayAsk(a), false)
  assert.equal(turns.mayAsk(b), true)
  go()
  await time.runUntil(1_000)
  await both
  assert.equal(steps, 4)
  assert.equal(turns.mayAsk(a), true)
})

test('a step that fails ends its own request alone', async () => {
  const { turns, ask } = setUp()
  const bad = turns.run(a, () => {
    throw new Error('no')
  })
  await assert.rejects(bad, /no/)
  const later = turns.run(a, () => Promise.reject(new Error('later')))
  await assert.rejects(later, /later/)
  await ask(a, 1)
  assert.equal(turns.mayAsk(a), true)
})

test('a client is the address of its socket; an IPv6 address stands for its network', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    assert.equal(clientOf(address).isLocal, true, address)
  assert.deepEqual(clientOf('::ffff:192.0.2.1'), a)
  const net = clientOf('2001:db8:1:2:3:4:5:6')
  assert.deepEqual(net, { key: '2001:db8:1:2::', isLocal: false })
  assert.deepEqual(clientOf('2001:db8:1:2::9'), net)
  assert.deepEqual(clientOf('fe80::1%eth0'), clientOf('fe80::ffff:2%eth1'))
  assert.notDeepEqual(clientOf('2001:db8:1:3::9'), net)
  assert.equal(clientOf(undefined).isLocal, false)
})

test('an honest burst of this machine is served in full: 5,000 balances, in batches and one by one', async t => {
  const node = new TestNode()
  node.mine(3)
  const client = await serve(t, node)
  const call = (id: number) => ({ id, method: 'eth_getBalance', params: [`0x${'11'.repeat(20)}`, 'latest'] })
  const batches = Array.from({ length: 9 }, () =>
    client.post(JSON.stringify(Array.from({ length: 500 }, (_, id) => call(id)))),
  )
  const singles = Array.from({ length: 500 }, (_, id) => client.post(JSON.stringify(call(id))))
  const answers = (await Promise.all([...batches, ...singles])).flatMap(({ text }) => JSON.parse(text))
  assert.equal(answers.length, 5_000)
  for (const { result } of answers) assert.equal(result, '0x0')
})
