// What reaches the replica and the host of what peers send, as their links come and go.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/node/host.ts'
import { MessageIntake } from '../../src/node/message-intake.ts'
import { SenderRecovery } from '../../src/node/sender-recovery.ts'
import type { Effect } from '../../src/replica/effects.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import { TestNode } from '../replica/test-node.ts'
import { easyGenesis, silent } from './nodes.ts'

const genesis = easyGenesis()
const { block, blocks } = genesis
const STATUS = encodeMessage({
  type: 'status',
  status: { genesisId: block.id, chainId: blocks.chainId, headId: block.id, height: 3, work: 9n },
})

/** An intake whose host has no connection, and the peers that the host was told to confirm. */
function setUp() {
  const node = new TestNode(genesis).start()
  const confirmed: string[] = []
  const inputs: string[] = []
  const host = { peers: () => [], addressOf: () => null, confirm: (peer: string) => confirmed.push(peer) }
  const intake = new MessageIntake({
    replica: node.replica,
    recovery: new SenderRecovery(node.replica, { recover: async () => {} }),
    host: () => host as unknown as Host,
    step: input => {
      inputs.push(input.type)
      const effects: readonly Effect[] = node.step(input)
      return { effects, performed: Promise.resolve(true) }
    },
    log: silent,
  })
  return { intake, confirmed, inputs }
}

test('the first status on a link confirms its peer, and what a peer says before it is ignored', async () => {
  const { intake, confirmed, inputs } = setUp()
  intake.onPeerConnected('p')
  await intake.onMessage('p', encodeMessage({ type: 'get-headers', requestId: 1, locator: [block.id] }))
  assert.deepEqual([intake.headOf('p'), confirmed, inputs], [null, [], ['peer-connected']])
  await intake.onMessage('p', STATUS)
  assert.deepEqual([intake.headOf('p'), confirmed], [{ id: block.id, height: 3 }, ['p']])
  intake.onPeerDisconnected('p')
  intake.onPeerConnected('p')
  assert.equal(intake.headOf('p'), null)
})

test('a status that was on its way when its link ended leaves no trace of the peer', async () => {
  const { intake, confirmed, inputs } = setUp()
  intake.onPeerConnected('p')
  const handled = intake.onMessage('p', STATUS)
  intake.onPeerDisconnected('p')
  await handled
  await intake.onMessage('p', STATUS)
  assert.deepEqual([intake.headOf('p'), confirmed], [null, []])
  assert.deepEqual(inputs, ['peer-connected', 'peer-disconnected'])
})
