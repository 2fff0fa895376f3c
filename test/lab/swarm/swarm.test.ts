import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMIT_NAMES } from '../../../src/lab/cluster/small-limits.ts'
import { FAULT_KINDS, RARE_FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import { drawSwarm } from '../../../src/lab/swarm/swarm.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { signerRecovery } from '../../../src/signatures/signer-recovery.ts'
import { SIMULATED_FILE } from '../../replica/small-chain.ts'
import { COMMITTEE_FILES } from './committees.ts'

const files = new Map<string, unknown>([
  ['longest-chain', SIMULATED_FILE],
  ['hybrid', COMMITTEE_FILES.hybrid],
  ['pbft', COMMITTEE_FILES.pbft],
])
const backend = await chooseBackend()
const { recoverSender } = new SenderCache(backend)
const signatures = { recover: signerRecovery(backend), sign: backend.sign }
const FINE: ReadonlySet<string> = new Set(['PASS', 'EXCUSED', 'OUTSIDE-MODEL'])

test('a seed draws the same run each time, and two hundred seeds draw every knob both ways', () => {
  const drawn = Array.from({ length: 200 }, (_, seed) => drawSwarm(seed, files))
  assert.deepEqual(drawSwarm(7, files), drawn[7])
  const knobs: Readonly<Record<string, (one: (typeof drawn)[number]) => boolean>> = {
    model: one => one.network !== null,
    distances: one => one.latency !== null,
    'a narrow link': one => one.bandwidth !== null,
    liars: one => one.adversary !== null,
    'a lying miner': one => one.lyingMiner === true,
    'short timers': one => one.timerScale! < 0.5,
    'long timers': one => one.timerScale! > 2,
    'small blocks': one => one.blockTransactionsMax === 1,
    'blocks of few bytes': one => one.blockBytesMax != null && one.blockBytesMax < 2_000,
    'halved rewards': one => one.halvingBlocks != null && one.halvingBlocks < 6,
    'finality that is not deep': one => one.depth != null && one.depth < 12,
    'hostile clients': one => one.hostileClients === true,
    ...Object.fromEntries(
      LIMIT_NAMES.map(name => [
        `small ${name}`,
        (one: (typeof drawn)[number]) => one.limits?.[name] !== undefined,
      ]),
    ),
    followers: one => typeof one.validators === 'number' && one.nodes > one.validators,
    ...Object.fromEntries(
      [...FAULT_KINDS, ...RARE_FAULT_KINDS].map(kind => [
        kind,
        (one: (typeof drawn)[number]) => one.faults.has(kind),
      ]),
    ),
  }
  for (const [name, holds] of Object.entries(knobs)) {
    const count = drawn.filter(holds).length
    assert.ok(count > 0 && count < drawn.length, `${name}: ${count} of ${drawn.length}`)
  }
  for (const file of files.values()) assert.ok(drawn.some(({ genesis }) => genesis === file))
})

const SEEDS = 40

test(`${SEEDS} swarm runs find nothing in healthy code, and most kinds of fault happened`, () => {
  const kinds = new Set<string>()
  for (let seed = 2_001; seed <= 2_000 + SEEDS; seed++) {
    const result = simulate({ ...drawSwarm(seed, files), seed, recoverSender, signatures })
    assert.ok(FINE.has(result.verdict), `seed ${seed}: ${result.reason}\n${result.recent.join('\n')}`)
    for (const { type } of result.script.events) kinds.add(type)
  }
  assert.ok(kinds.size >= 7, [...kinds].join(', '))
})

// Seeds that failed once: of a bug in the node (1058, 1311), or of an oracle that was wrong.
for (const seed of [38, 1058, 1311, 6567, 7556, 11145, 11175])
  test(`seed ${seed}, which failed once, holds`, () => {
    const drawn = drawSwarm(seed, files)
    // The kinds of fault that there were then: another would make other runs of these seeds.
    const faults = new Set([...drawn.faults].filter(kind => kind !== 'strangers'))
    const { verdict, reason } = simulate({ ...drawn, faults, seed, recoverSender, signatures })
    assert.ok(FINE.has(verdict), `${verdict}: ${reason}`)
  })
