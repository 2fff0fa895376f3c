import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counters, kindOf } from '../../src/node/counters.ts'
import { addressOf, headAt, nodesOf, transfer, until } from './nodes.ts'

test('a message counts once for each recipient', () => {
  const counters = new Counters()
  counters.countSent('block', 100, 3)
  counters.countSent('block', 50)
  counters.countSent('status', 10, 0)
  counters.countHead(0)
  counters.countHead(4)
  counters.countHead(2)
  assert.deepEqual(counters.read({ signaturesChecked: 5, hashes: 6 }), {
    sent: new Map([
      ['block', { messages: 4, bytes: 350 }],
      ['status', { messages: 0, bytes: 0 }],
    ]),
    signaturesChecked: 5,
    hashes: 6,
    reorganisations: 2,
    deepestReorganisation: 4,
  })
})

test('a function that checks signatures counts each call, and answers as before', () => {
  const counters = new Counters()
  const check = counters.counting((one: number, other: number) => one === other)
  assert.deepEqual([check(1, 1), check(1, 2)], [true, false])
  assert.equal(counters.read({ signaturesChecked: 5, hashes: 0 }).signaturesChecked, 7)
})

test('a message counts under the kind that it names, or else under its type', () => {
  const request = { type: 'get-headers', requestId: 1, locator: [] } as const
  assert.equal(kindOf(request), 'get-headers')
  assert.equal(kindOf({ ...request, kind: 'prepare' } as typeof request), 'prepare')
})

test('nodes count what they send, check and hash', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [a.multiaddrs()[0]!] })
  await until('they are linked', () => a.peers().length === 1 && b.peers().length === 1)
  await a.submit(transfer(0, 0))
  await until('both have the transaction', () => b.replica.pool.size === 1)
  a.setMining(addressOf(50), 2)
  await Promise.all([a, b].map(node => headAt(node, 2)))
  const [ofA, ofB] = [a.counters(), b.counters()]
  assert.ok(ofA.sent.get('status')!.messages > 0)
  assert.ok(ofA.sent.get('block')!.messages >= 2)
  assert.ok(ofA.sent.get('transactions')!.bytes > 100)
  assert.deepEqual([ofA.signaturesChecked, ofB.signaturesChecked], [1, 1])
  assert.ok(ofA.hashes >= 2)
  assert.equal(ofB.hashes, 0)
})
