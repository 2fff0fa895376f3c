// Scenarios in the simulator: each claim is seen to hold where it does, and to fail where it does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '../../../src/lab/scenario/judge.ts'
import { parseScenario } from '../../../src/lab/scenario/parser.ts'
import { runScenario } from '../../../src/lab/scenario/run.ts'
import { onSimulatedStage } from '../../../src/lab/stage/simulated-stage.ts'

const HEAD = 'scenario a test\nsays It is one.\n'

function run(lines: readonly string[], { seed = 1, patience = 1 } = {}): Promise<Verdict[]> {
  const scenario = parseScenario(`${HEAD}${lines.join('\n')}`)
  const withStage = onSimulatedStage({ latencyMs: 3, lossRate: scenario.lossRate })
  return runScenario(scenario, { seed, patience, withStage })
}

/** Asserts which of these expectations come true, by their texts. */
async function assertVerdicts(
  lines: readonly string[],
  expected: Readonly<Record<string, boolean>>,
): Promise<void> {
  const verdicts = await run([...lines, ...Object.keys(expected).map(text => `expect ${text}`)])
  const shown = (isMet: boolean | undefined, text: string): string => `${isMet ? 'met' : 'not met'}: ${text}`
  assert.deepEqual(
    verdicts.map(({ text, isMet }) => shown(isMet, text)),
    Object.entries(expected).map(([text, isMet]) => shown(isMet, text)),
    verdicts.map(({ text, saw }) => `${text}: ${saw}`).join('\n'),
  )
}

test('of a quiet network every claim of a fault fails, and the others hold', async () => {
  await assertVerdicts(['nodes 4', 'finality pbft', 'at 1s pay 10 over 1s through all'], {
    'final >= 10 by 4s': true,
    'final >= 11 by 4s': false,
    'seen >= 10 by 1s': false,
    'height >= 1000 by 4s': false,
    'all transfers final by 4s': true,
    'one chain by 4s': true,
    'equal states at the end': true,
    'evidence names n2 by 4s': false,
    'no evidence': true,
    'never reversed': true,
    reversed: false,
    'no fork': true,
    'forked between 1s and 3s': false,
    'blocks between 1s and 3s': true,
    'stopped n1 between 1s and 3s': false,
    'finality between 1s and 3s': true,
    'finality between 3s and 4s': false,
    'no finality between 1s and 3s': false,
    // Without double spends nothing is shown.
    'no double spend': false,
  })
})

test('of a fork every claim of peace fails', async () => {
  const lines = [
    'nodes 4',
    'finality longest-chain',
    'at 1s cut n1 n2 | n3 n4',
    'at 2s pay 5 twice through n1 and n3',
    'at 8s pay 1 through n1',
    'at 18s heal',
  ]
  await assertVerdicts(lines, {
    'no fork': false,
    'forked during the cut': true,
    'one chain by 17s': false,
    'one chain by 22s': true,
    'stopped n3 during the cut': false,
    'never reversed': false,
    'no double spend': true,
  })
})

test('without a quorum nothing is final, and a claim that it is fails', async () => {
  await assertVerdicts(['nodes 4', 'finality pbft', 'at 1s kill n3 n4', 'at 2s pay 5 through n1', 'end 8s'], {
    'all transfers final by 8s': false,
    'final >= 1 on n1 n2 by 8s': false,
    'finality while n3 n4 are down': false,
    'no finality while n3 n4 are down': true,
    // Of nodes of which nothing can be seen nothing is claimed.
    'no finality on n3 while n3 is down': true,
  })
})

test('what is judged by a time is judged from what happened last before it', async () => {
  // The two halves are on one chain until the cut: that must not count for later.
  const lines = ['nodes 4', 'finality longest-chain', 'at 2s cut n1 n2 | n3 n4', 'at 9s heal', 'end 14s']
  await assertVerdicts(lines, {
    'one chain by 2s': true,
    'one chain by 8.9s': true,
    'one chain by 9.1s': false,
  })
})

test('with patience a deadline is later, by as much as it is after what happened last', async () => {
  const lines = ['nodes 4', 'finality longest-chain', 'at 1s pay 5 through n1', 'expect final >= 5 by 2s']
  assert.deepEqual(
    (await run(lines)).map(({ isMet }) => isMet),
    [false],
  )
  assert.deepEqual(
    (await run(lines, { patience: 12 })).map(({ isMet }) => isMet),
    [true],
  )
})

test('a frozen node shows nothing, and then what it missed', async () => {
  await assertVerdicts(
    ['nodes 4', 'finality hybrid', 'at 1s pay 20 over 4s through n1', 'at 2s freeze n2 for 3s', 'end 10s'],
    {
      'stopped n2 during the freeze': true,
      'blocks on n1 n3 n4 during the freeze': true,
      'blocks on n2 between 5s and 6s': true,
      'all transfers final on all by 10s': true,
    },
  )
})

test('a node that was killed while it was frozen starts again as any other', async () => {
  await assertVerdicts(
    [
      'nodes 4',
      'finality pbft',
      'at 1s freeze n2 for 4s',
      'at 2s kill n2',
      'at 3s restart n2',
      'at 4s pay 5 through n2',
    ],
    { 'all transfers final on all by 8s': true, 'equal states at the end': true },
  )
})

test('the leader that is started again is the one that was killed', async () => {
  await assertVerdicts(
    [
      'nodes 4',
      'finality pbft',
      'at 1s pay 20 over 8s through all',
      'at 2s kill the leader',
      'at 9s restart the leader',
    ],
    { 'all transfers final on n1 n2 n3 n4 by 14s': true, 'finality while the leader is down': true },
  )
})

test('the same seed gives the same run, and another seed another', async () => {
  const lines = [
    'nodes 3',
    'finality longest-chain',
    'at 1s pay 10 through n1',
    'expect all transfers final by 12s',
  ]
  const [first] = await run(lines, { seed: 4 })
  assert.deepEqual(await run(lines, { seed: 4 }), [first])
  assert.notEqual((await run(lines, { seed: 5 }))[0]!.saw, first!.saw)
})
