import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PATTERNS } from './pbft/maker.ts'
import { searchTwins } from './twins.ts'
import { SIGHTS } from './twins-watch.ts'

const ROUNDS = { depth: 3, lossy: 2, healed: 2 }
/** 12 partitions at first and 16 later; six losses in four of each, but in the last round. */
const SCENARIOS = (12 + 4 * 6) * (16 + 4 * 6) * 16

for (const pattern of PATTERNS)
  test(`${pattern}: 4 × 23,040 scenarios of 3 rounds with a twin of each of 4 validators are safe, and heal`, () => {
    const results = [0, 1, 2, 3].map(twin => searchTwins({ pattern, twin, ...ROUNDS }))
    for (const { wrong, scenarios } of results) {
      assert.equal(wrong, null)
      assert.equal(scenarios, SCENARIOS)
    }
    // They are worth something only if all of this happened in some of them, and in some of them not.
    for (const sight of SIGHTS) {
      const counts = results.map(({ sights }) => sights.get(sight)!)
      assert.ok(
        counts.some(count => count > 0 && count < SCENARIOS),
        sight,
      )
    }
    for (const { healings } of results) assert.ok(healings > 500)
  })
