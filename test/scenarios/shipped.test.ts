// Every scenario that comes with quorate, in the simulator, under one seed: what the README promises of this chain.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseScenario } from '../../src/lab/scenario/parser.ts'
import { runScenario } from '../../src/lab/scenario/run.ts'
import { LATENCY_MS, onSimulatedStage } from '../../src/lab/stage/simulated-stage.ts'

const DIRECTORY = join(import.meta.dirname, '..', '..', 'scenarios')
const files = readdirSync(DIRECTORY).filter(name => name.endsWith('.scenario'))
const scenarios = files
  .toSorted()
  .map(file => ({ file, ...parseScenario(readFileSync(join(DIRECTORY, file), 'utf8')) }))

for (const { file, ...scenario } of scenarios) {
  test(`${file}: ${scenario.name}`, async () => {
    const { latencyMs, lossRate } = scenario
    const withStage = onSimulatedStage({ latencyMs: latencyMs ?? LATENCY_MS, lossRate })
    const verdicts = await runScenario(scenario, { seed: 1, patience: 1, withStage })
    const failed = verdicts.filter(({ isMet }) => !isMet)
    assert.deepEqual(failed, [])
  })
}

test('there is a scenario for every kind of fault and every kind of finality', () => {
  const happens = new Set(scenarios.flatMap(({ events }) => events.map(({ event }) => event.type)))
  for (const type of ['kill', 'restart', 'freeze', 'cut', 'heal', 'pay', 'miners'] as const)
    assert.ok(happens.has(type), type)
  const has = (is: (scenario: (typeof scenarios)[number]) => boolean): boolean => scenarios.some(is)
  assert.ok(has(({ liars }) => liars.size > 0))
  assert.ok(has(({ keptOut }) => keptOut > 0))
  assert.ok(has(({ lossRate, latencyMs }) => lossRate > 0 && latencyMs !== null))
  assert.ok(
    has(({ events }) => events.some(({ event }) => event.type === 'pay' && event.rivalsThrough !== null)),
  )
  assert.deepEqual(new Set(scenarios.map(({ mode }) => mode)), new Set(['longest-chain', 'hybrid', 'pbft']))
  assert.ok(has(({ pattern }) => pattern === 'leader-collected'))
  assert.ok(scenarios.length >= 12)
})
