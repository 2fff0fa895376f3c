// `quorate genesis` for networks with validators, and the options of a validator's node, as people mistype them.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { keyOf } from '../finality/test-validators.ts'
import { runInProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-genesis-'))
after(() => rmSync(folder, { recursive: true }))
const quorateFile = join(import.meta.dirname, '..', '..', 'bin', 'quorate')
const genesisOf = (name: string) => join(import.meta.dirname, '..', '..', 'genesis', `${name}.json`)

function quorate(...args: readonly string[]) {
  const env = { ...process.env, QUORATE_HOME: folder }
  const { status, stdout, stderr } = spawnSync(quorateFile, args, {
    cwd: folder,
    encoding: 'utf8',
    env,
    timeout: 30_000,
  })
  return { code: status, out: stdout, err: stderr }
}

const here = (...args: readonly string[]) => runInProcess(args, { folder, env: { QUORATE_HOME: folder } })

const validators = ['ada', 'ben', 'cem', 'dua'].map(name => `${name}=${addressOfSecretKey(keyOf(name))}`)
const among = (count: number) => validators.slice(0, count).flatMap(entry => ['--validator', entry])

test('genesis new makes a network of validators, and show says what it bears', () => {
  const made = quorate(
    'genesis',
    'new',
    'four.json',
    '--finality',
    'pbft',
    '--pattern',
    'leader-collected',
    ...among(4),
    '--for-tests',
    '--heartbeat',
    '0',
  )
  assert.equal(made.code, 0, made.err)
  const { finality, forTests, work } = JSON.parse(readFileSync(join(folder, 'four.json'), 'utf8'))
  assert.equal(forTests, true)
  assert.equal(work.proof, 'none')
  assert.deepEqual(
    [finality.pattern, finality.heartbeatSeconds, finality.validators.length],
    ['leader-collected', null, 4],
  )
  const shown = quorate('genesis', 'show', 'four.json')
  assert.equal(shown.out, made.out)
  assert.match(shown.out, /^validator {3}ada {2}0x/m)
  assert.match(shown.out, /^quorum {6}3 of 4; f = 1: up to 1 may lie or be down$/m)
  const json = JSON.parse(quorate('genesis', 'show', 'four.json', '--json').out)
  assert.deepEqual([json.quorum, json.faultsTolerated, json.validators[0].name], [3, 1, 'ada'])
})

test('fewer than four validators are allowed, and show does not pretend that they bear a liar', async () => {
  for (const [count, says] of [
    [1, /^quorum +1 of 1; no liar is tolerated \(that takes 4\), and finality stops when it is down$/m],
    [
      3,
      /^quorum +3 of 3; no liar is tolerated \(that takes 4\), and finality stops when any of them is down$/m,
    ],
  ] as const) {
    const made = await here('genesis', 'new', `few${count}.json`, '--finality', 'hybrid', ...among(count))
    assert.equal(made.code, 0, made.err)
    assert.match(made.out, says)
  }
})

const MISTAKES: readonly [says: string, args: readonly string[], message: RegExp][] = [
  ['no validators', ['--finality', 'pbft'], /pbft needs validators: give --validator NAME=ADDRESS/],
  ['validators of the longest chain', among(1), /--validator: not for longest-chain/],
  [
    'a heartbeat of miners',
    ['--finality', 'hybrid', '--heartbeat', '3', ...among(1)],
    /--heartbeat: not for hybrid/,
  ],
  ['a depth without miners', ['--finality', 'pbft', '--depth', '3', ...among(1)], /--depth: not for pbft/],
  [
    'a target without miners',
    ['--finality', 'pbft', '--bits', '0x1f00ffff', ...among(1)],
    /--bits: not for pbft/,
  ],
  [
    'half a validator',
    ['--finality', 'pbft', '--validator', 'ada'],
    /--validator: expected NAME=ADDRESS, got ada/,
  ],
  ['one twice', ['--finality', 'pbft', ...among(1), ...among(1)], /validators\[1\]\.name: given twice/],
  [
    'a short timeout',
    ['--finality', 'pbft', '--timeout', '1', ...among(1)],
    /--timeout: expected a whole number from 50/,
  ],
]
for (const [says, args, message] of MISTAKES) {
  test(`genesis new: ${says} is refused and nothing is written`, async () => {
    const done = await here('genesis', 'new', 'wrong.json', ...args)
    assert.equal(done.code, 2, done.out)
    assert.match(done.err, message)
    assert.throws(() => readFileSync(join(folder, 'wrong.json')), { code: 'ENOENT' })
  })
}

/** Key files: of the well-known test account, which genesis/pbft.json names, and of a stranger; for their owner alone. */
function keyFile(name: string, secretKey: string, mode = 0o600): string {
  const path = join(folder, name)
  const address = addressOfSecretKey(Buffer.from(secretKey.slice(2), 'hex'))
  writeFileSync(path, JSON.stringify({ address, secretKey }), { mode })
  return path
}
const known = keyFile('known.key', '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
const stranger = keyFile('stranger.key', toHex(keyOf('stranger')))
const open = keyFile('open.key', toHex(keyOf('open')), 0o644)

const WRONG_NODES: readonly [says: string, args: readonly string[], code: number, message: RegExp][] = [
  [
    'a stranger’s key',
    ['pbft', '--validator', stranger],
    3,
    /belongs to no validator of pbft: its address is 0x.*\n {2}The genesis file names one/,
  ],
  ['a key that others can read', ['pbft', '--validator', open], 3, /others can read .*\n {2}Run: chmod 600/],
  [
    'a network without validators',
    ['local', '--validator', known],
    2,
    /local has no validators, its finality is longest-chain/,
  ],
  ['votes without a key', ['pbft', '--forget-votes'], 2, /--forget-votes is for a validator/],
  ['lies without a key', ['pbft', '--byzantine', 'silent'], 2, /--byzantine is for a validator/],
  [
    'mining without miners',
    ['pbft', '--mine', `0x${'1'.repeat(40)}`],
    2,
    /pbft has no miners; its validators make the blocks/,
  ],
  ['links too slow for a handshake', ['pbft', '--latency', '501'], 2, /--latency: expected .* from 0 to 500/],
  ['links that lose nearly all', ['pbft', '--loss', '51%'], 2, /--loss: expected at most 50%, got 51%/],
]
for (const [says, [network, ...args], code, message] of WRONG_NODES) {
  test(`node: ${says}: one line of cause, one of remedy, code ${code}`, async () => {
    const done = await here('node', '--genesis', genesisOf(network!), '--rpc-port', '0', ...args)
    assert.deepEqual({ code: done.code, out: done.out }, { code, out: '' }, done.err)
    assert.match(done.err, message)
    assert.ok(done.err.trimEnd().split('\n').length <= 2, done.err)
  })
}

for (const [what, option, value] of [
  ['lies', '--byzantine', 'forge'],
  ['slow links', '--latency', '20'],
  ['lossy links', '--loss', '2%'],
] as const) {
  test(`node: ${what} are refused where the genesis file does not say that the network is for tests`, () => {
    const path = join(folder, 'real.json')
    const { forTests, ...real } = JSON.parse(readFileSync(genesisOf('pbft'), 'utf8'))
    assert.equal(forTests, true)
    writeFileSync(path, JSON.stringify(real))
    const done = quorate('node', '--genesis', path, '--validator', known, option, value, '--rpc-port', '0')
    assert.equal(done.code, 2)
    assert.match(done.err, new RegExp(`${option}: pbft is not a network for tests`))
  })
}
