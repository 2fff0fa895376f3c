import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemberIndex } from '../../../../src/consensus/process.ts'
import { verifyEvidence } from '../../../../src/finality/evidence.ts'
import { NextBlockPolicy } from '../../../../src/finality/next-block-policy.ts'
import { NOBODY } from '../../../../src/finality/registry.ts'
import { Liar } from '../../../../src/lab/adversary/byzantine/liar.ts'
import { lyingFinality } from '../../../../src/lab/adversary/byzantine/lying-finality.ts'
import type { ByzantineRole } from '../../../../src/lab/adversary/byzantine/roles.ts'
import { CommitteeNetwork, only, said, TestCommittee, TIMEOUT_MS } from '../../../finality/committees.ts'
import { TestValidators } from '../../../finality/test-validators.ts'

const PATTERNS = ['all-to-all', 'leader-collected'] as const
type Pattern = (typeof PATTERNS)[number]

/** A committee in which these lie; a transaction waits for a block, and the first proposer is member 1. */
function committee(n: number, pattern: Pattern, liars: Readonly<Record<MemberIndex, ByzantineRole>>) {
  const roles = new Map(Object.entries(liars).map(([member, role]) => [Number(member), role]))
  const policy = () =>
    new NextBlockPolicy({ intervalMs: 250, heartbeatSeconds: null, futureLimitSeconds: 15 })
  const network = new CommitteeNetwork(n, { pattern, liars: roles, policy })
  // Until all hellos have arrived.
  network.run(100)
  network.submit()
  return network
}

/** The messages of the protocol that a member sent so far, with their receivers. */
const wordsOf = (network: CommitteeNetwork, member: MemberIndex) =>
  network.sent.filter(({ from, message }) => from === `p${member}` && !message.startsWith('hello'))

function decideSome(network: CommitteeNetwork, height: number): void {
  for (let next = 1; next <= height; next++) {
    network.submit()
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height >= next), 60 * TIMEOUT_MS)
  }
}

/** All honest members have the same final block at each sequence number. */
function assertAgreed(network: CommitteeNetwork): void {
  const decided = new Map<number, string>()
  for (const { log } of network.honest) {
    for (const { id, certificate } of only(log, 'final')) {
      const { sequence } = certificate!
      assert.equal(decided.get(sequence) ?? id, id, `two decisions for ${sequence}`)
      decided.set(sequence, id)
    }
  }
}

const accused = (network: CommitteeNetwork): Set<string> =>
  new Set(network.honest.flatMap(({ committee }) => committee.report(0).evidence.map(e => e.validator.name)))

test('only a member can lie', () => {
  const options = { signing: { self: null } } as never
  assert.throws(() => new Liar('silent', options), /only a member can lie/)
})

test('nobody can lie in a network that does not agree by PBFT, and the reason is told', () => {
  const { genesis } = new TestValidators(1)
  const mined = { ...genesis, finality: { mode: 'longest-chain', depth: 8 } }
  assert.throws(
    () => lyingFinality({ role: 'silent', accomplices: [] })(mined, NOBODY),
    /liars lie in PBFT's messages/,
  )
})

for (const pattern of PATTERNS) {
  // ---- one liar of four

  test(`${pattern}: the silent says nothing, and the others decide without it`, () => {
    const network = committee(4, pattern, { 1: 'silent' })
    decideSome(network, 3)
    assert.deepEqual(wordsOf(network, 1), [])
    assertAgreed(network)
  })

  test(`${pattern}: a delaying member sends everything late, and the others decide all the same`, () => {
    const network = committee(4, pattern, { 1: 'delay' })
    network.run(0.9 * TIMEOUT_MS - 100)
    assert.deepEqual(
      wordsOf(network, 1).filter(({ message }) => !message.startsWith('query')),
      [],
    )
    network.run(101)
    assert.ok(wordsOf(network, 1).some(({ message }) => message.startsWith('pre-prepare 1/0')))
    decideSome(network, 3)
    assertAgreed(network)
    assert.deepEqual(accused(network), new Set())
  })

  test(`${pattern}: a withholding member speaks to every second member only, and all decide all the same`, () => {
    const network = committee(4, pattern, { 1: 'withhold' })
    decideSome(network, 3)
    const told = new Set(wordsOf(network, 1).map(({ to }) => to))
    assert.deepEqual(told, new Set(['p0', 'p3']))
    assertAgreed(network)
    assert.deepEqual(accused(network), new Set())
  })

  test(`${pattern}: what is forged is refused, and blamed on its sender alone`, () => {
    const network = committee(4, pattern, { 2: 'forge' })
    decideSome(network, 3)
    const refusals = network.honest.flatMap(({ log }) => only(log, 'refuse'))
    assert.ok(refusals.length > 0)
    assert.deepEqual(new Set(refusals.map(({ from }) => from)), new Set(['p2']))
    assert.deepEqual(
      new Set(refusals.map(({ reason }) => reason)),
      new Set(['signature-invalid', 'certificate-invalid']),
    )
    assertAgreed(network)
    assert.deepEqual(accused(network), new Set())
  })

  test(`${pattern}: what is replayed does no harm`, () => {
    const network = committee(4, pattern, { 2: 'replay' })
    decideSome(network, 4)
    network.run(5 * TIMEOUT_MS)
    const counts = new Map<string, number>()
    for (const { to, message } of wordsOf(network, 2))
      if (to === 'p0' && !message.startsWith('status')) counts.set(message, (counts.get(message) ?? 0) + 1)
    assert.ok(
      [...counts.keys()].some(message => / by [013]$/.test(message)),
      'words of others are said again',
    )
    assertAgreed(network)
    assert.ok(network.honest.every(({ chain }) => chain.final.height === 4))
    assert.deepEqual(
      network.honest.flatMap(({ log }) => [...only(log, 'refuse'), ...only(log, 'alarm')]),
      [],
    )
  })

  // ---- lies of a view change

  for (const [n, liars] of [
    [4, [1]],
    [7, [1, 2]],
  ] as const) {
    test(`${pattern}: what ${liars.length} of ${n} usurpers hide is decided, and their false beginnings of views are refused`, () => {
      const network = committee(n, pattern, Object.fromEntries(liars.map(liar => [liar, 'usurp'])))
      const usurper = network.node(1)
      network.runUntil(() => said(usurper.log, 'view-change').length > 0)
      // No other member knows what it decided, and it does not say so.
      const hidden = usurper.chain.final
      assert.equal(hidden.height, 1)
      assert.ok(network.honest.every(({ chain }) => chain.final.height === 0))
      for (const { message } of said(usurper.log, 'view-change'))
        assert.deepEqual([message.stable, message.prepared], [null, []])
      decideSome(network, 5)
      for (const { log } of network.honest) assert.equal(only(log, 'final')[0]!.id, hidden.id)
      assertAgreed(network)
      const refusals = network.honest.flatMap(({ log }) => only(log, 'refuse'))
      // The view after the first usurper's failure is the second one's.
      const reasons = liars.length === 1 ? [] : ['new-view-invalid']
      assert.deepEqual(new Set(refusals.map(({ reason }) => reason)), new Set(reasons))
      const peers = liars.map(liar => `p${liar}`)
      for (const { from } of refusals) assert.ok(peers.includes(from), `${from} is honest`)
      const names = liars.map(liar => network.validators.validators.validators[liar]!.name)
      for (const name of accused(network)) assert.ok(names.includes(name), `${name} is honest`)
    })
  }

  test(`${pattern}: of the beginnings of a usurper's view just the two that are proved are accepted`, () => {
    // The first one's proposal fails, and the next view is the second one's.
    const network = committee(7, pattern, { 1: 'usurp', 2: 'usurp' })
    network.runUntil(() => said(network.node(2).log, 'new-view').length > 0)
    const beginnings = new Map(
      said(network.node(2).log, 'new-view').map(({ message }) => [JSON.stringify(message), message]),
    )
    const accepted = [...beginnings.values()].map(message => {
      const stranger = new TestCommittee({ network: network.validators, self: 3, pattern }).start()
      const refusals = only(stranger.hear('p2', message), 'refuse')
      assert.equal(refusals.length === 0, stranger.report().view === 2)
      return refusals.length === 0
    })
    assert.deepEqual(accepted, [false, false, false, false, false, false, false, true, true])
  })

  // ---- what is of no use

  test(`${pattern}: no member follows one that exaggerates, and what is kept of it does not grow`, () => {
    const network = committee(4, pattern, { 1: 'exaggerate' })
    decideSome(network, 3)
    const refusals = network.honest.flatMap(({ log }) => only(log, 'refuse'))
    assert.deepEqual(new Set(refusals.map(({ from }) => from)), new Set(['p1']))
    assert.deepEqual(
      new Set(refusals.map(({ reason }) => reason)),
      new Set(['signature-invalid', 'vote-of-nobody', 'certificate-invalid', 'new-view-invalid']),
    )
    const largest = () => Math.max(...network.honest.map(({ committee }) => committee.size))
    // Its distances double at every tick, of which a timeout has two: soon all are beyond the window.
    network.run(5 * TIMEOUT_MS)
    const before = largest()
    network.run(10 * TIMEOUT_MS)
    assert.ok(largest() <= before, `${before} things are kept, and then ${largest()}`)
    decideSome(network, 5)
    assertAgreed(network)
    for (const { committee } of network.honest) assert.ok(committee.report(0).view < 10)
  })

  test(`${pattern}: a vote for another chain or another genesis is none here`, () => {
    const network = committee(4, pattern, { 1: 'exaggerate' })
    const { log } = network.node(0)
    network.runUntil(() => only(log, 'persist').some(({ key }) => key.includes('slot')))
    assert.deepEqual(
      only(log, 'refuse').map(({ from, reason }) => [from, reason]),
      [
        ['p1', 'signature-invalid'],
        ['p1', 'signature-invalid'],
      ],
    )
  })

  test(`${pattern}: bytes that are no message are refused, and the others decide all the same`, () => {
    const network = committee(4, pattern, { 1: 'garble' })
    decideSome(network, 5)
    // Until all that was said has arrived.
    network.run(100)
    const refusals = network.honest.flatMap(({ log }) => only(log, 'refuse'))
    assert.deepEqual(new Set(refusals.map(({ reason }) => reason)), new Set(['malformed']))
    assert.deepEqual(new Set(refusals.map(({ from }) => from)), new Set(['p1']))
    // Before each of its words there is one that is spoilt, whatever our decoder makes of it.
    const { committee: liar, log } = network.node(1)
    const bodies = [...only(log, 'send'), ...only(log, 'broadcast')].map(({ body }) => body)
    const spoilt = bodies.filter(body => !liar.describe(body).startsWith('hello')).length / 2
    assert.ok(spoilt > 8, 'every kind was said')
    assert.equal(refusals.length, spoilt * network.honest.length)
    assertAgreed(network)
  })

  // ---- two stories

  for (const [n, liars] of [
    [4, [1]],
    [7, [1, 2]],
  ] as const) {
    test(`${pattern}: ${liars.length} of ${n} tell the halves different values; it is proven, and nothing is decided twice`, () => {
      const network = committee(n, pattern, Object.fromEntries(liars.map(liar => [liar, 'equivocate'])))
      network.runUntil(() => accused(network).size > 0)
      const stories = said(network.node(1).log, 'pre-prepare')
      const halves = [0, 1].map(
        half =>
          new Set(stories.filter(({ to }) => Number(to!.slice(1)) % 2 === half).map(s => s.message.value)),
      )
      assert.notDeepEqual(halves[0], halves[1])
      decideSome(network, 3)
      assertAgreed(network)
      const names = liars.map(liar => network.validators.validators.validators[liar]!.name)
      for (const name of accused(network)) assert.ok(names.includes(name), `${name} is honest`)
      for (const { committee } of network.honest) {
        assert.equal(committee.report(0).halted, null)
        for (const evidence of committee.report(0).evidence)
          assert.ok('validator' in verifyEvidence(network.validators.file, evidence))
      }
    })
  }

  for (const [n, liars] of [
    [4, [1, 2]],
    [7, [1, 2, 4]],
  ] as const) {
    test(`${pattern}: ${liars.length} of ${n}, more than f, get both halves to decide differently`, () => {
      const network = committee(n, pattern, Object.fromEntries(liars.map(liar => [liar, 'equivocate'])))
      network.runUntil(() => network.honest.every(({ log }) => only(log, 'final').length > 0))
      const firsts = network.honest.map(({ log }) => only(log, 'final')[0]!.id)
      assert.equal(new Set(firsts).size, 2)
      // The halves meet: a member that sees both certificates stops, and names the members to blame.
      const stopped = () => network.honest.filter(({ committee }) => committee.report(0).halted !== null)
      network.runUntil(() => stopped().length > 0)
      network.run(5 * TIMEOUT_MS)
      const names = liars.map(liar => network.validators.validators.validators[liar]!.name)
      for (const { committee } of stopped()) {
        const { halted, evidence } = committee.report(0)
        assert.match(halted!, new RegExp(`: more than the .*; proven to have lied: ${names.join(', ')}$`))
        assert.deepEqual(new Set(evidence.map(({ validator }) => validator.name)), new Set(names))
        for (const report of evidence)
          assert.ok('validator' in verifyEvidence(network.validators.file, report))
      }
      assert.deepEqual(accused(network), new Set(names))
    })
  }
}
