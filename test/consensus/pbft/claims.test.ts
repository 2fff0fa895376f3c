// One test for each claim: of Castro and Liskov (OSDI 1999), of W. Schultz's notes, and of docs/agreement.md.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_VALUE, NUMBER_MAX } from '../../../src/consensus/log.ts'
import { isCertificate } from '../../../src/consensus/pbft/certificate.ts'
import { primaryOfView, proposerOf } from '../../../src/consensus/pbft/leader-schedule.ts'
import type { NewView, PbftMessage, ViewChange } from '../../../src/consensus/pbft/messages.ts'
import { answerStatement } from '../../../src/consensus/pbft/recall.ts'
import {
  isNewView,
  isViewChange,
  newViewStatement,
  proposalsOf,
  viewChangeStatement,
} from '../../../src/consensus/pbft/view-change.ts'
import { ViewTimer } from '../../../src/consensus/pbft/view-timer.ts'
import type { Certificate, Vote } from '../../../src/consensus/pbft/votes.ts'
import { faultsTolerated, quorumOf } from '../../../src/consensus/quorum.ts'
import { Network } from '../network.ts'
import { Notary } from '../notary.ts'
import { forgeProofs } from './liars.ts'
import { PATTERNS, pbftMaker } from './maker.ts'
import { type Effect, PbftStage } from './stage.ts'

const [A, B, C, D] = [0, 1, 2, 3] as const
const ALL = [A, B, C, D]
const types = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type)
const said = (effects: readonly Effect[]): string[] =>
  effects.flatMap(effect => ('message' in effect ? [effect.message.type] : []))
const vote = (phase: Vote['phase'], sequence: number, view: number, value: string): Vote => ({
  phase,
  sequence,
  view,
  value,
})

// ---- numbers (0.1)

test('a quorum is n − f for every n from 1 to 16', () => {
  const quorums = Array.from({ length: 16 }, (_, index) => quorumOf(index + 1))
  assert.deepEqual(quorums, [1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11])
})

test('two quorums of n − f share f + 1 members, so one that is honest, and the honest alone are one', () => {
  for (let n = 1; n <= 100; n++) {
    const f = faultsTolerated(n)
    assert.ok(3 * f < n && 3 * (f + 1) >= n)
    assert.ok(2 * quorumOf(n) - n >= f + 1)
    assert.ok(quorumOf(n) <= n - f)
  }
})

test('a quorum of 2f + 1 at n = 6 gives two disjoint certificates, and n − f does not', () => {
  const notary = new Notary()
  const signing = notary.keyOf(null)
  const of = (value: string, members: readonly number[]): Certificate => ({
    ...vote('commit', 1, 0, value),
    signatures: members.map(member => ({
      member,
      signature: notary.keyOf(member).sign(vote('commit', 1, 0, value)),
    })),
  })
  // No member votes twice here.
  const halves = [of('b', [0, 1, 2]), of('x', [3, 4, 5])]
  assert.equal(halves[0]!.signatures.length, 2 * faultsTolerated(6) + 1)
  for (const half of halves) assert.equal(isCertificate(half, 6, signing), false)
  assert.ok(isCertificate(of('b', [0, 1, 2, 3, 4]), 6, signing))
})

test('below four members none may fail', () => {
  assert.deepEqual([1, 2, 3, 4].map(faultsTolerated), [0, 0, 0, 1])
})

test('the primary of a view, and the proposer of a sequence number in it, follow from numbers that all know', () => {
  assert.deepEqual(
    [0, 1, 4, 5].map(view => primaryOfView(view, 4)),
    [0, 1, 0, 1],
  )
  // In n sequence numbers in a row every member proposes once: none keeps a value out for long.
  for (const view of [0, 3, 17])
    assert.equal(new Set([5, 6, 7, 8].map(sequence => proposerOf(view, sequence, 4))).size, 4)
})

// ---- what it costs (C.1, C.2, C.10): exact when nothing fails

const DECISIONS = 12
for (const n of [4, 7, 10, 16])
  for (const [pattern, messages, delays] of [
    ['all-to-all', 2 * n * (n - 1), 3],
    // f members tell the next proposer as well.
    ['leader-collected', 5 * (n - 1) + faultsTolerated(n), 5],
  ] as const)
    test(`${pattern} with ${n} members: ${messages} messages and ${delays} delays for a decision`, () => {
      // The variant in which a proposal is its proposer's PREPARE. Checkpoints are counted apart, and nothing is said
      // twice: the timers are longer than the run.
      const network = new Network({
        maker: pbftMaker(pattern, 100),
        n,
        seed: 1,
        goal: DECISIONS,
        timeoutMs: 1e6,
      })
      assert.ok(network.runUntil(() => network.haveDecided(), 1e5))
      // The last messages are still on their way when the last decision is made.
      const total = [...network.counts.values()].reduce((sum, count) => sum + count, 0)
      assert.equal(total, DECISIONS * messages)
      // Each decision's proposer begins when it has the one before: one delay of 10 ms after another.
      const proposer = proposerOf(0, 1, n)
      for (const { index } of network.nodes) assert.ok(network.decidedAtMs.get(`${index} 1`)! <= 10 * delays)
      const slowest = Math.max(...network.nodes.map(({ index }) => network.decidedAtMs.get(`${index} 1`)!))
      assert.equal(slowest, 10 * delays)
      assert.equal(network.decidedAtMs.get(`${proposer} 1`), pattern === 'all-to-all' ? 30 : 40)
    })

// ---- the normal case (section 4.2)

for (const pattern of PATTERNS) {
  test(`${pattern}: a vote is on disk before it is said`, () => {
    const stage = new PbftStage({ n: 4, pattern })
    const proposal = stage.propose(B, 'b')
    assert.ok(types(proposal).indexOf('persist') < types(proposal).indexOf('broadcast'))
    stage.deliverAll()
    const first = stage.effects.filter(({ effect }) => effect.type !== 'set-timer')
    for (const member of ALL) {
      const own = first.filter(({ at }) => at === member).map(({ effect }) => effect)
      const commit = own.findIndex(effect => 'message' in effect && effect.message.type === 'commit')
      const prepared = own.findIndex(
        effect =>
          effect.type === 'persist' && effect.record?.type === 'slot' && effect.record.prepared !== null,
      )
      assert.ok(prepared >= 0)
      if (commit >= 0) assert.ok(prepared < commit)
    }
  })

  test(`${pattern}: only the first proposal of a view is voted for`, () => {
    const stage = new PbftStage({ n: 4, pattern })
    for (const value of ['b', 'x']) {
      const signature = stage.sign(B, vote('prepare', 1, 0, value))
      const effects = stage.say(B, [A], {
        type: 'pre-prepare',
        sequence: 1,
        view: 0,
        value,
        from: B,
        signature,
      })
      assert.deepEqual(said(effects), value === 'b' ? ['prepare'] : [])
      if (value === 'x') assert.deepEqual(types(effects), ['evidence'])
    }
  })

  test(`${pattern}: a proposal counts only from whose turn it is, between the watermarks, and when it is valid`, () => {
    const stage = new PbftStage({ n: 4, pattern })
    const offer = (member: number, sequence: number, value: string, view = 0): string[] => {
      const signature = stage.sign(member, vote('prepare', sequence, view, value))
      const message = { type: 'pre-prepare', sequence, view, value, from: member, signature } as const
      return types(stage.say(member, [A], message))
    }
    assert.deepEqual(offer(D, 1, 'b'), [], 'it is not its turn')
    for (const sequence of [-1, 0, 9, 2 ** 52, Number.NaN, 0.5]) assert.deepEqual(offer(B, sequence, 'b'), [])
    assert.deepEqual(offer(C, 2, 'b'), [], 'the one before is not decided')
    assert.deepEqual(offer(B, 1, NO_VALUE), [], 'no new view asks for it')
    const second = new PbftStage({ n: 4, pattern })
    const signature = second.sign(B, vote('prepare', 1, 0, 'bad'))
    const bad: PbftMessage = { type: 'pre-prepare', sequence: 1, view: 0, value: 'bad', from: B, signature }
    assert.deepEqual(second.say(B, [A], bad), [])
  })
}

test('no member commits before it is prepared, however many do; but n − f commits decide (B-P6)', () => {
  const stage = new PbftStage({ n: 4 })
  stage.propose(B, 'b')
  stage.drop()
  const commit = (member: number): Effect[] => {
    const content = vote('commit', 1, 0, 'b')
    return stage.say(member, [A], {
      ...content,
      type: 'commit',
      from: member,
      signature: stage.sign(member, content),
    })
  }
  assert.deepEqual([...commit(B), ...commit(C)], [])
  assert.deepEqual(said(commit(D)), [])
  assert.deepEqual(stage.decided(A), ['b'])
})

test('PREPAREs for another value than the accepted one prepare nothing (B-P6)', () => {
  const stage = new PbftStage({ n: 4 })
  stage.propose(B, 'b')
  stage.deliver({ type: 'pre-prepare', to: [A] })
  const proposal = stage.sign(B, vote('prepare', 1, 0, 'x'))
  for (const from of [C, D]) {
    const signature = stage.sign(from, vote('prepare', 1, 0, 'x'))
    const effects = stage.say(from, [A], {
      ...vote('prepare', 1, 0, 'x'),
      type: 'prepare',
      from,
      signature,
      proposer: B,
      proposal,
    })
    assert.deepEqual(said(effects), [])
  }
})

test('a value that is not known is asked for, and voted for when it has come', () => {
  const stage = new PbftStage({ n: 4 })
  stage.nodes[A]!.unknown.add('b')
  stage.propose(B, 'b')
  const [first] = stage.deliver({ to: [A] })
  assert.deepEqual(types(first!.effects), ['missing'])
  stage.nodes[A]!.unknown.delete('b')
  assert.deepEqual(said(stage.step(A, { type: 'revalidate' })), ['prepare'])
})

test('decisions are handed over in order, each once', () => {
  const stage = new PbftStage({ n: 4, pipeline: 3 })
  const prove = (sequence: number): Effect[] =>
    stage.say(D, [A], {
      type: 'proof',
      certificate: stage.certificate(vote('commit', sequence, 0, `v${sequence}`), [A, B, D]),
    })
  assert.deepEqual(types(prove(3)), [])
  assert.deepEqual(types(prove(2)), [])
  prove(1)
  prove(2)
  assert.deepEqual(stage.decided(A), ['v1', 'v2', 'v3'])
})

test('two certificates for one sequence number: it stops, and shows both', () => {
  for (const decided of [true, false]) {
    const stage = new PbftStage({ n: 4, pipeline: 3 })
    const sequence = decided ? 1 : 2
    const prove = (value: string): Effect[] =>
      stage.say(D, [A], {
        type: 'proof',
        certificate: stage.certificate(vote('commit', sequence, 0, value), [B, C, D]),
      })
    prove('b')
    const effects = prove('x')
    assert.equal(effects.at(-1)?.type, 'conflict')
    assert.ok(stage.process(A).state.isHalted)
    assert.deepEqual(stage.timeout(A, 'retransmit'), [])
  }
})

test('a replica that decided otherwise is told, when it sends its status', () => {
  const stage = new PbftStage({ n: 4 })
  for (const [member, value] of [
    [A, 'b'],
    [B, 'x'],
  ] as const)
    stage.say(D, [member], {
      type: 'proof',
      certificate: stage.certificate(vote('commit', 1, 0, value), [B, C, D]),
    })
  stage.timeout(B, 'retransmit')
  stage.deliverAll()
  assert.ok(stage.process(B).state.isHalted)
})

// ---- certificates (0.3, 0.4, B-P2, B-P7, B-P8, B-P9)

test('only n − f distinct members that signed one and the same vote make a certificate', () => {
  const stage = new PbftStage({ n: 4 })
  const signing = stage.keyOf(A)
  const good = stage.certificate(vote('commit', 1, 3, 'b'), [A, B, D])
  assert.ok(isCertificate(good, 4, signing))
  for (const bad of forgeProofs(good)) assert.equal(isCertificate(bad, 4, signing), false)
  const mixed = [0, 2, 3].map(view => ({
    member: view,
    signature: stage.sign(view, vote('commit', 1, view, 'b')),
  }))
  for (const view of [0, 2, 3])
    assert.equal(isCertificate({ ...vote('commit', 1, view, 'b'), signatures: mixed }, 4, signing), false)
  const [first, ...rest] = good.signatures
  assert.equal(isCertificate({ ...good, signatures: [...rest, first!] }, 4, signing), false, 'out of order')
  for (const member of [-1, 4, 0.5, Number.NaN])
    assert.equal(isCertificate({ ...good, signatures: [...rest, { ...first!, member }] }, 4, signing), false)
})

test('a PREPARE is no COMMIT (B-P9)', () => {
  const stage = new PbftStage({ n: 4 })
  const signature = stage.sign(D, vote('prepare', 1, 0, 'b'))
  const effects = stage.say(D, [A], { ...vote('commit', 1, 0, 'b'), type: 'commit', from: D, signature })
  assert.deepEqual(types(effects), ['refuse'])
})

// ---- checkpoints (section 4.3)

/** Lets all decide values one after the other. */
function decide(stage: PbftStage, from: number, to: number): void {
  for (let sequence = from; sequence <= to; sequence++) {
    const proposer = ALL.find(member => stage.process(member).turn === sequence)
    assert.notEqual(proposer, undefined)
    stage.propose(proposer!, `v${sequence}`)
    stage.deliverAll()
  }
}

test('a checkpoint is stable with n − f equal attestations, not with f + 1; the log below is forgotten', () => {
  const stage = new PbftStage({ n: 4 })
  const attest = (from: number, value: string): Effect[] =>
    stage.say(from, [A], {
      type: 'checkpoint',
      sequence: 4,
      value,
      from,
      signature: stage.sign(from, vote('checkpoint', 4, 0, value)),
    })
  attest(B, 's')
  attest(C, 's')
  assert.equal(stage.process(A).state.stable, 0)
  assert.deepEqual(types(attest(D, 't')), [])
  assert.equal(stage.process(A).state.stable, 0)
  assert.deepEqual(types(attest(D, 's')), ['evidence'])

  const other = new PbftStage({ n: 4 })
  decide(other, 1, 4)
  assert.equal(other.process(A).state.stable, 4)
  assert.deepEqual([...other.nodes[A]!.disk.keys()].sort(), ['stable', 'view'])
})

test('nothing is agreed on above the high watermark', () => {
  const stage = new PbftStage({ n: 4 })
  for (let sequence = 1; sequence <= 8; sequence++) {
    stage.propose(proposerOf(0, sequence, 4), `v${sequence}`)
    for (let round = 0; round < 4; round++)
      for (const type of ['pre-prepare', 'prepare', 'commit']) stage.deliver({ type })
    stage.drop()
  }
  assert.equal(stage.decided(A).length, 8)
  assert.deepEqual(
    ALL.map(member => stage.process(member).turn),
    [null, null, null, null],
  )
  // The attestations, said again, let them go on.
  for (const member of ALL) stage.timeout(member, 'retransmit')
  stage.deliverAll()
  assert.equal(stage.process(A).state.stable, 8)
  assert.equal(stage.process(B).turn, 9)
})

test('after a crash of all at the high watermark they go on, though their attestations are gone', () => {
  const stage = new PbftStage({ n: 4 })
  for (let sequence = 1; sequence <= 8; sequence++) {
    stage.propose(proposerOf(0, sequence, 4), `v${sequence}`)
    for (let round = 0; round < 4; round++)
      for (const type of ['pre-prepare', 'prepare', 'commit']) stage.deliver({ type })
    stage.drop()
  }
  for (const member of ALL) stage.crash(member)
  for (const member of ALL) stage.restart(member)
  decide(stage, 9, 10)
  assert.equal(stage.decided(D).length, 10)
})

test('another state than n − f members attest stops a replica, whichever comes first', () => {
  const of = (stage: PbftStage): PbftMessage => ({
    type: 'proof',
    certificate: stage.certificate(vote('checkpoint', 4, 0, 'theirs'), [B, C, D]),
  })
  const early = new PbftStage({ n: 4 })
  early.say(B, [A], of(early))
  assert.equal(early.step(A, { type: 'executed', sequence: 4, digest: 'ours' }).at(-1)?.type, 'diverged')
  const late = new PbftStage({ n: 4, followers: 1 })
  for (const member of [A, 4]) {
    late.step(member, { type: 'executed', sequence: 4, digest: 'ours' })
    assert.equal(late.say(B, [member], of(late)).at(-1)?.type, 'diverged')
  }
})

test('a replica that missed that a checkpoint is stable is told, though it has all decisions', () => {
  const stage = new PbftStage({ n: 4 })
  decide(stage, 1, 3)
  stage.propose(A, 'v4')
  for (let round = 0; round < 3; round++)
    for (const type of ['pre-prepare', 'prepare', 'commit']) stage.deliver({ type })
  stage.drop({ to: [D], type: 'checkpoint' })
  stage.deliverAll()
  assert.deepEqual([stage.process(A).state.stable, stage.process(D).state.stable], [4, 0])
  stage.timeout(D, 'retransmit')
  stage.deliverAll()
  assert.equal(stage.process(D).state.stable, 4)
})

// ---- view changes (section 4.4)

/** A stage in which these are prepared on b in view 0, and all of b's messages are lost then. */
function preparedAt(members: readonly number[]): PbftStage {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  stage.propose(B, 'b')
  stage.deliver({ type: 'pre-prepare' })
  stage.deliver({ type: 'prepare', to: members })
  stage.drop()
  return stage
}

test('a prepared value survives its view', () => {
  const stage = preparedAt([C, D])
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliverAll()
  assert.deepEqual(
    ALL.map(member => stage.decided(member)),
    [['b'], ['b'], ['b'], ['b']],
  )
})

test('a value is decided again in the new view, and handed over once', () => {
  const stage = preparedAt([A, C, D])
  stage.say(D, [A], {
    type: 'proof',
    certificate: stage.certificate(vote('commit', 1, 0, 'b'), [A, C, D]),
  })
  for (const member of ALL) stage.timeout(member)
  stage.deliverAll()
  assert.deepEqual(
    ALL.map(member => stage.decided(member)),
    [['b'], ['b'], ['b'], ['b']],
  )
})

test('f + 1 members that leave take the others along, to the nearest view; f do not', () => {
  const stage = new PbftStage({ n: 4 })
  const leave = (from: number, view: number): Effect[] => {
    const content = { view, stable: null, prepared: [], suspects: [] }
    const signature = stage.sign(from, viewChangeStatement(content))
    return stage.say(from, [A], { type: 'view-change', ...content, from, signature })
  }
  assert.deepEqual(leave(D, 900), [])
  assert.deepEqual(leave(D, 2 ** 47), [])
  assert.equal(stage.process(A).state.view, 0)
  leave(C, 3)
  assert.equal(stage.process(A).state.view, 3)
  // Members that ask for later views are counted when there are f + 1 of them.
  leave(B, 7)
  assert.equal(stage.process(A).state.view, 7)
})

test('a member that waits for a view that others gave up does not wait for ever', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  // A and B want view 2, C is one further, and D is silent: three in all have left view 0.
  stage.timeout(C)
  stage.timeout(C)
  stage.timeout(A)
  stage.timeout(B)
  const effects = stage.deliver({ from: [A, B, C], to: [A] }).flatMap(delivered => delivered.effects)
  assert.ok(effects.some(effect => effect.type === 'set-timer' && effect.name === 'progress'))
})

test('a decision that is learnt while leaving a view does not end the waiting for the next one', () => {
  const stage = preparedAt([B, C, D])
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliver({ to: [A], type: 'view-change' })
  const certificate = stage.certificate(vote('commit', 1, 0, 'b'), [B, C, D])
  const effects = stage.say(D, [A], { type: 'proof', certificate })
  assert.deepEqual(types(effects), ['decide'])
})

test('the timeout doubles for each view that fails after another, up to a day', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  const waits: number[] = []
  for (let view = 1; view <= 30; view++) {
    const before = stage.process(A).state.view
    for (const member of ALL) stage.timeout(member)
    stage.deliverAll()
    assert.ok(stage.process(A).state.view > before)
    assert.ok(stage.process(A).state.isActive)
    waits.push(stage.process(A).state.timeoutMs)
  }
  assert.deepEqual(waits.slice(0, 4), [1_000, 2_000, 4_000, 8_000])
  assert.deepEqual(waits.slice(-2), [86_400_000, 86_400_000])
})

/** The member whose turn it is proposes, and all decide. */
function decideNext(stage: PbftStage): void {
  const proposer = ALL.find(member => stage.process(member).turn !== null)!
  stage.propose(proposer, `w${stage.process(proposer).turn}`)
  stage.deliverAll()
}

test('the timeout halves after a round of quick decisions, and not at once', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  for (const _ of [1, 2, 3]) {
    for (const member of ALL) stage.timeout(member)
    stage.deliverAll()
  }
  const waits: number[] = []
  for (let count = 1; count <= 12; count++) {
    decideNext(stage)
    waits.push(stage.process(A).state.timeoutMs)
  }
  const [four, two, one] = [4_000, 2_000, 1_000]
  assert.deepEqual(waits, [four, four, four, two, two, two, two, one, one, one, one, one])
})

test('a decision that takes more than a quarter of the timeout lets it stay as long as it is', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  for (const _ of [1, 2]) {
    for (const member of ALL) stage.timeout(member)
    stage.deliverAll()
  }
  for (let count = 1; count <= 12; count++) {
    // The first quarter ends everywhere before the value is decided.
    for (const member of ALL) stage.wait(member, 7)
    decideNext(stage)
    assert.equal(stage.process(A).state.timeoutMs, 2_000)
    assert.equal(stage.process(A).state.view, stage.process(B).state.view)
  }
})

test('no timer runs while there is nothing to wait for', () => {
  const stage = new PbftStage({ n: 4 })
  const timers = () =>
    stage.effects.flatMap(({ at, effect }) =>
      at === A && 'name' in effect && effect.name === 'progress' ? [effect.type] : [],
    )
  assert.deepEqual(timers(), [])
  decide(stage, 1, 1)
  assert.deepEqual(timers(), ['set-timer', 'clear-timer'])
  stage.timeout(A)
  assert.equal(stage.process(A).state.view, 0)
})

/** What B, as the primary of view 1, could say; what is not given is as it should be. */
function newViewOf(
  stage: PbftStage,
  viewChanges: readonly ViewChange[],
  proposals: readonly { sequence: number; value: string }[] = proposalsOf(viewChanges),
  view = 1,
  primary = primaryOfView(view, 4),
): NewView {
  const content = {
    view,
    viewChanges,
    proposals: proposals.map(({ sequence, value }) => ({
      sequence,
      value,
      signature: stage.sign(primary, vote('prepare', sequence, view, value)),
    })),
  }
  return { type: 'new-view', ...content, signature: stage.sign(primary, newViewStatement(content)) }
}

const viewChangeOf = (
  stage: PbftStage,
  from: number,
  prepared: readonly Certificate[] = [],
  view = 1,
  stable: Certificate | null = null,
): ViewChange => {
  const content = { view, stable, prepared, suspects: [] }
  return { type: 'view-change', ...content, from, signature: stage.sign(from, viewChangeStatement(content)) }
}

const rulesOf = (stage: PbftStage, isSequential = true) => ({
  n: 4,
  window: 8,
  isSequential,
  signing: stage.keyOf(A),
})

test('a view change that claims what it does not prove is refused (B-P2)', () => {
  const stage = new PbftStage({ n: 4 })
  const good = stage.certificate(vote('prepare', 1, 0, 'b'), [A, B, D])
  assert.ok(isViewChange(viewChangeOf(stage, D, [good]), rulesOf(stage)))
  for (const bad of [...forgeProofs(good), stage.certificate(vote('prepare', 1, 99, 'b'), [D, D, D])]) {
    assert.equal(isViewChange(viewChangeOf(stage, D, [bad]), rulesOf(stage)), false)
    assert.deepEqual(types(stage.say(D, [A], viewChangeOf(stage, D, [bad]))), ['refuse'])
  }
  const ahead = stage.certificate(vote('prepare', 1, 1, 'b'), [A, B, D])
  assert.equal(
    isViewChange(viewChangeOf(stage, D, [ahead]), rulesOf(stage)),
    false,
    'prepared in a later view',
  )
  const far = stage.certificate(vote('prepare', 9, 0, 'b'), [A, B, D])
  assert.equal(isViewChange(viewChangeOf(stage, D, [far]), rulesOf(stage)), false, 'above the high watermark')
  const twice = isViewChange(viewChangeOf(stage, D, [good, good]), rulesOf(stage))
  assert.equal(twice, false, 'one sequence number twice')
  const other = { ...viewChangeOf(stage, D, [good]), prepared: [] }
  assert.equal(isViewChange(other, rulesOf(stage)), false, 'another content than it signed')
  assert.equal(isViewChange({ ...viewChangeOf(stage, D), from: C }, rulesOf(stage)), false)
})

test('a stable checkpoint must be proven; a decision proves it only where each names the one before', () => {
  const stage = new PbftStage({ n: 4 })
  const checkpoint = stage.certificate(vote('checkpoint', 4, 0, 's'), [A, B, D])
  const decision = stage.certificate(vote('commit', 4, 0, 's'), [A, B, D])
  const prepared = stage.certificate(vote('prepare', 4, 0, 's'), [A, B, D])
  const is = (stable: Certificate, isSequential: boolean): boolean =>
    isViewChange(viewChangeOf(stage, D, [], 1, stable), rulesOf(stage, isSequential))
  assert.deepEqual([is(checkpoint, true), is(checkpoint, false)], [true, true])
  assert.deepEqual([is(decision, true), is(decision, false)], [true, false])
  assert.deepEqual([is(prepared, true), is(prepared, false)], [false, false])
  assert.deepEqual(
    forgeProofs(checkpoint).map(bad => is(bad, false)),
    forgeProofs(checkpoint).map(() => false),
  )
})

test('of two prepared values the one of the higher view is proposed again, not the first or the most (B-P4)', () => {
  const stage = new PbftStage({ n: 4 })
  const old = stage.certificate(vote('prepare', 1, 1, 'b'), [A, B, D])
  const high = stage.certificate(vote('prepare', 1, 2, 'x'), [A, C, D])
  const changes = [A, B, C].map(from => viewChangeOf(stage, from, [from === B ? high : old], 3))
  for (const order of [changes, [...changes].reverse(), [changes[1]!, changes[0]!, changes[2]!]])
    assert.deepEqual(proposalsOf(order), [{ sequence: 1, value: 'x' }])
})

test('a sequence number below a prepared one, that no member prepared, gets no value (B-P5)', () => {
  const stage = new PbftStage({ n: 4 })
  const stable = stage.certificate(vote('checkpoint', 4, 0, 's'), [A, B, D])
  const seventh = stage.certificate(vote('prepare', 7, 0, 'b'), [A, B, D])
  const below = stage.certificate(vote('prepare', 3, 0, 'c'), [A, B, D])
  const changes = [viewChangeOf(stage, A, [seventh], 1, stable), viewChangeOf(stage, B, [below])]
  assert.deepEqual(proposalsOf(changes), [
    { sequence: 5, value: NO_VALUE },
    { sequence: 6, value: NO_VALUE },
    { sequence: 7, value: 'b' },
  ])
})

test('every backup computes the new view itself, and refuses one that does not follow (B-P3)', () => {
  const stage = new PbftStage({ n: 4 })
  const rules = rulesOf(stage)
  const proof = stage.certificate(vote('prepare', 1, 0, 'b'), [A, B, D])
  const changes = [viewChangeOf(stage, A, [proof]), viewChangeOf(stage, B), viewChangeOf(stage, C)]
  assert.ok(isNewView(newViewOf(stage, changes), rules))
  const bad: Record<string, NewView> = {
    'another value': newViewOf(stage, changes, [{ sequence: 1, value: 'x' }]),
    'no value': newViewOf(stage, changes, [{ sequence: 1, value: NO_VALUE }]),
    nothing: newViewOf(stage, changes, []),
    'one more': newViewOf(stage, changes, [...proposalsOf(changes), { sequence: 2, value: 'x' }]),
    'too few': newViewOf(stage, changes.slice(1)),
    'one twice': newViewOf(stage, [changes[1]!, changes[2]!, changes[2]!]),
    'one for another view': newViewOf(stage, [...changes.slice(1), viewChangeOf(stage, D, [], 2)]),
    'one that proves nothing': newViewOf(stage, [
      ...changes.slice(1),
      viewChangeOf(stage, D, [{ ...proof, value: 'x' }]),
    ]),
    'not its primary': newViewOf(stage, changes, proposalsOf(changes), 1, C),
    'the first view': newViewOf(stage, changes, proposalsOf(changes), 0),
  }
  for (const [name, message] of Object.entries(bad)) {
    assert.equal(isNewView(message, rules), false, name)
    if (message.view === 1) assert.deepEqual(types(stage.say(B, [A], message)), ['refuse'], name)
  }
})

test('what the primary of a new view says besides can not take the place of what it must propose again', () => {
  // C and D are prepared on b. C votes for x in view 2, whose primary it is, before it begins that view with b, as it must.
  const stage = preparedAt([C, D])
  const x = { sequence: 1, view: 2, value: 'x' }
  const signature = stage.sign(C, { phase: 'prepare', ...x })
  stage.say(C, [A], { type: 'pre-prepare', ...x, from: C, signature })
  stage.say(C, [A], { type: 'prepare', ...x, from: C, signature, proposer: C, proposal: signature })
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliver({ to: [C], type: 'view-change' })
  const effects = stage.deliver({ to: [A], type: 'new-view' }).flatMap(delivered => delivered.effects)
  const prepares = effects.flatMap(effect =>
    effect.type === 'broadcast' && effect.message.type === 'prepare' ? [effect.message.value] : [],
  )
  assert.deepEqual(prepares, ['b'])
  assert.ok(types(effects).includes('evidence'))
})

test('a replica whose key voted otherwise elsewhere signs nothing that contradicts it', () => {
  // A process that runs with A's key has voted for x in view 2, which must begin with b.
  const stage = preparedAt([C, D])
  const x = vote('prepare', 1, 2, 'x')
  const proposal = stage.sign(C, x)
  stage.say(C, [A], { ...x, type: 'prepare', from: A, signature: stage.sign(A, x), proposer: C, proposal })
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliver({ to: [C], type: 'view-change' })
  const effects = stage.deliver({ to: [A], type: 'new-view' }).flatMap(delivered => delivered.effects)
  assert.deepEqual(said(effects), [])
  const accused = effects.flatMap(effect => (effect.type === 'evidence' ? [effect.evidence.member] : []))
  assert.deepEqual(accused, [C])
})

test('nor can it after a restart of members that could not vote for it yet', () => {
  const stage = preparedAt([C, D])
  stage.nodes[A]!.unknown.add('b')
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliver({ to: [C], type: 'view-change' })
  stage.deliver({ to: [A], type: 'new-view' })
  stage.crash(A)
  stage.restart(A)
  const x = { sequence: 1, view: 2, value: 'x' }
  const signature = stage.sign(C, { phase: 'prepare', ...x })
  assert.deepEqual(said(stage.say(C, [A], { type: 'pre-prepare', ...x, from: C, signature })), [])
  stage.nodes[A]!.unknown.delete('b')
  assert.deepEqual(said(stage.step(A, { type: 'revalidate' })), ['prepare'])
})

test('a vote that comes before its view has begun here counts, and no peer is refused for it', () => {
  const stage = preparedAt([C, D])
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliver({ to: [C], type: 'view-change' })
  stage.deliver({ to: [B, D], type: 'new-view' })
  const early = stage.deliver({ from: [B, D], to: [A], type: 'prepare' })
  assert.equal(early.length, 2)
  assert.deepEqual(
    early.flatMap(({ effects }) => types(effects)),
    [],
  )
  const effects = stage.deliver({ to: [A], type: 'new-view' }).flatMap(delivered => delivered.effects)
  assert.deepEqual(said(effects), ['prepare', 'commit'])
})

test('a member that missed how a view began is told by any that knows, also after restarts', () => {
  const stage = preparedAt([C, D])
  for (const member of [A, C, D]) stage.timeout(member)
  stage.deliver({ to: [C], type: 'view-change' })
  stage.deliver({ to: [D], type: 'new-view' })
  stage.drop()
  for (const member of [C, D]) {
    stage.crash(member)
    stage.restart(member)
  }
  stage.timeout(A, 'retransmit')
  stage.deliver({ to: [D] })
  const answers = stage.deliver({ from: [D], to: [A] })
  assert.equal(answers[0]?.envelope.message.type, 'new-view')
  assert.ok(stage.process(A).state.isActive)
})

test('a replica that restarts while it leaves a view goes on leaving, and tells what it prepared', () => {
  const stage = preparedAt([D])
  stage.timeout(D)
  stage.drop()
  stage.crash(D)
  const [message] = stage
    .restart(D)
    .flatMap(effect =>
      effect.type === 'broadcast' && effect.message.type === 'view-change' ? [effect.message] : [],
    )
  assert.equal(message?.view, 2)
  assert.deepEqual(
    message?.prepared.map(({ value }) => value),
    ['b'],
  )
})

test('a member that caught up by itself can still change views with the others', () => {
  const stage = new PbftStage({ n: 4 })
  for (const member of [A, B, C, D]) {
    const certificate = stage.certificate(vote('commit', 1, 0, 'v1'), [A, B, D])
    if (member !== D) stage.say(D, [member], { type: 'proof', certificate })
    else {
      stage.nodes[D]!.decisions.push(certificate)
      stage.step(D, { type: 'caught-up', decision: certificate })
    }
  }
  stage.drop()
  stage.demand()
  for (const member of [B, C, D]) stage.timeout(member)
  stage.deliverAll()
  assert.deepEqual(
    ALL.map(member => [stage.process(member).state.view, stage.process(member).state.isActive]),
    [
      [1, true],
      [1, true],
      [1, true],
      [1, true],
    ],
  )
})

test('a view change speaks only of what lies between its own watermarks, however much is decided', () => {
  const stage = new PbftStage({ n: 4 })
  for (let sequence = 1; sequence <= 20; sequence++) {
    const certificate = stage.certificate(vote('commit', sequence, 5, `v${sequence}`), [A, B, D])
    stage.say(D, [C], { type: 'proof', certificate })
  }
  stage.drop()
  stage.demand([C])
  stage.timeout(C)
  const message = stage.said.at(-1)!.message
  assert.ok(message.type === 'view-change' && isViewChange(message, rulesOf(stage)))
  assert.ok(stage.process(C).size < 30)
})

// ---- followers, and the smallest networks

test('a follower learns all decisions, and sends nothing but its status', () => {
  for (const pattern of PATTERNS) {
    const stage = new PbftStage({ n: 4, pattern, followers: 1 })
    decide(stage, 1, 6)
    stage.timeout(4, 'retransmit')
    stage.deliverAll()
    assert.equal(stage.decided(4).length, 6)
    const words = stage.said.filter(({ from }) => from === 4).map(({ message }) => message.type)
    assert.ok(words.every(type => type === 'status'))
    assert.equal(stage.process(4).turn, null)
  }
})

test('a single member decides what it proposes, at once', () => {
  for (const pattern of PATTERNS) {
    const stage = new PbftStage({ n: 1, pattern })
    for (let sequence = 1; sequence <= 9; sequence++) stage.propose(A, `v${sequence}`)
    assert.equal(stage.decided(A).length, 9)
    stage.demand()
    stage.timeout(A)
    assert.ok(stage.process(A).state.isActive)
    stage.propose(A, 'last')
    assert.equal(stage.decided(A).length, 10)
  }
})

// ---- messages that no honest member sends (B-P13, B-P14, B-P27)

test('numbers that are none, or beyond all bounds, change nothing', () => {
  const stage = new PbftStage({ n: 4 })
  const before = stage.process(A).size
  for (const number of [Number.NaN, -1, 0.5, Infinity, 2 ** 53, -(2 ** 53)]) {
    const [sequence, view, from, value] = [number, number, number, 'b']
    const signature = stage.sign(D, vote('commit', sequence, view, value))
    const proposal = signature
    const messages: PbftMessage[] = [
      { type: 'pre-prepare', sequence, view, value, from, signature },
      { type: 'prepare', sequence, view, value, from, signature, proposer: from, proposal },
      { type: 'prepare', sequence: 1, view: 0, value, from, signature, proposer: D, proposal },
      { type: 'commit', sequence, view, value, from, signature },
      { type: 'commit', sequence: 1, view: 0, value, from, signature },
      { type: 'checkpoint', sequence, value, from: D, signature },
      { type: 'proof', certificate: { ...vote('commit', sequence, view, value), signatures: [] } },
      { type: 'proof', certificate: { ...vote('checkpoint', sequence, view, value), signatures: [] } },
      { type: 'view-change', view, from: D, stable: null, prepared: [], suspects: [], signature },
      { type: 'new-view', view, viewChanges: [], proposals: [], signature },
      {
        type: 'status',
        from: D,
        view,
        isActive: true,
        votes: true,
        decided: sequence,
        value,
        timeoutMs: number,
      },
    ]
    for (const message of messages)
      for (const effect of stage.say(D, [A], message)) assert.equal(effect.type, 'refuse')
  }
  assert.ok(stage.process(A).size <= before + 1)
  assert.deepEqual(said(stage.timeout(A, 'retransmit')), ['status'])
})

test('votes above the high watermark, and views without end, fill nothing but the place of their sender (B-P14)', () => {
  const stage = new PbftStage({ n: 4 })
  const send = (sequence: number, view: number): void => {
    const content = vote('commit', sequence, view, 'b')
    stage.say(D, [A], { ...content, type: 'commit', from: D, signature: stage.sign(D, content) })
  }
  for (let sequence = 9; sequence < 200; sequence++) send(sequence, 0)
  assert.equal(stage.process(A).size, 0)
  for (let view = 0; view < 200; view++)
    for (let sequence = 1; sequence <= 8; sequence++) send(sequence, view)
  for (let sequence = 4; sequence < 200; sequence += 4) {
    const content = vote('checkpoint', sequence, 0, 'b')
    const signature = stage.sign(D, content)
    stage.say(D, [A], { type: 'checkpoint', sequence, value: 'b', from: D, signature })
  }
  for (let view = 1; view < 200; view++) stage.say(D, [A], viewChangeOf(stage, D, [], view))
  // Eight slots with a vote each, three attestations, one view change.
  assert.equal(stage.process(A).size, 8 * 2 + 3 + 1)
})

test('a member that lies is accused once for each sequence number, not as often as it likes', () => {
  const stage = new PbftStage({ n: 4 })
  const accusations = Array.from({ length: 10 }, (_, index) => {
    const content = vote('commit', 1, 0, `v${index}`)
    return types(
      stage.say(D, [A], { ...content, type: 'commit', from: D, signature: stage.sign(D, content) }),
    )
  })
  assert.deepEqual(accusations.flat(), ['evidence'])
})

// ---- bounds

test('the greatest view is entered like any other, and after it a replica stops instead of failing (B-P13)', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  const leave = (from: number, view: number): Effect[] => {
    const content = { view, stable: null, prepared: [], suspects: [] }
    const signature = stage.sign(from, viewChangeStatement(content))
    return stage.say(from, [A], { type: 'view-change', ...content, from, signature })
  }
  assert.deepEqual(types(leave(D, NUMBER_MAX + 1)), ['refuse'])
  leave(C, NUMBER_MAX)
  leave(D, NUMBER_MAX)
  assert.equal(stage.process(A).state.view, NUMBER_MAX)
  const last = stage.timeout(A)
  assert.deepEqual(types(last).at(-1), 'exhausted')
  assert.ok(stage.process(A).state.isHalted)
  // Nor does it fail when it starts again there.
  stage.crash(A)
  stage.restart(A)
  assert.equal(stage.process(A).state.view, NUMBER_MAX)
})

test('a source is answered so much between two ticks and no more, whatever it asks', () => {
  const stage = new PbftStage({ n: 4 })
  decide(stage, 1, 20)
  const ask = (): number => {
    const status = { type: 'status', from: null, view: 0, isActive: true, votes: false } as const
    const message = { ...status, decided: 0, value: NO_VALUE, timeoutMs: 1000 }
    return said(stage.say(D, [A], message)).length
  }
  const first = ask()
  assert.ok(first >= 9)
  let all = first
  for (let time = 0; time < 100; time++) all += ask()
  assert.ok(all <= 24, `${all} answers`)
  stage.timeout(A, 'retransmit')
  assert.equal(ask(), first)
})

test('what is not decided is said again ever later, up to half of the timeout, and sooner once something is', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  for (let view = 0; view < 6; view++) {
    for (const member of ALL) stage.timeout(member)
    stage.deliverAll()
  }
  const tick = (): number | undefined =>
    stage
      .timeout(A, 'retransmit')
      .flatMap(effect =>
        effect.type === 'set-timer' && effect.name === 'retransmit' ? [effect.delayMs] : [],
      )[0]
  const { timeoutMs } = stage.process(A).state
  assert.equal(timeoutMs, 32_000)
  assert.deepEqual([tick(), tick(), tick()], [timeoutMs / 8, timeoutMs / 4, timeoutMs / 2])
  const from = stage.effects.length
  decideNext(stage)
  const delays = stage.effects
    .slice(from)
    .flatMap(({ at, effect }) =>
      at === A && effect.type === 'set-timer' && effect.name === 'retransmit' ? [effect.delayMs] : [],
    )
  assert.deepEqual(delays, [timeoutMs / 8])
})

// ---- what f liars can't slow

test("a collector's certificate counts whole, whatever a liar in it voted for besides", () => {
  const stage = new PbftStage({ n: 4, pattern: 'leader-collected' })
  stage.propose(B, 'b')
  stage.deliver({ type: 'pre-prepare', to: [A] })
  // D tells A that it votes for x, and B that it votes for b.
  const x = vote('prepare', 1, 0, 'x')
  const single = { ...x, signatures: [stage.vote(D, x)] }
  assert.deepEqual(types(stage.say(D, [A], { type: 'proof', certificate: single })), ['refuse'])
  stage.say(D, [A], {
    ...{ type: 'prepare', sequence: 1, view: 0, value: 'x', from: D, signature: stage.sign(D, x) },
    ...{ proposer: D, proposal: stage.sign(D, x) },
  })
  const certificate = stage.certificate(vote('prepare', 1, 0, 'b'), [A, B, D])
  const effects = stage.say(B, [A], { type: 'proof', certificate })
  assert.ok(said(effects).includes('commit'), 'A is prepared')
})

test('f + 1 complaints leave the view together, and f do not', () => {
  const stage = new PbftStage({ n: 4 })
  const complain = (from: number): Effect[] =>
    stage.say(from, [A], {
      ...{ type: 'complaint', view: 0, from },
      signature: stage.sign(from, { phase: 'complaint', view: 0, sequence: 0 }),
    })
  const forged = { type: 'complaint', view: 0, from: C, signature: new Uint8Array(4).fill(255) } as const
  assert.deepEqual(types(stage.say(D, [A], forged)), ['refuse'])
  assert.deepEqual(complain(D), [])
  assert.deepEqual(complain(D), [], 'each counts once')
  assert.equal(stage.process(A).state.view, 0)
  assert.ok(said(complain(C)).includes('view-change'))
  assert.equal(stage.process(A).state.timeoutMs, 1_000, 'nothing failed')
})

test('no member leaves a view for complaints alone: the others are shown those that made it leave', () => {
  for (const isFirstLost of [false, true]) {
    const stage = new PbftStage({ n: 4 })
    // C and D are heard by B only: one of them is faulty, and the network loses what the other says.
    for (const from of [C, D])
      stage.say(from, [B], {
        ...{ type: 'complaint', view: 0, from },
        signature: stage.sign(from, { phase: 'complaint', view: 0, sequence: 0 }),
      })
    assert.equal(stage.process(B).state.isActive, false)
    if (isFirstLost) {
      stage.drop()
      stage.timeout(B, 'retransmit')
    }
    stage.deliverAll()
    for (const member of ALL) {
      const { view, isActive } = stage.process(member).state
      assert.deepEqual({ view, isActive }, { view: 1, isActive: true })
    }
  }
})

test('a proposer whose turns are slow is complained of, and not where all are', () => {
  for (const slow of [[2], [0, 1, 2, 3]]) {
    const stage = new PbftStage({ n: 4 })
    stage.demand()
    for (let count = 1; count <= 12; count++) {
      const proposer = ALL.find(member => stage.process(member).turn !== null)!
      if (slow.includes(proposer) && count > 4) for (const member of ALL) stage.wait(member, 7)
      decideNext(stage)
    }
    const complaints = stage.said.filter(({ message }) => message.type === 'complaint')
    assert.equal(complaints.length > 0, slow.length === 1)
    assert.equal(stage.process(A).state.view > 0, slow.length === 1)
  }
})

test('a turn that does not begin is helped: a member that waits tells its proposer the last decision, once', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  decideNext(stage)
  const proposer = ALL.find(member => stage.process(member).turn !== null)!
  const wait = (member: number): string[] => {
    stage.wait(member, 3)
    const effects = stage.step(member, { type: 'timeout', name: 'progress' })
    return effects.flatMap(effect =>
      effect.type === 'send' ? [`${effect.message.type} to ${effect.to}`] : [],
    )
  }
  const others = ALL.filter(member => member !== proposer)
  assert.deepEqual(others.flatMap(wait), Array(3).fill(`proof to ${proposer}`))
  assert.deepEqual(others.flatMap(wait), [], 'once')
  assert.deepEqual(wait(proposer), [])
})

test('a turn that has begun is not helped', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  decideNext(stage)
  const proposer = ALL.find(member => stage.process(member).turn !== null)!
  stage.propose(proposer, 'w2')
  stage.deliver({ type: 'pre-prepare' })
  for (const member of ALL)
    assert.deepEqual(said(stage.step(member, { type: 'timeout', name: 'progress' })), [])
})

for (const n of [4, 7, 16, 31])
  test(`${n} members: f views that fail in a row do not double the timeout, and the one after them does`, () => {
    const timer = new ViewTimer(1_000, n, () => {})
    for (let failures = 1; failures <= faultsTolerated(n); failures++) timer.fail()
    assert.equal(timer.timeoutMs, 1_000)
    timer.fail()
    assert.equal(timer.timeoutMs, 2_000)
    timer.succeed(true)
    timer.fail()
    assert.equal(timer.timeoutMs, 2_000, 'the first after a decision')
  })

test('the progress timer tells how long a wait has lasted, to a factor of two', () => {
  const delays: number[] = []
  const timer = new ViewTimer(25_600, 4, effect => {
    if (effect.type === 'set-timer') delays.push(effect.delayMs)
  })
  timer.watch(true)
  const all = [1, 2, 3, 4, 5, 6, 7, 8]
  assert.deepEqual(
    all.map(() => [timer.onTimeout(), timer.rung, timer.isSlow]),
    all.map(rung => [false, rung, rung >= 7]),
  )
  assert.deepEqual(delays, [100, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800])
  assert.equal(timer.onTimeout(), true)
})

test('a member that was proved to lie before a start is not to lead after it', () => {
  const stage = new PbftStage({ n: 4 })
  stage.crash(A)
  stage.restart(A, null, { convicted: [B] })
  stage.demand()
  const effects = stage.timeout(A)
  const change = effects.flatMap(effect =>
    'message' in effect && effect.message.type === 'view-change' ? [effect.message] : [],
  )[0]
  assert.deepEqual(change?.suspects, [{ member: B, until: NUMBER_MAX }])
})

test('a member keeps all that it learned while it asked for its own votes, how its view began among it', () => {
  const stage = new PbftStage({ n: 4 })
  stage.crash(D)
  stage.nodes[D]!.disk.clear()
  stage.restart(D, 77)
  const changes = [A, B, C].map(from => viewChangeOf(stage, from))
  stage.say(B, [D], newViewOf(stage, changes))
  // Its owner keeps nothing until then.
  stage.nodes[D]!.disk.clear()
  for (const from of [A, B]) {
    const content = { to: D, challenge: 77, decided: 0, votes: [], viewChange: null }
    const signature = stage.sign(from, answerStatement(content))
    stage.say(from, [D], { type: 'answer', from, ...content, signature })
  }
  assert.equal(stage.process(D).state.isRecalling, false)
  const kept = [...stage.nodes[D]!.disk.values()].map(({ type }) => type)
  assert.ok(kept.includes('new-view') && kept.includes('view'), kept.join())
})

test('a few slow members do not keep the timeout up: one slow decision in 28 undoes two quick ones', () => {
  const timer = new ViewTimer(1_000, 31, () => {})
  for (let failures = 0; failures < 20; failures++) timer.fail()
  timer.succeed(false)
  const raisedMs = timer.timeoutMs
  assert.ok(raisedMs > 1_000)
  for (let decision = 1; decision <= 3_000; decision++) {
    timer.watch(true)
    for (let rung = 0; rung < (decision % 28 === 0 ? 7 : 0); rung++) timer.onTimeout()
    timer.succeed(true)
  }
  assert.equal(timer.timeoutMs, 1_000)
})

for (const n of [4, 7])
  test(`leader-collected, ${n} members: f others tell the next proposer what was decided, so that the collector can not keep it from it`, () => {
    const stage = new PbftStage({ n, pattern: 'leader-collected' })
    stage.demand()
    const turnOf = () => stage.nodes.keys().find(member => stage.process(member).turn !== null)
    stage.propose(turnOf()!, 'w1')
    const next = stage.process(0).state.proposer! + 1
    const told: string[] = []
    for (;;) {
      const delivered = stage.deliver({
        type: 'proof',
        to: stage.nodes
          .keys()
          .toArray()
          .filter(member => member !== next % n),
      })
      const others =
        stage.deliver({ type: 'prepare' }).length +
        stage.deliver({ type: 'commit' }).length +
        stage.deliver({ type: 'pre-prepare' }).length
      for (const { effects } of delivered)
        for (const effect of effects)
          if (effect.type === 'send' && effect.message.type === 'proof') told.push(`${effect.to}`)
      if (delivered.length + others === 0) break
    }
    assert.deepEqual(told, Array(faultsTolerated(n)).fill(`${next % n}`))
  })
