import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingEntries } from '../../.ci/complete-lock.ts'
import { MODES } from '../../src/finality/registry.ts'
import {
  checkMirror,
  checkModeNames,
  checkReadme,
  checkSource,
  type Finding,
  mayImport,
  mayNotUse,
  type Source,
  show,
} from './rules.ts'

const root = join(import.meta.dirname, '..', '..')
const folders = (path: string): string[] =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
const none = (findings: readonly Finding[]): void => assert.equal(findings.map(show).join('\n'), '')

// The real tree.

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(path => /\.[cm]?[jt]sx?$/.test(path))
  .map((path): Source => ({ path: `src/${path}`, text: readFileSync(join(root, 'src', path), 'utf8') }))

test('src keeps the rules of the house', () => {
  assert.notEqual(sources.length, 0)
  none(sources.flatMap(checkSource))
})

test("no file outside finality has a mode's name as a literal", () => {
  const names = MODES.map(({ name }) => name)
  none(sources.flatMap(source => checkModeNames(source, names)))
})

test("README's tree is the real tree", () => {
  const path = join(root, 'README.md')
  none(checkReadme(existsSync(path) ? readFileSync(path, 'utf8') : null, folders('src')))
})

test('test mirrors src', () => none(checkMirror(folders('test'), folders('src'))))

test('the arrows of the table point one way', () => {
  const outermost = (folder: string): string => folder.split('/')[0]!
  const above = new Set<string>()
  for (const [folder, arrows] of Object.entries(mayImport)) {
    for (const other of arrows.folders.map(outermost).filter(other => other !== outermost(folder)))
      assert.ok(above.has(other), `${folder} → ${other}, which does not stand above it`)
    above.add(outermost(folder))
  }
})

test("the lock knows every platform's builds, so that npm ci takes it everywhere", () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  assert.deepEqual([...missingEntries(lock.packages).keys()], [], 'run bin/node24 .ci/complete-lock.ts')
})

// Every rule, seen failing on a planted violation, and quiet on what only looks like one.

const header = '// What this is,\n// and why.\n\n'
const rulesBroken = (path: string, code: string): string[] =>
  checkSource({ path, text: header + code }).map(({ rule }) => rule)
const broken = (says: string, rule: string, path: string, ...codes: readonly string[]): void =>
  void test(says, () => {
    for (const code of codes) assert.deepEqual(rulesBroken(path, code), [rule], code)
  })
const kept = (says: string, path: string, ...codes: readonly string[]): void =>
  void test(says, () => {
    for (const code of codes) none(checkSource({ path, text: header + code }))
  })

broken(
  'an import against the arrows is found, however it is written',
  'arrows',
  'src/chain/a.ts',
  "import { a } from '../consensus/a.ts'",
  "import type { A } from '../consensus/a.ts'",
  "import {\n  type A,\n} from '../consensus/a.ts'",
  "import * as a from '../consensus/a.ts'",
  "import '../consensus/a.ts'",
  "export { a } from '../consensus/a.ts'",
  "export type { A } from '../consensus/a.ts'",
  "type A = import('../consensus/a.ts').A",
  "import { a } from './../consensus/pbft/a.ts'",
  "import { a } from '../../test/a.ts'",
  "import { a } from '../a.ts'",
  "import { readFileSync } from 'node:fs'",
  "import { readFileSync } from 'fs'",
  "import { Level } from 'level'",
)
for (const [folder, from] of [
  ['consensus', '../chain/hash.ts'],
  ['consensus', '@noble/hashes/sha2.js'],
  ['finality', '../replica/replica.ts'],
  ['finality', 'node:crypto'],
  ['replica', '../consensus/pbft/pbft.ts'],
  ['replica', '../node/node.ts'],
  ['mining', '../replica/replica.ts'],
  ['mining', 'node:fs'],
  ['signatures', '../wallet/wallet.ts'],
  ['lab/swarm', 'node:fs'],
  ['lab/swarm', '../../node/node.ts'],
  ['lab/cluster', '../report/page.ts'],
  ['finality', '../lab/swarm/simulation.ts'],
  ['rpc', '../lab/swarm/simulation.ts'],
  ['node', '../rpc/server.ts'],
  ['node', '../lab/swarm/simulation.ts'],
  ['rpc', '../wallet/wallet.ts'],
  ['rpc', 'level'],
  ['wallet', '../rpc/server.ts'],
  ['wallet', '../replica/replica.ts'],
  ['lab/compare', '../../cli/main.ts'],
  ['cli', 'viem'],
] as const) {
  broken(`${folder} may not import ${from}`, 'arrows', `src/${folder}/a.ts`, `import { a } from '${from}'`)
}
broken(
  'a role of a liar is found in the product',
  'honesty',
  'src/node/a.ts',
  "const role = 'equivocate'",
  "type Role = 'silent' | 'loud'",
)
broken('a file of the product that is named after a role is found', 'honesty', 'src/finality/forge.ts', '')
broken('a folder of liars is found in the product', 'honesty', 'src/finality/byzantine/a.ts', '')
kept('the laboratory may lie', 'src/lab/adversary/byzantine/garble.ts', "export const role = 'garble'")
broken(
  'an import of a computed name is found',
  'arrows',
  'src/cli/a.ts',
  'await import(name)',
  'await import(`./${name}.ts`)',
  "await import('./' + name)",
)
kept(
  'what the table allows may be imported',
  'src/signatures/a.ts',
  "import { a } from '../chain/a.ts'\nimport { Worker } from 'node:worker_threads'\nimport secp from 'secp256k1'",
  "import { a } from './b/a.ts'",
  "const secp = createRequire(import.meta.url)('secp256k1')",
)
kept(
  'what only looks like an import is none',
  'src/chain/a.ts',
  '// import { a } from "../consensus/a.ts"',
  'const a = `import { a } from "../consensus/a.ts"`',
  "const text = 'from'\nexport const a = { import: 'level', from: 'level' }",
)

for (const folder of Object.keys(mayNotUse)) {
  broken(
    `${folder} uses no clock, chance, waiting, surroundings or locale`,
    'purity',
    `src/${folder}/a.ts`,
    'const now = Date.now()',
    'const now = new Date()',
    'const a = Math.random()',
    'const { random } = Math',
    'const a = f(Math)',
    'const later = async () => 1',
    'const later: Promise<string> = b',
    'await b',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
    'queueMicrotask(f)',
    'const start = performance.now()',
    'const { env } = process',
    'const a = `${process.env}`',
    "const answer = fetch('http://localhost')",
    'const all = { ...globalThis }',
    'crypto.getRandomValues(bytes)',
    'a.sort((a, b) => a.localeCompare(b))',
    'a.toLocaleString()',
    'a?.toLocaleLowerCase()',
    'const c = Intl.Collator()',
    'const a = b ? process : c',
  )
}
for (const folder of ['chain', 'execution', 'consensus', 'finality', 'replica']) {
  broken(`${folder} prints nothing`, 'purity', `src/${folder}/a.ts`, "console.log('here')")
}
kept(
  'what only looks impure is pure',
  'src/chain/a.ts',
  '// Date.now() would be wrong here',
  "const reason = 'no Date, no await'",
  'const a = `Date.now()` + /process/.source',
  'const a = Math.max(1, 2)',
  'const a = effect.fetch\nconst b = { performance: 1, Date: 2 }',
  'type A = {\n  readonly a: string\n  fetch?: number\n  readonly process: number\n}',
  'const a = hex.toLowerCase()',
)
kept(
  'the folders that perform effects may wait and read clocks',
  'src/node/a.ts',
  'await f(Date.now(), Math.random(), process)',
)
kept('the simulator may print', 'src/lab/swarm/a.ts', "console.log('here')")

test('a folder of src that is not in the table is found', () => {
  assert.deepEqual(rulesBroken('src/oracle/a.ts', 'export const a = 1'), ['place'])
})
test('a file that is in no folder of src is found', () => {
  assert.deepEqual(rulesBroken('src/a.ts', 'export const a = 1'), ['place'])
})
for (const name of ['utils', 'common', 'helpers', 'core', 'lib', 'types']) {
  test(`a folder named ${name} is found`, () => {
    assert.deepEqual(rulesBroken(`src/chain/${name}/a.ts`, 'export const a = 1'), ['place'])
  })
}
test('a barrel is found', () => {
  assert.deepEqual(rulesBroken('src/chain/index.ts', "export { a } from './a.ts'"), ['place'])
  assert.deepEqual(rulesBroken('src/chain/all.ts', "export * from './a.ts'"), ['syntax'])
})

test('a file without a header of 2 to 10 lines is found', () => {
  const rules = (text: string): string[] =>
    checkSource({ path: 'src/chain/a.ts', text }).map(({ rule }) => rule)
  const code = 'export const a = 1\n'
  for (const text of [
    '',
    code,
    `// one line\n${code}`,
    `// two lines,\n\n// but apart\n${code}`,
    `\n// late,\n// by a line\n${code}`,
    `/** One line. */\n${code}`,
    `${code}// below\n// the code\n`,
    `${'// line\n'.repeat(11)}${code}`,
  ]) {
    assert.deepEqual(rules(text), ['header'], text)
  }
  for (const text of [
    `// two\n// lines\n${code}`,
    `${'// line\n'.repeat(10)}${code}`,
    `/*\n * A block.\n */\n\n${code}`,
    `#!/usr/bin/env node\n// two\n// lines\n${code}`,
  ]) {
    assert.deepEqual(rules(text), [], text)
  }
})

broken('a file that can not be read is found', 'syntax', 'src/chain/a.ts', "const a = 'b")
broken('an enum is found', 'syntax', 'src/chain/a.ts', 'enum A { b }', 'export const enum A { b }')
broken('a namespace is found', 'syntax', 'src/chain/a.ts', 'namespace A { }', 'declare module A.B { }')
broken(
  'a default export is found',
  'syntax',
  'src/chain/a.ts',
  'export default 1',
  'export default function f() {}',
  'export { a as default }',
)
broken(
  'an any is found',
  'syntax',
  'src/chain/a.ts',
  'let a: any',
  'let a: any[]',
  'let a: Map<string, any>',
  'const a = b as any',
  'type A = any',
  'type A = { b?: any }',
  'const f = (a: number): any => a',
)
kept(
  'what only looks like forbidden syntax is none',
  'src/chain/a.ts',
  'const a = { any: 1, enum: 2, default: 3, namespace: 4 }\nconst b = a.any + a.enum + a.default',
  'switch (a) {\n  case 1:\n    break\n  default:\n    b()\n}',
  "const a = 'any' // any\nconst module = a",
)

broken(
  'a file named so that the built package lacks it is found',
  'built',
  'src/mining/a.ts',
  "new Worker(new URL('./worker.ts', import.meta.url))",
)
kept(
  'a file named for the clone and the built package alike is none',
  'src/mining/a.ts',
  'new Worker(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url))',
  "const url = new URL(built ? './worker.js' : './worker.ts', import.meta.url)",
)

broken(
  'a handler that is written in place is found, where strangers set it off',
  'handlers',
  'src/node/a.ts',
  'setTimeout(() => a(), 1)',
  'setInterval(async () => {}, 1).unref()',
  'queueMicrotask(function () {})',
  "a.addEventListener('close', event => b(event))",
  "a.on('error', (error) => b((error)))",
  "a.on('error', ({ c }) => guarded(log, 'it', () => b(c))())",
  "on('a', guarded(log, 'it', () => a()), () => b())",
)
kept(
  'a handler that is guarded or has a name is none',
  'src/node/a.ts',
  "setTimeout(guarded(log, 'it', () => a((1)), () => b()), 1)",
  "a.addEventListener('close', guarded(log, 'it', ({ detail }) => b(detail)))",
  'setImmediate(this.#take)',
  'await new Promise(setImmediate)',
  "const f = () => a.once('b', c)",
)
kept(
  'a handler that no stranger sets off may be written in place',
  'src/cli/a.ts',
  'setTimeout(() => a(), 1)',
)

broken(
  'a message of one protocol that is named above the protocols is found',
  'messages',
  'src/finality/a.ts',
  "const is = type === 'pre-prepare'",
  "const labels = { 'new-view': 1 }",
)
kept(
  'the folder of a protocol names its messages, and others the phases in which members vote',
  'src/consensus/pbft/a.ts',
  "const type = 'view-change'",
)
kept('a phase is no message', 'src/cli/a.ts', "const phases = ['prepare', 'commit']")

test("a mode's name is found as a literal, and not where it is part of a text or where modes are made", () => {
  const rulesAt = (path: string, code: string): string[] =>
    checkModeNames({ path, text: header + code }, ['pbft', 'longest-chain']).map(({ rule }) => rule)
  for (const code of ["a === 'pbft'", "{ 'longest-chain': 1 }", 'f(`pbft`)', 'type A = "pbft" | "b"'])
    assert.deepEqual(rulesAt('src/lab/swarm/a.ts', code), ['modes'], code)
  for (const code of [
    "'quorate net --finality pbft'",
    '`${a} pbft`',
    "import { a } from './pbft.ts'",
    '// pbft',
  ])
    assert.deepEqual(rulesAt('src/cli/a.ts', code), [], code)
  assert.deepEqual(rulesAt('src/finality/modes/pbft.ts', "name: 'pbft'"), [])
  assert.deepEqual(rulesAt('src/consensus/pbft/protocol.ts', "name: 'pbft'"), [])
})

test('a README that is not there, or has no tree, or an untrue one, is found', () => {
  const says = (readme: string | null): string[] => checkReadme(readme, ['chain', 'cli']).map(show)
  const tree = (...lines: readonly string[]): string =>
    ['# quorate', '```tree', ...lines, '```', 'src/other'].join('\n')
  assert.deepEqual(says(null), ['README.md:1 readme: there is no README.md'])
  assert.match(says('# quorate\n```\nsrc/chain\n```\n')[0] ?? '', /there is no tree/)
  assert.deepEqual(says(tree('src/chain    what is valid')), [
    'README.md:2 readme: the tree does not list src/cli',
  ])
  assert.deepEqual(says(tree('src/chain', 'src/sim', 'src/cli')), [
    'README.md:4 readme: the tree lists src/sim, which does not exist',
  ])
  assert.deepEqual(
    says(tree('src/chain    what is valid', '  src/cli/  one file per command', 'test/   mirrors src')),
    [],
  )
})

test('a folder of test that mirrors nothing is found', () => {
  assert.deepEqual(
    checkMirror(['chain', 'chains', 'house', 'scenarios', 'end-to-end'], ['chain']).map(show),
    ['test/chains:1 mirror: there is no src/chains'],
  )
})

test('the lock completer finds a build that the lock lacks, and reads its platform from its name', () => {
  const found = missingEntries({
    'node_modules/tool': {
      dev: true,
      optionalDependencies: { '@tool/cli-linux-arm64-musl': '1.2.3', '@tool/cli-linux-x64': '1.2.3' },
    },
    'node_modules/tool/node_modules/@tool/cli-linux-x64': { version: '1.2.3' },
  })
  assert.deepEqual(
    [...found],
    [
      [
        'node_modules/@tool/cli-linux-arm64-musl',
        { version: '1.2.3', cpu: ['arm64'], dev: true, libc: ['musl'], optional: true, os: ['linux'] },
      ],
    ],
  )
})
