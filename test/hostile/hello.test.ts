// The word by which a validator proves who it is, while strangers take all the time that there is for what they ask.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { RequestQueue } from '../../src/node/request-queue.ts'
import { keyOf } from '../finality/test-validators.ts'
import { easyGenesis, nodesOf, until } from '../node/nodes.ts'
import { peerIdIn } from '../node/raw-peer.ts'

test('the hello of a validator is heard while the requests of strangers wait without end', async t => {
  const keys = [keyOf('one'), keyOf('two')]
  const genesis = easyGenesis({
    work: { proof: 'none', futureLimitSeconds: 15 },
    finality: {
      mode: 'pbft',
      pattern: 'all-to-all',
      timeoutMs: 500,
      intervalMs: 200,
      heartbeatSeconds: null,
      validators: keys.map((key, index) => ({ name: `v${index + 1}`, address: addressOfSecretKey(key) })),
    },
  })
  t.mock.method(RequestQueue.prototype, 'serve', () => new Promise<void>(() => {}))
  const open = nodesOf(t)
  const validator = (secretKey: Uint8Array) => ({ secretKey, mayForgetVotes: true, role: null })
  const a = await open({ genesis, validator: validator(keys[0]!) })
  const b = await open({ genesis, validator: validator(keys[1]!), bootstrap: a.multiaddrs() })
  const [idOfA, idOfB] = [a, b].map(node => peerIdIn(node.multiaddrs()[0]!)) as [string, string]
  await until('they know each other', () => {
    const [ofA, ofB] = [a.replica.finality, b.replica.finality]
    return ofA.isValidator(idOfB) && ofB.isValidator(idOfA)
  })

  assert.equal(a.peers().length, 1)
})
