// One peer of a run that lies about its chain: a node that asks it gets the chain from other peers, and blames none of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LyingPeer } from '../../../src/lab/adversary/lying-peer.ts'
import { FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import type { SimulationOptions } from '../../../src/lab/swarm/simulation-options.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { SIMULATED_FILE } from '../../replica/small-chain.ts'
import { assertPass, runCommittee } from '../swarm/committees.ts'

const { recoverSender } = new SenderCache(await chooseBackend())

const run = (seed: number, changes: Partial<SimulationOptions> = {}) =>
  simulate({
    seed,
    genesis: SIMULATED_FILE,
    nodes: 5,
    faults: new Set([...FAULT_KINDS, 'disk-loss']),
    blocks: 12,
    transfers: 12,
    recoverSender,
    lyingPeer: true,
    ...changes,
  })

test('twenty runs with a lying peer and every fault pass, and it lied in every way', () => {
  const told = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const result = run(seed)
    assertPass(result)
    for (const name of Object.keys(result.lyingPeer!.lies)) told.add(name)
  }
  assert.deepEqual([...told].sort(), [
    'blocks backwards',
    'blocks that are none',
    'claim',
    'few headers',
    'headers backwards',
    'headers that are none',
    'headers with a gap',
    'no blocks',
    'no claim',
    'no headers',
    'no transactions',
    'one block',
    'one block many times',
    'the last transaction',
    'transactions backwards',
    'transactions that are none',
  ])
})

for (const mode of ['pbft', 'hybrid'] as const)
  test(`${mode}: a follower that lies about its chain keeps no node from what is final`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const result = runCommittee(mode, seed, {
        validators: 4,
        nodes: 6,
        lyingPeer: true,
        faults: new Set([...FAULT_KINDS, 'disk-loss']),
      })
      assertPass(result)
      assert.match(result.lyingPeer!.id, /^n[56]$/, 'no node whose votes are needed')
    }
  })

test('it lies about what it has and claims, and about nothing else', () => {
  const peer = new LyingPeer('n1', new Random('seed'))
  const request = { type: 'get-blocks', requestId: 1, ids: [] } as const
  for (let count = 0; count < 20; count++) assert.equal(peer.twist(request), request)
  assert.equal(peer.told.size, 0)
})

test('of three nodes none is a lying peer: the other two could not get the chain from each other alone', () => {
  assert.equal(run(4, { nodes: 3 }).lyingPeer, null)
})
