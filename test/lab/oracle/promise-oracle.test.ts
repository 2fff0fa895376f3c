import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { PromiseOracle } from '../../../src/lab/oracle/promise-oracle.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import { REPLICA_LIMITS } from '../../../src/replica/limits.ts'
import { KEYS } from '../../../src/replica/records.ts'
import { TransactionOutcomes } from '../../../src/replica/transaction-outcomes.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { fees, SIMULATED_FILE, smallGenesis, transfer } from '../../replica/small-chain.ts'
import { TestNode } from '../../replica/test-node.ts'

const lost = { name: 'Violation', rule: 'C12' }

/** A node whose pool has room for so many transactions, which has acknowledged one, and its watcher. */
function promising(transactionsMax = 1) {
  const limits = { pool: { ...REPLICA_LIMITS.pool, transactionsMax } }
  const node = new TestNode(smallGenesis({ finality: { depth: 1 } }), { limits }).start()
  const watched = { id: 'n1', disk: node.disk, replica: node.replica } as unknown as SimNode
  const oracle = new PromiseOracle()
  const tx = transfer(1, 0)
  node.submit(tx.raw)
  oracle.afterPromise(watched, tx.id)
  oracle.afterStep(watched)
  const mine = (): void => {
    node.nowMs += 2_000
    node.startMining(1)
    node.finishMining()
  }
  return { node, watched, oracle, tx, mine, look: () => oracle.afterStep(watched) }
}

test('C12: a promise is kept by waiting, by a block, by a final block and over a restart', () => {
  const { node, watched, oracle, mine, look } = promising()
  Object.assign(watched, { replica: node.restarted().replica })
  look()
  Object.assign(watched, { replica: node.replica })
  mine()
  look()
  mine()
  mine()
  look()
  assert.equal(oracle.evictions, 0)
})

test('C12: a node that reports that it dropped a transaction, or what replaced it, is held to it no longer', () => {
  for (const [better, evictions] of [
    [transfer(2, 0, fees(9, 9)), 1],
    [transfer(1, 0, fees(9, 9)), 0],
  ] as const) {
    const { node, oracle, look } = promising()
    node.submit(better.raw)
    look()
    assert.equal(oracle.evictions, evictions)
  }
})

test('C12: what was given up before its node could say that it has it is no promise any more', () => {
  const { node, watched, oracle, tx } = promising()
  oracle.forget(watched)
  node.submit(transfer(2, 0, fees(9, 9)).raw)
  oracle.afterPromise(watched, tx.id)
  Object.assign(watched, { replica: node.restarted().replica })
  oracle.afterStep(watched)
})

test('C12: a transaction that leaves the pool without a word is found out', t => {
  const { node, look } = promising()
  t.mock.method(TransactionOutcomes.prototype, 'record', () => {})
  node.submit(transfer(2, 0, fees(9, 9)).raw)
  assert.throws(look, lost)
})

test('C12: one that waits and is not on disk any more is found out, before a restart and after it', () => {
  for (const restarts of [false, true]) {
    const { node, watched, tx, look } = promising(2)
    node.disk.write([{ key: KEYS.pooled(tx.id), value: null }])
    if (restarts) Object.assign(watched, { replica: node.restarted().replica })
    else node.submit(transfer(1, 1).raw)
    assert.throws(look, lost)
  }
})

test('C12: a node that has lost its disk is held to nothing', () => {
  const { node, watched, oracle, tx, look } = promising()
  oracle.forget(watched)
  node.disk.write([{ key: KEYS.pooled(tx.id), value: null }])
  Object.assign(watched, { replica: node.restarted().replica })
  look()
})

test('C12: runs with small pools find a replica that pushes transactions out without a word', async t => {
  const { recoverSender } = new SenderCache(await chooseBackend())
  t.mock.method(TransactionOutcomes.prototype, 'record', () => {})
  const verdicts = [1, 2, 3].map(seed =>
    simulate({
      seed,
      genesis: SIMULATED_FILE,
      nodes: 3,
      faults: new Set(),
      blocks: 8,
      transfers: 30,
      limits: { pool: 2 },
      recoverSender,
    }),
  )
  assert.ok(verdicts.some(({ reason }) => reason?.startsWith('C12: ')))
})
