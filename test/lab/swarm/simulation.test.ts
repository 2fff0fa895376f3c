import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { recoverSender } from '../../../src/chain/signature.ts'
import { FAULT_KINDS, type FaultKind } from '../../../src/lab/faults/fault-plan.ts'
import { ruleOf } from '../../../src/lab/swarm/shrink.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import type { SimulationOptions } from '../../../src/lab/swarm/simulation-options.ts'
import { isFine, type SimulationResult } from '../../../src/lab/swarm/simulation-result.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { SIMULATED_FILE } from '../../replica/small-chain.ts'

const cache = new SenderCache(await chooseBackend())

function run(seed: number, changes: Partial<SimulationOptions> = {}): SimulationResult {
  return simulate({
    seed,
    genesis: SIMULATED_FILE,
    nodes: 5,
    faults: new Set(FAULT_KINDS),
    blocks: 30,
    transfers: 60,
    recoverSender: cache.recoverSender,
    ...changes,
  })
}

function assertPass(result: SimulationResult): void {
  assert.equal(result.verdict, 'PASS', `seed ${result.seed}: ${result.reason}\n${result.recent.join('\n')}`)
}

// ---- determinism

test('the same seed gives the same trace, to the byte, in one process and in another', () => {
  const first = run(7)
  assert.equal(run(7).traceHash, first.traceHash)
  // By the reference instead of the fast back end, which must make no difference.
  assert.equal(run(7, { recoverSender }).traceHash, first.traceHash)
  assert.notEqual(run(8).traceHash, first.traceHash)
  const url = (path: string): string =>
    JSON.stringify(pathToFileURL(join(import.meta.dirname, '..', '..', '..', path)).href)
  const script = `
    import { simulate } from ${url('src/lab/swarm/simulation.ts')}
    import { FAULT_KINDS } from ${url('src/lab/faults/fault-plan.ts')}
    import { recoverSender } from ${url('src/chain/signature.ts')}
    const genesis = ${JSON.stringify(SIMULATED_FILE)}
    const faults = new Set(FAULT_KINDS)
    const result = simulate({ seed: 7, genesis, nodes: 5, faults, blocks: 30, transfers: 60, recoverSender })
    console.log(result.traceHash)`
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
  assert.equal(printed.trim(), first.traceHash)
})

// ---- faults one by one

test('without faults there are no crashes, nothing is lost, and forks are as rare and short as a fast network makes them', () => {
  for (const seed of [1, 2, 3]) {
    const result = run(seed, { faults: new Set(), blocks: 60 })
    assertPass(result)
    assert.deepEqual([result.crashes, result.lostMessages], [0, 0])
    assert.ok(result.deepestReorganisation <= 1 && result.reorganisations <= 2)
    assert.ok(result.transfers >= 60)
  }
})

for (const kind of FAULT_KINDS) {
  test(`runs with ${kind} alone pass`, () => {
    for (const seed of [11, 12, 13]) assertPass(run(seed, { faults: new Set<FaultKind>([kind]) }))
  })
}

test('one node alone, and two, get through every fault', () => {
  for (const nodes of [1, 2])
    assertPass(run(21, { nodes, faults: new Set<FaultKind>(['crash', 'clock', 'loss']) }))
})

test('a run without transfers passes', () => {
  const result = run(22, { transfers: 0 })
  assertPass(result)
  assert.equal(result.transfers, 0)
})

test('runs with small blocks, rewards that are soon halved and finality that is not deep pass', () => {
  for (const seed of [31, 32, 33]) {
    const faults = new Set<FaultKind>(['crash', 'loss'])
    const result = run(seed, { faults, blockBytesMax: 1_000, halvingBlocks: 3, depth: 8 })
    assertPass(result)
    assert.ok(result.headHeight - result.finalHeight >= 8 && result.headHeight - result.finalHeight <= 12)
  }
})

// ---- all faults, and what they must have brought about

/** `.ci/run` has the same of five hundred seeds. */
const SEEDS = 16

test(`five nodes with every fault pass ${SEEDS} seeds, and the faults were real`, () => {
  const results = Array.from({ length: SEEDS }, (_, index) => run(1_000 + index))
  for (const result of results) assertPass(result)
  const count = (holds: (result: SimulationResult) => boolean): number => results.filter(holds).length
  const sometimes: Readonly<Record<string, [number, number]>> = {
    'a reorganisation of 3 blocks or more': [count(result => result.deepestReorganisation >= 3), 2],
    'a reorganisation of 5 blocks or more': [count(result => result.deepestReorganisation >= 5), 1],
    'a crash': [count(result => result.crashes > 0), 13],
    'a crash of a node that was starting': [count(result => result.startCrashes > 0), 1],
    'a double spend that was settled': [count(result => result.doubleSpends > 0), 7],
    'a node that caught up by headers and bodies': [count(result => (result.messages.blocks ?? 0) > 5), 13],
    'a message that was lost': [count(result => result.lostMessages > 0), 16],
    'a block that became final': [count(result => result.finalHeight > 0), 16],
  }
  for (const [name, [seen, least]] of Object.entries(sometimes))
    assert.ok(seen >= least, `${name}: ${seen} of ${SEEDS} runs, at least ${least} are expected`)
})

test('the genesis file’s work is made easy when it is hard, and the network stays the same otherwise', () => {
  const hard = {
    ...SIMULATED_FILE,
    work: { ...SIMULATED_FILE.work, bits: '0x1d00ffff', easiestBits: '0x1d00ffff' },
  }
  const result = run(31, { genesis: hard, blocks: 5, transfers: 5, faults: new Set() })
  assertPass(result)
})

test('an assertion that fails in the code under test is a finding with its seed, not a crash of the simulator', () => {
  const result = run(32, {
    recoverSender: () => {
      throw new Error('out of order')
    },
  })
  // No rule of the protocol is accused of it.
  assert.equal(result.verdict, 'ERROR')
  assert.equal(isFine(result.verdict), false)
  assert.equal(ruleOf(result), 'Error: out of order')
  assert.match(result.reason ?? '', /out of order/)
  assert.equal(result.seed, 32)
  assert.ok(result.recent.length > 0)
})

test('options that are none are named, not left out', () => {
  const refused = (change: object, message: RegExp): void =>
    assert.throws(() => run(34, change), { name: 'InvalidField', message })
  refused({ seed: 1.5 }, /^seed: expected a whole number from 0/)
  refused({ nodes: 0 }, /^nodes: expected a whole number from 1 to 50, got 0$/)
  refused({ validators: 51 }, /^validators: /)
  refused({ transfers: -1 }, /^transfers: /)
  refused({ blocks: Number.NaN }, /^blocks: /)
  refused({ faults: new Set(['lost']) }, /^faults: expected one of .*, got "lost"$/)
  refused({ adversary: { role: 'evil', count: 1 } }, /^adversary\.role: expected one of all, .*got "evil"$/)
  refused({ network: { model: 'wireless' } }, /^network\.model: /)
  refused({ network: { model: 'asynchronous', scheduler: 'fair' } }, /^network\.scheduler: /)
  refused({ latency: 'moon' }, /^latency: expected one of lan, region, continents, got "moon"$/)
  refused({ timerScale: Number.NaN }, /^timerScale: /)
  refused({ limits: { memory: 1 } }, /^limits: expected one of /)
})

test('a network in which no transfer is ever taken fails to live', () => {
  const result = run(33, { blocks: 3, transfers: 3, faults: new Set(), recoverSender: () => null })
  assert.equal(result.verdict, 'LIVENESS')
  assert.match(result.reason ?? '', /L1: \d+ transfers got no answer/)
})
