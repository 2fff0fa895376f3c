import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NUMBER_MAX, type Value } from '../../src/consensus/log.ts'
import { readCertificate } from '../../src/consensus/pbft/certificate-record.ts'
import type { Commit, PbftMessage, PrePrepare, Prepare } from '../../src/consensus/pbft/messages.ts'
import { decodePbftRecord } from '../../src/consensus/pbft/record-wire.ts'
import { newViewStatement, viewChangeStatement } from '../../src/consensus/pbft/view-change.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import { ByteReader } from '../../src/encoding/bytes.ts'
import { DamagedVotes } from '../../src/finality/committee-records.ts'
import type { FinalityEffect } from '../../src/finality/contract.ts'
import { verifyEvidence } from '../../src/finality/evidence.ts'
import { MinedBlockPolicy } from '../../src/finality/mined-block-policy.ts'
import { NextBlockPolicy } from '../../src/finality/next-block-policy.ts'
import {
  branch,
  CommitteeNetwork,
  type FakeBlock,
  fakeBlock,
  NOW_MS,
  only,
  said,
  TestCommittee,
  type TestCommitteeOptions,
} from './committees.ts'
import { encodeEnvelope } from './pbft-envelope.ts'
import { keyOf, TestValidators } from './test-validators.ts'

/** Ada, Ben, Cem and Dua: one of them may lie, three decide. Ben proposes first. */
const four = new TestValidators(4)

/** Member 0 of four, connected to the others and to a stranger. */
function ada(options: Partial<TestCommitteeOptions> = {}): TestCommittee {
  const node = new TestCommittee({ network: four, self: 0, ...options }).start()
  node.connect('p1', 'p2', 'p3', 'x')
  return node
}

function signed(member: number, phase: 'prepare' | 'commit', value: Value, sequence = 1, view = 0) {
  const vote = { phase, sequence, view, value } as const
  return four.signing(member).sign(vote)
}

const proposal = (value: Value, sequence = 1, view = 0): PrePrepare => ({
  type: 'pre-prepare',
  sequence,
  view,
  value,
  from: (sequence + view) % 4,
  signature: signed((sequence + view) % 4, 'prepare', value, sequence, view),
})

const prepare = (from: number, value: Value, sequence = 1, view = 0): Prepare => ({
  type: 'prepare',
  sequence,
  view,
  value,
  from,
  signature: signed(from, 'prepare', value, sequence, view),
  proposer: (sequence + view) % 4,
  proposal: signed((sequence + view) % 4, 'prepare', value, sequence, view),
})

const commit = (from: number, value: Value, sequence = 1, view = 0): Commit => ({
  type: 'commit',
  sequence,
  view,
  value,
  from,
  signature: signed(from, 'commit', value, sequence, view),
})

const certificate = (value: Value, sequence = 1, members = [1, 2, 3]): Certificate =>
  four.certify({ phase: 'commit', sequence, view: 0, value }, members)

const proof = (value: Value, sequence = 1, members = [1, 2, 3]): PbftMessage => ({
  type: 'proof',
  certificate: certificate(value, sequence, members),
})

const finals = (effects: readonly FinalityEffect[]): string[] => only(effects, 'final').map(({ id }) => id)

/** What others see of a vote: the values that are prepared or committed in these effects. */
const votes = (effects: readonly FinalityEffect[]): Value[] =>
  [...said(effects, 'prepare'), ...said(effects, 'commit')].map(({ message }) => message.value)

// ---- decisions and their blocks

test('a decision waits for its block and asks for it, and is final when the block is there', () => {
  const node = ada()
  const block = fakeBlock('a', node.chain.root)
  const effects = node.hear('p2', proof(block.id))
  assert.deepEqual(finals(effects), [])
  const holders = { promised: ['p2'], others: ['p1', 'p3', 'x'] }
  assert.deepEqual(only(effects, 'want'), [{ type: 'want', id: block.id, holders, isDecided: true }])
  assert.equal(node.report().sequence, 0)
  const later = node.give(block)
  assert.deepEqual(finals(later), [block.id])
  assert.equal(node.report().sequence, 1)
  const [final] = only(later, 'final')
  assert.equal(final?.certificate?.sequence, 1)
  const kept = readCertificate(new ByteReader(final!.certificate!.bytes))
  assert.deepEqual(kept, certificate(block.id))
})

test('a validator does not vote for a proposal from the future, and does as soon as its time has come', () => {
  const node = ada()
  const { chain } = node
  const time = chain.nowMs / 1000 + four.genesis.work.futureLimitSeconds + 1
  const block = chain.make(chain.root, 'early', { time })
  chain.head = block
  assert.deepEqual(votes(node.hear('p1', proposal(block.id))), [])
  chain.nowMs += 1_000
  assert.ok(votes(node.timeout('retransmit')).includes(block.id))
})

test('a decided block is final though it is from the future', () => {
  const node = ada()
  const block = node.chain.make(node.chain.root, 'early', { time: node.chain.nowMs / 1000 + 3_600 })
  assert.deepEqual(finals(node.hear('p2', proof(block.id))), [block.id])
})

test('a block that does not come is asked for again, of those that are still here', () => {
  const node = ada()
  const block = fakeBlock('a', node.chain.root)
  node.hear('p2', proof(block.id))
  assert.deepEqual(
    only(node.timeout('retransmit'), 'want').map(({ id }) => id),
    [block.id],
  )
  node.step({ type: 'peer-disconnected', peer: 'p2' })
  const [want] = only(node.timeout('retransmit'), 'want')
  assert.equal(want?.id, block.id)
  assert.deepEqual(want.holders, { promised: [], others: ['p1', 'p3', 'x'] })
})

test('a decided block is asked of the validators that voted for it before all others, whichever peer tells the decision', () => {
  for (const teller of ['p2', 'x']) {
    const node = ada()
    for (const member of [1, 2, 3]) node.receive(`p${member}`, helloOf(member))
    const effects = node.hear(teller, proof(fakeBlock('a', node.chain.root).id, 1, [0, 2, 3]))
    const [want] = only(effects, 'want')
    assert.deepEqual(want?.holders, { promised: ['p2', 'p3'], others: ['p1'] }, `told by ${teller}`)
  }
})

test('decisions wait for the blocks of those before them', () => {
  const node = ada()
  const first = fakeBlock('a', node.chain.root)
  const second = fakeBlock('b', first)
  node.hear('p2', proof(first.id))
  assert.deepEqual(finals(node.hear('p2', proof(second.id, 2))), [])
  node.chain.add(second)
  assert.deepEqual(finals(node.step({ type: 'block', id: second.id })), [])
  assert.deepEqual(finals(node.give(first)), [first.id, second.id])
})

//     genesis ── a1 ── a2 ── a3      head
//             └─ b1                  decided
test('a certificate for a block on another branch makes it final, whatever work there is on ours', () => {
  const node = ada()
  node.chain.extend('a', 3)
  const other = node.chain.make(node.chain.root, 'b1')
  assert.deepEqual(finals(node.hear('p1', proof(other.id))), [other.id])
  assert.equal(node.chain.final.id, other.id)
  assert.equal(node.chain.head.id, other.id)
})

test('a certificate that is far ahead makes all before it final, once its block is here', () => {
  const node = ada()
  const blocks = node.chain.extend('a', 5)
  const top = fakeBlock('top', blocks.at(-1)!)
  const effects = node.hear('p3', proof(top.id, 9))
  assert.deepEqual(only(effects, 'want'), [
    { type: 'want', id: top.id, holders: { promised: ['p3'], others: ['p1', 'p2', 'x'] }, isDecided: true },
  ])
  assert.deepEqual(finals(node.give(top)), [top.id])
  assert.equal(node.report().sequence, 9)
  assert.deepEqual(finals(node.hear('p3', proof(blocks[0]!.id, 1))), [], 'what is final stays final')
})

test('a certificate that n − f validators did not sign is refused', () => {
  const node = ada()
  const [block] = node.chain.extend('a', 1)
  for (const bad of [
    proof(block!.id, 1, [1, 2]),
    { type: 'proof' as const, certificate: { ...certificate(block!.id), view: 1 } },
  ]) {
    const effects = node.hear('x', bad)
    assert.deepEqual(finals(effects), [])
    assert.deepEqual(only(effects, 'refuse'), [{ type: 'refuse', from: 'x', reason: 'certificate-invalid' }])
  }
})

// ---- votes and the disk

test('a vote is persisted before it is broadcast', () => {
  const node = ada()
  const [block] = node.chain.extend('a', 1)
  const rounds = [node.hear('p1', proposal(block!.id)), node.hear('p2', prepare(2, block!.id))]
  for (const [round, effects] of rounds.entries()) {
    const wordAt = effects.findIndex(({ type }) => type === 'broadcast')
    const recordAt = effects.findIndex(({ type }) => type === 'persist')
    assert.ok(recordAt !== -1 && recordAt < wordAt, `round ${round}`)
    assert.deepEqual(votes(effects), [block!.id])
    const record = effects[recordAt]
    assert.ok(record?.type === 'persist' && record.key.startsWith('vote/slot/') && record.value !== null)
    const vote = decodePbftRecord(record.value)
    assert.ok(vote?.type === 'slot' && vote.value === block!.id)
    assert.equal(vote.prepared !== null, round === 1)
  }
})

test('a proposal is persisted before it is broadcast', () => {
  const node = new TestCommittee({ network: four, self: 1 }).start()
  node.chain.extend('a', 1)
  const effects = node.step({ type: 'head' })
  const types = effects.map(({ type }) => type)
  assert.equal(said(effects, 'pre-prepare').length, 1)
  assert.ok(types.indexOf('persist') < types.indexOf('broadcast'))
})

test('after a restart a validator votes for nothing else', () => {
  const node = ada()
  const [block] = node.chain.extend('a', 1)
  const other = node.chain.make(node.chain.root, 'b')
  node.hear('p1', proposal(block!.id))
  const again = node.restarted()
  again.connect('p1', 'p2', 'p3')
  const effects = [...again.hear('p1', proposal(other.id)), ...again.hear('p2', prepare(2, other.id))]
  assert.deepEqual(votes(effects), [])
  assert.deepEqual(votes(again.timeout('retransmit')), [block!.id])
})

test('after a restart a prepared validator still claims what was prepared when it leaves its view', () => {
  const node = ada()
  const [block] = node.chain.extend('a', 1)
  node.hear('p1', proposal(block!.id))
  node.hear('p2', prepare(2, block!.id))
  const again = node.restarted()
  again.connect('p1', 'p2', 'p3')
  const [{ message } = assert.fail('no view change')] = said(again.expire(), 'view-change')
  assert.deepEqual(
    message.prepared.map(({ value, signatures }) => [value, signatures.map(({ member }) => member)]),
    [[block!.id, [0, 1, 2]]],
  )
})

test('a validator whose votes are lost, and whose chain is not, does not vote and says so', () => {
  const node = ada({ isFresh: false })
  const [block] = node.chain.extend('a', 1)
  assert.match(node.alarms.join(), /does not vote/)
  assert.match(node.report().muted ?? '', /record of its votes/)
  assert.equal(node.report().self, null)
  const effects = [
    ...node.hear('p1', proposal(block!.id)),
    ...node.hear('p2', prepare(2, block!.id)),
    ...node.timeout('retransmit'),
  ]
  assert.deepEqual(votes(effects), [])
  assert.equal(node.log.filter(({ type }) => type === 'send').length, 0, 'it does not say that it is Ada')
})

test('a validator whose votes are lost does not vote after another restart either', () => {
  const node = ada({ isFresh: false }).restarted()
  assert.equal(node.report().self, null)
  assert.notEqual(node.report().muted, null)
})

test('what a node kept that only followed is no record of votes', () => {
  const follower = ada({ self: null })
  const [block] = follower.chain.extend('a', 1)
  follower.hear('p1', proof(block!.id))
  const node = follower.restarted({ self: 0 })
  assert.notEqual(node.report().muted, null)
  assert.equal(node.report().self, null)
})

test('votes that another validator gave from this folder do not count as ours', () => {
  const cem = new TestCommittee({ network: four, self: 2, peer: 'p0' }).start()
  const node = cem.restarted({ self: 0 })
  assert.deepEqual([node.report().self, node.report().muted === null], [null, false])
  assert.equal(node.restarted({ self: 2 }).report().self, 2, 'and they are still its own')
  const mine = node.restarted({ mayForgetVotes: true })
  assert.equal(mine.report().self, 0)
  assert.equal(mine.restarted({ mayForgetVotes: false }).report().self, 0)
  assert.equal(mine.restarted({ self: 2, mayForgetVotes: false }).report().self, null)
})

test('a validator whose votes are lost votes when its owner says that there were none', () => {
  const node = ada({ isFresh: false, mayForgetVotes: true })
  const [block] = node.chain.extend('a', 1)
  assert.deepEqual([node.report().self, node.report().muted, node.alarms], [0, null, []])
  assert.deepEqual(votes(node.hear('p1', proposal(block!.id))), [block!.id])
})

test('a validator without votes votes on a fresh database, and on what it has written there', () => {
  const node = ada({ isFresh: true })
  assert.deepEqual([node.report().self, node.report().muted], [0, null])
  assert.deepEqual([node.restarted().report().self, node.alarms], [0, []])
})

test('a damaged record of votes stops the start by name', () => {
  const node = ada()
  const keys = [...node.records.keys()].filter(key => key.startsWith('vote/'))
  assert.ok(keys.length > 0)
  for (const key of keys) {
    const records = new Map(node.records).set(key, Uint8Array.of(99))
    const start = () => new TestCommittee({ network: four, self: 0, records }).start()
    assert.throws(start, error => error instanceof DamagedVotes && error.message.includes(key))
  }
})

// ---- evidence

/** Cem commits to two blocks for this decision. */
function contradict(node: TestCommittee, sequence: number): FinalityEffect[] {
  const [one, two] = [fakeBlock(`one ${sequence}`, null), fakeBlock(`two ${sequence}`, null)]
  return [
    ...node.hear('p2', commit(2, one.id, sequence)),
    ...node.hear('p2', commit(2, two.id, sequence)),
    ...node.hear('p2', commit(2, one.id, sequence)),
  ]
}

test('evidence is kept, alarms once, convicts offline and survives a restart', () => {
  const node = ada()
  const effects = contradict(node, 1)
  assert.deepEqual(
    only(effects, 'persist').map(({ key }) => key),
    ['evidence/2/0'],
  )
  assert.deepEqual(
    only(effects, 'alarm').map(({ text }) => text),
    ['validator cem signed two different commits for decision 1 in view 0'],
  )
  for (const { evidence } of [node.report(), node.restarted().report()]) {
    assert.equal(evidence.length, 1)
    const verdict = verifyEvidence(four.file, evidence[0])
    assert.ok('validator' in verdict && verdict.validator.name === 'cem')
  }
  assert.deepEqual(only(contradict(node.restarted(), 1), 'alarm'), [], 'it is known')
})

test('a validator that is proved to lie is not to lead, after a restart either', () => {
  const node = ada()
  contradict(node, 1)
  const again = node.restarted()
  again.connect('p1', 'p2', 'p3')
  again.chain.extend('a', 1)
  again.step({ type: 'head' })
  const [{ message } = assert.fail('no view change')] = said(again.expire(), 'view-change')
  assert.deepEqual(
    message.suspects.map(({ member }) => member),
    [2],
  )
})

test('two votes and a view change that leaves one of them out are two lies', () => {
  const node = ada()
  contradict(node, 1)
  node.hear('p2', hiding(2))
  assert.deepEqual(
    node.report().evidence.map(({ type }) => type),
    ['contradiction', 'omission'],
  )
})

test('of one validator four proofs are kept, and no more', () => {
  const node = ada()
  for (let sequence = 1; sequence <= 6; sequence++) contradict(node, sequence)
  assert.equal(node.report().evidence.length, 4)
  assert.equal([...node.records.keys()].filter(key => key.startsWith('evidence/')).length, 4)
  const again = node.restarted()
  for (let sequence = 7; sequence <= 9; sequence++) contradict(again, sequence)
  assert.equal(again.report().evidence.length, 4)
})

test('damaged evidence stops the start by name', () => {
  const node = ada()
  contradict(node, 1)
  node.records.set('evidence/2/0', Uint8Array.of(1, 2))
  assert.throws(() => node.restarted(), { name: 'DamagedVotes', message: /evidence\/2\/0/ })
})

// ---- two certificates

/** Blocks on one parent that are both decided. */
function conflicted(): { node: TestCommittee; effects: FinalityEffect[] } {
  const node = ada()
  const [one, two] = ['one', 'two'].map(name => node.chain.make(node.chain.root, name))
  node.hear('p1', proof(one!.id, 1, [0, 1, 2]))
  return { node, effects: node.hear('p2', proof(two!.id, 1, [1, 2, 3])) }
}

test('two certificates for one decision in one view stop it, and the alarm names the f + 1 that signed both', () => {
  const { node, effects } = conflicted()
  const alarm = only(effects, 'alarm').at(-1)
  assert.match(
    alarm?.text ?? '',
    /^finality has stopped: two certificates for decision 1, .* more than the 1 faulty validators .*; proven to have lied: ben, cem$/,
  )
  assert.match(node.report().halted ?? '', /: ben, cem$/)
  assert.deepEqual(finals(effects), [])
})

/** Blocks on one parent of which one is decided in the first view, and the other in view 2. */
function conflictedAcross(before: readonly PbftMessage[] = []): FinalityEffect[] {
  const node = ada()
  const [one, two] = ['one', 'two'].map(name => node.chain.make(node.chain.root, name))
  const later = { phase: 'commit', sequence: 1, view: 2, value: two!.id } as const
  const after: PbftMessage = { type: 'proof', certificate: four.certify(later, [1, 2, 3]) }
  return [...before, proof(one!.id, 1, [0, 1, 2]), after].flatMap(message => node.hear('p1', message))
}

/** A view change to view 1 that tells of nothing. */
function hiding(from: number): PbftMessage {
  const content = { view: 1, stable: null, prepared: [], suspects: [] }
  const signature = four.signing(from).sign(viewChangeStatement(content))
  return { type: 'view-change', ...content, from, signature }
}

test('a validator that signed two certificates of two views is neither named nor convicted by that: an honest one may have', () => {
  const effects = conflictedAcross()
  const evidence = only(effects, 'persist').filter(({ key }) => key.startsWith('evidence/'))
  assert.deepEqual(evidence, [])
  const [alarm, ...more] = only(effects, 'alarm')
  assert.deepEqual(more, [])
  assert.match(
    alarm!.text,
    /^finality has stopped: two certificates for decision 1, 0x[0-9a-f]{64} in view 0 and 0x[0-9a-f]{64} in view 2: more than the 1 faulty validators that are tolerated; this node has proof against none$/,
  )
})

test('of the validators that signed two certificates of two views those are named that hid the first', () => {
  const effects = conflictedAcross([hiding(2)])
  const evidence = only(effects, 'persist').filter(({ key }) => key.startsWith('evidence/'))
  assert.deepEqual(
    evidence.map(({ key }) => key),
    ['evidence/2/0'],
  )
  const texts = only(effects, 'alarm').map(({ text }) => text)
  assert.equal(
    texts[0],
    'validator cem signed a commit for decision 1 in view 0 and left it out when it left for view 1',
  )
  assert.match(texts.at(-1)!, /; proven to have lied: cem$/)
})

test('a commit that is left out is kept, convicts offline and survives a restart', () => {
  const node = ada()
  node.hear('p2', commit(2, fakeBlock('one', null).id))
  node.hear('p2', hiding(2))
  for (const { evidence } of [node.report(), node.restarted().report()]) {
    assert.deepEqual(
      evidence.map(({ type }) => type),
      ['omission'],
    )
    const verdict = verifyEvidence(four.file, JSON.parse(JSON.stringify(evidence[0])))
    assert.ok('validator' in verdict && verdict.validator.name === 'cem')
  }
})

test('two certificates of one view are evidence against all validators that signed both', () => {
  const { node } = conflicted()
  const { evidence } = node.restarted().report()
  assert.deepEqual(
    evidence.map(({ validator }) => validator.name),
    ['ben', 'cem'],
  )
  for (const report of evidence) assert.ok('validator' in verifyEvidence(four.file, report))
})

test('a node that has stopped votes for nothing, proposes nothing and makes nothing final', () => {
  const { node } = conflicted()
  const [block] = node.chain.extend('a', 1)
  const effects = [
    ...node.step({ type: 'head' }),
    ...node.hear('p2', proposal(block!.id, 2)),
    ...node.hear('p2', prepare(3, block!.id, 2)),
    ...node.hear('p2', proof(block!.id, 2)),
    ...node.timeout('retransmit'),
    ...node.expire(),
    ...node.timeout('pace'),
  ]
  assert.deepEqual(only(effects, 'broadcast'), [])
  assert.deepEqual(finals(effects), [])
})

test('a decision that waits for its block is not made final by a node that has stopped meanwhile', () => {
  const node = ada()
  const [one, two] = ['one', 'two'].map(name => node.chain.make(node.chain.root, name))
  const late = fakeBlock('late', one!)
  node.hear('p1', proof(one!.id, 1, [0, 1, 2]))
  node.hear('p1', proof(late.id, 2))
  node.hear('p2', proof(two!.id, 1, [1, 2, 3]))
  assert.notEqual(node.report().halted, null)
  assert.deepEqual(finals([...node.give(late), ...node.timeout('retransmit')]), [])
})

for (const [what, decideNext] of [
  ['a block of another branch', ({ chain }: TestCommittee) => branch(chain, chain.root, 'b', 2)[1]!],
  ['the same block again', (_: TestCommittee, first: FakeBlock) => first],
] as const)
  test(`a node stops when a decision is ${what}, and tells why`, () => {
    const node = ada()
    const first = fakeBlock('first', node.chain.root)
    const next = decideNext(node, first)
    node.hear('p1', proof(first.id, 1))
    node.hear('p1', proof(next.id, 2))
    // One step applies both.
    assert.deepEqual(finals(node.give(first)), [first.id])
    assert.equal(node.report().sequence, 1)
    assert.match(
      node.alarms.join(),
      /^finality has stopped: decision 2 is block 0x[0-9a-f]{64}, which does not lie above/,
    )
    assert.match(
      node.restarted().report().halted ?? '',
      /more than the 1 faulty validators that are tolerated/,
    )
  })

test('a node that is behind stops when a decision ahead is a block of another branch', () => {
  const node = ada()
  const [first] = node.chain.extend('a', 1)
  const beside = branch(node.chain, node.chain.root, 'b', 3)
  node.hear('p1', proof(beside[2]!.id, 3))
  assert.equal(node.report().sequence, 3)
  const other = ada()
  other.chain.extend('a', 1)
  other.hear('p1', proof(first!.id, 1))
  // The node keeps no block beside the final one, but for one step.
  for (const block of beside) other.chain.add(block)
  assert.deepEqual(finals(other.hear('p1', proof(beside[2]!.id, 3))), [])
  assert.notEqual(other.report().halted, null)
})

test('a node that has stopped is stopped after a restart, and raises the alarm again', () => {
  const { node } = conflicted()
  const again = node.restarted()
  again.connect('p1', 'p2', 'p3')
  assert.equal(again.report().halted, node.report().halted)
  assert.equal(again.alarms.length, 1)
  const [block] = again.chain.extend('a', 1)
  assert.deepEqual(votes(again.hear('p2', proposal(block!.id, 2))), [])
})

// ---- which peer is which validator

/** What member `self` says of itself to a new peer. */
function helloOf(self: number, peer = `p${self}`): Uint8Array {
  const node = new TestCommittee({ network: four, self, peer }).start()
  const [hello] = only(node.connect('p0'), 'send')
  assert.ok(hello !== undefined)
  return hello.body
}

const linked = (node: TestCommittee): string =>
  node
    .report()
    .validators.filter(({ isLinked }) => isLinked)
    .map(({ name }) => name)
    .join(' ')

test('a hello binds a validator to its peer, until that is gone', () => {
  const node = ada()
  assert.equal(linked(node), 'ada')
  node.receive('p2', helloOf(2))
  assert.equal(linked(node), 'ada cem')
  node.step({ type: 'peer-disconnected', peer: 'p2' })
  assert.equal(linked(node), 'ada')
})

test('a hello of a peer that left before its turn came binds no validator', () => {
  const node = ada()
  node.step({ type: 'peer-disconnected', peer: 'p2' })
  assert.deepEqual(node.receive('p2', helloOf(2)), [])
  assert.equal(linked(node), 'ada')
})

test('a hello that is another peer’s, of a stranger, or of another member is refused', () => {
  const node = ada()
  const hello = helloOf(2)
  const asBen = hello.slice()
  asBen[9] = 1
  const broken = hello.slice()
  broken[20]! ^= 1
  const strangers = new TestCommittee({ network: new TestValidators(4, {}, 'other'), self: 2, peer: 'x' })
  const [foreign] = only(strangers.start().connect('p0'), 'send')
  for (const [from, body] of [
    ['x', hello],
    ['p2', asBen],
    ['p2', broken],
    ['x', foreign!.body],
  ] as const) {
    assert.deepEqual(only(node.receive(from, body), 'refuse'), [
      { type: 'refuse', from, reason: 'hello-forged' },
    ])
  }
  assert.equal(linked(node), 'ada')
})

test('one key at two peers raises an alarm, once; so does our own key somewhere else', () => {
  const node = ada()
  node.receive('p2', helloOf(2))
  for (let round = 0; round < 2; round++) {
    node.receive('x', helloOf(2, 'x'))
    node.receive('p2', helloOf(2))
  }
  assert.deepEqual(node.alarms, ['the key of validator cem is in use at two peers, p2 and x'])
  node.receive('x', helloOf(0, 'x'))
  assert.equal(node.alarms[1], 'the key of validator ada is in use at two peers, p0 and x')
})

test('a node without a key, or with a stranger’s, only follows', () => {
  for (const self of [null, keyOf('stranger')]) {
    const node = ada({ self })
    const [block] = node.chain.extend('a', 1)
    assert.equal(node.report().self, null)
    assert.equal(node.report().muted, null)
    assert.deepEqual(only(node.log, 'send'), [], 'it sends no hello')
    const before = [
      ...node.step({ type: 'head' }),
      ...node.hear('p1', proposal(block!.id)),
      ...node.hear('p2', prepare(2, block!.id)),
      ...node.timeout('retransmit'),
      ...node.expire(),
    ]
    assert.deepEqual([votes(before), said(before, 'pre-prepare'), said(before, 'view-change')], [[], [], []])
    assert.deepEqual(finals(node.hear('p1', proof(block!.id))), [block!.id])
  }
})

test('a follower is told certificates; the peer that told us, and the validators, are not', () => {
  const node = ada()
  node.connect('y')
  for (const member of [1, 2, 3]) node.receive(`p${member}`, helloOf(member))
  const [block] = node.chain.extend('a', 1)
  const told = said(node.hear('x', proof(block!.id)), 'proof')
  assert.deepEqual(
    told.map(({ to, message }) => [to, message.certificate.value]),
    [['y', block!.id]],
  )
})

test('what is no message is refused', () => {
  const node = ada()
  const good = encodeEnvelope({ clockMs: 0, content: { type: 'protocol', message: proof('') } })
  for (const body of [[], [0], [9, ...good.slice(1)], good.slice(0, -1), [...good, 0]])
    assert.deepEqual(node.receive('x', Uint8Array.from(body)), [
      { type: 'refuse', from: 'x', reason: 'malformed' },
    ])
})

test('a vote in the name of another is refused', () => {
  const node = ada()
  const [block] = node.chain.extend('a', 1)
  const effects = node.hear('x', { ...commit(2, block!.id), from: 3 })
  assert.deepEqual(only(effects, 'refuse'), [{ type: 'refuse', from: 'x', reason: 'signature-invalid' }])
})

// ---- proposing

test('nothing is proposed, and no member is suspected, while there is nothing to decide', () => {
  const ben = new TestCommittee({ network: four, self: 1 }).start()
  ben.connect('p0', 'p2', 'p3')
  const idle = [...ben.step({ type: 'head' }), ...ben.step({ type: 'pool' }), ...ben.timeout('retransmit')]
  assert.deepEqual(said(idle, 'pre-prepare'), [])
  assert.equal(ben.report().isWaiting, false)
  assert.equal(ben.timers.has('protocol/progress'), false)
  const [block] = ben.chain.extend('a', 1)
  const effects = ben.step({ type: 'head' })
  assert.deepEqual(
    said(effects, 'pre-prepare').map(({ block, message }) => [block, message.value, message.sequence]),
    [[block!.id, block!.id, 1]],
  )
  assert.equal(ben.report().isWaiting, true)
  assert.ok(ben.timers.has('protocol/progress'))
})

test('a member waits for the one whose turn it is', () => {
  const node = ada()
  node.chain.extend('a', 1)
  assert.deepEqual(said(node.step({ type: 'head' }), 'pre-prepare'), [])
  assert.equal(node.report().proposer, 1)
  assert.ok(node.timers.has('protocol/progress'))
})

test('a proposal is not voted for before its block is here', () => {
  const node = ada()
  const block = fakeBlock('a', node.chain.root)
  for (const member of [1, 2, 3]) node.receive(`p${member}`, helloOf(member))
  const effects = node.hear('p1', proposal(block.id))
  assert.deepEqual(votes(effects), [])
  const wants = (now: readonly FinalityEffect[]) => only(now, 'want').map(({ holders }) => holders)
  assert.deepEqual(wants(effects), [{ promised: ['p1'], others: ['p2', 'p3'] }])
  const [voted] = wants(node.hear('p3', prepare(3, block.id)))
  assert.deepEqual(voted, { promised: ['p3'], others: ['p1', 'p2'] }, 'a vote is a promise')
  assert.deepEqual(new Set(votes(node.give(block))), new Set([block.id]))
})

test('a proposal that breaks the rules is not voted for', () => {
  const node = ada({
    policy: new NextBlockPolicy({ intervalMs: 250, heartbeatSeconds: null, futureLimitSeconds: 15 }),
  })
  const empty = node.chain.make(node.chain.root, 'empty')
  assert.deepEqual(votes(node.hear('p1', proposal(empty.id))), [])
  assert.deepEqual(votes(node.give(fakeBlock('more', empty))), [], 'whatever comes after')
})

test('the next proposal, which came too early, is voted for after the decision, and waited for', () => {
  const nothing = Object.assign(new MinedBlockPolicy({ depth: 9, interval: 1 }), {
    validate: () => 'valid' as const,
  })
  const node = ada({ policy: nothing })
  const first = node.chain.make(node.chain.root, 'first')
  const second = node.chain.make(first, 'second')
  assert.deepEqual(votes(node.hear('p2', proposal(second.id, 2))), [])
  node.hear('p1', proposal(first.id))
  node.hear('p2', prepare(2, first.id))
  node.hear('p1', commit(1, first.id))
  const effects = node.hear('p2', commit(2, first.id))
  assert.deepEqual(finals(effects), [first.id])
  assert.deepEqual(votes(effects), [second.id])
  assert.equal(node.report().isWaiting, false, 'nothing else is to be decided')
  assert.ok(
    node.timers.has('protocol/progress'),
    'the timer of the second is not cleared by the end of the first',
  )
})

// ---- candidates of a mined chain

const BURIED = { policy: new MinedBlockPolicy({ depth: 2, interval: 1 }) }

//     genesis ── b ── x ── tip
test('a candidate that is not buried yet is voted for when the block that buries it has come', () => {
  const node = ada(BURIED)
  const candidate = node.chain.make(node.chain.root, 'b')
  const above = fakeBlock('x', candidate)
  assert.deepEqual(votes(node.hear('p1', proposal(candidate.id))), [])
  assert.deepEqual(votes(node.give(above)), [])
  assert.deepEqual(votes(node.give(fakeBlock('tip', above))), [candidate.id])
})

//     genesis ── a1 ── … ── a9        head
//      └── b0 ── b1 ── b2 ── b3       b0 is decided
test('a candidate on a branch that was just decided is voted for as soon as the node follows that branch', () => {
  const node = ada(BURIED)
  node.chain.extend('a', 9)
  const [b0, b1] = branch(node.chain, node.chain.root, 'b', 4)
  assert.deepEqual(votes(node.hear('p2', proposal(b1!.id, 2))), [])
  const effects = node.hear('p3', proof(b0!.id))
  assert.deepEqual(finals(effects), [b0!.id])
  assert.deepEqual(votes(effects), [b1!.id])
})

//     genesis ── a1 ── … ── a9        head
//      └── b                          prepared by others in view 0
test('a candidate that a new view proposes again is voted for, however little work is on it', () => {
  const node = ada(BURIED)
  node.chain.extend('a', 9)
  const lone = node.chain.make(node.chain.root, 'b')
  assert.deepEqual(votes(node.hear('p1', proposal(lone.id))), [], 'not in the first view')
  const prepared = four.certify({ phase: 'prepare', sequence: 1, view: 0, value: lone.id }, [1, 2, 3])
  const viewChanges = [1, 2, 3].map(from => {
    const asked = { view: 1, stable: null, prepared: from === 2 ? [prepared] : [], suspects: [] }
    const signature = four.signing(from).sign(viewChangeStatement(asked))
    return { type: 'view-change' as const, ...asked, from, signature }
  })
  const again = { sequence: 1, value: lone.id, signature: four.signing(1).sign(voteFor(lone.id)) }
  const begun = { view: 1, viewChanges, proposals: [again] }
  const signature = four.signing(1).sign(newViewStatement(begun))
  assert.deepEqual(votes(node.hear('p1', { type: 'new-view', ...begun, signature })), [lone.id])
})

const voteFor = (value: Value) => ({ phase: 'prepare', sequence: 1, view: 1, value }) as const

test('while a decision waits for its block nothing is proposed, and no member is suspected of being slow', () => {
  const cem = new TestCommittee({ network: four, self: 2 }).start()
  cem.connect('p0', 'p1', 'p3')
  cem.chain.extend('a', 2)
  const effects = cem.hear('p0', proof(fakeBlock('unknown', cem.chain.root).id, 1, [0, 1, 3]))
  assert.deepEqual(said([...effects, ...cem.step({ type: 'head' })], 'pre-prepare'), [])
  assert.equal(cem.timers.has('protocol/progress'), false)
})

// ---- reports

test('a report says which validators are there, have voted, and are missing', () => {
  const node = ada()
  const [block] = node.chain.extend('a', 1)
  node.step({ type: 'head' })
  for (const member of [1, 2]) node.receive(`p${member}`, helloOf(member))
  node.hear('p1', proposal(block!.id))
  node.chain.nowMs += 500
  const report = node.committee.report(node.chain.nowMs)
  assert.deepEqual(
    report.validators.map(({ name, isLinked, votedIn }) => [name, isLinked, votedIn]),
    [
      ['ada', true, ['prepare']],
      ['ben', true, ['prepare']],
      ['cem', true, []],
      ['dua', false, []],
    ],
  )
  assert.deepEqual([report.quorum, report.faultsTolerated, report.pattern], [3, 1, 'all-to-all'])
  assert.deepEqual(report.phases, ['prepare', 'commit'])
  assert.deepEqual([report.view, report.isActive, report.sequence, report.proposer], [0, true, 0, 1])
  node.hear('p2', prepare(2, block!.id))
  assert.deepEqual(node.report().validators[0]!.votedIn, ['prepare', 'commit'])
})

test('a report tells what a validator said of itself, and how far its clock is ahead', () => {
  const node = ada()
  const status: PbftMessage = {
    type: 'status',
    from: 2,
    view: 3,
    isActive: false,
    votes: true,
    decided: 7,
    value: '',
    timeoutMs: 4_000,
  }
  const body = encodeEnvelope({ clockMs: NOW_MS + 250, content: { type: 'protocol', message: status } })
  node.receive('p2', body)
  assert.equal(node.report().validators[2]!.status, null, 'it is not known yet that it is Cem')
  node.receive('p2', helloOf(2))
  node.receive('x', body)
  assert.equal(node.report().validators[2]!.status, null, 'x is not Cem')
  node.receive('p2', body)
  node.chain.nowMs += 70
  assert.deepEqual(node.report().validators[2]!.status, {
    view: 3,
    isActive: false,
    votes: true,
    sequence: 7,
    timeoutMs: 4_000,
    clockAheadMs: 250,
    ageMs: 70,
  })
})

test('messages are described in a few words', () => {
  const node = ada()
  const word = (message: PbftMessage): string =>
    node.committee.describe(encodeEnvelope({ clockMs: 0, content: { type: 'protocol', message } }))
  const { id } = node.chain.root
  assert.equal(word(commit(2, id)), `commit 1/0 ${id} by 2`)
  assert.equal(word(proposal(id)), `pre-prepare 1/0 ${id}`)
  assert.equal(word(proof(id)), `proof commit 1/0 ${id}`)
  assert.equal(node.committee.describe(helloOf(3)), 'hello 3')
  assert.equal(node.committee.describe(Uint8Array.of(1)), 'malformed')
})

// ---- the pace

test('the pace timer is set once for one moment, however often something happens', () => {
  const policy = new NextBlockPolicy({ intervalMs: 250, heartbeatSeconds: 7_200, futureLimitSeconds: 15 })
  const node = ada({ policy })
  assert.equal(node.timers.get('pace'), 3_600_000)
  const more = Array.from({ length: 5 }, () => [
    ...node.step({ type: 'pool' }),
    ...node.step({ type: 'head' }),
    ...node.timeout('retransmit'),
  ]).flat()
  assert.deepEqual(
    only(more, 'set-timer').filter(({ name }) => name === 'pace'),
    [],
  )
  // Fired too early: it is set again, once.
  const again = only(node.timeout('pace'), 'set-timer').filter(({ name }) => name === 'pace')
  assert.equal(again.length, 1)
})

test('a clock that is set back an hour delays the next block by an interval at most', () => {
  const node = ada({
    policy: new NextBlockPolicy({ intervalMs: 250, heartbeatSeconds: null, futureLimitSeconds: 15 }),
  })
  node.hear('p1', proof(node.chain.make(node.chain.root, 'first', { transactions: 1 }).id))
  node.chain.waiting = 1
  node.chain.nowMs -= 3_600_000
  node.step({ type: 'pool' })
  assert.equal(node.report().isWaiting, false)
  node.chain.nowMs += 250
  node.timeout('pace')
  assert.equal(node.report().isWaiting, true)
})

// ---- whole committees

for (const pattern of ['all-to-all', 'leader-collected'] as const) {
  test(`${pattern}: four decide block after block, and a follower with them`, () => {
    const network = new CommitteeNetwork(4, { pattern, followers: 1, prepare: chain => chain.extend('a', 3) })
    network.runUntil(() => [...network.nodes.values()].every(({ chain }) => chain.final.height === 3))
    const ids = new Set([...network.nodes.values()].map(({ chain }) => chain.final.id))
    assert.equal(ids.size, 1)
  })

  test(`${pattern}: three of four go on, two do not, and go on when the third is back`, () => {
    const network = new CommitteeNetwork(4, {
      pattern,
      absent: [1, 2],
      prepare: chain => chain.extend('a', 5),
    })
    network.run(10_000)
    assert.deepEqual(
      network.honest.map(({ chain }) => chain.final.height),
      [0, 0],
    )
    network.join(2)
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height === 5), 200_000)
    assert.deepEqual(
      network.honest.flatMap(({ alarms }) => alarms),
      [],
    )
  })
}

test('a committee of one decides alone', () => {
  const network = new CommitteeNetwork(1, { prepare: chain => chain.extend('a', 2) })
  assert.equal(network.node(0).chain.final.height, 2)
})

// ---- what a validator can no longer remember

const query = (node: TestCommittee) =>
  node.log.filter(
    effect => effect.type === 'broadcast' && node.committee.describe(effect.body).startsWith('query'),
  )

test('a validator asks for its own votes before it gives any, and says until then that it does not vote yet', () => {
  const node = ada({ isAnswered: false })
  const [block] = node.chain.extend('a', 1)
  assert.equal(query(node).length, 1)
  assert.deepEqual(votes(node.hear('p1', proposal(block!.id))), [])
  assert.match(node.report().muted ?? '', /asks the others/)
  assert.ok(votes(node.answer()).includes(block!.id))
  assert.equal(node.report().muted, null)
})

test('a validator that comes late to a network that decided without it votes once the others have answered', () => {
  const node = ada({ isAnswered: false })
  node.connect('p1', 'p2', 'p3')
  const [first, second] = node.chain.extend('a', 2)
  node.hear('p1', proof(first!.id))
  node.answer(1)
  assert.deepEqual([node.report().self, node.report().muted, node.alarms], [0, null, []])
  assert.deepEqual(votes(node.hear('p2', proposal(second!.id, 2))), [second!.id])
})

test('a validator with a new folder where a decision bears its signature only follows, and says so', () => {
  const node = ada({ isAnswered: false })
  node.connect('p1', 'p2', 'p3')
  const [first, second] = node.chain.extend('a', 2)
  node.hear('p1', proof(first!.id, 1, [0, 1, 2]))
  node.answer(1)
  assert.match(node.alarms.join(), /does not vote: it signed decisions of this network before/)
  assert.equal(node.report().self, null)
  assert.deepEqual(votes(node.hear('p2', proposal(second!.id, 2))), [])
  // Nor is it any wiser after the next starts, whatever the others say.
  for (let again = node.restarted(), starts = 0; starts < 2; again = again.restarted(), starts++) {
    again.connect('p1', 'p2', 'p3')
    again.answer(1)
    assert.deepEqual([again.report().self, again.report().muted !== null], [null, true])
    assert.deepEqual(votes(again.hear('p2', proposal(second!.id, 2))), [])
  }
  const told = node.restarted({ mayForgetVotes: true })
  told.answer(1)
  assert.deepEqual([told.report().self, told.report().muted], [0, null])
})

test('a new folder that was opened before anybody answered is as new at the next start', () => {
  const node = ada({ isAnswered: false })
  const again = node.restarted({ isAnswered: false })
  assert.equal(again.report().self, 0)
  again.connect('p1', 'p2', 'p3')
  const [first] = again.chain.extend('a', 1)
  again.hear('p1', proof(first!.id, 1, [0, 1, 2]))
  assert.match(again.alarms.join(), /does not vote: it signed decisions of this network before/)
})

test('a validator that is put back to the same moment twice asks with another challenge each time', () => {
  const challenges = [1, 2].map(hour => {
    const node = ada({ life: 77 })
    node.chain.nowMs += hour * 3_600_000
    node.step({ type: 'head' })
    return said(node.log, 'query').at(-1)?.message.challenge
  })
  assert.equal(challenges.length, 2)
  assert.notEqual(challenges[0], challenges[1])
})

test('a validator whose clock shows that it was away asks again before it votes', () => {
  const node = ada()
  node.chain.nowMs += 3_600_000
  const [block] = node.chain.extend('a', 1)
  const before = query(node).length
  assert.deepEqual(votes(node.hear('p1', proposal(block!.id))), [])
  assert.equal(query(node).length, before + 1)
  node.answer()
  assert.equal(node.report().muted, null)
})

test('decisions that were dropped while blocks were awaited are got again', () => {
  const node = ada({ policy: new MinedBlockPolicy({ depth: 0, interval: 1 }) })
  node.connect('p1', 'p2', 'p3')
  const blocks: FakeBlock[] = []
  for (let height = 1; height <= 300; height++)
    blocks.push(fakeBlock(`a${height}`, blocks.at(-1) ?? node.chain.root))
  const hear = (from: number): void => {
    for (let sequence = from; sequence <= blocks.length; sequence++)
      node.hear('p1', proof(blocks[sequence - 1]!.id, sequence))
  }
  hear(1)
  for (const block of blocks) node.give(block)
  const { sequence } = node.report()
  assert.ok(sequence < blocks.length, 'not all of them were kept')
  // Its status tells the others what it lacks, and they say it again.
  assert.ok(
    node
      .timeout('retransmit')
      .some(
        effect =>
          effect.type === 'broadcast' &&
          node.committee.describe(effect.body).startsWith(`status ${sequence}/`),
      ),
  )
  hear(sequence + 1)
  assert.equal(node.report().sequence, blocks.length)
  assert.equal(node.chain.final.height, blocks.length)
})

test('no number of f + 1 members ends a node: it stops with an alarm, and starts again', () => {
  const node = ada()
  node.chain.extend('a', 1)
  node.step({ type: 'head' })
  for (const from of [1, 2]) {
    const content = { view: NUMBER_MAX, stable: null, prepared: [], suspects: [] }
    const signature = four.signing(from).sign(viewChangeStatement(content))
    node.hear(`p${from}`, { type: 'view-change', ...content, from, signature })
  }
  assert.equal(node.report().view, NUMBER_MAX)
  for (let time = 0; time < 2; time++) node.expire()
  assert.match(node.alarms.join(), /finality has stopped: no view is left/)
  assert.match(node.restarted().report().halted ?? '', /no view is left/)
})
