// Plays: each file of plays/ tells what happens, one directive after the other, and what the replicas do then.
// UPDATE_PLAYS=1 writes down what they do; read it before believing it.
//
//   init n=4 pattern=all-to-all pipeline=1     replicas A, B, C … start
//   demand A,B                                 these wait for a decision
//   propose A b                                A proposes b
//   deliver from=A to=B,C type=prepare         what waits is delivered, in order; what is left out is any
//   drop …                                     it is lost
//   settle to=…                                deliver until nothing is left; shows only what matters to people
//   timeout A [retransmit]                     a timer fires
//   crash A [after=3]                          now, or when it has done three more effects
//   restart A
//   lacks B b / has B b                        whether B knows what b stands for
//   send D to=A commit 1 0 b [as=A]            D signs a vote for sequence 1, view 0, and says that it is A's
//   forge D to=A commit 1 4 b A0 C3 D4         D shows a certificate made of what A, C, D signed in views 0, 3, 4
//   state                                      where all are
//
// Pitfalls (docs/invariants.md), and where each is shown; `claims` and `conformance` are the tests beside this one:
//   B-P1 p01-…, claims · B-P2 claims · B-P3 claims, `omitting` in conformance · B-P4 claims · B-P5 p05 · B-P6 claims
//   B-P7 p07 · B-P8 p08 · B-P9 p09, claims · B-P10 p10, every crash in conformance · B-P11 p11, claims · B-P12 p12
//   B-P13, B-P14 p13, claims · B-P15 p15, claims · B-P19 `late` in conformance · B-P20 claims (the proposer rotates)
//   B-P21 p21 · B-P22 p22-… · B-P23 p23, p07 · B-P24 p07 (each view prepares one) · B-P25 p25
//   B-P27 `babbling` in conformance, claims · B-P30 claims (the proposer is a pure function of numbers that all know)
// Not of this module: B-P16, B-P28 (transfer of states and parts: the application's), B-P17 (reads), B-P18 (clients;
// there are no MACs here), B-P26 (there is no fast path), B-P29 (times of blocks).

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PbftMessage } from '../../../src/consensus/pbft/messages.ts'
import type { Pattern } from '../../../src/consensus/pbft/pbft.ts'
import type { Certificate, Vote } from '../../../src/consensus/pbft/votes.ts'
import { type Effect, indexOf, nameOf, Stage, showEffect, showMessage, type Which } from './stage.ts'

const folder = join(import.meta.dirname, 'plays')
const isUpdate = process.env.UPDATE_PLAYS === '1'

for (const file of readdirSync(folder).sort()) {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  const title = /^# (.*)/.exec(text)?.[1] ?? file
  test(`${file.replace('.txt', '')}: ${title}`, () => {
    const played = play(text)
    if (isUpdate) writeFileSync(path, played)
    else assert.equal(text, played)
  })
}

/** The play with what really happens. */
function play(text: string): string {
  let stage: Stage | null = null
  const blocks = text.trimEnd().split(/\n\n+/)
  const played = blocks.map(block => {
    const [before = ''] = block.split(/^----$/m)
    const directives = before.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    if (directives.length === 0) return before.trimEnd()
    const shown = directives.flatMap(line => {
      const words = line.split(' ')
      if (words[0] === 'init') {
        stage = init(words.slice(1))
        return []
      }
      assert.ok(stage, 'a play begins with init')
      return perform(stage, words[0]!, words.slice(1))
    })
    return [before.trimEnd(), '----', ...(shown.length === 0 ? ['nothing'] : shown)].join('\n')
  })
  return `${played.join('\n\n')}\n`
}

function init(words: readonly string[]): Stage {
  const { n, pattern, pipeline, checkpoints } = named(words)
  return new Stage({
    n: Number(n),
    pattern: (pattern ?? 'all-to-all') as Pattern,
    pipeline: Number(pipeline ?? 1),
    checkpointInterval: Number(checkpoints ?? 4),
  })
}

function perform(stage: Stage, verb: string, words: readonly string[]): string[] {
  const options = named(words)
  const plain = words.filter(word => !word.includes('='))
  const who = plain[0] === undefined ? -1 : indexOf(plain[0])
  switch (verb) {
    case 'demand':
      return namesIn(plain[0]!).flatMap(index =>
        show(index, stage.step(index, { type: 'demand', isWaiting: true })),
      )
    case 'propose':
      return show(who, stage.propose(who, plain[1]!))
    case 'deliver':
      return stage
        .deliver(which(options))
        .flatMap(({ envelope, effects }) => [
          `${nameOf(envelope.from)} → ${nameOf(envelope.to)} ${showMessage(envelope.message)}`,
          ...show(envelope.to, effects).map(line => `  ${line}`),
        ])
    case 'drop':
      return [`${stage.drop(which(options))} messages are lost`]
    case 'settle': {
      const before = stage.effects.length
      stage.settle(which(options))
      return stage.effects
        .slice(before)
        .filter(({ effect }) => isRemarkable(effect))
        .map(({ at, effect }) => `${nameOf(at)} ${showEffect(effect)}`)
    }
    case 'timeout':
      return show(who, stage.timeout(who, plain[1] === 'retransmit' ? 'retransmit' : 'progress'))
    case 'crash':
      if (options.after === undefined) stage.crash(who)
      else stage.crashAfter(who, Number(options.after))
      return []
    case 'restart':
      return show(who, stage.restart(who))
    case 'lacks':
      stage.players[who]!.unknown.add(plain[1]!)
      return []
    case 'has':
      stage.players[who]!.unknown.delete(plain[1]!)
      return show(who, stage.step(who, { type: 'revalidate' }))
    case 'send':
    case 'forge': {
      const vote = voteIn(plain)
      const message =
        verb === 'send'
          ? signed(stage, who, vote, options.as === undefined ? who : indexOf(options.as))
          : ({ type: 'proof', certificate: collected(stage, vote, plain.slice(5)) } as const)
      return namesIn(options.to!).flatMap(to => show(to, stage.say(who, [to], message)))
    }
    case 'state':
      return stage.players.map(({ pbft }, index) => {
        if (pbft === null) return `${nameOf(index)} is down`
        const { view, isActive, timeoutMs, stable } = pbft.state
        const decided = stage.decided(index).map(value => value || 'null')
        return `${nameOf(index)} view ${view}${isActive ? '' : ' (leaving)'} waits ${timeoutMs} ms, stable ${stable}, decided ${decided.join(' ') || 'nothing'}`
      })
    default:
      throw new Error(`nobody knows how to ${verb}`)
  }
}

const show = (index: number, effects: readonly Effect[]): string[] =>
  effects.map(effect => `${nameOf(index)} ${showEffect(effect)}`)

function isRemarkable(effect: Effect): boolean {
  if (effect.type === 'broadcast') return ['view-change', 'new-view'].includes(effect.message.type)
  return ['decide', 'evidence', 'conflict', 'diverged', 'refuse', 'behind', 'missing'].includes(effect.type)
}

function named(words: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(words.filter(word => word.includes('=')).map(word => word.split('=', 2)))
}

const namesIn = (names: string): number[] => names.split(',').map(indexOf)

function which({ from, to, type, view }: Record<string, string | undefined>): Which {
  return {
    ...(from === undefined ? {} : { from: namesIn(from) }),
    ...(to === undefined ? {} : { to: namesIn(to) }),
    ...(type === undefined ? {} : { type }),
    ...(view === undefined ? {} : { view: Number(view) }),
  }
}

function voteIn([, phase, sequence, view, value]: readonly string[]): Vote {
  return { phase: phase as Vote['phase'], sequence: Number(sequence), view: Number(view), value: value! }
}

function signed(stage: Stage, liar: number, vote: Vote, from: number): PbftMessage {
  const { phase, sequence, view, value } = vote
  const signature = stage.sign(liar, vote)
  if (phase === 'checkpoint') return { type: phase, sequence, value, from, signature }
  if (phase === 'commit') return { type: phase, sequence, view, value, from, signature }
  // The proposal that goes with a PREPARE is the one that the proposer really made, if it made one.
  const proposed = stage.said.find(
    ({ message }) =>
      message.type === 'pre-prepare' &&
      message.view === view &&
      message.sequence === sequence &&
      message.value === value,
  )?.message as Extract<PbftMessage, { type: 'pre-prepare' }> | undefined
  if (proposed === undefined) return { type: 'pre-prepare', sequence, view, value, from, signature }
  const { from: proposer, signature: proposal } = proposed
  return { type: 'prepare', sequence, view, value, from, signature, proposer, proposal }
}

/** What a liar can put together: signatures of members over this vote, in the views that are named. */
function collected(stage: Stage, vote: Vote, from: readonly string[]): Certificate {
  const signatures = from.map(word => ({
    member: indexOf(word),
    signature: stage.sign(indexOf(word), { ...vote, view: Number(word.slice(1)) }),
  }))
  return { ...vote, signatures }
}
