// What a member leaves out when it leaves its view: which member is proven to lie by it, and that no honest one ever is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PbftTypes } from '../../../src/consensus/pbft/anatomy.ts'
import type { Commit, PbftMessage, Statement, ViewChange } from '../../../src/consensus/pbft/messages.ts'
import { isOmitted } from '../../../src/consensus/pbft/omission.ts'
import { newViewStatement, viewChangeStatement } from '../../../src/consensus/pbft/view-change.ts'
import type { Departure, Evidence, Vote } from '../../../src/consensus/pbft/votes.ts'
import { type Maker, Network } from '../network.ts'
import { PATTERNS, pbftMaker } from './maker.ts'
import { type Effect, PbftStage } from './stage.ts'

const [A, B, C, D] = [0, 1, 2, 3] as const
const committed = { phase: 'commit', sequence: 1, view: 0, value: 'b' } as const

// ---- the rule

const vote: Vote = { phase: 'commit', sequence: 7, view: 2, value: 'b' }
const left = (changes: Partial<Departure> = {}): Departure => ({
  view: 4,
  sequence: 6,
  prepared: [{ sequence: 8, view: 3, value: 'c' }],
  suspects: [],
  ...changes,
})
const claiming = (view: number, value: string): Departure =>
  left({ prepared: [{ sequence: 7, view, value }] })

const RULE: readonly [says: string, vote: Vote, departure: Departure, isLie: boolean][] = [
  ['nothing is told of its sequence number', vote, left(), true],
  ['what is told of it is of an earlier view', vote, claiming(1, 'b'), true],
  ['what is told of it is another value of its view', vote, claiming(2, 'x'), true],
  ['it is told', vote, claiming(2, 'b'), false],
  ['something prepared in a later view is told', vote, claiming(3, 'x'), false],
  ['the view change is for the view of the commit', vote, left({ view: 2 }), false],
  ['the view change is for an earlier view', vote, left({ view: 1 }), false],
  ['it is stable', vote, left({ sequence: 7 }), false],
  ['the vote is only a prepare', { ...vote, phase: 'prepare' }, left(), false],
]
for (const [says, cast, departure, isLie] of RULE)
  test(`a commit and a view change ${isLie ? 'prove a lie' : 'prove nothing'}: ${says}`, () => {
    assert.equal(isOmitted(cast, departure), isLie)
  })

// ---- where it is found

const accusations = (effects: readonly Effect[]): Evidence[] =>
  effects.flatMap(effect => (effect.type === 'evidence' ? [effect.evidence] : []))

function commitOf(stage: PbftStage, from: number): Commit {
  const { sequence, view, value } = committed
  return { type: 'commit', sequence, view, value, from, signature: stage.sign(from, committed) }
}

/** A VIEW-CHANGE that tells of nothing. */
function hiding(stage: PbftStage, from: number, view = 1): ViewChange {
  const content = { view, stable: null, prepared: [], suspects: [] }
  const signature = stage.sign(from, viewChangeStatement(content))
  return { type: 'view-change', ...content, from, signature }
}

const proof = (stage: PbftStage, members: readonly number[]): PbftMessage => ({
  type: 'proof',
  certificate: stage.certificate(committed, members),
})

/** The proof that a member left out what it committed to when it left for this view. */
function omission(stage: PbftStage, member: number, view = 1): Evidence {
  const { signature } = hiding(stage, member, view)
  return {
    type: 'omission',
    member,
    vote: { ...committed, signature: stage.sign(member, committed) },
    departure: { view, sequence: 0, prepared: [], suspects: [], signature },
  }
}

test('a view change that leaves out a commit that is here proves a lie', () => {
  const stage = new PbftStage({ n: 4 })
  assert.deepEqual(accusations(stage.say(D, [A], commitOf(stage, D))), [])
  assert.deepEqual(accusations(stage.say(D, [A], hiding(stage, D))), [omission(stage, D)])
})

test('a commit that comes after the view change that leaves it out proves a lie', () => {
  const stage = new PbftStage({ n: 4 })
  assert.deepEqual(accusations(stage.say(D, [A], hiding(stage, D))), [])
  assert.deepEqual(accusations(stage.say(D, [A], commitOf(stage, D))), [omission(stage, D)])
})

test('a commit in the certificate of a decision that comes after the view change proves a lie', () => {
  const stage = new PbftStage({ n: 4 })
  stage.say(D, [A], hiding(stage, D))
  assert.deepEqual(accusations(stage.say(C, [A], proof(stage, [B, C, D]))), [omission(stage, D)])
})

test('a view change that leaves out a decision proves a lie of its sender, also when its slot is forgotten', () => {
  for (const isForgotten of [false, true]) {
    const stage = new PbftStage({ n: 4 })
    stage.say(C, [A], proof(stage, [B, C, D]))
    stage.demand()
    if (isForgotten) stage.timeout(A)
    assert.deepEqual(accusations(stage.say(D, [A], hiding(stage, D, 2))), [omission(stage, D, 2)])
  }
})

/** The beginning of a view that its primary makes of these VIEW-CHANGEs, which tell of nothing. */
function newViewOf(stage: PbftStage, view: number, members: readonly number[]): PbftMessage {
  const content = { view, viewChanges: members.map(member => hiding(stage, member, view)), proposals: [] }
  return { type: 'new-view', ...content, signature: stage.sign(view % 4, newViewStatement(content)) }
}

test('a view change that is seen only in the new view that it began proves a lie', () => {
  const stage = new PbftStage({ n: 4 })
  stage.say(D, [A], commitOf(stage, D))
  assert.deepEqual(accusations(stage.say(B, [A], newViewOf(stage, 1, [B, C, D]))), [omission(stage, D)])
})

test('a commit that comes in the new view that a view change without it began proves a lie, after a restart as well', () => {
  for (const isRestarted of [false, true]) {
    const stage = new PbftStage({ n: 4 })
    stage.say(B, [A], newViewOf(stage, 1, [B, C, D]))
    if (isRestarted) {
      stage.crash(A)
      stage.restart(A)
    }
    // Nothing is stable there, so the decision of the first view is still one.
    assert.deepEqual(accusations(stage.say(C, [A], proof(stage, [A, B, D]))), [
      omission(stage, B),
      omission(stage, D),
    ])
  }
})

test('of a member that leaves view after view one proof is enough', () => {
  const stage = new PbftStage({ n: 4 })
  stage.say(D, [A], commitOf(stage, D))
  const found = [1, 2, 3].flatMap(view => accusations(stage.say(D, [A], hiding(stage, D, view))))
  assert.deepEqual(found, [omission(stage, D)])
})

// ---- two decisions of two views

/** C and D lie: b is decided in the first view, which they hide, and x in view 2. A learns of both. */
function decideTwice(): { stage: PbftStage; effects: Effect[] } {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  stage.propose(B, 'b')
  stage.deliver({ type: 'pre-prepare', to: [B, C, D] })
  stage.deliver({ type: 'prepare', to: [B] })
  stage.drop()
  // B commits to b, and with C and D it is decided; A hears nothing of it, and leaves.
  stage.timeout(A)
  for (const liar of [C, D]) stage.say(liar, [A], hiding(stage, liar, 2))
  stage.drop()
  stage.say(C, [A, B], newViewOf(stage, 2, [A, C, D]))
  // B votes for x, as every honest member does that knows the new view: nothing of b is proposed again.
  const x = { phase: 'prepare', sequence: 1, view: 2, value: 'x' } as const
  const proposal = { sequence: 1, view: 2, value: 'x', from: D, signature: stage.sign(D, x) }
  stage.say(D, [A, B], { type: 'pre-prepare', ...proposal })
  const prepare = { sequence: 1, view: 2, value: 'x', from: C, signature: stage.sign(C, x) }
  stage.say(C, [A, B], { type: 'prepare', ...prepare, proposer: D, proposal: proposal.signature })
  stage.deliverAll({ to: [A, B] })
  assert.equal(stage.process(B).state.view, 2)
  const decided = { phase: 'commit', sequence: 1, view: 2, value: 'x' } as const
  stage.say(C, [A], { type: 'proof', certificate: stage.certificate(decided, [A, B, C]) })
  assert.deepEqual(stage.decided(A), ['x'])
  return { stage, effects: stage.say(D, [A], proof(stage, [B, C, D])) }
}

test('two decisions of two views prove the lie of the members that hid the first, and of none that voted for both in good faith', () => {
  const { stage, effects } = decideTwice()
  const accused = accusations(effects).map(({ member, type }) => [member, type])
  assert.deepEqual(accused, [
    [C, 'omission'],
    [D, 'omission'],
  ])
  assert.equal(effects.at(-1)?.type, 'conflict')
  // B really signed both commits.
  const byB = stage.said.filter(({ from, message }) => from === B && message.type === 'commit')
  assert.deepEqual(
    [...new Set(byB.map(({ message }) => ('value' in message ? message.value : '')))],
    ['b', 'x'],
  )
})

// ---- no honest member

/** A maker whose members note all that they sign, over all their restarts. */
function noting(maker: Maker<PbftTypes>, signed: Map<number, Statement[]>): Maker<PbftTypes> {
  return {
    ...maker,
    create: options => {
      const { signing } = options
      const sign = (statement: Statement): Uint8Array => {
        signed.set(options.self!, [...(signed.get(options.self!) ?? []), statement])
        return signing!.sign(statement)
      }
      return maker.create({ ...options, signing: { ...signing!, sign } })
    },
  }
}

for (const pattern of PATTERNS)
  for (const pipeline of [1, 3])
    test(`${pattern}, ${pipeline} at once: through view changes, crashes and catching up no member leaves out what it committed to`, () => {
      let [pairs, restarts] = [0, 0]
      for (let seed = 1; seed <= 25; seed++) {
        const signed = new Map<number, Statement[]>()
        const maker = noting(pbftMaker(pattern), signed)
        const weather = {
          drop: 0.2,
          double: 0.1,
          delayMs: [1, 400],
          crash: 0.05,
          cut: 0.1,
          lag: 0.2,
        } as const
        const run = new Network({ maker, n: 4, seed, goal: 12, pipeline, weather })
        run.runUntil(() => run.haveDecided(), 60_000)
        run.heal()
        restarts += run.seen.get('behind') ?? 0
        assert.ok(
          run.runUntil(() => run.haveDecided(), 600_000),
          `seed ${seed}`,
        )
        for (const statements of signed.values())
          for (const cast of statements)
            for (const departure of cast.phase === 'commit' ? statements : [])
              if (cast.phase === 'commit' && departure.phase === 'view-change') {
                pairs += departure.view > cast.view ? 1 : 0
                assert.equal(isOmitted(cast, departure), false, JSON.stringify({ seed, cast, departure }))
              }
      }
      assert.ok(pairs > 500, `${pairs} pairs`)
      assert.ok(restarts > 0)
    })
