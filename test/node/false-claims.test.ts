// Strangers that claim more work than there is, on real sockets: a node that joins has the chain of the honest peer all the
// same. What they cost in ticks is counted in virtual time (test/replica/false-claims.test.ts).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../src/node/node.ts'
import { addressOf, nodesOf } from './nodes.ts'
import { RawPeer } from './raw-peer.ts'

const BLOCKS = 20
const STRANGERS = 4

function reached(node: Node, height: number): Promise<void> {
  return new Promise(resolve => {
    node.onHead(head => head.height >= height && resolve())
  })
}

for (const behaviour of ['never answer', 'answer with nothing'] as const) {
  test(`strangers that claim much work and ${behaviour} do not keep a joiner from the chain`, async t => {
    const openNode = nodesOf(t)
    const joiner = await openNode()
    const { genesis } = joiner.replica
    const status = {
      genesisId: genesis.block.id,
      chainId: genesis.blocks.chainId,
      headId: genesis.block.id,
      height: BLOCKS,
      work: 2n ** 200n,
    }
    const asked: string[] = []
    for (let count = 0; count < STRANGERS; count++) {
      const stranger = await RawPeer.connect(t, joiner.multiaddrs()[0]!)
      stranger.send({ type: 'status', status })
      void (async () => {
        const { requestId } = await stranger.receive('get-headers')
        asked.push(stranger.id)
        if (behaviour === 'never answer') return
        stranger.send({ type: 'headers', requestId, headers: [] })
        stranger.send({ type: 'status', status })
      })()
    }
    const honest = await openNode()
    const mined = reached(honest, BLOCKS)
    honest.setMining(addressOf(1), BLOCKS)
    await mined
    const joined = reached(joiner, BLOCKS)
    honest.addPeer(joiner.multiaddrs()[0]!)
    await joined
    assert.ok(asked.length > 0, 'strangers were asked, and did not matter')
  })
}
