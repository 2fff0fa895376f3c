import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULT_KINDS, RARE_FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { ofRegressionFile, toRegressionFile } from '../../../src/lab/swarm/regression-file.ts'
import { ruleOf, shrink } from '../../../src/lab/swarm/shrink.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import type { SimulationOptions } from '../../../src/lab/swarm/simulation-options.ts'
import type { SimulationResult } from '../../../src/lab/swarm/simulation-result.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { SIMULATED_FILE } from '../../replica/small-chain.ts'
import { COMMITTEE_FILES, runCommittee } from './committees.ts'

const cache = new SenderCache(await chooseBackend())
const ALL = new Set([...FAULT_KINDS, ...RARE_FAULT_KINDS])

const mined: SimulationOptions = {
  seed: 5,
  genesis: SIMULATED_FILE,
  nodes: 5,
  faults: ALL,
  blocks: 20,
  transfers: 12,
  recoverSender: cache.recoverSender,
}

/** What a run has that is neither lied to nor limited. */
const OPEN = { lyingMiner: false, blockBytesMax: null, halvingBlocks: null, depth: null }

/** A rule that is too strict on purpose: the run fails wherever this holds. */
const strict =
  (rule: string, isBroken: (result: SimulationResult) => boolean) =>
  (options: SimulationOptions): SimulationResult => {
    const result = simulate(options)
    return isBroken(result) ? { ...result, verdict: 'SAFETY', reason: `${rule}: planted` } : result
  }

test('a run made from the list of its own faults is the same run, to the byte', () => {
  const first = simulate(mined)
  assert.ok(first.script.events.length > 10)
  assert.equal(simulate({ ...mined, script: first.script }).traceHash, first.traceHash)
  for (const mode of ['pbft', 'hybrid'] as const) {
    const drawn = runCommittee(mode, 2, { faults: ALL })
    assert.equal(runCommittee(mode, 2, { faults: ALL, script: drawn.script }).traceHash, drawn.traceHash)
  }
})

test('a planted rule that a deep reorganisation breaks shrinks to a few faults, and the file replays it', () => {
  const look = strict('T1', result => result.deepestReorganisation >= 3)
  const seed = Array.from({ length: 40 }, (_, index) => index + 1).find(
    seed => ruleOf(look({ ...mined, seed })) !== null,
  )
  assert.ok(seed !== undefined)
  const options = { ...mined, seed }
  const found = shrink(options, { simulate: look, runsMax: 150 })
  assert.ok(found !== null)
  assert.equal(ruleOf(found.result), 'T1')
  const before = look(options).script.events.length
  assert.ok(
    found.script.events.length <= 30 && found.script.events.length < before,
    `${found.script.events.length}`,
  )
  const again = ofRegressionFile(JSON.parse(JSON.stringify(toRegressionFile(found))))
  assert.ok(again !== null)
  const replayed = look({ ...again, recoverSender: cache.recoverSender })
  assert.equal(ruleOf(replayed), 'T1')
  assert.equal(replayed.traceHash, found.result.traceHash)
})

test('a planted rule that one crash breaks shrinks to that crash, on a quiet network with fewer nodes', () => {
  const look = strict('T2', result => result.crashes > 0)
  const found = shrink(
    { ...mined, faults: new Set(['crash', 'loss', 'delay']) },
    { simulate: look, runsMax: 150 },
  )
  assert.ok(found !== null)
  const { options, script } = found
  assert.equal(script.events.length, 1)
  assert.ok(options.nodes < mined.nodes && options.transfers <= 1, `${options.nodes} ${options.transfers}`)
  assert.equal(script.plan.lossRate, 0)
})

test('a lying miner and small limits go when a run fails without them, and stay when it does not', () => {
  const small = { ...mined, lyingMiner: true, blockBytesMax: 1_500, halvingBlocks: 3, depth: 12 }
  const faults = new Set(['crash'] as const)
  const crashed = strict('T2', result => result.crashes > 0)
  const quiet = shrink({ ...small, faults }, { simulate: crashed, runsMax: 100 })
  assert.ok(quiet !== null)
  const { lyingMiner, blockBytesMax, halvingBlocks, depth } = quiet.options
  assert.deepEqual({ lyingMiner, blockBytesMax, halvingBlocks, depth }, OPEN)
  const lied = strict('T3', result => Object.keys(result.lyingMiner?.lies ?? {}).length > 0)
  const found = shrink({ ...small, faults }, { simulate: lied, runsMax: 100 })
  assert.ok(found !== null)
  assert.deepEqual([found.options.lyingMiner, found.script.events], [true, []])
  const again = ofRegressionFile(JSON.parse(JSON.stringify(toRegressionFile(found))))
  assert.ok(again !== null)
  const replayed = lied({ ...again, recoverSender: cache.recoverSender })
  assert.equal(replayed.traceHash, found.result.traceHash)
})

test('hostile clients and small limits of nodes go one by one, and those stay without which a run does not fail', () => {
  const small = {
    ...mined,
    faults: new Set([] as const),
    hostileClients: true,
    limits: { pool: 2, gossip: 1 },
  }
  const evicted = strict('T4', result => result.evictions > 0)
  const found = shrink({ ...small, transfers: 30 }, { simulate: evicted, runsMax: 60 })
  assert.ok(found !== null)
  assert.deepEqual(found.options.limits, { pool: 2 })
  const attacked = strict('T5', result => Object.keys(result.hostile?.attacks ?? {}).length > 0)
  const quiet = shrink(small, { simulate: attacked, runsMax: 60 })
  assert.ok(quiet !== null)
  assert.deepEqual([quiet.options.hostileClients, quiet.options.limits], [true, {}])
  const again = ofRegressionFile(JSON.parse(JSON.stringify(toRegressionFile(found))))
  assert.ok(again !== null)
  const replayed = evicted({ ...again, recoverSender: cache.recoverSender })
  assert.equal(replayed.traceHash, found.result.traceHash)
})

test('more than f liars are found, and the run shrinks', () => {
  const options: SimulationOptions = {
    seed: 1,
    genesis: COMMITTEE_FILES.pbft,
    nodes: 4,
    validators: 4,
    faults: new Set(FAULT_KINDS),
    adversary: { role: 'equivocate', count: 2 },
    blocks: 5,
    transfers: 6,
    recoverSender: cache.recoverSender,
  }
  const seeds = Array.from({ length: 30 }, (_, index) => index + 1)
  const seed = seeds.find(seed => ruleOf(simulate({ ...options, seed })) !== null)
  assert.ok(seed !== undefined, 'no seed finds it')
  const rule = ruleOf(simulate({ ...options, seed }))
  const found = shrink({ ...options, seed }, { simulate, runsMax: 40 })
  assert.equal(found === null ? null : ruleOf(found.result), rule)
  assert.ok(found!.script.events.length <= 30)
})

test('a run that does not fail is not shrunk, and other JSON is no such file', () => {
  assert.equal(shrink({ ...mined, blocks: 3, faults: new Set() }, { simulate, runsMax: 10 }), null)
  for (const json of [null, {}, { format: 'other' }, { format: 'quorate-regression-1' }])
    assert.equal(ofRegressionFile(json), null)
})
