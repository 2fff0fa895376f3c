import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { recoverSender } from '../../src/chain/signature.ts'
import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { Gate } from '../../src/signatures/gate.ts'
import { packTransactions, unpackSender } from '../../src/signatures/packed.ts'
import type { ThreadSetup } from '../../src/signatures/recovery-thread.ts'
import { cleanUp } from '../cleanup.ts'
import { nobodysTransaction, signedTransactions } from './transactions.ts'

const { name } = await chooseBackend()
const transactions = [...signedTransactions(5), nobodysTransaction(5)]

/** A worker behind this gate, and the senders that it answers. */
const start = (t: TestContext, gate: Gate) => {
  const setup: ThreadSetup = { backend: name, gate: gate.cells }
  const worker = new Worker(new URL('../../src/signatures/worker.ts', import.meta.url), { workerData: setup })
  cleanUp(t, () => worker.terminate())
  const answers: Uint8Array[] = []
  worker.on('message', senders => answers.push(senders))
  return { worker, answers }
}

test('a worker answers batches in their order, and leaves its gate', { timeout: 20_000 }, async t => {
  const gate = new Gate()
  const { worker, answers } = start(t, gate)
  const reversed = transactions.toReversed()
  // No signature: the gate was passed only to load the back end.
  worker.postMessage(packTransactions([]))
  await once(worker, 'message')
  assert.equal(Atomics.load(gate.cells, 1), 0)
  worker.postMessage(packTransactions(transactions))
  worker.postMessage(packTransactions(reversed))
  while (answers.length < 3) await once(worker, 'message')
  assert.equal(Atomics.load(gate.cells, 1), 0)
  const senders = [0, 1, 2].map(batch => transactions.map((_, index) => unpackSender(answers[batch]!, index)))
  assert.deepEqual(senders[1], transactions.map(recoverSender))
  assert.equal(answers[0]!.length, 0)
  assert.deepEqual(senders[2], reversed.map(recoverSender))
})

test('a worker behind a gate that was shut answers nothing', { timeout: 20_000 }, async t => {
  const gate = new Gate()
  const { worker, answers } = start(t, gate)
  worker.postMessage(packTransactions(transactions))
  await once(worker, 'message')
  gate.shut()
  worker.postMessage(packTransactions(transactions))
  // It comes after what would be an answer: the worker takes nothing for a batch, and crashes.
  worker.postMessage(null)
  await once(worker, 'error')
  assert.equal(answers.length, 1)
})

test('a worker whose gate is shut before it starts ends at once', { timeout: 20_000 }, async t => {
  const gate = new Gate()
  gate.shut()
  const { worker, answers } = start(t, gate)
  worker.postMessage(packTransactions(transactions))
  assert.deepEqual(await once(worker, 'exit'), [0])
  assert.equal(answers.length, 0)
})
