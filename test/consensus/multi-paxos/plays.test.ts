// Plays: each file of plays/ tells what happens, one directive after the other, and what the members do then.
// UPDATE_PLAYS=1 writes down what they do; read it before believing it.
//
//   init n=3 pipeline=2                        members A, B, C … start
//   demand A,B                                 these wait for a decision; B, whose the first ballot is, asks for it
//   propose B b                                B proposes b, if it leads
//   deliver from=A to=B,C type=accept ballot=1 slot=2     what waits is delivered, in order; what is left out is any
//   drop …                                     it is lost
//   settle to=…                                deliver until nothing is left; shows only what matters to people
//   timeout A [retransmit|heartbeat]           a timer fires: the election timer if none is named
//   crash A [after=3]                          now, or when it has done three more effects
//   restart A
//   lacks B b / has B b                        whether B knows what b stands for
//   state                                      where all are
//
// Pitfalls (docs/invariants.md), and where each is shown; `claims` and `conformance` are the tests beside this one:
//   B-X1 x1, every crash in conformance · B-X2 x2 · B-X3 x3 · B-X4 x4 · B-X5 x5 · B-X6 claims · B-X7 x7-…, claims · B-X9 claims

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PaxosEffect } from '../../../src/consensus/multi-paxos/messages.ts'
import { indexOf, nameOf, Stage, showEffect, showMessage, type Which } from './stage.ts'

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
      const { n, pipeline = '1' } = named(words)
      if (words[0] === 'init') stage = new Stage({ n: Number(n), pipeline: Number(pipeline) })
      assert.ok(stage, 'a play begins with init')
      return words[0] === 'init' ? [] : perform(stage, words[0]!, words.slice(1))
    })
    return [before.trimEnd(), '----', ...(shown.length === 0 ? ['nothing'] : shown)].join('\n')
  })
  return `${played.join('\n\n')}\n`
}

function perform(stage: Stage, verb: string, words: readonly string[]): string[] {
  const options = named(words)
  const plain = words.filter(word => !word.includes('='))
  const who = plain[0] === undefined ? -1 : indexOf(plain[0])
  switch (verb) {
    case 'demand':
      return namesIn(plain[0]!).flatMap(index => show(index, stage.demand(index)))
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
      return show(who, stage.timeout(who, plain[1] ?? 'election'))
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
    case 'state':
      return stage.players.map(({ paxos }, index) => {
        if (paxos === null) return `${nameOf(index)} is down`
        const { view, proposer } = paxos.state
        const leader = proposer === null ? 'none yet' : nameOf(proposer)
        const decided = stage.decided(index).map(value => value || 'no-op')
        return `${nameOf(index)} ballot ${view}, leader ${leader}, decided ${decided.join(' ') || 'nothing'}`
      })
    default:
      throw new Error(`nobody knows how to ${verb}`)
  }
}

const show = (index: number, effects: readonly PaxosEffect[]): string[] =>
  effects
    .filter(({ type }) => !type.endsWith('-timer'))
    .map(effect => `${nameOf(index)} ${showEffect(effect)}`)

function isRemarkable(effect: PaxosEffect): boolean {
  if (effect.type === 'broadcast') return ['prepare', 'accept'].includes(effect.message.type)
  return ['decide', 'conflict', 'refuse', 'behind', 'missing'].includes(effect.type)
}

function named(words: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(words.filter(word => word.includes('=')).map(word => word.split('=', 2)))
}

const namesIn = (names: string): number[] => names.split(',').map(indexOf)

function which({ from, to, type, ballot, slot }: Record<string, string | undefined>): Which {
  return {
    ...(from === undefined ? {} : { from: namesIn(from) }),
    ...(to === undefined ? {} : { to: namesIn(to) }),
    ...(type === undefined ? {} : { type }),
    ...(ballot === undefined ? {} : { ballot: Number(ballot) }),
    ...(slot === undefined ? {} : { slot: Number(slot) }),
  }
}
