import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Claims, DELAY_TICKS_MAX } from '../../src/replica/claims.ts'
import type { PeerId } from '../../src/replica/effects.ts'

const OURS = 10n
const HUGE = 2n ** 200n
const isFree = (): boolean => true

/** Peers that chose us, each from a place of its own, and what they claim. */
function claimsOf(work: Record<PeerId, bigint>): Claims {
  const claims = new Claims()
  for (const [peer, claim] of Object.entries(work)) {
    claims.add(peer, { isOutbound: false, group: peer })
    claims.claim(peer, claim)
  }
  return claims
}

/** The peers that are asked at one tick, one after the other, where every claim is made again at once after it failed. */
function failing(claims: Claims, tick: number): PeerId[] {
  const asked: PeerId[] = []
  for (let peer = claims.next(OURS, tick, isFree); peer !== null; peer = claims.next(OURS, tick, isFree)) {
    asked.push(peer)
    claims.fail(peer, tick)
    claims.claim(peer, HUGE)
    assert.ok(asked.length < 100, 'a claim that failed is looked into again at once')
  }
  return asked
}

test('no peer is asked that claims no more than we have', () => {
  const claims = claimsOf({ a: 10n, b: 9n })
  assert.equal(claims.next(OURS, 0, isFree), null)
  claims.claim('b', 11n)
  assert.equal(claims.next(OURS, 0, isFree), 'b')
})

test('a peer that we chose is asked before one that chose us, whatever that claims', () => {
  const claims = claimsOf({ stranger: HUGE })
  claims.add('ours', { isOutbound: true, group: 'ours' })
  claims.claim('ours', 11n)
  assert.equal(claims.next(OURS, 0, isFree), 'ours')
})

test('every second peer that is asked is the one that has waited longest', () => {
  const claims = claimsOf({ a: 11n, b: 12n, liar: HUGE })
  const asked = Array.from({ length: 6 }, () => claims.next(OURS, 0, isFree))
  assert.deepEqual(asked, ['liar', 'a', 'liar', 'b', 'liar', 'a'])
})

test('new identities without end do not keep an old peer from its turn', () => {
  const claims = claimsOf({ honest: 11n })
  const asked = Array.from({ length: 4 }, (_, index) => {
    const identity = `new ${index}`
    claims.add(identity, { isOutbound: false, group: identity })
    claims.claim(identity, HUGE)
    const peer = claims.next(OURS, index, isFree)!
    claims.fail(peer, index)
    claims.remove(identity)
    return peer
  })
  assert.equal(asked.indexOf('honest'), 1)
})

test('a claim that failed and is made again is looked into after a delay that doubles, up to a bound', () => {
  const claims = claimsOf({ liar: HUGE })
  const ticks: number[] = []
  for (let tick = 0; tick <= 400; tick++) if (failing(claims, tick).length > 0) ticks.push(tick)
  const delays = ticks.slice(1).map((tick, index) => tick - ticks[index]!)
  assert.deepEqual(delays, [2, 4, 8, 16, 32, 64, 64, 64, 64, 64])
  assert.equal(Math.max(...delays), DELAY_TICKS_MAX)
})

test('a failed claim is remembered for the peer over a new connection', () => {
  const claims = claimsOf({ liar: HUGE })
  failing(claims, 0)
  claims.remove('liar')
  claims.add('liar', { isOutbound: false, group: 'elsewhere' })
  claims.claim('liar', HUGE)
  assert.equal(claims.next(OURS, 1, isFree), null)
  assert.equal(claims.next(OURS, 2, isFree), 'liar')
})

test('a failed claim is remembered for the place over a new identity, and grows there', () => {
  const claims = new Claims()
  const asked: number[] = []
  for (let tick = 0; tick <= 30; tick++) {
    const identity = `liar ${tick}`
    claims.add(identity, { isOutbound: false, group: '192.0.2' })
    claims.claim(identity, HUGE)
    if (failing(claims, tick).length > 0) asked.push(tick)
    claims.remove(identity)
  }
  assert.deepEqual(asked, [0, 2, 6, 14, 30])
})

test('a peer that gave a body is not left alone for what others from its place do, and its own failures are forgotten', () => {
  const claims = new Claims()
  for (const peer of ['honest', 'liar']) claims.add(peer, { isOutbound: false, group: '192.0.2' })
  claims.claim('honest', 11n)
  claims.fail('honest', 0)
  claims.prove('honest')
  claims.claim('honest', 11n)
  claims.claim('liar', HUGE)
  claims.fail('liar', 1)
  assert.equal(claims.next(OURS, 1, isFree), 'honest')
})

test('while a peer is left alone, and no longer, there is something to wait for', () => {
  const claims = claimsOf({ liar: HUGE, honest: 11n })
  assert.equal(claims.isWaiting(0), false)
  claims.fail('liar', 0)
  assert.deepEqual(
    [0, 1, 2].map(tick => claims.isWaiting(tick)),
    [true, true, false],
  )
})

test('a peer whose blocks are early is left alone for some ticks, never for more, and that is no failure', () => {
  const claims = claimsOf({ early: HUGE })
  const ticks: number[] = []
  for (let tick = 0; tick <= 40; tick++) {
    if (claims.next(OURS, tick, isFree) === null) continue
    ticks.push(tick)
    claims.defer('early', tick)
    claims.claim('early', HUGE)
  }
  assert.deepEqual(ticks, [0, 8, 16, 24, 32, 40])
  claims.fail('early', 41)
  claims.claim('early', HUGE)
  assert.equal(claims.next(OURS, 48, isFree), 'early')
})

test('each body that a peer gives ends its failures, so that one now and then never adds up to a long delay', () => {
  const claims = claimsOf({ honest: HUGE })
  for (let round = 0; round < 9; round++) {
    claims.prove('honest')
    claims.fail('honest', 100 * round)
    claims.claim('honest', HUGE)
    assert.equal(claims.next(OURS, 100 * round + 2, isFree), 'honest', `after failure ${round + 1}`)
  }
})

test('a peer that gives bodies clears the failures of its place once, and not for the identities that come after', () => {
  const claims = new Claims()
  claims.add('giver', { isOutbound: false, group: '192.0.2' })
  claims.prove('giver')
  claims.add('liar', { isOutbound: false, group: '192.0.2' })
  claims.claim('liar', HUGE)
  claims.fail('liar', 0)
  claims.prove('giver')
  claims.remove('liar')
  claims.add('liar again', { isOutbound: false, group: '192.0.2' })
  claims.claim('liar again', HUGE)
  assert.equal(claims.next(OURS, 1, isFree), null)
})

test('work that is assumed never replaces a larger claim, and ends with a claim of the peer itself', () => {
  const claims = claimsOf({ p: 20n })
  claims.assume('p', 11n)
  assert.deepEqual([claims.of('p'), claims.isAssumed('p')], [20n, false])
  claims.assume('p', 21n)
  assert.deepEqual([claims.of('p'), claims.isAssumed('p')], [21n, true])
  claims.claim('p', 20n)
  assert.deepEqual([claims.of('p'), claims.isAssumed('p')], [20n, false])
})
