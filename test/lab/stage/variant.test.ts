import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGenesis } from '../../../src/execution/genesis.ts'
import { createFinality } from '../../../src/finality/registry.ts'
import { exactReversal } from '../../../src/finality/reversal.ts'
import { confirmationsFor, createGenesis, VARIANTS } from '../../../src/lab/stage/variant.ts'
import { createAccounts } from '../../../src/lab/stage/workload.ts'

test('so many confirmations suffice for a risk, and one less does not', () => {
  for (const [share, risk] of [
    [0.1, 0.001],
    [0.3, 0.001],
    [0.1, 0.5],
  ] as const) {
    const blocks = confirmationsFor(share, risk)
    assert.ok(exactReversal(share, blocks) < risk)
    assert.ok(exactReversal(share, blocks - 1) >= risk)
  }
  assert.equal(confirmationsFor(0.1, 0.001), 6)
})

test('the block time is the interval of pbft, and of nothing else in a genesis file', () => {
  const parts = { time: 1, validators: [], funded: [], hashesPerBlock: 2 }
  for (const variant of VARIANTS) {
    const finality = (blockMs?: number) => createGenesis(variant, { ...parts, blockMs }).finality
    const interval = variant.isMined ? {} : { intervalMs: 5_000 }
    assert.deepEqual(finality(5_000), { ...variant.finality([]), ...interval })
    assert.deepEqual(finality(), variant.finality([]))
  }
})

test('every variant makes genesis files of networks that are for tests', () => {
  const variants = VARIANTS
  assert.equal(variants[0]!.name, 'longest-chain')
  for (const variant of variants) {
    for (const nodes of [2, 4, 7]) {
      const validators = createAccounts(1, 'validator', nodes).map(({ address }, index) => ({
        name: `node-${index + 1}`,
        address,
      }))
      const { address } = createAccounts(1, 'sender', 1)[0]!
      const parts = { time: 1_700_000_000, validators, funded: [address], hashesPerBlock: 1_000 }
      const genesis = parseGenesis(createGenesis(variant, parts))
      assert.equal(genesis.forTests, true)
      assert.equal(genesis.state.get(address).balance, 1_000n * 10n ** 18n)
      createFinality(genesis)
    }
  }
})
