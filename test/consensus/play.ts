// Plays: each file of a folder tells what happens, one directive after the other, and what the members do then.
// UPDATE_PLAYS=1 writes down what they do; read it before believing it. The directives of all protocols:
//
//   init n=4 pipeline=1 …                      members A, B, C … start
//   demand A,B                                 these have something to decide
//   propose A b                                A proposes b
//   deliver from=A to=B,C type=prepare view=1 sequence=2   what waits is delivered, in order; what is left out is any
//   drop …                                     it is lost
//   deliver-all to=…                           deliver until nothing is left; shows only what matters to people
//   timeout A [retransmit|…]                   a timer fires: the one that ends a view if none is named
//   crash A [after=3]                          now, or when it has done three more effects
//   restart A
//   lacks B b / has B b                        whether B knows what b stands for
//   state                                      where all are

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogTypes } from '../../src/consensus/kit.ts'
import type { LogState } from '../../src/consensus/log.ts'
import { type EffectOf, indexOf, nameOf, type Stage, type Which } from './stage.ts'

/** The options of a directive, by name. */
export type Options = Record<string, string | undefined>

/** What a protocol brings to its plays: its stage, its words, and directives of its own. */
export interface Script<T extends LogTypes, S extends Stage<T>> {
  create(options: Options): S
  /** The timer that ends a view. */
  readonly timer: string
  readonly words: Words<T>
  /** The types of broadcasts that matter to people. */
  readonly remarkable: readonly string[]
  readonly showsTimers: boolean
  showState(state: LogState, decided: readonly string[]): string
  /** A directive that only this protocol has; null for one that it has not. */
  perform?(stage: S, directive: Directive): Shown<T>[] | null
}

/** One directive: its verb, then words without and with `=`. */
export interface Directive {
  readonly verb: string
  readonly plain: readonly string[]
  readonly options: Options
}

/** The effects of one member. */
export interface Shown<T extends LogTypes> {
  readonly index: number
  readonly effects: readonly EffectOf<T>[]
}

/** How a protocol's messages, records and decisions are shown. */
export interface Words<T extends LogTypes> {
  /** What a view is called. */
  readonly view: string
  /** What the null value is called. */
  readonly none: string
  message(message: T['message']): string
  record(record: T['record']): string
  decision(decision: T['decision']): string
  /** A decision as proof of what others decided. */
  proof(decision: T['decision']): string
  evidence(evidence: T['evidence']): string
}

/** Tests each play of a folder. */
export function testPlays<T extends LogTypes, S extends Stage<T>>(
  folder: string,
  script: Script<T, S>,
): void {
  const isUpdate = process.env.UPDATE_PLAYS === '1'
  for (const file of readdirSync(folder).sort()) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
    const title = /^# (.*)/.exec(text)?.[1] ?? file
    test(`${file.replace('.txt', '')}: ${title}`, () => {
      const played = play(text, script)
      if (isUpdate) writeFileSync(path, played)
      else assert.equal(text, played)
    })
  }
}

/** The play with what really happens. */
function play<T extends LogTypes, S extends Stage<T>>(text: string, script: Script<T, S>): string {
  let stage: S | null = null
  const blocks = text.trimEnd().split(/\n\n+/)
  const played = blocks.map(block => {
    const [before = ''] = block.split(/^----$/m)
    const directives = before.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    if (directives.length === 0) return before.trimEnd()
    const shown = directives.flatMap(line => {
      const directive = parse(line)
      if (directive.verb === 'init') {
        stage = script.create(directive.options)
        return []
      }
      assert.ok(stage, 'a play begins with init')
      return perform(stage, directive, script)
    })
    return [before.trimEnd(), '----', ...(shown.length === 0 ? ['nothing'] : shown)].join('\n')
  })
  return `${played.join('\n\n')}\n`
}

function parse(line: string): Directive {
  const [verb = '', ...words] = line.split(' ')
  const options = words.filter(word => word.includes('=')).map(word => word.split('=', 2))
  return { verb, plain: words.filter(word => !word.includes('=')), options: Object.fromEntries(options) }
}

function perform<T extends LogTypes, S extends Stage<T>>(
  stage: S,
  directive: Directive,
  script: Script<T, S>,
): string[] {
  const { verb, plain, options } = directive
  const { words } = script
  const index = plain[0] === undefined ? -1 : indexOf(plain[0])
  const show = (at: number, effects: readonly EffectOf<T>[]): string[] =>
    effects
      .filter(({ type }) => script.showsTimers || !type.endsWith('-timer'))
      .map(effect => `${nameOf(at)} ${showEffect(effect, words)}`)
  switch (verb) {
    case 'demand':
      return namesIn(plain[0]!).flatMap(at => show(at, stage.demand([at])))
    case 'propose':
      return show(index, stage.propose(index, plain[1]!))
    case 'deliver':
      return stage
        .deliver(which(options))
        .flatMap(({ envelope, effects }) => [
          `${nameOf(envelope.from)} → ${nameOf(envelope.to)} ${words.message(envelope.message)}`,
          ...show(envelope.to, effects).map(line => `  ${line}`),
        ])
    case 'drop':
      return [`${stage.drop(which(options))} messages are lost`]
    case 'deliver-all': {
      const before = stage.effects.length
      stage.deliverAll(which(options))
      return stage.effects
        .slice(before)
        .filter(({ effect }) => isRemarkable(effect, script.remarkable))
        .map(({ at, effect }) => `${nameOf(at)} ${showEffect(effect, words)}`)
    }
    case 'timeout':
      return show(index, stage.timeout(index, plain[1] ?? script.timer))
    case 'crash':
      if (options.after === undefined) stage.crash(index)
      else stage.crashAfter(index, Number(options.after))
      return []
    case 'restart':
      return show(index, stage.restart(index))
    case 'lacks':
      stage.nodes[index]!.unknown.add(plain[1]!)
      return []
    case 'has':
      stage.nodes[index]!.unknown.delete(plain[1]!)
      return show(index, stage.step(index, { type: 'revalidate' }))
    case 'state':
      return stage.nodes.map(({ process }, at) => {
        if (process === null) return `${nameOf(at)} is down`
        const decided = stage.decided(at).map(value => value || words.none)
        return `${nameOf(at)} ${script.showState(process.state, decided)}`
      })
    default: {
      const shown = script.perform?.(stage, directive) ?? null
      if (shown === null) throw new Error(`there is no directive ${verb}`)
      return shown.flatMap(({ index: at, effects }) => show(at, effects))
    }
  }
}

/** What a member does, in a line of text. */
function showEffect<T extends LogTypes>(effect: EffectOf<T>, words: Words<T>): string {
  switch (effect.type) {
    case 'persist':
      return effect.record === null ? `forgets ${effect.key}` : `keeps ${words.record(effect.record)}`
    case 'send':
      return `to ${nameOf(effect.to)}: ${words.message(effect.message)}`
    case 'reply':
      return `answers ${effect.to}: ${words.message(effect.message)}`
    case 'broadcast':
      return `to all: ${words.message(effect.message)}`
    case 'set-timer':
      return `timer ${effect.name} ${effect.delayMs} ms`
    case 'clear-timer':
      return `timer ${effect.name} off`
    case 'decide':
      return `DECIDES ${words.decision(effect.decision)}`
    case 'behind':
      return `is behind: ${words.proof(effect.decision)}`
    case 'missing':
      return `misses ${effect.value}`
    case 'evidence':
      return `accuses ${words.evidence(effect.evidence)}`
    case 'conflict':
      return `HALTS: ${words.proof(effect.first)} and ${words.proof(effect.second)}`
    case 'diverged':
      return `HALTS: ${words.proof(effect.decision)}, but has another state`
    case 'exhausted':
      return `HALTS: no ${words.view} after ${effect.view}`
    case 'refuse':
      return `refuses ${effect.from}: ${effect.reason}`
  }
}

function isRemarkable<T extends LogTypes>(effect: EffectOf<T>, broadcasts: readonly string[]): boolean {
  if (effect.type === 'broadcast') return broadcasts.includes(effect.message.type)
  return ['decide', 'evidence', 'conflict', 'diverged', 'refuse', 'behind', 'missing'].includes(effect.type)
}

/** The members that a comma-separated list names. */
export const namesIn = (names: string): number[] => names.split(',').map(indexOf)

/** A list in words. */
export const listOf = (entries: readonly string[]): string =>
  entries.length === 0 ? 'nothing' : entries.join(', ')

function which({ from, to, type, view, sequence }: Options): Which {
  return {
    ...(from === undefined ? {} : { from: namesIn(from) }),
    ...(to === undefined ? {} : { to: namesIn(to) }),
    ...(type === undefined ? {} : { type }),
    ...(view === undefined ? {} : { view: Number(view) }),
    ...(sequence === undefined ? {} : { sequence: Number(sequence) }),
  }
}
