// What a node reports of its validators, as far as commands rely on it: places among them are places that there are.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAgreement } from '../../src/cli/agreement.ts'
import { InvalidAnswer } from '../../src/wallet/rpc-answer.ts'
import type { RpcClient } from '../../src/wallet/rpc-client.ts'

const VALIDATOR = {
  ...{ name: 'ada', address: `0x${'11'.repeat(20)}`, isLinked: true, status: null },
  ...{ votedIn: ['prepare'], wantsViewChange: false },
}
const REPORT = {
  ...{ mode: 'pbft', isMined: false, pattern: 'all-to-all', quorum: 2, faultsTolerated: 0, self: 1 },
  ...{ view: 0, isActive: true, muted: null, halted: null, sequence: 1, timeoutMs: 1_000, isWaiting: true },
  ...{
    sinceDecisionMs: 1,
    proposer: 1,
    phases: ['prepare', 'commit'],
    validators: [VALIDATOR, VALIDATOR],
    evidence: [],
    head: 1,
    final: 1,
  },
  ...{ lag: 0, futureLimitMs: 1_000, lastCertificate: null },
}

const read = (changes: Partial<Record<keyof typeof REPORT, unknown>> = {}) =>
  readAgreement({ call: async () => ({ ...REPORT, ...changes }) } as unknown as RpcClient)

test('a report is read whose places are places of its validators', async () => {
  const { proposer, self, validators } = await read()
  assert.deepEqual([proposer, self, validators.length], [1, 1, 2])
  assert.equal((await read({ self: null })).self, null)
})

for (const name of ['proposer', 'self'] as const)
  test(`a report is refused in which ${name} is no place of a validator`, async () => {
    for (const place of [2, -1, 0.5, 2 ** 40, '1', {}])
      await assert.rejects(read({ [name]: place }), InvalidAnswer, JSON.stringify(place))
    await assert.rejects(read({ [name]: 0, validators: [] }), InvalidAnswer)
  })
