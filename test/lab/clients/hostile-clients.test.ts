import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOSTILITIES, type Hostility } from '../../../src/lab/clients/hostilities.ts'
import { FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { addressNumber, COIN, GWEI } from '../../chain/examples.ts'
import { SIMULATED_FILE } from '../../replica/small-chain.ts'
import { assertPass, runCommittee } from '../swarm/committees.ts'

const [gaps, war, money, copies, hopeless] = HOSTILITIES as [
  Hostility,
  Hostility,
  Hostility,
  Hostility,
  Hostility,
]

const standing = (seed: number, balance = COIN) => ({
  nonce: 5n,
  balance,
  blockGas: 30_000_000n,
  chainId: 7n,
  recipients: [addressNumber(1), addressNumber(2)],
  random: new Random(`hostile ${seed}`),
})
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed)

test('no attack that can be mined pays as much as an honest transfer, in either price', () => {
  for (const { attack } of HOSTILITIES.filter(one => one !== gaps))
    for (const seed of SEEDS)
      for (const { maxFeePerGas, maxPriorityFeePerGas } of attack(standing(seed))) {
        // A tenth more than this is still less than the cheapest honest one.
        assert.ok(maxFeePerGas <= 10n * GWEI && maxPriorityFeePerGas * 110n < GWEI * 100n)
      }
})

test('a flood offers more than any other, and leaves out the nonce that would make it pending', () => {
  for (const seed of SEEDS)
    for (const { nonce, maxFeePerGas } of gaps.attack(standing(seed)))
      assert.ok(nonce > 5n && maxFeePerGas > 200n * GWEI)
})

test('a war is about one nonce, each version a tenth dearer or not quite, and both come about', () => {
  const steps = SEEDS.flatMap(seed => {
    const versions = war.attack(standing(seed))
    assert.ok(versions.every(({ nonce }) => nonce === 5n))
    return versions.slice(1).map(({ maxFeePerGas, maxPriorityFeePerGas }, index) => {
      const before = versions[index]!
      return (
        maxFeePerGas * 100n >= before.maxFeePerGas * 110n &&
        maxPriorityFeePerGas * 100n >= before.maxPriorityFeePerGas * 110n
      )
    })
  })
  assert.deepEqual(new Set(steps), new Set([true, false]))
})

test('all the money is tried to the wei, and a wei more, and as much as a number can hold', () => {
  const attempts = money.attack(standing(1))
  const left = attempts.map(({ value, gasLimit, maxFeePerGas }) => COIN - value - gasLimit * maxFeePerGas)
  assert.deepEqual(left.slice(-2), [-1n, 0n])
  assert.equal(attempts[0]!.value, 2n ** 256n - 1n)
  assert.ok(money.attack(standing(1, 0n)).every(({ value }) => value >= 0n))
})

test('copies are the same bytes, and what is hopeless breaks one rule each', () => {
  const [first, second] = copies.attack(standing(1))
  assert.equal(first, second)
  assert.equal(hopeless.attack(standing(1)).length, 5)
})

test('honest transfers become final while hostile clients attack small pools, and some of the attacks are mined', async () => {
  const { recoverSender } = new SenderCache(await chooseBackend())
  const mined = [1, 2, 3].map(seed =>
    simulate({
      seed,
      genesis: SIMULATED_FILE,
      nodes: 4,
      faults: new Set(FAULT_KINDS),
      blocks: 12,
      transfers: 20,
      limits: { pool: 4 },
      hostileClients: true,
      recoverSender,
    }),
  )
  const agreed = (['pbft', 'hybrid'] as const).map(mode =>
    runCommittee(mode, 2, { transfers: 10, limits: { pool: 4 }, hostileClients: true }),
  )
  for (const result of [...mined, ...agreed]) {
    assertPass(result)
    assert.ok(Object.keys(result.hostile?.attacks ?? {}).length > 0)
  }
  assert.ok(mined.some(({ hostile }) => hostile!.replacementsMined > 0))
})
