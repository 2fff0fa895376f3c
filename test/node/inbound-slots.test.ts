import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseEvicted, greatestGroup, type InboundPeer } from '../../src/node/inbound-slots.ts'

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
/** So many peers of one group, each younger than the one before. */
const crowd = (count: number, changes: Partial<InboundPeer> = {}): Named[] =>
  Array.from({ length: count }, (_, index) => peer(`crowd ${index}`, { sinceMs: 1_000 + index, ...changes }))

/** Lets newcomers of the crowd push out others until the places were taken so often; returns who is left. */
function siege(peers: readonly Named[], newcomers: number): Named[] {
  let left = [...peers]
  for (let count = 0; count < newcomers; count++) {
    const evicted = chooseEvicted(left)
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
  assert.equal(chooseEvicted([...crowd(20), ...others])?.name, 'crowd 19')
})

test('a peer that has not shaken hands makes room before all others, the oldest of the greatest group of them', () => {
  const strangers = [
    peer('one', { isGreeted: false, group: 'small', sinceMs: 1 }),
    peer('two', { isGreeted: false, group: 'great', sinceMs: 3 }),
    peer('three', { isGreeted: false, group: 'great', sinceMs: 2 }),
  ]
  assert.equal(chooseEvicted([...crowd(45), ...strangers])?.name, 'three')
})

test('validators and given peers never make room', () => {
  const privileged = crowd(48, { isPrivileged: true })
  assert.equal(chooseEvicted(privileged), null)
  const muteValidator = peer('mute', { isPrivileged: true, isGreeted: false })
  assert.equal(chooseEvicted([...privileged, muteValidator]), null)
  assert.equal(chooseEvicted([]), null)
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

test('somebody makes room wherever thirteen or more compete, and it is none that is protected', () => {
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
    fc.property(fc.array(anyPeer, { maxLength: 60 }), peers => {
      const evicted = chooseEvicted(peers)
      const competing = peers.filter(({ isPrivileged }) => !isPrivileged)
      if (competing.length >= 13) assert.ok(evicted !== null)
      if (evicted === null) return
      assert.ok(!evicted.isPrivileged)
      if (evicted.isGreeted) assert.ok(competing.every(({ isGreeted }) => isGreeted))
    }),
  )
})

test('of groups of one size the one with the youngest peer counts as the greatest', () => {
  const [a, b] = [peer('a', { group: 'a', sinceMs: 2 }), peer('b', { group: 'b', sinceMs: 1 })]
  assert.deepEqual([greatestGroup([a, b]), greatestGroup([b, a]), greatestGroup([])], [[a], [a], []])
})
