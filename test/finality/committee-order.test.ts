// What a committee gives its protocol, and in which order, whatever the protocol makes of them: seen by a protocol that
// does nothing but what a test tells it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision, LogEffect, LogInput, LogState } from '../../src/consensus/log.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { PbftMessage, PbftRecord } from '../../src/consensus/pbft/messages.ts'
import type { Certificate, Evidence } from '../../src/consensus/pbft/votes.ts'
import { type FakeBlock, fakeBlock, only, TestCommittee } from './committees.ts'
import { TestValidators } from './test-validators.ts'

type Input = LogInput<PbftMessage, PbftRecord, Certificate>
type Effect = LogEffect<PbftMessage, PbftRecord, Certificate, Evidence>

const four = new TestValidators(4)

/** A validator with a new folder, whose protocol answers inputs as it is told, and is for ever asking for its votes. */
function scripted(answer: (input: Input) => Effect[]) {
  const inputs: Input[] = []
  const state = { view: 0, timeoutMs: 1_000, isRecalling: true, voted: new Map(), leaving: [] }
  const kit: typeof PBFT = {
    ...PBFT,
    create: () => ({
      turn: null,
      size: 0,
      snapshot: null,
      state: { ...state, isActive: true, isHalted: false, decided: 0, stable: 0, proposer: null } as LogState,
      step(input) {
        inputs.push(input)
        return answer(input)
      },
    }),
  }
  const node = new TestCommittee({ network: four, self: 0, kit, isAnswered: false }).start()
  return { node, inputs }
}

const certify = ({ id }: FakeBlock, sequence: number, members = [1, 2, 3]): Certificate =>
  four.certify({ phase: 'commit', sequence, view: 0, value: id }, members)

test('a decision that comes while another is applied waits for its turn, and no other is lost for it', () => {
  const decide = (decision: Certificate): Effect => ({ type: 'decide', decision })
  const chain: FakeBlock[] = []
  const told = new Map<Input['type'], () => Effect[]>([
    // The first decision has our vote: a new folder abstains, and is told the third in answer.
    ['reachable', () => [decide(certify(chain[0]!, 1, [0, 1, 2])), decide(certify(chain[1]!, 2))]],
    ['abstain', () => [decide(certify(chain[2]!, 3))]],
  ])
  const { node, inputs } = scripted(input => told.get(input.type)?.() ?? [])
  const first = fakeBlock('first', node.chain.root)
  const second = fakeBlock('second', first)
  chain.push(first, second, fakeBlock('third', second))
  node.connect('p2')
  inputs.length = 0
  const executed = (): Decision['sequence'][] =>
    inputs.flatMap(input => (input.type === 'executed' ? [input.sequence] : []))
  node.chain.add(second)
  node.give(first)
  assert.deepEqual(executed(), [1, 2])
  const effects = node.give(chain[2]!)
  assert.deepEqual(executed(), [1, 2, 3])
  assert.deepEqual(
    only(node.log, 'final').map(({ id }) => id),
    chain.map(({ id }) => id),
  )
  assert.equal(only(effects, 'final').length, 1)
})

test('a protocol may name its timers as it likes: the pace of the committee is another', () => {
  const { node, inputs } = scripted(({ type }) =>
    type === 'reachable' ? [{ type: 'set-timer', name: 'pace', delayMs: 7 }] : [],
  )
  node.connect('p1')
  assert.deepEqual([...node.timers], [['protocol/pace', 7]])
  inputs.length = 0
  node.step({ type: 'timeout', name: 'protocol/pace' })
  assert.deepEqual(inputs, [{ type: 'timeout', name: 'pace' }])
  for (const name of ['pace', 'retransmit']) node.step({ type: 'timeout', name })
  assert.equal(inputs.length, 1, 'what is not its own is not told')
})
