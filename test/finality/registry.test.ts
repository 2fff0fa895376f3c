import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseGenesis } from '../../src/execution/genesis.ts'
import { Committee } from '../../src/finality/committee.ts'
import type { Finality } from '../../src/finality/contract.ts'
import { LongestChain } from '../../src/finality/longest-chain.ts'
import { createFinality, modeOf } from '../../src/finality/registry.ts'

const VALIDATORS = [{ name: 'ada', address: `0x${'11'.repeat(20)}` }]
const PBFT = {
  mode: 'pbft',
  pattern: 'all-to-all',
  validators: VALIDATORS,
  timeoutMs: 1000,
  intervalMs: 250,
  heartbeatSeconds: 30,
}
const HYBRID = {
  mode: 'hybrid',
  pattern: 'leader-collected',
  validators: VALIDATORS,
  timeoutMs: 1000,
  depth: 2,
  interval: 1,
}

const readFile = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../genesis/${name}.json`), 'utf8'))
const mined = readFile('simulated')
const NO_WORK = { proof: 'none', futureLimitSeconds: 15 }

/** The layer of a network with these settings; it mines unless its mode is pbft. */
function create(
  finality: Record<string, unknown>,
  work = finality.mode === 'pbft' ? NO_WORK : mined.work,
): Finality {
  return createFinality(parseGenesis({ ...mined, work, finality }))
}

test('a genesis file chooses the longest chain by its name', () => {
  const finality = create({ mode: 'longest-chain', depth: 7 })
  assert.ok(finality instanceof LongestChain)
  assert.equal(finality.safeHeight({ height: 20 } as never, 13), 17)
})

test('a genesis file chooses validators without miners, or on top of them', () => {
  const [pbft, hybrid] = [create(PBFT), create(HYBRID)]
  assert.ok(pbft instanceof Committee && hybrid instanceof Committee)
  assert.deepEqual([pbft.followsWork, hybrid.followsWork], [false, true])
  const [head, heavier] = [{ work: 1n }, { work: 2n }] as never[]
  assert.deepEqual([pbft.prefers(heavier!, head!), hybrid.prefers(heavier!, head!)], [false, true])
  assert.ok(create({ ...PBFT, heartbeatSeconds: null }) instanceof Committee)
})

for (const name of ['local', 'deep', 'simulated', 'hybrid', 'pbft']) {
  test(`the finality of genesis/${name}.json is one that there is`, () => {
    const file = readFile(name)
    const genesis = parseGenesis(file)
    assert.equal(modeOf(genesis).name, (file.finality as { mode: string }).mode)
    assert.equal(createFinality(genesis) instanceof Committee, modeOf(genesis).hasValidators)
  })
}

test('an unknown mode is refused with those that there are', () => {
  assert.throws(() => create({ mode: 'proof-of-luck' }), {
    name: 'InvalidField',
    message: 'finality.mode: expected one of longest-chain, hybrid, pbft, got "proof-of-luck"',
  })
})

test('a mode must be given', () => {
  assert.throws(() => create({}), { name: 'InvalidField', message: 'finality.mode: missing' })
})

test('settings that the mode does not know are refused', () => {
  assert.throws(() => create({ mode: 'longest-chain', validators: 4 }), {
    message: 'finality.validators: unknown field',
  })
  assert.throws(() => create({ ...PBFT, depth: 2 }), { message: 'finality.depth: unknown field' })
  assert.throws(() => create({ ...HYBRID, intervalMs: 250 }), {
    message: 'finality.intervalMs: unknown field',
  })
})

test('a mode with miners needs work, and one without must not ask for it', () => {
  for (const settings of [HYBRID, { mode: 'longest-chain' }])
    assert.throws(() => create(settings, NO_WORK), { name: 'InvalidField', message: /^work: .* mined/ })
  assert.throws(() => create(PBFT, mined.work), { name: 'InvalidField', message: /^work: .*no miners/ })
})

const FAULTS: readonly { settings: Record<string, unknown>; field: string }[] = [
  { settings: { ...PBFT, pattern: 'gossip' }, field: 'finality.pattern' },
  { settings: { ...PBFT, validators: [] }, field: 'finality.validators' },
  { settings: { ...PBFT, timeoutMs: 49 }, field: 'finality.timeoutMs' },
  { settings: { ...PBFT, intervalMs: 199 }, field: 'finality.intervalMs' },
  { settings: { ...PBFT, heartbeatSeconds: 0 }, field: 'finality.heartbeatSeconds' },
  { settings: { ...HYBRID, depth: -1 }, field: 'finality.depth' },
  { settings: { ...HYBRID, interval: 0 }, field: 'finality.interval' },
]

for (const { settings, field } of FAULTS) {
  test(`${field} of ${JSON.stringify(settings[field.slice(9)])} is refused`, () => {
    assert.throws(() => create(settings), { name: 'InvalidField', field })
  })
}
