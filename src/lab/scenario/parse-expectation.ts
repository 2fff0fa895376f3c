// Reads one line of what a scenario expects: a claim, of which nodes, and when. The parts may stand in either order:
// `by 10s final >= 20 on all` and `final >= 20 on all by 10s` are the same.

import type { Claim, Expectation, NodeChoice, Nodes, Scenario, Window } from './scenario.ts'
import { InvalidScenario, Words } from './words.ts'

/** Milliseconds after a fault in which what was on its way still arrives: not counted to the time of the fault. */
const SETTLE_MS = 500

type Timeline = Pick<Scenario, 'nodes' | 'events' | 'liars'>

/** What a claim may be followed by. */
interface Clauses {
  nodes: readonly number[] | 'all' | null
  byMs: number | null
  window: Window | null
  isAtEnd: boolean
}

/** The expectation in the text after `expect`. Throws `InvalidScenario`. */
export function parseExpectation(line: number, text: string, timeline: Timeline): Expectation {
  const words = new Words(line, text)
  const clauses: Clauses = { nodes: null, byMs: null, window: null, isAtEnd: false }
  takeClauses(words, clauses, timeline)
  const complete = readClaim(words, clauses, timeline)
  takeClauses(words, clauses, timeline)
  const claim = complete()
  words.end()
  const isOverTime = claim.type === 'forked' || claim.type === 'progress'
  const isForEnd =
    claim.type === 'reversed' || claim.type === 'no-evidence' || claim.type === 'no-double-spend'
  if (clauses.window !== null && !isOverTime)
    throw new InvalidScenario(line, 'expected "by TIME" or "at the end" for what comes true at a moment')
  if (clauses.byMs !== null && (isOverTime || isForEnd))
    throw new InvalidScenario(line, 'expected no "by TIME" for what holds over a time or at the end')
  return { line, text, claim, nodes: clauses.nodes ?? 'all', byMs: clauses.byMs }
}

/** Reads the words of the claim; what it returns makes the claim when all clauses are known. */
function readClaim(words: Words, clauses: Clauses, timeline: Timeline): () => Claim {
  for (const what of ['final', 'seen', 'height'] as const) {
    if (!words.takes(what)) continue
    if (!words.takes('>=') && !words.takes('≥')) words.fail('">=" and a number')
    const least = words.count(1, 100_000)
    return () => ({ type: 'count', what, least })
  }
  if (words.takes('all transfers final')) return () => ({ type: 'all-final' })
  if (words.takes('one chain')) return () => ({ type: 'one-chain' })
  if (words.takes('equal states')) return () => ({ type: 'equal-states' })
  if (words.takes('evidence names')) {
    const against = words.node(timeline.nodes)
    return () => ({ type: 'evidence', against })
  }
  if (words.takes('no evidence')) return () => ({ type: 'no-evidence' })
  if (words.takes('no double spend')) return () => ({ type: 'no-double-spend' })
  if (words.takes('never reversed')) return () => ({ type: 'reversed', isWanted: false })
  if (words.takes('reversed')) return () => ({ type: 'reversed', isWanted: true })
  const always: Window = { fromMs: 0, toMs: Number.POSITIVE_INFINITY }
  if (words.takes('no fork'))
    return () => ({ type: 'forked', isWanted: false, window: clauses.window ?? always })
  const window = (): Window =>
    clauses.window ?? words.fail('when, such as "between 4s and 9s" or "during the cut"')
  if (words.takes('forked')) return () => ({ type: 'forked', isWanted: true, window: window() })
  if (words.takes('stopped')) {
    if (words.isNodeNext) clauses.nodes = words.someNodes(timeline.nodes)
    return () => ({ type: 'progress', of: 'blocks', isWanted: false, window: window() })
  }
  for (const [phrase, of, isWanted] of PROGRESS) {
    if (words.takes(phrase)) return () => ({ type: 'progress', of, isWanted, window: window() })
  }
  return words.fail(
    'a claim: "final >= N", "seen >= N", "height >= N", "all transfers final", "one chain", "equal states", ' +
      '"evidence names NODE", "no evidence", "no double spend", "never reversed", "reversed", "forked", "no fork", ' +
      '"stopped", "blocks", "finality" or "no finality"',
  )
}

const PROGRESS = [
  ['blocks', 'blocks', true],
  ['no finality', 'finality', false],
  ['finality', 'finality', true],
] as const

/** Takes as many clauses as there are here. */
function takeClauses(words: Words, clauses: Clauses, timeline: Timeline): void {
  for (;;) {
    if (words.takes('on')) {
      if (clauses.nodes !== null) words.fail('the nodes once')
      clauses.nodes = words.takes('all') ? 'all' : words.someNodes(timeline.nodes)
      continue
    }
    const isTimed = clauses.byMs !== null || clauses.window !== null || clauses.isAtEnd
    if (words.takes('by')) clauses.byMs = words.time()
    else if (words.takes('at the end')) clauses.isAtEnd = true
    else {
      const window = takeWindow(words, timeline)
      if (window === null) return
      clauses.window = window
    }
    if (isTimed) throw new InvalidScenario(words.line, 'expected one time, there are two')
  }
}

function takeWindow(words: Words, { events, nodes }: Timeline): Window | null {
  if (words.takes('between')) {
    const fromMs = words.time()
    words.demand('and')
    const toMs = words.time()
    if (toMs <= fromMs) throw new InvalidScenario(words.line, 'expected a time after the first')
    return { fromMs, toMs }
  }
  if (words.takes('during the cut')) return spanOf(words, timesOf(events, 'cut'), timesOf(events, 'heal'))
  if (words.takes('during the freeze'))
    return spanOf(words, timesOf(events, 'freeze'), timesOf(events, 'thaw'))
  if (!words.takes('while')) return null
  const chosen = words.nodes(nodes)
  if (!words.takes('is down') && !words.takes('are down')) words.fail('"is down" or "are down"')
  const concerns = (one: Nodes): boolean =>
    one === 'all' || chosen === 'all' || chosen.every((node: NodeChoice) => one.includes(node))
  const of = (type: 'kill' | 'restart'): number[] =>
    events.flatMap(({ atMs, event }) => (event.type === type && concerns(event.nodes) ? [atMs] : []))
  return spanOf(words, of('kill'), of('restart'))
}

function timesOf(events: Timeline['events'], type: 'cut' | 'heal' | 'freeze' | 'thaw'): number[] {
  return events.filter(({ event }) => event.type === type).map(({ atMs }) => atMs)
}

/** From the only beginning to the first end after it, or to the end of the scenario. */
function spanOf(words: Words, begins: readonly number[], ends: readonly number[]): Window {
  const [begin, ...others] = begins
  if (begin === undefined) throw new InvalidScenario(words.line, 'expected a timeline in which this happens')
  if (others.length > 0)
    throw new InvalidScenario(words.line, 'expected "between TIME and TIME", for this happens more than once')
  const toMs = ends.find(end => end > begin) ?? Number.POSITIVE_INFINITY
  const fromMs = begin + SETTLE_MS
  if (toMs <= fromMs) throw new InvalidScenario(words.line, 'expected this to last longer than half a second')
  return { fromMs, toMs }
}
