// What the doctor says, for each way in which finality may not move.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Agreement } from '../../src/cli/agreement.ts'
import { diagnose } from '../../src/cli/diagnosis.ts'

type Validator = Agreement['validators'][number]

const word = {
  view: 3,
  isActive: true,
  votes: true,
  sequence: 7,
  timeoutMs: 1_000,
  clockAheadMs: 0,
  ageMs: 200,
}

function validator(name: string, changes: Partial<Validator> = {}): Validator {
  const votes = { votedIn: [], wantsViewChange: false }
  return { name, address: `0x${'0'.repeat(40)}`, isLinked: true, ...votes, status: word, ...changes }
}

/** Four validators as the first of them sees them, a block waiting to be decided. */
function agreement(changes: Partial<Agreement> = {}): Agreement {
  return {
    ...{ mode: 'pbft', isMined: false, pattern: 'all-to-all', quorum: 3, faultsTolerated: 1, self: 0 },
    ...{ view: 3, isActive: true, muted: null, halted: null, sequence: 7, timeoutMs: 1_000, isWaiting: true },
    ...{
      sinceDecisionMs: 5_000,
      proposer: 1,
      phases: ['prepare', 'commit'],
      evidence: [],
      head: 7,
      final: 7,
      lag: 0,
      futureLimitMs: 15_000,
    },
    lastCertificate: null,
    validators: ['ada', 'ben', 'cem', 'dua'].map(name => validator(name)),
    ...changes,
  }
}

const say = (now: Agreement, before = now) => diagnose(before, now, 4_000)
const gone = (name: string) => validator(name, { isLinked: false })

test('what decides moves', () => {
  const { isWell, sentences } = say(agreement(), agreement({ sequence: 4 }))
  assert.deepEqual(
    { isWell, sentences },
    { isWell: true, sentences: ['Finality moves: 3 decided in 4.0 s.'] },
  )
})

test('with nothing to decide all is well, and a quorum that is not there is told', () => {
  const idle = say(agreement({ isWaiting: false }))
  assert.equal(idle.isWell, true)
  assert.match(idle.sentences[0]!, /^There is nothing to decide: no transfer waits/)
  const mined = say(agreement({ isWaiting: false, isMined: true }))
  assert.match(mined.sentences[0]!, /no block lies deep enough/)
  const validators = [validator('ada'), validator('ben'), gone('cem'), gone('dua')]
  const { isWell, sentences } = say(agreement({ isWaiting: false, validators }))
  assert.equal(isWell, false)
  assert.deepEqual(sentences, [
    'Nothing can be decided: too few validators can vote.',
    'It takes 3 of the 4 validators, and this node can count on 2.',
    'Missing: cem (not connected), dua (not connected).',
  ])
})

test('validators that ask for their own votes, this node among them, are not counted on', () => {
  const asking = (name: string) => validator(name, { status: { ...word, votes: false } })
  const validators = [validator('ada'), validator('ben'), asking('cem'), validator('dua')]
  const { isWell, missing } = say(agreement({ muted: 'it asks', validators }))
  assert.equal(isWell, false)
  assert.deepEqual(missing, [
    { name: 'ada', why: 'this node, which does not vote yet' },
    { name: 'cem', why: 'asks for its own votes before it gives any' },
  ])
})

test('validators that all ask each other are told of as such, and not where one is only out of reach', () => {
  const asking = (name: string) => validator(name, { status: { ...word, votes: false } })
  const say4 = (third: Validator, fourth: Validator) =>
    say(agreement({ muted: 'it asks', validators: [validator('ada'), validator('ben'), third, fourth] }))
      .sentences
  assert.match(say4(asking('cem'), asking('dua')).join(' '), /They wait for each other/)
  assert.doesNotMatch(say4(gone('cem'), gone('dua')).join(' '), /They wait for each other/)
})

test('missing validators are named: not connected, or connected and silent', () => {
  const silent = validator('dua', { status: { ...word, ageMs: 12_000 } })
  const validators = [validator('ada'), validator('ben'), gone('cem'), silent]
  const { isWell, sentences } = say(agreement({ validators }))
  assert.equal(isWell, false)
  assert.deepEqual(sentences, [
    'Nothing can be decided: too few validators can vote.',
    'It takes 3 of the 4 validators, and this node can count on 2.',
    'Missing: cem (not connected), dua (silent for 12 s).',
  ])
})

test('a validator that is connected and has said nothing yet is not counted on', () => {
  const validators = [
    ...['ada', 'ben', 'cem'].map(name => validator(name)),
    validator('dua', { status: null }),
  ]
  const { missing } = say(
    agreement({ validators: [validator('ada', { status: null }), ...validators.slice(1)] }),
  )
  assert.deepEqual(missing, [{ name: 'dua', why: 'connected, and has said nothing' }])
})

test('of four one may be missing, and no more', () => {
  const validators = [validator('ada'), validator('ben'), validator('cem'), gone('dua')]
  const { sentences } = say(agreement({ validators }), agreement({ sequence: 6 }))
  assert.equal(sentences[1], 'Missing: dua (not connected). The others are enough; no other may fail.')
})

test('the phase that lacks votes is told, and whose', () => {
  const proposed = say(agreement())
  assert.equal(proposed.sentences[1], 'Nothing was proposed in view 3 yet; it is the turn of ben.')
  const some = ['ada', 'ben'].map(name => validator(name, { votedIn: ['prepare'] }))
  const preparing = say(agreement({ validators: [...some, validator('cem'), validator('dua')] }))
  assert.match(
    preparing.sentences[1]!,
    /Of the 3 votes to PREPARE .* 2 are here; there is none of cem, dua\.$/,
  )
  const all = ['ada', 'ben', 'cem', 'dua'].map(name => validator(name, { votedIn: ['prepare'] }))
  const committing = say(agreement({ validators: all }))
  assert.match(committing.sentences[1]!, /Of the 3 votes to COMMIT .* 0 are here/)
  const [ada, ...others] = all
  const accepted = [{ ...ada!, votedIn: ['accepted'] }, ...others.map(other => ({ ...other, votedIn: [] }))]
  const accepting = say(agreement({ phases: ['accepted'], validators: accepted }))
  assert.match(
    accepting.sentences[1]!,
    /Of the 3 votes to ACCEPTED .* 1 are here; there is none of ben, cem, dua/,
  )
})

test('a change of view under way is told, with the validators that have not asked for it', () => {
  const validators = ['ada', 'ben', 'cem', 'dua'].map(name =>
    validator(name, { wantsViewChange: name < 'c' }),
  )
  const { sentences } = say(agreement({ isActive: false, validators }))
  assert.match(sentences[1]!, /changing their leader: 2 of the 3 it takes want view 3; cem, dua did not/)
})

test('a node that is behind says so', () => {
  const ahead = validator('ben', { status: { ...word, sequence: 40 } })
  const { isWell, sentences } = say(agreement({ isWaiting: false, validators: [validator('ada'), ahead] }))
  assert.equal(isWell, false)
  assert.equal(sentences[0], 'This node is behind: ben has decided 40, this node 7.')
})

test('a stop for good is the first thing said, and no guess follows', () => {
  const { isWell, sentences } = say(agreement({ halted: 'two certificates' }))
  assert.equal(isWell, false)
  assert.deepEqual(sentences, ['Finality has stopped here for good: two certificates.'])
})

test('lost votes, clocks beyond half of the limit and lies are told, whether finality moves or not', () => {
  const slow = validator('cem', { status: { ...word, clockAheadMs: -8_000 } })
  const fast = validator('dua', { status: { ...word, clockAheadMs: 7_400 } })
  const validators = [validator('ada'), validator('ben'), slow, fast]
  const { isWell, sentences } = say(
    agreement({ validators, self: null, muted: 'the record is gone' }),
    agreement({ sequence: 6 }),
  )
  assert.equal(isWell, true)
  assert.equal(sentences[1], 'This node does not vote: the record is gone.')
  assert.match(sentences[2]!, /^The clock of cem is 8\.0 s behind this node's/)
  assert.equal(sentences.length, 3)
})
