// A node that votes: what it says survives it, and what of it is damaged or gone keeps it from voting.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { DamagedVotes } from '../../src/finality/committee-records.ts'
import { Database } from '../../src/node/database.ts'
import type { Node } from '../../src/node/node.ts'
import type { ValidatorOptions } from '../../src/node/node-options.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { keyOf } from '../finality/test-validators.ts'
import { easyGenesis, nodesOf, transfer, until } from './nodes.ts'

const [secretKey, other] = [keyOf('one'), keyOf('two')]

function genesisOf(...keys: readonly Uint8Array[]) {
  const validators = keys.map((key, index) => ({ name: `v${index + 1}`, address: addressOfSecretKey(key) }))
  return easyGenesis({
    work: { proof: 'none', futureLimitSeconds: 15 },
    finality: {
      mode: 'pbft',
      pattern: 'all-to-all',
      timeoutMs: 500,
      intervalMs: 200,
      heartbeatSeconds: null,
      validators,
    },
  })
}

const honest = (key: Uint8Array): ValidatorOptions => ({ secretKey: key, mayForgetVotes: false })

/** Opens, again and again, the node of one folder. */
async function reopening(t: TestContext, ...keys: readonly Uint8Array[]) {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const genesis = genesisOf(...keys)
  return {
    dataDirectory,
    open: (validator: ValidatorOptions | null) =>
      open({ genesis, dataDirectory, ...(validator === null ? {} : { validator }) }),
  }
}

const self = (node: Node) => node.finalityReport()!.self

async function change(dataDirectory: string, key: string, value: Uint8Array | null): Promise<void> {
  const database = await Database.open(join(dataDirectory, 'chain'))
  database.stage([{ key, value }])
  await database.flush()
  await database.close()
}

test('the only validator makes submitted transactions final, and votes on when it is opened again', async t => {
  const { open } = await reopening(t, secretKey)
  for (const nonce of [0, 1]) {
    const node = await open(honest(secretKey))
    assert.equal(self(node), 0)
    assert.ok('id' in (await node.submit(transfer(0, nonce))))
    await until('a final block', () => node.replica.tree.base.chained.height === nonce + 1)
    await node.close()
  }
})

test('a folder from which no vote was given is as new for another key, which asks before it votes', async t => {
  const { open } = await reopening(t, secretKey, other)
  const first = await open(honest(other))
  assert.equal(self(first), 1)
  await first.close()
  for (let time = 0; time < 2; time++) {
    const node = await open(honest(secretKey))
    assert.equal(self(node), 0)
    assert.match(node.finalityReport()!.muted ?? '', /asks the others/)
    await node.close()
  }
  const told = await open({ ...honest(secretKey), mayForgetVotes: true })
  assert.equal(self(told), 0)
  await told.close()
  const node = await open(honest(secretKey))
  assert.equal(self(node), 0)
})

test('a node that only followed has no record of votes, and must be told to vote', async t => {
  const { open } = await reopening(t, secretKey)
  await (await open(null)).close()
  assert.equal(self(await open(honest(secretKey))), null)
})

test('a damaged vote keeps the node from starting, and is told by name', async t => {
  const { open, dataDirectory } = await reopening(t, secretKey)
  await (await open(honest(secretKey))).close()
  await change(dataDirectory, 'finality/vote/view', Uint8Array.of(1, 2, 3))
  await assert.rejects(open(honest(secretKey)), DamagedVotes)
})
