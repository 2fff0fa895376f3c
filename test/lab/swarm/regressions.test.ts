// Seeds that once found something. Each runs again for ever, with what it found.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { FaultKind } from '../../../src/lab/faults/fault-plan.ts'
import { ofRegressionFile, type RegressionFile } from '../../../src/lab/swarm/regression-file.ts'
import { ruleOf } from '../../../src/lab/swarm/shrink.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'

const FOUND: readonly (readonly [number, string])[] = [
  [18, 'a node whose wanted blocks came by gossip while they were asked for catches up again'],
  [
    393,
    'a node whose wanted blocks came by gossip while they were asked for catches up again, in another way',
  ],
]

/** Those that there were when the seeds were found: another kind would make other runs of them. */
const KINDS: readonly FaultKind[] = [
  'loss',
  'delay',
  'duplication',
  'reordering',
  'partition',
  'crash',
  'clock',
]

const genesis: unknown = JSON.parse(
  readFileSync(new URL('../../../genesis/simulated.json', import.meta.url), 'utf8'),
)
const { recoverSender } = new SenderCache(await chooseBackend())

for (const [seed, found] of FOUND) {
  test(`seed ${seed}: ${found}`, () => {
    const faults = new Set(KINDS)
    const result = simulate({ seed, genesis, nodes: 5, faults, blocks: 30, transfers: 60, recoverSender })
    assert.equal(result.verdict, 'PASS', result.reason ?? '')
  })
}

// Runs that failed and were shrunk (quorate sim --shrink): what was wrong in the code must not come back.
const FOLDER = new URL('./regressions/', import.meta.url)
for (const name of readdirSync(FOLDER).filter(name => name.endsWith('.json'))) {
  const file = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as RegressionFile
  test(`${name}: ${file.rule} holds`, () => {
    const options = ofRegressionFile(file)
    assert.ok(options !== null)
    const result = simulate({ ...options, recoverSender })
    assert.equal(ruleOf(result), null, result.reason ?? '')
  })
}
