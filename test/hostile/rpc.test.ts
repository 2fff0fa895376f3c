// Every RPC method in the hands of a client that means harm.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../src/encoding/fields.ts'
import { CutOff } from '../../src/lab/links/cut-off.ts'
import { RpcError } from '../../src/rpc/errors.ts'
import { CONTROL_METHODS, findMethod, METHODS } from '../../src/rpc/methods.ts'
import { Slices } from '../../src/rpc/outcome.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { serve, TestNode, testGenesis, transfer } from '../rpc/harness.ts'
import { honestCalls, hostileCalls, type Known, OPEN_METHODS } from './rpc.ts'

/** The control methods of a server that `quorate node` opens. */
const CONTROL = new Map([...CONTROL_METHODS, ...new CutOff().methods({ abortConnections: () => {} })])
const ALL_METHODS = [...OPEN_METHODS, ...CONTROL.keys()]
const TRUSTED = { isTrusted: true, controlMethods: CONTROL }

// A chain with old and new final blocks, open ones, and something in the pool.
const grown = new TestNode(testGenesis({ depth: 4 }))
const sent = transfer()
grown.pool(sent)
const first = grown.mine()
grown.mine(140)
grown.pool(transfer({ nonce: 1n }))
grown.mine(3)
grown.pool(transfer({ nonce: 2n }))
const known: Known = { blockId: first.id, transactionId: sent.id }

/** Does a method's work to its end. */
async function workOff(node: TestNode, method: string, params: readonly Json[]): Promise<void> {
  try {
    const outcome = await findMethod(method, TRUSTED).answer(node, params)
    if (outcome instanceof Slices) while (!outcome.steps.next().done);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
  }
}

test('every RPC method has a price, and an honest call to be made hostile', () => {
  const honest = honestCalls(known)
  for (const [name, { price }] of [...METHODS, ...CONTROL]) {
    assert.ok(Number.isFinite(price.reads) && Number.isFinite(price.laterMs), name)
    assert.ok(honest.has(name), `${name} has no honest call in test/hostile/rpc.ts`)
  }
  assert.deepEqual(
    [...honest.keys()].filter(name => !ALL_METHODS.includes(name)),
    [],
  )
})

test('a stranger that makes hostile calls does not read more of the disk than the price of the method', async () => {
  for (const method of ALL_METHODS) {
    const { price } = findMethod(method, TRUSTED)
    const node = grown.restarted()
    for (const params of [...hostileCalls(method, known), ...hostileCalls(method, known)].slice(0, 200)) {
      node.reads = 0
      await workOff(node, method, params)
      const shown = JSON.stringify(params).slice(0, 100)
      assert.ok(
        node.reads <= price.reads,
        `${method} ${shown} reads ${node.reads} records, not ${price.reads}`,
      )
    }
  }
})

/** Requests of a few calls each, within the limits of a server. */
function* requests(method: string): Generator<readonly object[]> {
  let batch: object[] = []
  let size = 0
  for (const params of hostileCalls(method, known)) {
    const text = JSON.stringify(params)
    size += text.length + 100 * text.split(',').length
    if (size > 700_000 && batch.length > 0) {
      yield batch
      batch = []
      size = text.length
    }
    batch.push({ id: batch.length, method, params })
  }
  yield batch
}

/** Makes all hostile calls of these methods; a node that is not shown a cookie knows no control method. */
async function attack(t: TestContext, methods: readonly string[], isTrusted: boolean): Promise<Set<number>> {
  const node = grown.restarted()
  const faults: object[] = []
  const cookieDirectory = await temporaryDirectory(t)
  const client = await serve(t, node, {
    cookieDirectory,
    controlMethods: CONTROL,
    log: { error: fault => faults.push(fault) },
  })
  const cookie = await readFile(client.server.cookiePath!, 'utf8')
  const headers = isTrusted ? { authorization: `Bearer ${cookie}` } : {}
  const codes = new Set<number>()
  for (const method of methods) {
    for (const batch of requests(method)) {
      const { status, text } = await client.post(JSON.stringify(batch), { headers })
      assert.equal(status, 200, method)
      const answers = JSON.parse(text)
      assert.equal(answers.length, batch.length, `${method}: ${text.slice(0, 200)}`)
      for (const { id, error } of answers) {
        if (error === undefined) continue
        const call = JSON.stringify(batch[id]).slice(0, 200)
        assert.notEqual(error.code, -32603, call)
        assert.ok(error.message.length < 300, call)
        codes.add(error.code)
      }
    }
  }
  assert.deepEqual(faults, [])
  assert.equal(node.damage, null)
  assert.equal(await client.result('eth_blockNumber'), '0x90')
  return codes
}

test('a stranger that makes hostile calls of every method does not find a fault, nor fill the log', async t => {
  const codes = await attack(t, OPEN_METHODS, false)
  assert.ok(codes.has(-32602) && codes.has(-32000))
})

test('a stranger without the cookie does not reach a control method, whatever it sends', async t => {
  assert.deepEqual(await attack(t, [...CONTROL.keys()], false), new Set([-32001]))
})

test('whoever has the cookie does not find a fault by hostile calls either', async t => {
  assert.ok((await attack(t, [...CONTROL.keys()], true)).has(-32602))
})
