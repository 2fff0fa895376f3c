// The command line in the hands of people in a hurry: options without values, files that can't be written, readers that
// go away, signals. One table of lines, each with the code it ends with and the first line of what it says; what needs no
// process is tested without one (arguments.test.ts).

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'quorate-hurry-'))
after(() => rmSync(folder, { recursive: true }))

const GENESIS = join(root, 'genesis', 'local.json')
const MARK = '\uFEFF'
writeFileSync(join(folder, 'marked.json'), `${MARK}${readFileSync(GENESIS, 'utf8')}`)
writeFileSync(join(folder, 'marked.key'), `${MARK}${'12'.repeat(32)}\n`)
writeFileSync(join(folder, 'marked.password'), `${MARK}secret\n`, { mode: 0o600 })

interface Row {
  /** As a shell runs it; `quorate` is the program. */
  readonly line: string
  readonly code: number
  /** The first line of stdout, or where that is empty of stderr. */
  readonly says: RegExp
  readonly env?: Readonly<Record<string, string>>
}

const ROWS: readonly Row[] = [
  // Options: one row for each way through main; the rules have a table of their own.
  {
    line: 'quorate status --rpc http://127.0.0.1:2 --rpc http://127.0.0.1:9 2>&1',
    code: 4,
    says: /127\.0\.0\.1:9\b/,
  },
  { line: 'quorate node --data $UNSET', code: 2, says: /^quorate: --data needs a value$/ },
  { line: 'quorate --version --json', code: 0, says: /^\{"version":"\d+\.\d+\.\d+"\}$/ },
  { line: 'quorate net --help', code: 0, says: /^quorate net$/ },
  // The environment.
  { line: 'quorate status', env: { QUORATE_RPC: '' }, code: 4, says: /127\.0\.0\.1:8545|8545/ },
  {
    line: 'quorate wallet list',
    env: { QUORATE_HOME: '', HOME: 'home' },
    code: 0,
    says: /in .*home\/\.quorate/,
  },
  // Blocks.
  { line: 'quorate block -1', code: 2, says: /^quorate: "-1" names no block$/ },
  { line: 'quorate block 1e0', code: 2, says: /^quorate: "1e0" names no block$/ },
  { line: 'quorate finality proof final', code: 2, says: /^quorate: "final" names no block$/ },
  // Files.
  {
    line: 'quorate wallet new ada --keystore /dev/null/keys --password-file marked.password',
    code: 3,
    says: /^quorate: \/dev\/null\/keys: a part of the path is a file, not a folder$/,
  },
  { line: 'quorate wallet list --keystore /dev/null/keys', code: 3, says: /\/dev\/null\/keys/ },
  {
    line: 'quorate genesis new nowhere/lab.json',
    code: 3,
    says: /^quorate: cannot write nowhere\/lab\.json: there is no such/,
  },
  { line: 'quorate genesis show .', code: 3, says: /^quorate: cannot read \.: it is a folder, not a file$/ },
  { line: 'quorate genesis show marked.json', code: 0, says: /^network +local$/ },
  { line: 'quorate node --data /dev/null/x --rpc-port 0', code: 3, says: /\/dev\/null\/x/ },
  {
    line: 'quorate node --data /proc/self/task --rpc-port 0',
    code: 3,
    says: /^quorate: \/proc\/self\/task can't hold data: it is part of \/proc$/,
  },
  { line: 'quorate verify --data nowhere 2>/dev/null; ls nowhere 2>&1', code: 2, says: /^ls: .*nowhere/ },
  { line: 'quorate verify --data nowhere', code: 3, says: /^quorate: there is no chain in nowhere$/ },
  {
    line: 'quorate node --data ports --rpc-port 0 --rpc-allow-origin "https://*.example.com"',
    code: 2,
    says: /^quorate: .*https:\/\/\*\.example\.com/,
  },
  {
    line: 'mkdir open && chmod 777 open && quorate node --data open --rpc-port 0',
    code: 3,
    says: /^quorate: others can write to the data folder open$/,
  },
  // What has no end, and what has no writer.
  {
    line: 'quorate genesis show /dev/zero',
    code: 3,
    says: /^quorate: cannot read \/dev\/zero: .* it has more than 16777216 bytes$/,
  },
  {
    line: 'quorate wallet import ada --keystore keys --key-file /dev/zero --password-file marked.password',
    code: 3,
    says: /^quorate: cannot read \/dev\/zero: .* more than/,
  },
  {
    line: 'mkfifo silent && quorate genesis show silent',
    code: 3,
    says: /silent is a pipe without a writer$/,
  },
  { line: 'quorate genesis show <(sleep 0.1; cat marked.json)', code: 0, says: /^network +local$/ },
  {
    line: 'quorate wallet import ada --keystore keys --key-file marked.key --password-file marked.password',
    code: 0,
    says: /^account +ada$/,
  },
  // `-`.
  { line: `quorate genesis show - < ${GENESIS}`, code: 0, says: /^network +local$/ },
  { line: 'quorate genesis new - --name lab', code: 0, says: /^\{$/ },
  {
    line: 'quorate finality verify - --genesis - < marked.json',
    code: 2,
    says: /^quorate: - is given for two files/,
  },
  { line: `echo 'scenario x' | quorate scenario run -`, code: 3, says: /^quorate: - is not a scenario/ },
  // Output.
  {
    line: 'quorate scenario list > /dev/full',
    code: 3,
    says: /^quorate: cannot write the answer: there is no space/,
  },
  { line: 'quorate scenario list --json > /dev/full', code: 3, says: /^quorate: cannot write the answer: / },
  { line: '{ sleep 0.2; quorate scenario list; echo $? >&2; } | true', code: 0, says: /^0$/ },
  {
    line: '{ sleep 0.2; quorate block -1 --json 2> no; echo $? >&2; } | true',
    code: 0,
    says: /^2$/,
  },
]

describe('people in a hurry', { concurrency: 2 }, () => {
  for (const { line, code, says, env = {} } of ROWS) {
    const set = Object.entries(env).map(([name, value]) => `${name}=${value} `)
    test(`${set.join('')}${line} ends with code ${code}`, async () => {
      const done = await shell(line, env)
      const first = (done.out || done.err).split('\n', 1)[0]!
      assert.deepEqual({ code: done.code, first }, { code, first: says.test(first) ? first : String(says) })
      assert.doesNotMatch(done.err, /^ +at /m, 'a stack is shown')
    })
  }
})

test('what a document is written beside is said on stderr, and stdout has the document alone', async () => {
  const { out, err } = await shell('quorate genesis new - --name lab')
  assert.equal(JSON.parse(out).name, 'lab')
  assert.match(err, /^network +lab$/m)
})

test("a folder with geth's files says how to take them over", async context => {
  const keys = await temporaryDirectory(context)
  const name = 'UTC--2024-01-01T00-00-00.000000000Z--f39fd6e51aad88f6f4ce6ab8827279cfffb92266'
  writeFileSync(join(keys, name), '{}')
  const { code, err } = await shell(`quorate wallet list --keystore ${keys}`)
  assert.equal(code, 0)
  assert.match(err, new RegExp(`${name} is a key file of geth; .*wallet import NAME --file ${keys}/${name}`))
})

test('a node outlives its readers and SIGUSR1, and SIGHUP stops it gracefully', async context => {
  const data = await temporaryDirectory(context)
  const args = ['node', '--rpc-port', '0', '--data', data]
  const child = spawn(join(root, 'bin', 'quorate'), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  cleanUp(context, () => kill(child))
  await once(createInterface({ input: child.stdout }), 'line')
  child.stdout.destroy()
  let log = ''
  child.stderr.on('data', chunk => (log += chunk))
  child.kill('SIGUSR1')
  child.kill('SIGHUP')
  const [code] = await once(child, 'close')
  assert.equal(code, 0, log)
  assert.match(log, /stopping: SIGHUP/)
  assert.doesNotMatch(log, /Debugger|inspector/i)
  assert.ok(!readdirSync(data).includes('rpc.cookie'), 'it left its cookie behind')
})

test('the nodes of a network end when it is killed', async context => {
  const data = await temporaryDirectory(context)
  const args = ['net', '--json', '--nodes', '1', '--data', data]
  const child = spawn(join(root, 'bin', 'quorate'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(context, () => kill(child))
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const { pid } = JSON.parse(String(line)).nodes[0]
  await kill(child)
  const log = (): string => readFileSync(join(data, 'node1', 'node.log'), 'utf8')
  for (const deadline = Date.now() + 30_000; isAlive(pid); ) {
    if (Date.now() > deadline) {
      process.kill(pid, 'SIGKILL')
      assert.fail(`it lives on: ${log()}`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
})

interface Done {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function shell(line: string, env: Readonly<Record<string, string>> = {}): Promise<Done> {
  const surroundings = { ...process.env, QUORATE_HOME: join(folder, 'home'), ...env }
  const path = `${join(root, 'bin')}:${process.env.PATH}`
  const child = spawn('bash', ['-c', line], {
    cwd: folder,
    env: { ...surroundings, PATH: path, UNSET: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  const [code] = await once(child, 'close')
  return { code, out, err }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
