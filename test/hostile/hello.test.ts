// The word by which a validator proves who it is, while strangers take all the time that there is for what they ask.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { PROTOCOL } from '../../src/node/peer-links.ts'
import { RequestQueue } from '../../src/node/request-queue.ts'
import { encodeEnvelope } from '../finality/pbft-envelope.ts'
import { keyOf } from '../finality/test-validators.ts'
import { easyGenesis, nodesOf, until } from '../node/nodes.ts'
import { keyBeside, peerIdIn, RawPeer } from '../node/raw-peer.ts'

const keys = [keyOf('one'), keyOf('two')]

const committeeGenesis = () =>
  easyGenesis({
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

test('the hello of a validator is heard while the requests of strangers wait without end', async t => {
  const genesis = committeeGenesis()
  t.mock.method(RequestQueue.prototype, 'serve', () => new Promise<void>(() => {}))
  const open = nodesOf(t)
  const validator = (secretKey: Uint8Array) => ({ secretKey, mayForgetVotes: true })
  const a = await open({ genesis, validator: validator(keys[0]!) })
  const b = await open({ genesis, validator: validator(keys[1]!), bootstrap: a.multiaddrs() })
  const [idOfA, idOfB] = [a, b].map(node => peerIdIn(node.multiaddrs()[0]!)) as [string, string]
  await until('they know each other', () => {
    const [ofA, ofB] = [a.replica.finality, b.replica.finality]
    return ofA.isValidator(idOfB) && ofB.isValidator(idOfA)
  })

  assert.equal(a.peers().length, 1)
})

test('a stranger that says hello over one new link after another is served before others a few times only', async t => {
  const node = await nodesOf(t)({ genesis: committeeGenesis() })
  const prompt = t.mock.method(RequestQueue.prototype, 'serveHello', async () => {})
  const usual = t.mock.method(RequestQueue.prototype, 'serve', async () => {})
  const content = { type: 'hello', member: 0, signature: new Uint8Array(65).fill(7) } as const
  const hello = { type: 'finality', body: encodeEnvelope({ clockMs: 0, content }), block: null } as const
  const address = node.multiaddrs()[0]!
  const first = await RawPeer.connect(t, address, await keyBeside('before', peerIdIn(address)))
  const beganMs = performance.now()
  for (let link = 0; link < 7; link++) {
    const { network, connection } = first
    const peer = link === 0 ? first : new RawPeer(network, connection, await connection.newStream(PROTOCOL))
    const before = prompt.mock.callCount() + usual.mock.callCount()
    peer.greet(node)
    peer.send(hello)
    await until('it was heard', () => prompt.mock.callCount() + usual.mock.callCount() > before)
  }
  const refilled = Math.floor((performance.now() - beganMs) / 10_000)
  assert.ok(prompt.mock.callCount() <= 4 + refilled, `${prompt.mock.callCount()} of 7`)
})
