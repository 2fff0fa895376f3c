// One test for each claim: of Lamport's "Paxos Made Simple" (2001), here PMS, of van Renesse and Altinbuken's "Paxos Made
// Moderately Complex" (2015), here PMMC, and of the file that begins the protocol.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_VALUE, NUMBER_MAX } from '../../../src/consensus/log.ts'
import {
  ballotAbove,
  electionDelayMs,
  majorityOf,
  ownerOf,
} from '../../../src/consensus/multi-paxos/ballot.ts'
import { MULTI_PAXOS } from '../../../src/consensus/multi-paxos/kit.ts'
import { proposalsOf } from '../../../src/consensus/multi-paxos/leader.ts'
import type { PaxosEffect, PaxosMessage } from '../../../src/consensus/multi-paxos/messages.ts'
import { FAIR, Network } from '../network.ts'
import { nameOf } from '../stage.ts'
import { MULTI_PAXOS_MAKER } from './maker.ts'
import { PaxosStage } from './stage.ts'

const [A, B, C] = [0, 1, 2] as const
const types = (effects: readonly PaxosEffect[]): string[] => effects.map(({ type }) => type)
const said = (effects: readonly PaxosEffect[]): PaxosMessage[] =>
  effects.flatMap(effect => ('message' in effect ? [effect.message] : []))
const say = (stage: PaxosStage, to: number, message: PaxosMessage): PaxosEffect[] =>
  stage.receive({ from: 'from' in message ? message.from! : B, to, message })

/** B leads ballot 1. */
function led(options: { readonly n: number; readonly pipeline?: number }): PaxosStage {
  const stage = new PaxosStage(options)
  stage.demand([B])
  stage.deliverAll()
  return stage
}

// ---- what it costs, exact when nothing fails

const DECISIONS = 8
for (const n of [1, 3, 5, 7, 9])
  test(`${n} members: 2(n − 1) messages for phase 1, once, then 3(n − 1) a decision; 2 delays at the leader, 3 at all (PMS 3)`, () => {
    // No timer fires: nothing is said twice, and there are no heartbeats.
    const network = new Network({ maker: MULTI_PAXOS_MAKER, n, seed: 1, goal: DECISIONS, timeoutMs: 1e6 })
    assert.ok(network.runUntil(() => network.haveDecided(), 1e5))
    const { messages, delays } = MULTI_PAXOS.theory
    assert.equal(messages(n), 3 * (n - 1))
    const count = (type: string): number => network.counts.get(type) ?? 0
    assert.equal(count('prepare') + count('promise'), 2 * (n - 1))
    assert.equal(count('accept') + count('accepted') + count('chosen'), DECISIONS * messages(n))
    const leader = 1 % n
    const at = (member: number, sequence: number): number => network.decidedAtMs.get(`${member} ${sequence}`)!
    if (n === 1) return
    for (let sequence = 2; sequence <= DECISIONS; sequence++) {
      const proposedMs = at(leader, sequence - 1)
      assert.equal(at(leader, sequence), proposedMs + 20)
      for (const { index } of network.nodes)
        if (index !== leader) assert.equal(at(index, sequence), proposedMs + 10 * delays)
    }
  })

for (const n of [3, 5, 7])
  test(`${n} members: a failover costs 2(n − 1) messages, whatever was left undecided (PMS 3)`, () => {
    const stage = led({ n, pipeline: 3 })
    for (const value of ['b1', 'b2', 'b3']) stage.propose(B, value)
    stage.deliver({ to: [C] })
    stage.drop()
    stage.demand([C])
    stage.timeout(C, 'election')
    assert.equal(stage.deliver({ type: 'prepare' }).length, n - 1)
    assert.equal(stage.deliver({ type: 'promise' }).length, n - 1)
    assert.equal(stage.process(C).state.proposer, C)
    stage.deliverAll()
    assert.deepEqual(stage.decided(C), ['b1', 'b2', 'b3'])
  })

// ---- ballots (PMS 2.2, PMMC 2.2)

test('no two members share a ballot, and the next ballot of a member is its lowest above the one that it saw (PMS 2.2)', () => {
  for (const n of [1, 2, 3, 5, 7])
    for (let ballot = 0; ballot < 40; ballot++)
      for (let member = 0; member < n; member++) {
        const next = ballotAbove(ballot, member, n)
        assert.equal(ownerOf(next, n), member)
        assert.ok(next > ballot && next <= ballot + n)
      }
})

test('any two majorities share a member (PMS 2.1)', () => {
  for (let n = 1; n <= 20; n++) assert.ok(2 * majorityOf(n) > n && 2 * (majorityOf(n) - 1) <= n)
})

test('a ballot is on disk before PREPARE, and after a restart the next one is higher (PMS 2.5)', () => {
  const stage = new PaxosStage({ n: 3 })
  const first = stage.demand([B])
  assert.ok(types(first).indexOf('persist') < types(first).indexOf('broadcast'))
  stage.crash(B)
  stage.restart(B)
  assert.equal(stage.process(B).turn, null)
  stage.demand([B])
  const again = said(stage.timeout(B, 'election'))
  const ballots = again.flatMap(message => (message.type === 'prepare' ? [message.ballot] : []))
  assert.deepEqual(ballots, [4])
})

test('the waiting times of two members differ by half a timeout, for every ballot', () => {
  for (const n of [2, 3, 5, 7])
    for (let ballot = 0; ballot < 20; ballot++) {
      const delays = Array.from({ length: n }, (_, member) => electionDelayMs(1000, { ballot, member, n }))
      const sorted = delays.toSorted((a, b) => a - b)
      assert.deepEqual(
        sorted,
        sorted.map((_, rank) => 1000 + 500 * rank),
      )
    }
})

test('proposers that all ask at once come to a decision in a synchronous network (PMS 2.4)', () => {
  for (const n of [3, 5, 7]) {
    const stage = new PaxosStage({ n })
    stage.nodes.forEach((_, index) => void stage.demand([index]))
    stage.nodes.forEach((_, index) => void stage.timeout(index, 'election'))
    stage.deliverAll()
    // The highest ballot wins: its owner is the only one that still leads.
    const leaders = stage.nodes.filter(({ process }) => process!.turn !== null)
    assert.equal(leaders.length, 1)
    const weather = { ...FAIR, delayMs: [1, 60] as const }
    const network = new Network({ maker: MULTI_PAXOS_MAKER, n, seed: n, goal: 6, timeoutMs: 100, weather })
    assert.ok(network.runUntil(() => network.haveDecided(), 6000))
  }
})

test('when no ballot is left the member stops', () => {
  const stage = new PaxosStage({ n: 3 })
  const ballot = ballotAbove(NUMBER_MAX - 3, C, 3)
  say(stage, B, { type: 'prepare', from: C, ballot, decided: 0 })
  stage.demand([B])
  const effects = [...stage.timeout(B, 'election'), ...stage.timeout(B, 'election')]
  assert.deepEqual(types(effects).at(-1), 'exhausted')
  assert.ok(stage.process(B).state.isHalted)
})

// ---- acceptors (PMS 2.2)

test('P1a: a PREPARE below the promised ballot is rejected, and the same one is answered again', () => {
  const stage = new PaxosStage({ n: 3 })
  const prepare = (ballot: number): PaxosMessage[] =>
    said(say(stage, A, { type: 'prepare', from: ownerOf(ballot, 3), ballot, decided: 0 }))
  assert.deepEqual(
    prepare(5).map(({ type }) => type),
    ['promise'],
  )
  assert.deepEqual(
    prepare(5).map(({ type }) => type),
    ['promise'],
  )
  assert.deepEqual(prepare(4), [{ type: 'reject', from: A, ballot: 5 }])
})

test('a promise and a vote are on disk before they are said (PMS 2.5)', () => {
  const stage = new PaxosStage({ n: 3 })
  const promised = say(stage, A, { type: 'prepare', from: B, ballot: 4, decided: 0 })
  assert.deepEqual(types(promised), ['persist', 'send'])
  const vote = { sequence: 1, ballot: 4, value: 'b' }
  const accepted = say(stage, A, { type: 'accept', from: B, ...vote, isReproposed: false })
  assert.deepEqual(types(accepted), ['persist', 'send'])
  assert.deepEqual(stage.nodes[A]!.disk.get('accepted:1'), { type: 'accepted', ...vote })
})

test('a vote survives a restart: a later leader hears of it (PMS 2.5)', () => {
  const stage = led({ n: 3 })
  stage.propose(B, 'b')
  stage.deliver({ to: [A], type: 'accept' })
  stage.crash(A)
  stage.restart(A)
  const [promise] = said(say(stage, A, { type: 'prepare', from: C, ballot: 2, decided: 0 }))
  assert.ok(promise?.type === 'promise')
  assert.deepEqual(promise.accepted, [{ sequence: 1, ballot: 1, value: 'b' }])
})

test('a vote is kept until the decision is durable with the application, not only handed over', () => {
  const stage = led({ n: 3 })
  const paxos = stage.process(A)
  stage.propose(B, 'b')
  stage.deliver({ to: [A], type: 'accept' })
  const decision = { sequence: 1, ballot: 1, value: 'b' }
  const effects = paxos.step({ type: 'message', from: 'B', message: { type: 'chosen', decision } })
  assert.deepEqual(
    types(effects).filter(type => type !== 'set-timer'),
    ['decide'],
  )
  assert.equal(paxos.state.stable, 0)
  assert.deepEqual(
    paxos
      .step({ type: 'executed', sequence: 1, digest: '' })
      .map(effect => 'record' in effect && effect.record),
    [null, { type: 'promise', ballot: 1, stable: 1 }],
  )
})

// ---- leaders (PMS 2.2 and 3, PMMC 2.3)

const vote = (sequence: number, ballot: number, value: string) => ({ sequence, ballot, value })

test('P2c: of what is reported for a slot the value of the highest ballot is proposed', () => {
  const promises = [
    { decided: 0, accepted: [vote(1, 1, 'x')] },
    { decided: 0, accepted: [vote(1, 7, 'y')] },
    { decided: 0, accepted: [vote(1, 4, 'z')] },
  ]
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
  ])
    assert.deepEqual(proposalsOf(order.map(index => promises[index]!)), { base: 0, proposals: ['y'] })
})

test('slots below a reported one of which nothing is reported are filled with a no-op (PMS 3)', () => {
  const promises = [
    { decided: 2, accepted: [vote(3, 1, 'c'), vote(6, 1, 'f')] },
    { decided: 1, accepted: [vote(2, 1, 'b'), vote(5, 1, 'e')] },
  ]
  assert.deepEqual(proposalsOf(promises), { base: 2, proposals: ['c', NO_VALUE, 'e', 'f'] })
})

test('nothing is proposed up to the longest decided prefix of a promise, whose votes may be forgotten', () => {
  const promises = [
    { decided: 0, accepted: [vote(1, 1, 'a'), vote(2, 1, 'b')] },
    { decided: 5, accepted: [] },
  ]
  assert.deepEqual(proposalsOf(promises), { base: 5, proposals: [] })
})

test('a leader has no turn before a majority promised, and one slot after the other within its window after', () => {
  const stage = new PaxosStage({ n: 5, pipeline: 2 })
  stage.demand([B])
  stage.deliver({ type: 'prepare' })
  stage.deliver({ type: 'promise', from: [A] })
  assert.equal(stage.process(B).turn, null)
  stage.deliver({ type: 'promise', from: [C] })
  assert.equal(stage.process(B).turn, 1)
  stage.propose(B, 'b1')
  stage.propose(B, 'b2')
  assert.equal(stage.process(B).turn, null)
  assert.deepEqual(stage.propose(B, 'b3'), [])
  stage.deliverAll()
  assert.equal(stage.process(B).turn, 3)
  assert.equal(stage.process(A).turn, null)
})

test('promises and votes of one member count once (PMS 2.2)', () => {
  const stage = new PaxosStage({ n: 5 })
  stage.demand([B])
  stage.deliver({ type: 'prepare', to: [A] })
  const [promise] = stage.waiting.filter(({ message }) => message.type === 'promise')
  for (let time = 0; time < 3; time++) stage.receive(promise!)
  assert.equal(stage.process(B).turn, null)
  stage.deliverAll()
  stage.propose(B, 'b')
  stage.deliver({ type: 'accept', to: [A] })
  const [accepted] = stage.waiting.filter(({ message }) => message.type === 'accepted')
  for (let time = 0; time < 3; time++) stage.receive(accepted!)
  assert.deepEqual(stage.decided(B), [])
  assert.deepEqual(stage.process(B).state.voted.get('accepted'), [A, B])
})

test('promises of an earlier ballot do not count (PMS 2.2)', () => {
  const stage = new PaxosStage({ n: 3 })
  stage.demand([B])
  stage.deliver({ type: 'prepare', to: [A] })
  stage.timeout(B, 'election')
  stage.deliver({ type: 'promise' })
  assert.equal(stage.process(B).state.view, 4)
  assert.equal(stage.process(B).turn, null)
  stage.deliverAll()
  assert.equal(stage.process(B).turn, 1)
})

test('one phase 1 serves all slots: a new leader asks no more before its next proposals (PMS 3)', () => {
  const stage = led({ n: 3 })
  for (const value of ['b1', 'b2', 'b3']) {
    stage.propose(B, value)
    stage.deliverAll()
  }
  const prepares = stage.effects.filter(({ effect }) => said([effect])[0]?.type === 'prepare')
  assert.equal(prepares.length, 1)
})

test('a leader without progress asks for another ballot; an idle one keeps its own', () => {
  const stage = led({ n: 3 })
  assert.deepEqual(said(stage.timeout(B, 'election')), [])
  stage.propose(B, 'b')
  stage.drop()
  assert.deepEqual(said(stage.timeout(B, 'election')), [{ type: 'prepare', from: B, ballot: 4, decided: 0 }])
})

test('a leader whose application waits for nothing more still brings its proposals to an end', () => {
  const stage = led({ n: 3 })
  stage.step(B, { type: 'demand', isWaiting: false })
  assert.ok(types(stage.propose(B, 'b')).includes('set-timer'))
  stage.drop()
  assert.deepEqual(said(stage.timeout(B, 'election')), [{ type: 'prepare', from: B, ballot: 4, decided: 0 }])
  stage.deliverAll()
  assert.deepEqual(stage.decided(B), ['b'])
  assert.ok(types(stage.effects.map(({ effect }) => effect)).includes('clear-timer'))
})

test('a value that only a stopped member accepted, and no other knows, stops no member', () => {
  const stage = led({ n: 3 })
  stage.propose(B, 'b')
  for (const index of [A, C]) stage.nodes[index]!.unknown.add('b')
  stage.drop()
  stage.demand([C])
  stage.timeout(C, 'election')
  stage.deliver({ type: 'prepare', to: [B] })
  stage.deliverAll({ to: [C] })
  stage.crash(B)
  stage.deliverAll({ to: [A, C] })
  assert.equal(stage.process(C).turn, null)
  // The majority of A and C knows of no vote: C proposes what it likes.
  stage.timeout(C, 'election')
  stage.deliverAll({ to: [A, C] })
  stage.propose(C, 'c')
  stage.deliverAll({ to: [A, C] })
  assert.deepEqual([stage.decided(A), stage.decided(C)], [['c'], ['c']])
})

test('a heartbeat puts off the election, and one below the promised ballot is rejected', () => {
  const stage = led({ n: 3 })
  stage.demand([A])
  stage.timeout(B, 'heartbeat')
  const heard = stage.deliver({ type: 'heartbeat', to: [A] }).flatMap(({ effects }) => effects)
  assert.deepEqual(types(heard), ['set-timer'])
  say(stage, A, { type: 'prepare', from: C, ballot: 2, decided: 0 })
  const stale = say(stage, A, { type: 'heartbeat', from: B, ballot: 1, decided: 0 })
  assert.deepEqual(said(stale), [{ type: 'reject', from: A, ballot: 2 }])
})

// ---- learners (PMS 2.3)

test('decisions are handed over in order, whatever the order in which they are learned', () => {
  const stage = new PaxosStage({ n: 3, pipeline: 3 })
  const chosen = (sequence: number): PaxosEffect[] =>
    say(stage, A, { type: 'chosen', decision: vote(sequence, 1, `v${sequence}`) })
  assert.ok(!types(chosen(3)).includes('decide'))
  assert.ok(!types(chosen(2)).includes('decide'))
  chosen(1)
  assert.deepEqual(stage.decided(A), ['v1', 'v2', 'v3'])
})

test('a decision beyond reach is told to the application, which may catch up to it', () => {
  const stage = new PaxosStage({ n: 3 })
  const decision = vote(100, 1, 'v')
  const effects = say(stage, A, { type: 'chosen', decision })
  assert.deepEqual(effects, [{ type: 'behind', decision, from: nameOf(B) }])
  stage.process(A).step({ type: 'caught-up', decision })
  assert.equal(stage.process(A).state.decided, 100)
  assert.equal(stage.process(A).state.stable, 100)
})

test('two decisions for one slot stop the member', () => {
  const stage = new PaxosStage({ n: 3 })
  say(stage, A, { type: 'chosen', decision: vote(1, 1, 'b') })
  assert.deepEqual(types(say(stage, A, { type: 'chosen', decision: vote(1, 2, 'x') })), ['conflict'])
  assert.ok(stage.process(A).state.isHalted)
})

// ---- members that may not vote

test('a member whose votes may be lost follows and never votes', () => {
  for (const input of [{ type: 'abstain' }, { type: 'recall', challenge: 1 }] as const) {
    const stage = led({ n: 3 })
    stage.step(A, input)
    assert.deepEqual(said(say(stage, A, { type: 'prepare', from: C, ballot: 2, decided: 0 })), [])
    const accept = { type: 'accept', from: C, ...vote(1, 2, 'c'), isReproposed: false } as const
    assert.deepEqual(said(say(stage, A, accept)), [])
    stage.demand([A])
    assert.deepEqual(said(stage.timeout(A, 'election')), [])
    say(stage, A, { type: 'chosen', decision: vote(1, 2, 'c') })
    assert.deepEqual(stage.decided(A), ['c'])
  }
})

test('a member that is told at its start of votes that it forgot never votes', () => {
  const stage = led({ n: 3 })
  stage.crash(A)
  stage.restart(A, null, { forgotten: { sequence: 0, view: 1 } })
  assert.deepEqual(said(say(stage, A, { type: 'prepare', from: C, ballot: 2, decided: 0 })), [])
})

test('a message in the name of a stranger, or of a ballot of another member, is refused', () => {
  const stage = new PaxosStage({ n: 3 })
  const effects = [
    ...say(stage, A, { type: 'reject', from: 7, ballot: 9 }),
    ...say(stage, A, { type: 'prepare', from: B, ballot: 2, decided: 0 }),
    ...say(stage, A, { type: 'heartbeat', from: B, ballot: 0, decided: 0 }),
  ]
  assert.deepEqual(types(effects), ['refuse', 'refuse', 'refuse'])
})
