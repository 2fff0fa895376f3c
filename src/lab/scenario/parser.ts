// Reads a scenario from its text. One statement a line; `#` begins a comment; scenarios/README.md has the grammar and
// what each statement means. First the network and the timeline, then what is expected of them, wherever in the file it
// stands. A scenario that can't happen, such as the death of a dead node, is refused as one that can't be read is.

import { LONGEST_CHAIN } from '../../finality/modes/longest-chain.ts'
import type { FinalityMode } from '../../finality/modes/mode.ts'
import { MODES, modeNamed } from '../../finality/registry.ts'
import { BYZANTINE_ROLES, type ByzantineRole } from '../adversary/byzantine/roles.ts'
import { parseExpectation } from './parse-expectation.ts'
import { ScenarioPlausibility } from './plausibility.ts'
import { momentsOf, type Nodes, type Scenario, type ScenarioEvent, type TimedEvent } from './scenario.ts'
import { InvalidScenario, Words } from './words.ts'

/** Nodes in the largest scenario, and transfers in the longest payment. */
const NODES_MAX = 16
const TRANSFERS_MAX = 1_000
/** Milliseconds that a message may take on average. */
const LATENCY_MS_MAX = 10_000
/** Share of messages that may be lost. */
const LOSS_MAX = 0.5
/** Characters in a file at most. */
const TEXT_MAX = 100_000

type Draft = { -readonly [Key in keyof Scenario]: Scenario[Key] } & {
  liars: Map<number, ByzantineRole>
  events: TimedEvent[]
}

/** The scenario in this text. Throws `InvalidScenario`, which names the line. */
export function parseScenario(text: string): Scenario {
  if (text.length > TEXT_MAX) throw new InvalidScenario(1, `expected at most ${TEXT_MAX} characters`)
  const lines = text.split('\n').map((line, index) => ({ line: index + 1, text: withoutComment(line) }))
  const isExpectation = (text: string): boolean => /^expect(\s|$)/.test(text)
  const draft = createDraft()
  const given = new Set<string>()
  for (const { line, text } of lines)
    if (text !== '' && !isExpectation(text)) readLine(draft, given, line, text)
  for (const word of ['scenario', 'says', 'nodes', 'finality']) {
    if (!given.has(word)) throw new InvalidScenario(lines.length, `expected a line "${word} …" in the file`)
  }
  const { endMs: givenEndMs, ...network } = draft
  const expectations = lines
    .filter(({ text }) => isExpectation(text))
    .map(({ line, text }) => parseExpectation(line, text.replace(/^expect\s*/, ''), draft))
  if (expectations.length === 0)
    throw new InvalidScenario(lines.length, 'expected at least one line "expect …" in the file')
  const deadlines = expectations.flatMap(({ byMs }) => byMs ?? [])
  const windows = expectations.flatMap(({ claim }) =>
    'window' in claim && Number.isFinite(claim.window.toMs) ? [claim.window.toMs] : [],
  )
  const endMs = Math.max(givenEndMs, ...momentsOf(draft), ...deadlines, ...windows)
  return { ...network, expectations, endMs }
}

function createDraft(): Draft {
  return {
    name: '',
    says: '',
    nodes: 0,
    mode: LONGEST_CHAIN.name,
    pattern: null,
    latencyMs: null,
    lossRate: 0,
    isMining: true,
    keptOut: 0,
    liars: new Map(),
    events: [],
    expectations: [],
    endMs: 0,
  }
}

function withoutComment(line: string): string {
  return line.replace(/#.*/, '').trim()
}

/** Reads a line that is no expectation into the draft. */
function readLine(draft: Draft, given: Set<string>, line: number, text: string): void {
  const words = new Words(line, text)
  const once = (word: string): boolean => {
    if (!words.takes(word)) return false
    if (given.has(word)) throw new InvalidScenario(line, `expected one line "${word} …", this is another`)
    given.add(word)
    return true
  }
  if (once('scenario')) draft.name = readText(words, text, 'a name')
  else if (words.takes('says')) {
    given.add('says')
    draft.says = `${draft.says} ${readText(words, text, 'a sentence')}`.trim()
  } else if (once('nodes')) draft.nodes = words.count(1, NODES_MAX)
  else if (once('finality')) readFinality(draft, words)
  else if (once('network')) readNetwork(draft, words)
  else if (once('end')) draft.endMs = words.time()
  else {
    if (!given.has('nodes') || !given.has('finality'))
      words.fail('the lines "scenario", "says", "nodes" and "finality" first')
    if (once('miners')) draft.isMining = readMiners(draft, words)
    else if (words.takes('at')) readEvent(draft, words)
    else readNode(draft, words)
  }
  words.end()
}

/** What follows the first word, with its commas. */
function readText(words: Words, text: string, what: string): string {
  if (words.isEmpty) words.fail(what)
  words.rest()
  return text.replace(/^\S+\s+/, '')
}

function readFinality(draft: Draft, words: Words): void {
  draft.mode = words.choose(MODES.map(({ name }) => name))
  const patterns = [...modeOfDraft(draft).protocols.keys()]
  if (patterns.length > 0 && !words.isEmpty) draft.pattern = words.choose(patterns)
}

function modeOfDraft({ mode }: Draft): FinalityMode {
  return modeNamed(mode)!
}

function readNetwork(draft: Draft, words: Words): void {
  const hasLatency = words.takes('latency')
  if (hasLatency) {
    draft.latencyMs = words.time()
    if (draft.latencyMs < 1 || draft.latencyMs > LATENCY_MS_MAX)
      throw new InvalidScenario(words.line, `expected a latency from 1ms to ${LATENCY_MS_MAX / 1_000}s`)
  }
  if (words.takes('loss')) draft.lossRate = words.share(LOSS_MAX)
  else if (!hasLatency) words.fail('"latency" or "loss"')
}

function readMiners(draft: Draft, words: Words): boolean {
  if (!modeOfDraft(draft).isMined)
    words.fail(`no "miners" where the finality is ${draft.mode}, which has none`)
  return words.choose(['on', 'off']) === 'on'
}

function readNode(draft: Draft, words: Words): void {
  const statements =
    '"at", "expect", "end", "miners", "network", or a node such as n4 that lies or joins late'
  if (words.isEmpty || !words.isNodeNext) words.fail(statements)
  const node = words.node(draft.nodes)
  if (words.takes('joins late')) {
    // The nodes that are kept out are the last ones, so that all others know which to dial.
    const expected = draft.nodes - 1 - draft.keptOut
    if (node !== expected)
      throw new InvalidScenario(
        words.line,
        `expected n${expected + 1}: the last nodes join late, last one first`,
      )
    if (draft.keptOut + 1 === draft.nodes)
      throw new InvalidScenario(words.line, 'expected a node to be there')
    draft.keptOut += 1
    return
  }
  if (!words.takes('lies')) words.fail('"lies" and how, or "joins late"')
  if (!modeOfDraft(draft).hasValidators) words.fail('no liars where the finality has no validators')
  draft.liars.set(node, words.choose(BYZANTINE_ROLES))
}

function readEvent(draft: Draft, words: Words): void {
  const atMs = words.time()
  const last = draft.events.filter(({ event }) => event.type !== 'thaw').at(-1)?.atMs ?? 0
  if (atMs < last)
    throw new InvalidScenario(words.line, `expected a time from ${last / 1_000}s on: a timeline goes forward`)
  const add = (event: ScenarioEvent, time = atMs): void => {
    draft.events.push({ atMs: time, line: words.line, event })
    draft.events.sort((a, b) => a.atMs - b.atMs)
  }
  if (words.takes('kill')) add({ type: 'kill', nodes: words.nodes(draft.nodes) })
  else if (words.takes('restart') || words.takes('start'))
    add({ type: 'restart', nodes: words.nodes(draft.nodes) })
  else if (words.takes('freeze')) {
    const nodes: Nodes = words.nodes(draft.nodes)
    words.demand('for')
    const forMs = words.time()
    add({ type: 'freeze', nodes })
    add({ type: 'thaw', nodes }, atMs + forMs)
  } else if (words.takes('cut')) add({ type: 'cut', halves: readHalves(draft, words) })
  else if (words.takes('heal')) add({ type: 'heal' })
  else if (words.takes('miners')) add({ type: 'miners', isOn: readMiners(draft, words) })
  else if (words.takes('pay')) add(readPayment(draft, words))
  else words.fail('"kill", "restart", "start", "freeze", "cut", "heal", "miners" or "pay"')
  new ScenarioPlausibility(draft).check()
}

function readHalves(draft: Draft, words: Words): number[][] {
  const halves = [words.someNodes(draft.nodes)]
  while (words.takes('|')) halves.push(words.someNodes(draft.nodes))
  const all = halves.flat()
  if (halves.length < 2) words.fail('"|" and the nodes on the other side')
  const missing = Array.from({ length: draft.nodes }, (_, node) => node).find(node => !all.includes(node))
  if (missing !== undefined || new Set(all).size !== all.length)
    throw new InvalidScenario(
      words.line,
      `expected every node from n1 to n${draft.nodes} on one side of the cut`,
    )
  return halves
}

function readPayment(draft: Draft, words: Words): ScenarioEvent {
  const count = words.count(1, TRANSFERS_MAX)
  const isDouble = words.takes('transfers twice') || words.takes('twice')
  if (!isDouble) words.takes('transfers')
  const overMs = words.takes('over') ? words.time() : 0
  words.demand('through')
  const through = words.nodes(draft.nodes)
  if (isDouble) words.demand('and')
  const rivalsThrough = isDouble ? words.nodes(draft.nodes) : null
  return { type: 'pay', count, overMs, through, rivalsThrough }
}
