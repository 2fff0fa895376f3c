import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tokenize } from './tokens.ts'

const shown = (source: string): string =>
  tokenize(source)
    .tokens.map(({ kind, text }) => (kind === 'punctuation' || kind === 'name' ? text : `${kind}<${text}>`))
    .join(' ')

test('comments are set aside, with their lines', () => {
  const { tokens, comments } = tokenize('// one\na /* two\n three */ b')
  assert.deepEqual(
    tokens.map(({ text, line }) => [text, line]),
    [
      ['a', 2],
      ['b', 3],
    ],
  )
  assert.deepEqual(
    comments.map(({ line, lines }) => [line, lines]),
    [
      [1, 1],
      [2, 2],
    ],
  )
})

const cases: readonly [says: string, source: string, expected: string][] = [
  [
    'what looks like code in a string is text',
    `'Date // "x"' + "it's"`,
    `string<Date // "x"> + string<it's>`,
  ],
  ['an escaped quote does not end a string', `'a\\'b' c`, `string<a\\'b> c`],
  [
    'what looks like code in a template is text',
    '`await ${a} Date` b',
    'template<await ${> a template< Date`> b',
  ],
  [
    'an object inside a template keeps its braces',
    '`${f({ a })}` b',
    'template<${> f ( { a } ) template<`> b',
  ],
  [
    'a template inside a template is one',
    '`${`${a}`}`',
    'template<${> template<${> a template<`> template<`>',
  ],
  ['a dollar or an escape in a template is text', '`$a \\` \\${b}` c', 'template<$a \\` \\${b}`> c'],
  [
    'a slash after an operand divides',
    'a / b / (c) / d[0] / 2',
    'a / b / ( c ) / d [ number<0> ] / number<2>',
  ],
  ['a slash after a non-null mark divides', 'a! / b / c', 'a ! / b / c'],
  ['a slash after an increment divides', 'a++ / b / c', 'a + + / b / c'],
  [
    'a slash after an operator begins a regular expression',
    "x = /'[/]\\//gu.test(y)",
    "x = regex</'[/]\\//gu> . test ( y )",
  ],
  ['a slash after a negation begins a regular expression', '!/a b/.test(y)', '! regex</a b/> . test ( y )'],
  ['a slash after return begins a regular expression', 'return /Date/', 'return regex</Date/>'],
  ['a slash without a partner on its line divides', 'if (a) { } / b\n/ c', 'if ( a ) { } / b / c'],
  [
    'numbers keep their separators, signs and suffixes',
    '1_000n 0xff 1e-9 1.5',
    'number<1_000n> number<0xff> number<1e-9> number<1.5>',
  ],
  ['a private field is one name', 'this.#date', 'this . #date'],
  ['a first line that names an interpreter is passed over', '#!/usr/bin/env node\na', 'a'],
]
for (const [says, source, expected] of cases) test(says, () => assert.equal(shown(source), expected))

test('a string or a template that does not end is an error that names the line', () => {
  assert.throws(() => tokenize("\n'a"), /line 2/)
  assert.throws(() => tokenize('\n\n`a'), /line 3/)
})

test('every file of ours can be read, and its braces pair', () => {
  const root = join(import.meta.dirname, '..', '..')
  for (const folder of ['src', 'test', '.ci']) {
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts')) continue
      const { tokens } = tokenize(readFileSync(join(root, folder, path), 'utf8'))
      const depth = (open: string, close: string): number =>
        tokens.reduce((sum, { kind, text }) => {
          if (kind === 'template') return sum
          return kind === 'punctuation' ? sum + Number(text === open) - Number(text === close) : sum
        }, 0)
      for (const pair of ['()', '[]', '{}'] as const) {
        assert.equal(depth(pair.charAt(0), pair.charAt(1)), 0, `${folder}/${path}: ${pair}`)
      }
    }
  }
})
