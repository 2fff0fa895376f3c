import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertPass, runCommittee } from '../swarm/committees.ts'

const SEEDS = 12

test(`${SEEDS} runs in which disks of validators are put back pass, and they are put back`, () => {
  const results = Array.from({ length: SEEDS }, (_, index) =>
    runCommittee('pbft', index + 1, { adversary: { role: 'rollback', count: null } }),
  )
  for (const result of results) assertPass(result)
  const putBack = results.filter(({ script }) =>
    script.events.some(event => event.type === 'disk-loss' && !event.isEmpty),
  )
  assert.ok(putBack.length > SEEDS / 2)
})
