import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseScenario } from '../../../src/lab/scenario/parser.ts'
import type { Scenario } from '../../../src/lab/scenario/scenario.ts'
import { InvalidScenario } from '../../../src/lab/scenario/words.ts'

const SHIPPED = join(import.meta.dirname, '..', '..', '..', 'scenarios')
const HEAD = 'scenario a name\nsays A sentence, with a comma.\nnodes 4\nfinality pbft\n'
const TIMELINE =
  'at 1s kill n4\nat 4s cut n1 n2 | n3 n4\nat 6s restart n4\nat 9s heal\nat 10s freeze n3 for 2s\n'

/** A scenario with these lines after the first four, the first of them the fifth; and something to expect. */
const parse = (lines: string): Scenario => parseScenario(`${HEAD}${lines}\nexpect never reversed`)
/** What the last expectation of these lines says. */
const expectation = (line: string) => parseScenario(`${HEAD}${TIMELINE}${line}`).expectations.at(-1)!
const refusal = (lines: string): string => {
  try {
    parse(lines)
  } catch (error) {
    assert.ok(error instanceof InvalidScenario, String(error))
    return error.message
  }
  return 'accepted'
}

test('a scenario is a name, a sentence, a network, a timeline and what is expected', () => {
  const scenario = parseScenario(
    `# a comment\nscenario two, halves # not this\nsays First,\nsays second.\nnodes 5\nfinality hybrid leader-collected
network latency 20ms, loss 1.5%\nminers off\nn2 lies silent\nn5 joins late\nat 1s start n5
at 1.5s pay 20 transfers over 2s through n1 n3\nat 2s pay 5 twice through n1 and n3 n4
at 500ms miners on`.replace('\nat 500ms miners on', '\nat 3000ms miners on\nexpect reversed'),
  )
  assert.deepEqual(scenario, {
    name: 'two, halves',
    says: 'First, second.',
    nodes: 5,
    mode: 'hybrid',
    pattern: 'leader-collected',
    latencyMs: 20,
    lossRate: 0.015,
    isMining: false,
    keptOut: 1,
    liars: new Map([[1, 'silent']]),
    events: [
      { atMs: 1_000, line: 11, event: { type: 'restart', nodes: [4] } },
      {
        atMs: 1_500,
        line: 12,
        event: { type: 'pay', count: 20, overMs: 2_000, through: [0, 2], rivalsThrough: null },
      },
      {
        atMs: 2_000,
        line: 13,
        event: { type: 'pay', count: 5, overMs: 0, through: [0], rivalsThrough: [2, 3] },
      },
      { atMs: 3_000, line: 14, event: { type: 'miners', isOn: true } },
    ],
    expectations: [
      {
        line: 15,
        text: 'reversed',
        claim: { type: 'reversed', isWanted: true },
        nodes: 'all',
        byMs: null,
      },
    ],
    endMs: 3_500,
  })
})

test('the parts of an expectation may stand in any order', () => {
  const { text: _, ...first } = expectation('expect by 10s final >= 20 on n1 n2')
  const { text: __, ...second } = expectation('expect final ≥ 20 on n1 n2 by 10s')
  assert.deepEqual(first, second)
  assert.deepEqual(first, {
    line: 10,
    claim: { type: 'count', what: 'final', least: 20 },
    nodes: [0, 1],
    byMs: 10_000,
  })
})

test('every claim can be read', () => {
  const window = { fromMs: 4_500, toMs: 9_000 }
  const progress = { type: 'progress', window }
  const claims: Record<string, object> = {
    'seen >= 3': { type: 'count', what: 'seen', least: 3 },
    'height >= 3 at the end': { type: 'count', what: 'height', least: 3 },
    'all transfers final by 9s': { type: 'all-final' },
    'one chain by 9s on all': { type: 'one-chain' },
    'equal states at the end': { type: 'equal-states' },
    'evidence names n4 by 9s': { type: 'evidence', against: 3 },
    'no evidence': { type: 'no-evidence' },
    'no double spend': { type: 'no-double-spend' },
    'never reversed': { type: 'reversed', isWanted: false },
    reversed: { type: 'reversed', isWanted: true },
    'no fork': { type: 'forked', isWanted: false, window: { fromMs: 0, toMs: Number.POSITIVE_INFINITY } },
    'forked during the cut': { type: 'forked', isWanted: true, window },
    'forked between 4.5s and 9s': { type: 'forked', isWanted: true, window },
    'stopped n1 n2 during the cut': { ...progress, of: 'blocks', isWanted: false },
    'blocks on n1 during the cut': { ...progress, of: 'blocks', isWanted: true },
    'during the cut finality': { ...progress, of: 'finality', isWanted: true },
    'no finality on all during the cut': { ...progress, of: 'finality', isWanted: false },
    'no finality while n4 is down': {
      ...progress,
      of: 'finality',
      isWanted: false,
      window: { fromMs: 1_500, toMs: 6_000 },
    },
    'finality during the freeze': {
      ...progress,
      of: 'finality',
      isWanted: true,
      window: { fromMs: 10_500, toMs: 12_000 },
    },
  }
  for (const [text, claim] of Object.entries(claims))
    assert.deepEqual(expectation(`expect ${text}`).claim, claim, text)
})

test('an error names the line, what was expected and what is there', () => {
  const refusals: Record<string, string> = {
    'at 3s kill m2': 'line 5: expected nodes such as n1 n2, "all" or "the leader", got "m2"',
    'at 3s kill n5': 'line 5: expected one of the nodes n1 to n4, got "n5"',
    'at 3s kill n2 n2': 'line 5: expected each node once: n2 is named twice',
    'at 3s kill n2 soon': 'line 5: expected the end of the line, got "soon"',
    'at 3 kill n2': 'line 5: expected a time such as 3s, 0.5s or 300ms, got "3 kill n2"',
    'at 601s heal': 'line 5: expected a time of at most 600s, got "601s heal"',
    'at 3s':
      'line 5: expected "kill", "restart", "start", "freeze", "cut", "heal", "miners" or "pay", the line ends',
    'at 3s kill n2\nat 2s heal': 'line 6: expected a time from 3s on: a timeline goes forward',
    'at 3s kill n2\nat 4s kill n2': 'line 6: expected a node that runs: n2 is down',
    'at 3s freeze n2 for 2s\nat 4s freeze n2 for 2s': 'line 6: expected a node that runs: n2 is frozen',
    'at 3s restart n2': 'line 5: expected a node that does not run: n2 is up',
    'at 3s heal': 'line 5: expected a network that is cut: it is whole',
    'at 3s cut n1 | n2 n3': 'line 5: expected every node from n1 to n4 on one side of the cut',
    'at 3s cut n1 n2 | n2 n3 n4': 'line 5: expected every node from n1 to n4 on one side of the cut',
    'at 3s cut n1 n2 n3 n4': 'line 5: expected "|" and the nodes on the other side, the line ends',
    'at 3s freeze n2': 'line 5: expected "for", the line ends',
    'at 3s pay 0 transfers through n1':
      'line 5: expected a whole number from 1 to 1000, got "0 transfers through n1"',
    'at 3s pay 5 twice through n1': 'line 5: expected "and", the line ends',
    'at 3s miners on': 'line 5: expected no "miners" where the finality is pbft, which has none, got "on"',
    'n4 lies badly':
      'line 5: expected "silent" or "equivocate" or "delay" or "withhold" or "forge" or "replay" or "usurp" or "exaggerate" or "garble" or "undercut", got "badly"',
    'n3 joins late': 'line 5: expected n4: the last nodes join late, last one first',
    'network speed 3s': 'line 5: expected "latency" or "loss", got "speed 3s"',
    'network latency 1s loss 60%': 'line 5: expected a share of at most 50%, got "60%"',
    'nodes 5': 'line 5: expected one line "nodes …", this is another',
    'expect miracles':
      'line 5: expected a claim: "final >= N", "seen >= N", "height >= N", "all transfers final", "one chain", "equal states", "evidence names NODE", "no evidence", "no double spend", "never reversed", "reversed", "forked", "no fork", "stopped", "blocks", "finality" or "no finality", got "miracles"',
    'expect final 20': 'line 5: expected ">=" and a number, got "20"',
    'expect forked': 'line 5: expected when, such as "between 4s and 9s" or "during the cut", the line ends',
    'expect forked during the cut': 'line 5: expected a timeline in which this happens',
    'expect forked by 5s between 2s and 3s': 'line 5: expected one time, there are two',
    'expect one chain between 2s and 3s':
      'line 5: expected "by TIME" or "at the end" for what comes true at a moment',
    'expect never reversed by 5s': 'line 5: expected no "by TIME" for what holds over a time or at the end',
    'expect forked between 4s and 3s': 'line 5: expected a time after the first',
  }
  for (const [lines, message] of Object.entries(refusals)) assert.equal(refusal(lines), message)
  assert.match(refusal('please be nice'), /^line 5: expected "at", "expect", .*, got "please be nice"$/)
})

test('what a file lacks is named', () => {
  assert.throws(() => parseScenario(''), /line 1: expected a line "scenario …" in the file/)
  assert.throws(() => parseScenario(HEAD), /expected at least one line "expect …" in the file/)
  assert.throws(() => parseScenario('at 3s heal'), /line 1: expected the lines "scenario", "says", "nodes"/)
  assert.throws(
    () => parseScenario(HEAD.replace('pbft', 'longest-chain all-to-all')),
    /expected the end of the line/,
  )
  assert.throws(
    () => parseScenario(`${HEAD.replace('pbft', 'longest-chain')}n1 lies silent`),
    /expected no liars where the finality has no validators/,
  )
})

test('whatever a file holds, it is read or refused with a line', () => {
  const shipped = readdirSync(SHIPPED)
    .filter(name => name.endsWith('.scenario'))
    .map(name => readFileSync(join(SHIPPED, name), 'utf8'))
  const words = [...new Set(shipped.flatMap(text => text.split(/\s+/)))]
  const isReadOrRefused = (text: string): void => {
    try {
      parseScenario(text)
    } catch (error) {
      assert.ok(error instanceof InvalidScenario, `${error} for ${JSON.stringify(text)}`)
      assert.ok(error.line >= 1 && error.line <= text.split('\n').length)
    }
  }
  fc.assert(fc.property(fc.string(), isReadOrRefused), { numRuns: 300 })
  // Lines of the right words in the wrong order.
  const line = fc.array(fc.constantFrom(...words), { maxLength: 8 }).map(parts => parts.join(' '))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), lines => isReadOrRefused(`${HEAD}${lines.join('\n')}`)),
    { numRuns: 1_000 },
  )
  // Files that are right but for one word.
  const change = fc.record({
    text: fc.constantFrom(...shipped),
    at: fc.nat(),
    word: fc.constantFrom(...words, '', '|', '999999s', 'n0', '-1', '∞'),
  })
  fc.assert(
    fc.property(change, ({ text, at, word }) => {
      const parts = text.split(/(\s+)/)
      parts[(at % Math.ceil(parts.length / 2)) * 2] = word
      isReadOrRefused(parts.join(''))
    }),
    { numRuns: 1_000 },
  )
})

test('the example of scenarios/README.md can be read', () => {
  const readme = readFileSync(join(SHIPPED, 'README.md'), 'utf8')
  const [, example] = /```scenario\n([\s\S]*?)```/.exec(readme)!
  assert.equal(parseScenario(example!).expectations.length, 5)
})
