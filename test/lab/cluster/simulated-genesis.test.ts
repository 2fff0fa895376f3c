import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseGenesis } from '../../../src/execution/genesis.ts'
import { createFinality, MODES, modeOf } from '../../../src/finality/registry.ts'
import { simulatedFile } from '../../../src/lab/cluster/simulated-genesis.ts'

const BASE = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', '..', 'genesis', 'simulated.json'), 'utf8'),
)

for (const mode of MODES) {
  test(`${mode.name} can be simulated without a genesis file of its own`, () => {
    const genesis = parseGenesis(simulatedFile(mode, BASE))
    assert.equal(modeOf(genesis), mode)
    assert.equal(genesis.work.isProved, mode.isMined)
    createFinality(genesis)
  })
}
