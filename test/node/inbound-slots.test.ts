import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseEvicted, GREETING_MS, greatestGroups, type InboundPeer } from '../../src/node/inbound-slots.ts'

type Named = InboundPeer & { readonly name: string }

/** A peer that has shaken hands and done nothing more. */
const peer = (name: string, changes: Partial<InboundPeer> = {}): Named => ({
  name,
  group: 'crowd',
  groupRank: 1_000,
  sinceMs: 0,
  isPrivileged: false,
  isGreeted: true,
  blockMs: Number.NEGATIVE_INFINITY,
  transactionsMs: Number.NEGATIVE_INFINITY,
  ...changes,
})
/** Everybody has had time to shake hands. */
const NOW_MS = 1e9

/** So many peers of one group, each younger than the one before. */
const crowd = (count: number, changes: Partial<InboundPeer> = {}): Named[] =>
  Array.from({ length: count }, (_, index) => peer(`crowd ${index}`, { sinceMs: 1_000 + index, ...changes }))

/** Lets newcomers of the crowd push out others until the places were taken so often; returns those that are left. */
function siege(peers: readonly Named[], newcomers: number): Named[] {
  let left = [...peers]
  for (let count = 0; count < newcomers; count++) {
    const evicted = chooseEvicted(left, NOW_MS)
    assert.ok(evicted !== null)
    left = left.filter(one => one !== evicted)
    left.push(peer(`newcomer ${count}`, { sinceMs: 1e6 + count }))
  }
  return left
}
const isLeft = (left: readonly Named[], name: string): boolean => left.some(one => one.name === name)

test('the youngest of the greatest group makes room', () => {
  const others = Array.from({ length: 10 }, (_, index) =>
    peer(`other ${index}`, { group: `group ${index}`, sinceMs: 5_000 + index, groupRank: 5_000 }),
  )
  assert.equal(chooseEvicted([...crowd(20), ...others], NOW_MS)?.name, 'crowd 19')
})

test('a peer that had time to shake hands and did not makes room before all others, the oldest of the greatest group of them', () => {
  const strangers = [
    peer('one', { isGreeted: false, group: 'small', sinceMs: 1 }),
    peer('two', { isGreeted: false, group: 'great', sinceMs: 3 }),
    peer('three', { isGreeted: false, group: 'great', sinceMs: 2 }),
  ]
  assert.equal(chooseEvicted([...crowd(45), ...strangers], NOW_MS)?.name, 'three')
})

test('validators and given peers never make room', () => {
  const privileged = crowd(48, { isPrivileged: true })
  assert.equal(chooseEvicted(privileged, NOW_MS), null)
  const muteValidator = peer('mute', { isPrivileged: true, isGreeted: false })
  assert.equal(chooseEvicted([...privileged, muteValidator], NOW_MS), null)
  assert.equal(chooseEvicted([], NOW_MS), null)
})

test('a crowd that comes and comes pushes out none of those that the rules protect', () => {
  const guarded = [
    peer('validator', { isPrivileged: true, sinceMs: 9e8 }),
    peer('gave a block', { blockMs: 5, sinceMs: 9e8 }),
    peer('gave transactions', { transactionsMs: 5, sinceMs: 9e8 }),
    peer('of a secret group', { groupRank: 1, group: 'rare', sinceMs: 9e8 }),
    peer('has been here for long', { sinceMs: 1 }),
    peer('is alone of its group', { group: 'alone', sinceMs: 9e8 }),
  ]
  const left = siege([...guarded, ...crowd(42)], 1_000)
  for (const { name } of guarded) assert.ok(isLeft(left, name), name)
})

test('having been useful protects those that were it last', () => {
  const useful = Array.from({ length: 8 }, (_, index) =>
    peer(`useful ${index}`, { blockMs: index, sinceMs: 9e8 + index }),
  )
  const left = siege([...crowd(40), ...useful], 100)
  assert.deepEqual(
    useful.filter(({ name }) => isLeft(left, name)).map(({ name }) => name),
    ['useful 4', 'useful 5', 'useful 6', 'useful 7'],
  )
})

test('a peer is evicted wherever thirteen or more compete, and never a protected one', () => {
  const anyPeer = fc.record({
    group: fc.constantFrom('a', 'b', 'c'),
    groupRank: fc.nat(5),
    sinceMs: fc.nat(100),
    isPrivileged: fc.boolean(),
    isGreeted: fc.boolean(),
    blockMs: fc.constantFrom(Number.NEGATIVE_INFINITY, 1, 2),
    transactionsMs: fc.constantFrom(Number.NEGATIVE_INFINITY, 1, 2),
  })
  fc.assert(
    fc.property(fc.array(anyPeer, { maxLength: 60 }), fc.nat(2 * GREETING_MS), (peers, nowMs) => {
      const evicted = chooseEvicted(peers, nowMs)
      const competing = peers.filter(({ isPrivileged }) => !isPrivileged)
      if (competing.length >= 13) assert.ok(evicted !== null)
      if (evicted === null) return
      assert.ok(!evicted.isPrivileged)
      if (evicted.isGreeted)
        assert.ok(competing.every(one => one.isGreeted || nowMs - one.sinceMs < GREETING_MS))
    }),
  )
})

/** Admits one, and evicts a peer for it. */
function letIn(peers: readonly Named[], newcomer: Named): Named[] {
  const evicted = chooseEvicted(peers, newcomer.sinceMs)
  return evicted === null ? [...peers] : [...peers.filter(one => one !== evicted), newcomer]
}

test('a newcomer that has not shaken hands yet is not pushed out by those that come back', () => {
  let peers = letIn(crowd(48), peer('honest', { group: 'alone', isGreeted: false, sinceMs: 10_000 }))
  for (let nowMs = 10_001; nowMs < 12_000; nowMs += 10) {
    peers = letIn(peers, peer(`back ${nowMs}`, { isGreeted: false, sinceMs: nowMs }))
    assert.ok(isLeft(peers, 'honest'), `put out at ${nowMs}`)
    peers = peers.map(one => (one.name === 'honest' ? one : { ...one, isGreeted: true }))
  }
  assert.ok(!isLeft(letIn(peers, peer('late', { sinceMs: 10_000 + GREETING_MS })), 'honest'))
})

test('newcomers that say nothing hold a quarter of the places for as long as they may be silent, and no more', () => {
  let peers = crowd(48, { sinceMs: 0 })
  for (let count = 0; count < 200; count++)
    peers = letIn(peers, peer(`mute ${count}`, { group: `${count}`, isGreeted: false, sinceMs: 10_000 }))
  // One more than may stay is in when the next one comes.
  assert.equal(peers.filter(({ isGreeted }) => !isGreeted).length, 13)
})

test('a newcomer from a group of its own stays long enough to shake hands, and then too, whatever strangers of eleven groups do', () => {
  const group = fc.integer({ min: 1, max: 11 }).map(String)
  const sometimes = fc.constantFrom(Number.NEGATIVE_INFINITY, 1, 2)
  const traits = { group, groupRank: fc.nat(20), blockMs: sometimes, transactionsMs: sometimes }
  const stranger = fc.record({ ...traits, isGreeted: fc.boolean(), sinceMs: fc.nat(10_000) })
  const visit = fc.record({ ...traits, isGreeted: fc.boolean(), waitMs: fc.nat(50), greeting: fc.nat(100) })
  fc.assert(
    fc.property(
      fc.array(stranger, { minLength: 48, maxLength: 48 }),
      fc.array(visit, { minLength: 30, maxLength: 120 }),
      fc.nat(2_000),
      (strangers, visits, greetingMs) => {
        let nowMs = 10_000
        const first = strangers.map((traits, index) => peer(`first ${index}`, traits))
        let peers = letIn(first, peer('honest', { group: 'alone', isGreeted: false, sinceMs: nowMs }))
        for (const [index, { waitMs, greeting, ...traits }] of visits.entries()) {
          nowMs += waitMs
          const greets = ({ name }: Named, at: number): boolean =>
            name === 'honest' ? nowMs >= 10_000 + greetingMs : at === greeting
          peers = peers.map((one, at) => (greets(one, at) ? { ...one, isGreeted: true } : one))
          peers = letIn(peers, peer(`visit ${index}`, { ...traits, sinceMs: nowMs }))
          assert.ok(isLeft(peers, 'honest'), `put out ${nowMs - 10_000} ms after it came`)
        }
      },
    ),
  )
})

test('the greatest groups are those that have most of all, or of those that are asked about', () => {
  const [a, b, c] = [peer('a', { group: 'a' }), peer('b', { group: 'b' }), peer('c', { group: 'b' })]
  assert.deepEqual(
    [greatestGroups([a, b]), greatestGroups([a, b, c]), greatestGroups([])],
    [[a, b], [b, c], []],
  )
  assert.deepEqual(greatestGroups([a, b], [a, b, c]), [b])
})
