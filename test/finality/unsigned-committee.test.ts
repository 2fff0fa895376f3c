// A committee that agrees by a protocol whose members sign nothing: only the hello of a peer proves which member it is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MULTI_PAXOS } from '../../src/consensus/multi-paxos/kit.ts'
import type { PaxosMessage } from '../../src/consensus/multi-paxos/messages.ts'
import type { FinalityEffect, PeerId } from '../../src/finality/contract.ts'
import { encodeEnvelope, helloDigest } from '../../src/finality/envelope.ts'
import { encodeMark, NO_VOTES, type VoteMark } from '../../src/finality/vote-mark.ts'
import {
  CommitteeNetwork,
  type FakeBlock,
  NOW_MS,
  only,
  TestCommittee,
  type TestCommitteeOptions,
} from './committees.ts'
import { sign, TestValidators } from './test-validators.ts'

/** Ada, Ben and Cem: one of them may stop. Ben leads ballot 1, Ada ballot 3. */
const three = new TestValidators(3)
const [ADA, BEN, CEM] = [0, 1, 2] as const

/** A member, or a node without a key, connected to the others and to a stranger. */
function node(self: number | null, options: Partial<TestCommitteeOptions> = {}): TestCommittee {
  const made = new TestCommittee({ network: three, self, kit: MULTI_PAXOS, isAnswered: false, ...options })
  made.start()
  made.connect('p0', 'p1', 'p2', 'x')
  return made
}

/** A peer proves that it is this member. */
function greet(to: TestCommittee, member: number, from: PeerId = `p${member}`): void {
  const { blocks, block } = three.genesis
  const domain = { chainId: blocks.chainId, genesisId: block.id, validatorSetId: three.validators.id }
  const content = {
    type: 'hello',
    member,
    signature: sign(helloDigest(domain, from), three.keys[member]!),
  } as const
  to.receive(from, encodeEnvelope({ clockMs: NOW_MS, content }, MULTI_PAXOS.codec))
}

function tell(to: TestCommittee, from: PeerId, message: PaxosMessage): FinalityEffect[] {
  return to.receive(
    from,
    encodeEnvelope({ clockMs: NOW_MS, content: { type: 'protocol', message } }, MULTI_PAXOS.codec),
  )
}

const finals = (effects: readonly FinalityEffect[]): string[] => only(effects, 'final').map(({ id }) => id)

const chosen = ({ id }: FakeBlock): PaxosMessage => ({
  type: 'chosen',
  decision: { sequence: 1, ballot: 1, value: id },
})

for (const [whose, self] of [
  ['a validator', ADA],
  ['a node without a key', null],
] as const)
  test(`${whose} believes a decision where nothing is signed only from a peer that proved to be a validator`, () => {
    const made = node(self)
    const [block] = made.chain.extend('a', 1)
    greet(made, BEN)
    for (const stranger of ['x', 'p2']) assert.deepEqual(finals(tell(made, stranger, chosen(block!))), [])
    assert.equal(made.report().sequence, 0)
    assert.deepEqual(finals(tell(made, 'p1', chosen(block!))), [block!.id])
  })

test('a vote where nothing is signed counts only from the peer that proved to be its member', () => {
  const ben = node(BEN)
  const [block] = ben.chain.extend('a', 1)
  ben.step({ type: 'head' })
  greet(ben, ADA)
  tell(ben, 'p0', { type: 'promise', from: ADA, ballot: 1, decided: 0, accepted: [] })
  const vote = { type: 'accepted', sequence: 1, ballot: 1, value: block!.id } as const
  // A stranger, a peer that is not known to be Cem, and another validator in the name of Cem.
  for (const liar of ['x', 'p2', 'p0'])
    assert.deepEqual(finals(tell(ben, liar, { ...vote, from: CEM })), [], `${liar} is not Cem`)
  assert.deepEqual(finals(tell(ben, 'p0', { ...vote, from: ADA })), [block!.id])
})

test('a leader where nothing is signed is followed only as the peer that it proved to be', () => {
  const ada = node(ADA)
  for (const from of ['x', 'p2']) {
    tell(ada, from, { type: 'prepare', from: CEM, ballot: 2, decided: 0 })
    assert.equal(ada.report().view, 0)
  }
  greet(ada, CEM)
  tell(ada, 'p2', { type: 'prepare', from: CEM, ballot: 2, decided: 0 })
  assert.equal(ada.report().view, 2)
})

test('a peer that is not bound to a validator any more is not believed', () => {
  const ada = node(ADA)
  const [block] = ada.chain.extend('a', 1)
  greet(ada, BEN)
  ada.step({ type: 'peer-disconnected', peer: 'p1' })
  ada.connect('p1')
  assert.deepEqual(finals(tell(ada, 'p1', chosen(block!))), [])
  greet(ada, BEN)
  assert.deepEqual(finals(tell(ada, 'p1', chosen(block!))), [block!.id])
})

test('a committee where nothing is signed decides with a minority stopped, and followers learn it', () => {
  const network = new CommitteeNetwork(3, {
    kit: MULTI_PAXOS,
    absent: [CEM],
    followers: 1,
    prepare: chain => void chain.extend('a', 2),
  })
  for (const id of network.nodes.keys()) network.input(id, { type: 'head' })
  const nodes = [...network.nodes.values()]
  network.runUntil(() => nodes.every(({ chain }) => chain.final.height === 2))
})

test('a follower whose greeting was lost is greeted again where nothing is signed', () => {
  const ada = node(ADA)
  for (const member of [BEN, CEM]) greet(ada, member)
  const greeted = only(ada.timeout('retransmit'), 'send').filter(({ to }) => to === 'x')
  assert.equal(greeted.length, 1)
})

// ---- votes that are lost can't be asked for

const marked = (mark: Partial<VoteMark>): ReadonlyMap<string, Uint8Array> =>
  new Map([['mark', encodeMark({ ...NO_VOTES, ...mark })]])

for (const [what, mark, signed] of [
  ['votes', { sequence: 2, view: 1, hasCommitted: true, lastView: 1 }, /votes up to decision 2/],
  ['a promise', { lastView: 4 }, /view changes up to view 4/],
] as const)
  test(`a validator whose new folder tells nothing of ${what} that its mark tells of only follows where nothing is signed`, () => {
    const ada = node(ADA, { isFresh: true, records: marked(mark) })
    for (const member of [BEN, CEM]) greet(ada, member)
    const again = ada.restarted({ isAnswered: false })
    again.connect('p1', 'p2')
    for (const member of [BEN, CEM]) greet(again, member)
    for (const each of [ada, again]) {
      assert.match(each.alarms.join(), /this validator does not vote/)
      assert.match(each.report().muted ?? '', signed)
      assert.equal(each.report().self, null)
      const [block] = each.chain.extend('a', 1)
      const accept = { sequence: 1, ballot: 5, value: block!.id, isReproposed: false } as const
      const effects = [
        ...tell(each, 'p2', { type: 'prepare', from: CEM, ballot: 5, decided: 0 }),
        ...tell(each, 'p2', { type: 'accept', from: CEM, ...accept }),
      ]
      assert.deepEqual(only(effects, 'send'), [], 'it promises and accepts nothing')
    }
  })

test('a validator whose records tell all that its mark tells votes on where nothing is signed', () => {
  const ada = node(ADA)
  greet(ada, CEM)
  tell(ada, 'p2', { type: 'prepare', from: CEM, ballot: 2, decided: 0 })
  const again = ada.restarted({ isAnswered: false })
  assert.deepEqual([again.report().self, again.report().muted, again.alarms], [ADA, null, []])
  assert.equal(again.report().view, 2)
})
