// Strangers of a run: hostile peers without a key and without work. No other peer is blamed for what they do, and all
// that nodes owe each other comes true as if they were not there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStranger } from '../../../src/lab/clients/workload.ts'
import { FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { ANSWERS, ATTACKS } from '../../../src/lab/strangers/attacks.ts'
import { Overheard } from '../../../src/lab/strangers/overheard.ts'
import type { Attack } from '../../../src/lab/strangers/scene.ts'
import { isStranger, nameStranger, placeOfStranger } from '../../../src/lab/strangers/stranger-name.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { decodeMessage, encodeMessage } from '../../../src/replica/message-codec.ts'
import type { MessageType } from '../../../src/replica/messages.ts'
import { verdictOn } from '../../../src/replica/verdict.ts'
import { ChainBuilder, SIMULATED_FILE } from '../../replica/small-chain.ts'
import { TestNode } from '../../replica/test-node.ts'
import { assertPass, runCommittee, runMined } from '../swarm/committees.ts'

const FAULTS = new Set([...FAULT_KINDS, 'strangers' as const])
const ALONE = new Set(['strangers' as const])
const namesOf = (table: Readonly<Record<string, readonly { readonly name: string }[]>>): string[] =>
  Object.values(table).flatMap(list => list.map(({ name }) => name))

test('the name of a stranger is that of no node, and tells which stranger it is', () => {
  assert.deepEqual(['n1', 'n12-twin', 's', '-'].map(isStranger), [false, false, false, false])
  assert.deepEqual([nameStranger(0, 1), nameStranger(2, 17)].map(isStranger), [true, true])
  assert.deepEqual([nameStranger(0, 1), nameStranger(2, 17)].map(placeOfStranger), [0, 2])
})

test('there is an attack for every kind of message, and a name for every attack', () => {
  for (const type of Object.keys(ATTACKS) as MessageType[]) assert.ok(ATTACKS[type].length > 0, type)
  const names = [...namesOf(ATTACKS), ...namesOf(ANSWERS)]
  assert.equal(new Set(names).size, names.length)
})

test('of what strangers send only that costs a stranger its name which no honest peer can send', () => {
  const kinds = [
    'status',
    'get-headers',
    'headers',
    'get-blocks',
    'blocks',
    'block',
    'get-transactions',
  ] as const
  for (const attack of kinds.flatMap(kind => ATTACKS[kind])) {
    const blamed = Array.from({ length: 30 }, (_, seed) => isBlamedFor(attack, seed))
    if (attack.isBlatant === true) assert.ok(blamed.includes(true), attack.name)
    else assert.ok(!blamed.includes(true), attack.name)
  }
})

test('five miners come to one chain, whatever strangers claim, answer and repeat', () => {
  const done = new Set<string>()
  for (let seed = 1; seed <= 16; seed++) {
    const faults = new Set([...(seed % 2 === 0 ? FAULTS : ALONE), 'disk-loss' as const])
    const result = runMined(seed, { genesis: SIMULATED_FILE, faults })
    assertPass(result)
    for (const name of Object.keys(result.strangers?.attacks ?? {})) done.add(name)
  }
  for (const list of [...Object.values(ATTACKS), ...Object.values(ANSWERS)])
    assert.ok(list.length === 0 || list.some(({ name }) => done.has(name)), list[0]?.name)
})

for (const mode of ['pbft', 'hybrid'] as const)
  test(`${mode}: validators decide, and blame no honest peer, whatever strangers say and repeat`, () => {
    for (let seed = 1; seed <= 4; seed++) {
      const result = runCommittee(mode, seed, { faults: seed % 2 === 0 ? FAULTS : ALONE })
      assertPass(result)
      assert.ok(result.agreement.decisions > 0)
      assert.ok(result.strangers !== null)
    }
  })

test('a run with strangers is the same each time, and strangers do not end with the faults', () => {
  const [first, second] = [1, 2].map(() => runCommittee('pbft', 3, { validators: 4, faults: ALONE }))
  assert.equal(first!.traceHash, second!.traceHash)
  assert.equal(runCommittee('pbft', 3, { validators: 4, faults: new Set() }).strangers, null)
  const { script } = first!
  assert.ok(script.plan.strangers >= 1 && script.plan.strangers <= 3)
})

/** Whether a node that has followed a chain for a while has a stranger for a breaker of the rules after this. */
function isBlamedFor({ make }: Attack, seed: number): boolean {
  const builder = new ChainBuilder()
  const run = builder.extend(builder.root, 6)
  const node = new TestNode(builder.genesis, { nowMs: 2e12 }).start()
  // Some of what the stranger has overheard is news to the node.
  node.feed(run.slice(0, 4))
  node.connect('s1.1')
  const random = new Random(`attack ${seed}`)
  const overheard = new Overheard(random.stream('overheard'))
  for (const { block } of run) overheard.note({ type: 'block', block })
  const scene = { genesis: builder.genesis, account: createStranger(0), overheard, random }
  return make(scene).some(message => {
    const bytes = encodeMessage(message)
    const taken = node.replica.screen('s1.1', bytes) ?? decodeMessage(bytes)
    if (typeof taken === 'string')
      return taken !== 'known' && taken !== 'orphan' && verdictOn(taken) === 'punish'
    return node
      .step({ type: 'message', from: 's1.1', message: taken })
      .some(
        effect =>
          effect.type === 'disconnect' || (effect.type === 'reject' && verdictOn(effect.reason) === 'punish'),
      )
  })
}
