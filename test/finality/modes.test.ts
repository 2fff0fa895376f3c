// What every finality mode must be, so that commands and experiments can take it by its description alone.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MULTI_PAXOS } from '../../src/consensus/multi-paxos/kit.ts'
import { Fields, type Json } from '../../src/encoding/fields.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import { MinedBlockPolicy } from '../../src/finality/mined-block-policy.ts'
import { createCommittee } from '../../src/finality/modes/committee-mode.ts'
import { HYBRID } from '../../src/finality/modes/hybrid.ts'
import { LONGEST_CHAIN } from '../../src/finality/modes/longest-chain.ts'
import { type FinalityMode, sectionOf } from '../../src/finality/modes/mode.ts'
import { PBFT } from '../../src/finality/modes/pbft.ts'
import { protocolOf } from '../../src/finality/protocol.ts'
import { createFinality, MODES, modeNamed, modeOf, NOBODY } from '../../src/finality/registry.ts'
import { validatorsOf } from '../../src/finality/validators.ts'

const VALIDATORS = [{ name: 'ada', address: `0x${'11'.repeat(20)}` }]
const MINED = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'genesis', 'simulated.json'), 'utf8'),
)

function genesisOf(mode: FinalityMode, changes: Readonly<Record<string, Json>> = {}): Genesis {
  const finality = { ...sectionOf(mode, { validators: VALIDATORS }), ...changes }
  const work = mode.isMined ? MINED.work : { proof: 'none', futureLimitSeconds: 15 }
  return parseGenesis({ ...MINED, work, finality })
}

test('modes have names of their own, by which they are found', () => {
  for (const mode of MODES) assert.equal(modeNamed(mode.name), mode)
  assert.equal(modeNamed('proof-of-luck'), null)
})

for (const mode of MODES) {
  test(`${mode.name}: its default settings make a network of this mode`, () => {
    const genesis = genesisOf(mode)
    assert.equal(modeOf(genesis), mode)
    createFinality(genesis)
  })

  test(`${mode.name}: there are validators if it says so, and a pace if its blocks are not mined`, () => {
    const genesis = genesisOf(mode)
    assert.equal(validatorsOf(genesis) !== null, mode.hasValidators)
    assert.equal(mode.describePace(genesis.finality) === null, mode.isMined)
    if (!mode.isMined) assert.ok(mode.hasValidators)
  })

  test(`${mode.name}: its validators, if any, agree by one of its own protocols, which a genesis file names`, () => {
    const setting = mode.settings.find(({ name }) => name === 'pattern')
    const choices = setting?.type === 'choice' ? setting.choices : []
    assert.deepEqual(choices, [...mode.protocols.keys()])
    assert.equal(mode.protocols.size > 0, mode.hasValidators)
    for (const [pattern, kit] of mode.protocols) assert.equal(protocolOf(genesisOf(mode, { pattern })), kit)
  })

  test(`${mode.name}: what is said of it begins with its name and has its settings filled in`, () => {
    const { finality } = genesisOf(mode)
    assert.ok(mode.describe(finality).startsWith(mode.name))
    for (const text of [
      mode.describe(finality),
      mode.finalMeans(finality),
      mode.describePace(finality) ?? '',
      mode.finalWhen,
    ])
      assert.doesNotMatch(text, /undefined|null|object/)
  })

  test(`${mode.name}: each setting has a field and an option of its own, and its bounds are the layer's`, () => {
    const { settings } = mode
    assert.equal(new Set(settings.map(({ name }) => name)).size, settings.length)
    assert.equal(new Set(settings.map(({ option }) => option)).size, settings.length)
    for (const setting of settings) {
      assert.match(setting.help, /^[A-Z].*[^.]$/)
      const make = (value: Json) => createFinality(genesisOf(mode, { [setting.name]: value }))
      const refuse = (value: Json) =>
        assert.throws(() => make(value), { name: 'InvalidField', field: `finality.${setting.name}` })
      switch (setting.type) {
        case 'validators':
          refuse([])
          break
        case 'choice':
          assert.ok(setting.choices.includes(setting.default))
          for (const choice of setting.choices) make(choice)
          refuse('another')
          break
        case 'count':
          assert.ok(setting.default >= setting.min && setting.default <= setting.max)
          for (const value of [setting.min, setting.max]) make(value)
          for (const value of [setting.min - 1, setting.max + 1]) refuse(value)
          if (setting.isNullable) make(null)
          else refuse(null)
      }
    }
  })
}

test('a mode with validators takes its own protocols only, whatever others there are', () => {
  const { timeoutMs, validators } = sectionOf(PBFT, { validators: VALIDATORS })
  const protocols = new Map([['of-its-own', MULTI_PAXOS]])
  const make = (pattern: string) => {
    const genesis = genesisOf(HYBRID)
    const settings = new Fields('finality', { pattern, validators, timeoutMs } as never)
    const policy = new MinedBlockPolicy({ depth: 0, interval: 1 })
    return createCommittee(settings, { genesis, identity: NOBODY }, { protocols, policy })
  }
  assert.equal(make('of-its-own').followsWork, true)
  assert.throws(() => make('all-to-all'), { name: 'InvalidField', message: /of-its-own/ })
  for (const mode of [HYBRID, PBFT])
    assert.throws(() => createFinality(genesisOf(mode, { pattern: 'of-its-own' })), { name: 'InvalidField' })
})

test('a section has what is given and defaults for the rest, and nothing that the mode does not know', () => {
  assert.deepEqual(sectionOf(LONGEST_CHAIN), { mode: 'longest-chain', depth: 256 })
  assert.deepEqual(
    sectionOf(HYBRID, { validators: VALIDATORS, depth: 0, interval: undefined, heartbeatSeconds: 9 }),
    {
      mode: 'hybrid',
      pattern: 'all-to-all',
      validators: VALIDATORS,
      timeoutMs: 1_000,
      depth: 0,
      interval: 1,
    },
  )
  const { heartbeatSeconds } = sectionOf(PBFT, { validators: VALIDATORS, heartbeatSeconds: null })
  assert.equal(heartbeatSeconds, null)
  assert.throws(() => sectionOf(PBFT), { name: 'RangeError', message: 'pbft needs validators' })
})
