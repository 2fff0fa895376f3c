import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  drawLimits,
  isPoolSmall,
  LIMIT_NAMES,
  limitsOf,
  type SmallLimits,
  usualLimit,
} from '../../../src/lab/cluster/small-limits.ts'
import { FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { REPLICA_LIMITS } from '../../../src/replica/limits.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { SIMULATED_FILE } from '../../replica/small-chain.ts'
import { assertPass, runCommittee } from '../swarm/committees.ts'

test('where nothing is small the limits are those of a node', () => {
  assert.deepEqual(limitsOf({}), REPLICA_LIMITS)
})

test('each limit is small in a quarter of the draws, and half of them have none', () => {
  const drawn = Array.from({ length: 400 }, (_, seed) => drawLimits(new Random(`limits ${seed}`)))
  const shareOf = (holds: (limits: SmallLimits) => boolean): number => drawn.filter(holds).length / 400
  const none = shareOf(limits => Object.keys(limits).length === 0)
  assert.ok(none > 0.4 && none < 0.6, String(none))
  for (const name of LIMIT_NAMES) {
    const share = shareOf(limits => limits[name] !== undefined)
    assert.ok(share > 0.18 && share < 0.32, `${name}: ${share}`)
    for (const { [name]: limit = 1 } of drawn) assert.ok(limit >= 1 && limit < usualLimit(name))
  }
})

test('each limit is the one that its name says', () => {
  for (const name of LIMIT_NAMES) {
    const changed = JSON.stringify(limitsOf({ [name]: usualLimit(name) + 1 }))
    assert.notEqual(changed, JSON.stringify(REPLICA_LIMITS))
  }
  assert.deepEqual(
    LIMIT_NAMES.filter(name => isPoolSmall({ [name]: 1 })),
    ['pool', 'pool-bytes', 'sender'],
  )
})

test('transfers that small pools evict are submitted again, and all become final', async () => {
  const { recoverSender } = new SenderCache(await chooseBackend())
  const results = [1, 2, 3, 4].map(seed =>
    simulate({
      seed,
      genesis: SIMULATED_FILE,
      nodes: 4,
      faults: new Set(FAULT_KINDS),
      blocks: 10,
      transfers: 30,
      limits: { pool: 3, gossip: 1, headers: 2, bodies: 1, 'bodies-ahead': 2 },
      recoverSender,
    }),
  )
  for (const result of results) assertPass(result)
  assert.ok(results.some(({ evictions }) => evictions > 0))
  assert.ok(results.some(({ resubmitted }) => resubmitted > 0))
})

test('validators with the smallest limits agree on every transfer', () => {
  for (const mode of ['pbft', 'hybrid'] as const)
    for (const seed of [1, 2, 3])
      assertPass(
        runCommittee(mode, seed, {
          transfers: 12,
          limits: {
            pool: 2,
            sender: 1,
            gossip: 1,
            headers: 1,
            bodies: 1,
            'bodies-ahead': 1,
            'side-blocks': 1,
            'branch-headers': 1,
          },
        }),
      )
})
