// L11: f faulty members take at most half of the throughput, whatever they do, and a network that is slower than the
// timeout costs some views at first and none afterwards. In virtual time: delays of 10 ms, a timeout of 1,000 ms.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PbftTypes } from '../../../src/consensus/pbft/anatomy.ts'
import type { PbftEffect, PbftInput, PbftMessage } from '../../../src/consensus/pbft/messages.ts'
import type { Pattern, Pbft } from '../../../src/consensus/pbft/pbft.ts'
import type { MemberIndex } from '../../../src/consensus/process.ts'
import { faultsTolerated } from '../../../src/consensus/quorum.ts'
import { Liar } from '../../../src/lab/adversary/byzantine/liar.ts'
import type { LieEffect } from '../../../src/lab/adversary/byzantine/lie.ts'
import { BYZANTINE_ROLES, type ByzantineRole } from '../../../src/lab/adversary/byzantine/roles.ts'
import { FAIR, type Liar as Lying, type Maker, Network } from '../network.ts'
import { PATTERNS, pbftMaker } from './maker.ts'

const TIMEOUT_MS = 1_000
const RUN_MS = 60_000
const CHECKPOINT_INTERVAL = 16

/** Bytes that are no message end at the decoder, which this network has not got. */
const ROLES = BYZANTINE_ROLES.filter(role => role !== 'garble')

/** Every role costs least to try where votes are collected; the rest is run with LONG=1. */
function isTried(pattern: Pattern, n: number): boolean {
  return process.env.LONG === '1' || (pattern === 'leader-collected' && n < 10)
}

type PbftNetwork = Network<PbftTypes>

/** The timer of a lie, beside those of the protocol. */
const LIE_TIMER = 'lie'

/** One step of a protocol with a liar before it. */
function stepOf(pbft: Pbft, liar: Liar, input: PbftInput): PbftEffect[] {
  if (input.type === 'timeout' && input.name === LIE_TIMER) return performed(liar.timeout())
  const beside = input.type === 'message' ? liar.hear(input.message) : []
  const said = pbft.step(input).flatMap((effect): PbftEffect[] => {
    switch (effect.type) {
      case 'send':
        return performed(liar.say({ type: 'reply', to: String(effect.to), message: effect.message }))
      case 'reply':
      case 'broadcast':
        return performed(liar.say(effect))
      default:
        return [effect]
    }
  })
  const isTick = input.type === 'timeout' && input.name === 'retransmit'
  return [...said, ...performed(beside), ...performed(isTick ? liar.tick() : [])]
}

function performed(effects: readonly LieEffect[]): PbftEffect[] {
  return effects.flatMap(effect => performedOne(effect))
}

function performedOne(effect: LieEffect): PbftEffect[] {
  switch (effect.type) {
    case 'send':
    case 'reply':
    case 'broadcast':
      return [effect]
    case 'wait':
      return [{ type: 'set-timer', name: LIE_TIMER, delayMs: effect.delayMs }]
    case 'broadcast-bytes':
      return []
  }
}

/** A network in which these members lie as validators on networks for tests do. */
function networkWith(
  pattern: Pattern,
  n: number,
  liars: readonly MemberIndex[],
  role: ByzantineRole | null,
): PbftNetwork {
  const honest = pbftMaker(pattern, CHECKPOINT_INTERVAL)
  const maker: Maker<PbftTypes> = {
    ...honest,
    create: options => {
      const protocol = honest.create(options)
      const { self, signing } = options
      if (signing === null || role === null || self === null || !liars.includes(self)) return protocol
      const pbft = protocol as Pbft
      const liar = new Liar(role, {
        n,
        signing,
        timeoutMs: options.timeoutMs,
        checkpointInterval: CHECKPOINT_INTERVAL,
        accomplices: liars.filter(member => member !== self),
        elsewhere: [],
        state: () => pbft.state,
        alternative: value => `${value}'`,
      })
      return {
        step: input => stepOf(pbft, liar, input),
        get turn() {
          return pbft.turn
        },
        get state() {
          return pbft.state
        },
        get size() {
          return pbft.size
        },
      } as typeof protocol
    },
  }
  const passing = new Map(
    liars.map(member => [member, () => ({ send: (message: PbftMessage) => [message] })]),
  )
  return new Network({
    maker,
    n,
    seed: 1,
    goal: Number.POSITIVE_INFINITY,
    timeoutMs: TIMEOUT_MS,
    liars: passing,
  })
}

/** The decisions that all honest members have made after a minute. */
function decisionsOf(network: PbftNetwork): number {
  network.runUntil(() => false, RUN_MS)
  return Math.min(...network.honest.map(({ copies }) => copies[0]!.decisions.length))
}

const known = new Map<string, number>()

/** The decisions of a network without faults. */
function faultFree(pattern: Pattern, n: number): number {
  const key = `${pattern} ${n}`
  const decisions = known.get(key) ?? decisionsOf(networkWith(pattern, n, [], null))
  known.set(key, decisions)
  return decisions
}

for (const pattern of PATTERNS)
  for (const n of [4, 7, 10]) {
    const f = faultsTolerated(n)
    // One after the other, so that the proposer after a failed one fails too.
    const liars = Array.from({ length: f }, (_, index) => index + 1)
    for (const role of ROLES.filter(role => role === 'silent' || isTried(pattern, n)))
      test(`${pattern}, ${n} members: with ${f} of them lying (${role}) at least half as many decisions (L11)`, t => {
        const fair = faultFree(pattern, n)
        const decisions = decisionsOf(networkWith(pattern, n, liars, role))
        t.diagnostic(`${decisions} of ${fair} decisions`)
        assert.ok(2 * decisions >= fair, `${decisions} of ${fair}`)
      })
  }

/** A liar that leads its turns by a rule of its own, and votes for others as all do. */
type Leading = (self: MemberIndex, turn: number) => { readonly delayMs: number; readonly isMute: boolean }

const LEADING: Readonly<Record<string, Leading>> = {
  'late in every other turn': (_, turn) => ({ delayMs: turn % 2 === 0 ? 900 : 0, isMute: false }),
  'a fifth of the timeout late in every turn': () => ({ delayMs: 190, isMute: false }),
  'an eighth of the timeout late in every turn': () => ({ delayMs: 90, isMute: false }),
  'leading nothing and voting for all': () => ({ delayMs: 0, isMute: true }),
}

function leadingAs(leading: Leading): (context: { readonly self: MemberIndex }) => Lying<PbftMessage> {
  return ({ self }) => {
    const turns = new Map<string, number>()
    let delayMs = 0
    return {
      get delayMs() {
        return delayMs
      },
      send: message => {
        delayMs = 0
        const { isMute } = leading(self, 0)
        if (isMute && (message.type === 'new-view' || message.type === 'proof')) return []
        if (message.type !== 'pre-prepare' || message.from !== self) return [message]
        const key = `${message.view}/${message.sequence}`
        if (!turns.has(key)) turns.set(key, turns.size)
        delayMs = leading(self, turns.get(key)!).delayMs
        return isMute ? [] : [message]
      },
    }
  }
}

/** A liar that does not tell the next proposer what was decided in its own turn. */
const estranging = ({ n }: { readonly n: number }): Lying<PbftMessage> => ({
  send: (message, to) => {
    if (message.type !== 'proof' || message.certificate.phase !== 'commit') return [message]
    const { view, sequence } = message.certificate
    return to === (view + sequence + 1) % n ? [] : [message]
  },
})

/** The decisions of a minute in which the first f members after member 0 lie so. */
function decisionsAgainst(
  pattern: Pattern,
  n: number,
  liar: (context: { readonly n: number; readonly self: MemberIndex }) => Lying<PbftMessage>,
): { readonly decisions: number; readonly network: PbftNetwork } {
  const liars = Array.from({ length: faultsTolerated(n) }, (_, index) => index + 1)
  const network: PbftNetwork = new Network({
    maker: pbftMaker(pattern, CHECKPOINT_INTERVAL),
    n,
    seed: 1,
    goal: Number.POSITIVE_INFINITY,
    timeoutMs: TIMEOUT_MS,
    liars: new Map(liars.map(member => [member, liar])),
  })
  return { decisions: decisionsOf(network), network }
}

for (const pattern of PATTERNS)
  for (const n of [4, 7])
    for (const [name, leading] of Object.entries(LEADING))
      test(`${pattern}, ${n} members: with f leaders ${name} at least half as many decisions (L11)`, t => {
        const { decisions } = decisionsAgainst(pattern, n, leadingAs(leading))
        const fair = faultFree(pattern, n)
        t.diagnostic(`${decisions} of ${fair} decisions`)
        assert.ok(2 * decisions >= fair, `${decisions} of ${fair}`)
      })

for (const n of [4, 7])
  test(`leader-collected, ${n} members: f collectors that leave the next proposer out take at most half, and no honest member is passed over for it`, t => {
    const { decisions, network } = decisionsAgainst('leader-collected', n, estranging)
    const fair = faultFree('leader-collected', n)
    t.diagnostic(`${decisions} of ${fair} decisions`)
    assert.ok(2 * decisions >= fair, `${decisions} of ${fair}`)
    assert.equal(network.view(0), 0)
  })

// Five leaders in a row that fail would double the timeout four times, and it falls once in a round.
test('leader-collected, 16 members: five leaders in a row that lead nothing do not raise the timeout', t => {
  const { decisions, network } = decisionsAgainst(
    'leader-collected',
    16,
    leadingAs(LEADING['leading nothing and voting for all']!),
  )
  const fair = faultFree('leader-collected', 16)
  t.diagnostic(`${decisions} of ${fair} decisions`)
  assert.ok(2 * decisions >= fair, `${decisions} of ${fair}`)
  const { state } = network.honest[0]!.copies[0]!.protocol as Pbft
  assert.equal(state.timeoutMs, TIMEOUT_MS)
})

/** Messages between members, and views, for each of so many decisions that follow a first few. */
function costAtDelay(
  pattern: Pattern,
  delayMs: number,
): { readonly messages: number; readonly views: number } {
  const [settling, measured] = [20, 40]
  const network: PbftNetwork = new Network({
    maker: pbftMaker(pattern, CHECKPOINT_INTERVAL),
    n: 4,
    seed: 1,
    goal: settling + measured,
    timeoutMs: TIMEOUT_MS,
    weather: { ...FAIR, delayMs: [delayMs, delayMs] },
  })
  const untilMs = 1_000 * (settling + measured) * Math.max(delayMs, TIMEOUT_MS)
  const count = () => [...network.counts.values()].reduce((sum, messages) => sum + messages, 0)
  assert.ok(
    network.runUntil(() => network.haveDecided(settling), untilMs),
    'decisions go on',
  )
  const [messages, view] = [count(), network.view(0)]
  assert.ok(
    network.runUntil(() => network.haveDecided(), untilMs),
    'decisions go on',
  )
  return { messages: (count() - messages) / measured, views: (network.view(0) - view) / measured }
}

for (const pattern of PATTERNS) {
  for (const timeouts of [0.1, 1, 5, 20, 50, 200])
    test(`${pattern}: with delays of ${timeouts} timeouts decisions go on, at most two views and five times the messages each`, t => {
      const { messages: least } = costAtDelay(pattern, 10)
      const { messages, views } = costAtDelay(pattern, timeouts * TIMEOUT_MS)
      t.diagnostic(`${messages} messages and ${views} views a decision, ${least} messages with short delays`)
      assert.ok(messages <= 5 * least, `${messages} messages of ${least}`)
      assert.ok(views <= 2, `${views} views`)
    })
}
