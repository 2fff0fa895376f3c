// Seven validators under every attack of peers at once, by two strangers, each a process of its own: finality goes on. Each
// attack is on another validator, so that every one has seven or so, and none is attacked in one way only.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/encoding/bytes.ts'
import type { Node } from '../../src/node/node.ts'
import { cleanUp } from '../cleanup.ts'
import { keyOf } from '../finality/test-validators.ts'
import { addressOf, nodesOf } from '../node/nodes.ts'
import { peerIdIn } from '../node/raw-peer.ts'
import { AttackerProcess, sentTarget } from './attacker-handle.ts'
import { PEER_ATTACKS } from './attacks.ts'
import { eventually, hostileGenesis, targetOf } from './scene.ts'

const VALIDATORS = 7
const STRANGERS = 2
/** Blocks that must become final on every validator while all attacks are under way. */
const DECISIONS = 10

test('seven validators go on to make blocks final under all attacks at once', async t => {
  const keys = Array.from({ length: VALIDATORS }, (_, index) => keyOf(`besieged ${index}`))
  const genesis = hostileGenesis(keys)
  const open = nodesOf(t)
  const nodes: Node[] = []
  for (const secretKey of keys)
    nodes.push(
      await open({
        genesis,
        bootstrap: nodes.map(node => node.multiaddrs()[0]!),
        validator: { secretKey, mayForgetVotes: false },
      }),
    )
  const finalHeight = () => Math.min(...nodes.map(({ replica }) => replica.tree.base.chained.height))
  const mine = (blocks: number) => nodes[0]!.setMining(addressOf(1), blocks)
  mine(4)
  await eventually('the first block becomes final on all', () => finalHeight() > 0)

  const attackers: AttackerProcess[] = []
  for (let stranger = 0; stranger < STRANGERS; stranger++) {
    const attacker = await AttackerProcess.start()
    cleanUp(t, () => attacker.kill())
    attackers.push(attacker)
  }
  for (const [stranger, attacker] of attackers.entries())
    attacker.attack(
      PEER_ATTACKS.map(({ name }, index) => ({
        name,
        target: sentTarget(targetOf(nodes[(index + stranger) % VALIDATORS]!)),
      })),
    )
  const visited = new Set<Node>()
  const validators = new Set(nodes.map(node => peerIdIn(node.multiaddrs()[0]!)))
  await eventually('most have had strangers', () => {
    for (const node of nodes) if (node.peers().some(({ id }) => !validators.has(id))) visited.add(node)
    return visited.size > VALIDATORS / 2
  })
  const goal = finalHeight() + DECISIONS
  mine(DECISIONS)
  let lowest = finalHeight()
  await eventually('the blocks become final on all', () => {
    // As miners do: one block more for each that is final.
    if (finalHeight() > lowest) mine(1)
    lowest = finalHeight()
    return lowest >= goal
  })
  const costs = await Promise.all(attackers.map(attacker => attacker.stop()))
  for (const cost of costs) {
    t.diagnostic(JSON.stringify(cost))
    assert.ok(cost.connections > 0)
  }
  assert.deepEqual(
    nodes.map(node => node.finalityReport()?.muted ?? null),
    nodes.map(() => null),
  )
  const height = finalHeight()
  const headers = nodes.map(({ replica }) => toHex(replica.view.headerBytesAt(height)!))
  assert.equal(new Set(headers).size, 1, `not one block at height ${height}`)
})
