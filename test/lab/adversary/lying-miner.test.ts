// One miner of a run that lies: what it sends is real, honest nodes come through it, and a check that they lack is missed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIES } from '../../../src/lab/adversary/lies.ts'
import { FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import type { SimulationOptions } from '../../../src/lab/swarm/simulation-options.ts'
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
    faults: new Set(FAULT_KINDS),
    blocks: 12,
    transfers: 12,
    recoverSender,
    lyingMiner: true,
    ...changes,
  })

test('twenty runs with a lying miner and every fault pass, and nearly every lie was told', () => {
  const told = new Set<string>()
  const liars = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const blockTransactionsMax = seed % 4 === 0 ? 2 : null
    const result = run(seed, { blockTransactionsMax })
    assertPass(result)
    liars.add(result.lyingMiner!.id)
    for (const name of Object.keys(result.lyingMiner!.lies)) told.add(name)
  }
  assert.ok(liars.size >= 3, [...liars].join(', '))
  const untold = LIES.map(({ name }) => name).filter(name => !told.has(name))
  assert.ok(untold.length <= 3, untold.join(', '))
})

test('among validators that decide, a lying miner changes nothing either', () => {
  for (let seed = 1; seed <= 5; seed++)
    assertPass(runCommittee('hybrid', seed, { validators: 4, nodes: 5, lyingMiner: true, adversary: null }))
})

test('the same seed tells the same lies, and a run without a liar is as it was', () => {
  const first = run(3)
  assert.equal(run(3).traceHash, first.traceHash)
  assert.notEqual(run(3, { lyingMiner: false }).traceHash, first.traceHash)
  const { lyingMiner } = run(3, { lyingMiner: false })
  assert.equal(lyingMiner, null)
})

test('two nodes have no liar among them: neither could tell which one lies', () => {
  assert.equal(run(4, { nodes: 2 }).lyingMiner, null)
})
