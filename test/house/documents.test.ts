import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkNames, checkOutside, checkPaths } from './documents.ts'
import { definitionsOf, mentionsOf, pitfallsOf } from './invariants.ts'
import { show } from './rules.ts'

const root = join(import.meta.dirname, '..', '..')
const INVARIANTS = 'docs/invariants.md'
const TEXT = /\.(?:ts|md|json|txt|scenario)$|^bin\/|^\.ci\/run$/

const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(path => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter(path => statSync(join(root, path)).isFile())

const top = readdirSync(root, { withFileTypes: true })
  .filter(entry => entry.isFile() && /\.(?:md|json)$/.test(entry.name) && entry.name !== 'package-lock.json')
  .map(({ name }) => name)
const folders = ['src', 'test', 'docs', 'bench', 'examples', 'genesis', 'scenarios', 'bin', '.ci']
const sources = [...top, ...folders.filter(folder => existsSync(join(root, folder))).flatMap(filesUnder)]
  .filter(path => TEXT.test(path))
  .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const outsideHouse = sources.filter(({ path }) => !path.startsWith('test/house/'))

test('no file refers to a path outside the repository', () => {
  assert.equal(outsideHouse.flatMap(checkOutside).map(show).join('\n'), '')
})

test('every path that a document names exists, and has the names that it is said to have', () => {
  const exists = (path: string): boolean => existsSync(join(root, path))
  const read = (path: string): string | null => (exists(path) ? readFileSync(join(root, path), 'utf8') : null)
  const documents = sources.filter(({ path }) => path.endsWith('.md'))
  assert.equal(
    documents
      .flatMap(source => [...checkPaths(source, exists), ...checkNames(source, read)])
      .map(show)
      .join('\n'),
    '',
  )
})

test('every rule that the code names is defined in docs/invariants.md, once, and every one that it defines is named', () => {
  const defined = definitionsOf(INVARIANTS, readFileSync(join(root, INVARIANTS), 'utf8'))
  const mentions = outsideHouse.flatMap(({ path, text }) => {
    if (path.endsWith('.ts')) return mentionsOf(path, text)
    return path.endsWith('.txt') ? pitfallsOf(path, text) : []
  })
  const known = new Set(defined.map(({ rule }) => rule))
  const named = new Set(mentions.map(({ rule }) => rule))
  const undefinedRules = mentions.filter(({ rule }) => !known.has(rule))
  const unnamed = defined.filter(({ rule }) => !named.has(rule))
  const texts = ({ rule, path, line }: { rule: string; path: string; line: number }) =>
    `${path}:${line} ${rule}`
  assert.deepEqual(undefinedRules.map(texts), [], `not defined in ${INVARIANTS}`)
  assert.deepEqual(unnamed.map(texts), [], 'named by no code')
  assert.equal(known.size, defined.length, 'defined twice')
})

// Each rule, seen failing on a planted violation, and quiet on what only looks like one.

test('a path that leaves the repository is found, however it is written', () => {
  const found = (text: string, path = 'test/a/b.ts'): number => checkOutside({ path, text }).length
  for (const text of [
    '// see ../../../shared/notes.md',
    "join(import.meta.dirname, '..', '..', '..', 'shared', 'vectors')",
    '// the list of shared/pitfalls.md',
    'read(`/work/main/README.md`)',
  ])
    assert.equal(found(text), 1, text)
  for (const text of [
    "import { a } from '../../src/a.ts'",
    "join(import.meta.dirname, '..', '..', 'genesis')",
    '--data /tmp/second',
  ])
    assert.equal(found(text), 0, text)
  assert.equal(found('../../shared/vectors', 'test/vectors.ts'), 0)
})

test('a path that does not exist is found in a document', () => {
  const found = (text: string): string[] =>
    checkPaths({ path: 'docs/a.md', text }, path => path === 'src/a.ts' || path === 'docs/b.md').map(show)
  assert.deepEqual(found('`src/a.ts` and [b](b.md), [c](b.md#part), [d](https://example.org/x), `a/b`'), [])
  assert.deepEqual(found('`src/b.ts`'), ["docs/a.md:1 documents: 'src/b.ts' does not exist"])
  assert.deepEqual(found('[b](../b.md)'), ["docs/a.md:1 documents: 'b.md' does not exist"])
})

test('a name that is not in the file that a document gives for it is found', () => {
  const found = (text: string): string[] =>
    checkNames({ path: 'a.md', text }, path => (path === 'src/a.ts' ? 'class A { add() {} }' : null)).map(
      show,
    )
  assert.deepEqual(found('`A.add` in `src/a.ts`, `b` in `c`'), [])
  assert.deepEqual(found('`A`, `remove` in `src/a.ts`'), ["a.md:1 documents: 'remove' is not in src/a.ts"])
  assert.equal(found('`A` in `src/b.ts`').length, 1)
})

test('rules are read from comments and texts, not from code', () => {
  const rules = (text: string): string[] => mentionsOf('src/a.ts', text).map(({ rule }) => rule)
  assert.deepEqual(rules("const S1 = 2\nthrow new Violation('C7', `S5: ${H1}`) // B-P7 and L1\n"), [
    'C7',
    'S5',
    'B-P7',
    'L1',
  ])
  assert.deepEqual(
    definitionsOf('a', '- **S1 Agreement.** No two.\n- **B-P7** Views.\n**S2**').map(({ rule }) => rule),
    ['S1', 'B-P7'],
  )
})
