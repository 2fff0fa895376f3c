import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoverSender } from '../../../src/chain/signature.ts'
import { decodeTransaction } from '../../../src/chain/transaction.ts'
import { createClients, Workload } from '../../../src/lab/clients/workload.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { accepted } from '../../chain/examples.ts'

const workload = (seed: string): Workload => new Workload(createClients(3), [], 7n, new Random(seed))

test('the same seed plans the same transfers', () => {
  const [a, b] = [workload('x'), workload('x')]
  for (let index = 0; index < 5; index++) assert.deepEqual(a.next(), b.next())
})

test('each transfer is signed by its sender, with its next nonce, and a rival spends the same nonce', () => {
  const plan = workload('x')
  const nonces = new Map<string, bigint>()
  let rivals = 0
  let selfTransfers = 0
  for (let index = 0; index < 60; index++) {
    const { sender, nonce, raw, rival } = plan.next()
    assert.equal(nonce, nonces.get(sender) ?? 0n)
    nonces.set(sender, nonce + 1n)
    const versions = [raw, rival].filter(bytes => bytes !== null)
    for (const bytes of versions) {
      const tx = accepted(decodeTransaction(bytes))
      assert.equal(recoverSender(tx), sender)
      assert.equal(tx.nonce, nonce)
      assert.equal(tx.chainId, 7n)
      if (tx.to === sender) selfTransfers += 1
    }
    if (rival !== null) rivals += 1
  }
  assert.ok(rivals > 0 && selfTransfers > 0)
})
