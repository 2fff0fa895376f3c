// Packs the package as npm would publish it, and checks the tarball as a user meets it: publint and attw judge its
// exports and types; then it is installed in an empty folder, where `quorate` and every example must run: the examples
// also on the machine's own Node.js, which may be as old as `engines` allows. Each step is killed after its time.
//
//   npm run pack:check

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { EXAMPLES } from '../test/examples/expected.ts'
import { unnamedTypes } from './public-types.ts'

const ROOT = join(import.meta.dirname, '..')
const STEP_MS = 180_000

/** Runs a command and returns what it printed; ends the check when it fails. */
const run = (cwd: string, command: string, ...args: readonly string[]): string => {
  console.log(`+ ${command} ${args.join(' ')}`)
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: STEP_MS,
    killSignal: 'SIGKILL',
  })
  if (status === 0) return stdout
  throw new Error(`${command} failed (${status ?? error?.message}):\n${stdout}${stderr}`)
}

const tool = (name: string): string => join(ROOT, 'node_modules', '.bin', name)

/** The first Node.js of PATH that npm did not install with this project; null when there is none. */
const machinesNode = (): string | null => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!folder.split('/').includes('node_modules') && existsSync(path)) return path
  }
  return null
}

const check = (folder: string): void => {
  const [packed] = JSON.parse(run(ROOT, 'npm', 'pack', '--json', '--silent', '--pack-destination', folder))
  const tarball = join(folder, packed.filename)
  console.log(`${packed.filename}: ${packed.entryCount} files, ${packed.size} bytes`)
  run(ROOT, tool('publint'), 'run', tarball, '--strict')
  // An ES module package for Node 20 and later: the resolution of Node 10 knows no exports, and CommonJS imports it.
  run(ROOT, tool('attw'), tarball, '--profile', 'esm-only', '--exclude-entrypoints', './genesis/*.json')

  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball)
  const installed = join(folder, 'node_modules', 'quorate')
  const version = run(folder, join(folder, 'node_modules', '.bin', 'quorate'), '--version').trim()
  if (version !== packed.version) throw new Error(`quorate --version says ${version}`)
  for (const file of readdirSync(join(installed, 'examples')))
    copyFileSync(join(installed, 'examples', file), join(folder, file))
  for (const [name, expected] of EXAMPLES) {
    const output = run(folder, join(installed, 'bin', 'node24'), `${name}.ts`)
    if (!expected.test(output)) throw new Error(`examples/${name}.ts printed:\n${output}`)
  }
  // The examples again, as a user's compiler sees them: with the types of the package, checked to the end.
  const options = { module: 'nodenext', target: 'es2023', strict: true, outDir: 'compiled', types: ['node'] }
  const typeRoots = [join(ROOT, 'node_modules', '@types')]
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, typeRoots }, include: ['*.ts'] }),
  )
  run(folder, tool('tsc'), '--project', '.')
  for (const file of readdirSync(folder).filter(name => /^finality-.*\.json$/.test(name)))
    copyFileSync(join(folder, file), join(folder, 'compiled', file))
  const node = machinesNode()
  if (node === null)
    console.log('# no Node.js outside node_modules: the examples ran on the bundled one only')
  else console.log(`# ${node} is ${run(folder, node, '--version').trim()}`)
  if (node !== null)
    for (const [name, expected] of EXAMPLES) {
      const output = run(folder, node, join('compiled', `${name}.js`))
      if (!expected.test(output)) throw new Error(`examples/${name}.ts printed, compiled:\n${output}`)
    }
  const unnamed = unnamedTypes(
    [...EXAMPLES.keys()].map(name => join(installed, 'dist', 'exports', `${name}.d.ts`)),
  )
  if (unnamed.length > 0) throw new Error(`no entry exports these types:\n${unnamed.join('\n')}`)
  // What users must not pay for: tools of development.
  for (const name of readdirSync(join(folder, 'node_modules')))
    if (/^(typescript|@foundry-rs|@biomejs|viem|publint|playwright-core)$/.test(name))
      throw new Error(`${name} is installed with the package`)
}

const folder = mkdtempSync(join(tmpdir(), 'quorate-pack-'))
try {
  check(folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
