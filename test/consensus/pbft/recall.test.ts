// A member that starts may have forgotten votes: its disk may be an old copy. What it does until it votes again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PbftMessage } from '../../../src/consensus/pbft/messages.ts'
import { answerStatement } from '../../../src/consensus/pbft/recall.ts'
import { viewChangeStatement } from '../../../src/consensus/pbft/view-change.ts'
import { type Effect, PbftStage } from './stage.ts'

const [A, B, C, D] = [0, 1, 2, 3] as const
const CHALLENGE = 77

const said = (effects: readonly Effect[]): string[] =>
  effects.flatMap(effect => ('message' in effect ? [effect.message.type] : []))

/** A's disk is put back to what it was at its first start, and it starts again. */
function putBack(stage: PbftStage, challenge: number | null = CHALLENGE): Effect[] {
  stage.crash(A)
  const { disk, decisions } = stage.nodes[A]!
  disk.clear()
  decisions.length = 0
  return stage.restart(A, challenge)
}

/** A proposes nothing yet: B's proposal is prepared and committed by all, and all but A's votes for it are lost. */
function voted(): PbftStage {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  stage.propose(B, 'b')
  stage.deliver({ type: 'pre-prepare', to: [A] })
  stage.deliver({ type: 'prepare', from: [A] })
  stage.drop()
  return stage
}

const propose = (stage: PbftStage, value: string, view = 0): PbftMessage => {
  const signature = stage.sign(B, { phase: 'prepare', sequence: 1, view, value })
  return { type: 'pre-prepare', sequence: 1, view, value, from: B, signature }
}

const answer = (stage: PbftStage, from: number, changes: object = {}): PbftMessage => {
  const content = { to: A, challenge: CHALLENGE, decided: 0, votes: [], viewChange: null, ...changes }
  const signature = stage.sign(from, answerStatement(content))
  return { type: 'answer', from, ...content, signature }
}

test('a member that starts gives no vote before n − f members, itself among them, have answered', () => {
  const stage = new PbftStage({ n: 4 })
  assert.ok(said(putBack(stage)).includes('query'))
  assert.deepEqual(said(stage.say(B, [A], propose(stage, 'b'))), [])
  assert.deepEqual(said(stage.say(B, [A], answer(stage, B))), [])
  assert.deepEqual(said(stage.say(B, [A], answer(stage, B))), [], 'each counts once')
  assert.ok(said(stage.say(C, [A], answer(stage, C))).includes('prepare'))
})

test('answers to an earlier life, to another member, or without a signature count for nothing', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  stage.say(B, [A], propose(stage, 'b'))
  for (const from of [B, C, D]) {
    assert.deepEqual(said(stage.say(from, [A], answer(stage, from, { challenge: CHALLENGE - 1 }))), [])
    assert.deepEqual(said(stage.say(from, [A], answer(stage, from, { to: D }))), [])
    const forged = { ...answer(stage, from), decided: 9 } as PbftMessage
    assert.deepEqual(
      stage.say(from, [A], forged).map(({ type }) => type),
      ['refuse'],
    )
  }
  assert.ok(stage.process(A).state.isRecalling)
})

test('a member that voted and forgot it votes for nothing else until that is decided', () => {
  const stage = voted()
  putBack(stage)
  stage.drop({ type: 'prepare' })
  stage.deliverAll()
  assert.ok(stage.process(A).state.isRecalling, 'it was shown its vote')
  // Whatever is proposed for it now, A has voted already.
  for (const view of [0, 4]) assert.deepEqual(said(stage.say(B, [A], propose(stage, 'x', view))), [])
  const certificate = stage.certificate({ phase: 'commit', sequence: 1, view: 0, value: 'b' }, [B, C, D])
  stage.say(B, [A], { type: 'proof', certificate })
  assert.equal(stage.process(A).state.isRecalling, false)
  assert.deepEqual(stage.decided(A), ['b'])
})

test('without asking, the same member contradicts itself', () => {
  const stage = voted()
  putBack(stage, null)
  assert.deepEqual(said(stage.say(B, [A], propose(stage, 'x'))), ['prepare'])
})

test('a member votes again only when it has decided what those that answered had', () => {
  const stage = new PbftStage({ n: 4 })
  stage.demand()
  stage.propose(B, 'b')
  stage.deliverAll()
  putBack(stage)
  stage.deliverAll()
  assert.ok(stage.process(A).state.isRecalling)
  assert.equal(stage.process(A).turn, null)
  stage.timeout(A, 'retransmit')
  stage.deliverAll()
  assert.deepEqual([stage.decided(A), stage.process(A).state.isRecalling], [['b'], false])
})

test('answers of members that have decided more are not enough', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  for (const from of [B, C]) stage.say(from, [A], answer(stage, from, { decided: 5 }))
  assert.ok(stage.process(A).state.isRecalling)
})

test('one liar that says it has decided everything does not keep a member from voting', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  stage.say(B, [A], answer(stage, B, { decided: 2 ** 40 }))
  for (const from of [C, D]) stage.say(from, [A], answer(stage, from))
  assert.equal(stage.process(A).state.isRecalling, false)
})

test('a view that was left, and is not remembered, is not voted in again', () => {
  const stage = new PbftStage({ n: 4 })
  const content = { view: 6, stable: null, prepared: [], suspects: [] }
  const viewChange = {
    ...{ type: 'view-change', ...content, from: A },
    signature: stage.sign(A, viewChangeStatement(content)),
  } as const
  putBack(stage)
  stage.say(B, [A], answer(stage, B, { viewChange }))
  const effects = stage.say(C, [A], answer(stage, C))
  assert.deepEqual(said(effects), ['view-change'])
  assert.deepEqual([stage.process(A).state.view, stage.process(A).state.isActive], [6, false])
  assert.deepEqual(said(stage.say(B, [A], propose(stage, 'b'))), [])
})

test('votes in an answer that are not its own are refused, and the answer does not count', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  const vote = { phase: 'prepare', sequence: 1, view: 0, value: 'b' } as const
  const votes = [{ ...vote, signature: stage.sign(B, vote) }]
  assert.deepEqual(
    stage.say(B, [A], answer(stage, B, { votes })).map(({ type }) => type),
    ['refuse'],
  )
})

test('an answer from which a vote or a VIEW-CHANGE was taken on its way is refused', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  const vote = { phase: 'prepare', sequence: 1, view: 0, value: 'b' } as const
  const content = { view: 6, stable: null, prepared: [], suspects: [] }
  const viewChange = {
    ...{ type: 'view-change', ...content, from: A },
    signature: stage.sign(A, viewChangeStatement(content)),
  } as const
  const shown = [
    { votes: [{ ...vote, signature: stage.sign(A, vote) }], viewChange: null },
    { votes: [], viewChange },
  ]
  for (const content of shown) {
    const stripped = { ...answer(stage, B, content), votes: [], viewChange: null } as PbftMessage
    assert.deepEqual(
      stage.say(B, [A], stripped).map(({ type }) => type),
      ['refuse'],
    )
  }
})

test('a member that was away asks again, and votes again once it was answered', () => {
  const stage = new PbftStage({ n: 4 })
  assert.deepEqual(said(stage.step(A, { type: 'recall', challenge: CHALLENGE })), ['query'])
  assert.deepEqual(said(stage.say(B, [A], propose(stage, 'b'))), [])
  for (const from of [B, C]) stage.say(from, [A], answer(stage, from))
  assert.equal(stage.process(A).state.isRecalling, false)
})

test('a member votes again only when its application has what was decided, for until then its VIEW-CHANGE would omit it', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  const certificate = stage.certificate({ phase: 'commit', sequence: 1, view: 0, value: 'b' }, [B, C, D])
  stage.say(B, [A], { type: 'proof', certificate })
  // The block is not here yet.
  const decisions = stage.nodes[A]!.decisions.splice(0)
  for (const from of [B, C]) stage.say(from, [A], answer(stage, from, { decided: 1 }))
  assert.ok(stage.process(A).state.isRecalling)
  stage.nodes[A]!.decisions.push(...decisions)
  stage.step(A, { type: 'revalidate' })
  assert.equal(stage.process(A).state.isRecalling, false)
})

test('questions of a source whose budget is spent cost no signature', () => {
  const stage = new PbftStage({ n: 4 })
  const signing = stage.keyOf(A)
  const sign = signing.sign
  let signatures = 0
  signing.sign = statement => {
    signatures += 1
    return sign(statement)
  }
  for (let challenge = 1; challenge <= 100; challenge++)
    stage.say(D, [A], { type: 'query', from: C, challenge })
  assert.ok(signatures > 0 && signatures <= 24, `${signatures} signatures`)
})

test('a member that abstains follows, and votes no more', () => {
  const stage = new PbftStage({ n: 4 })
  stage.step(A, { type: 'abstain' })
  assert.deepEqual(said(stage.say(B, [A], propose(stage, 'b'))), [])
  assert.equal(stage.process(A).turn, null)
})

test('a member that is asked to recall again is bound by what it was shown before', () => {
  const stage = new PbftStage({ n: 4 })
  putBack(stage)
  const vote = { phase: 'prepare', sequence: 1, view: 0, value: 'b' } as const
  stage.say(B, [A], answer(stage, B, { votes: [{ ...vote, signature: stage.sign(A, vote) }] }))
  stage.step(A, { type: 'recall', challenge: CHALLENGE + 1 })
  for (const from of [C, D]) stage.say(from, [A], answer(stage, from, { challenge: CHALLENGE + 1 }))
  assert.ok(stage.process(A).state.isRecalling, 'its vote is not decided')
  assert.deepEqual(said(stage.say(B, [A], propose(stage, 'x'))), [])
})
