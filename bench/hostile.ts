// What attacks cost a network, and their attacker: for each attack of test/hostile half a minute undisturbed and half a
// minute under attack of the same four validators, each a process of its own, as the attacker is.
//
//   npm run bench -- hostile [--seconds 30] [--only TEXT] [--blocks 2000] [--targets 4] [--json]
//
// --seconds is the length of a half, --only picks the attacks whose names contain the text, --blocks is the length of the
// chain that the network begins with, --targets is how many of the four are attacked: with fewer cores than processes, the
// shares of time that four nodes give to clients of this machine add up to more than there is. On a quiet machine the probe's p99 stays under 100 ms, the longest pause of an event
// loop under 250 ms, and blocks and decisions at 80 % or more of the undisturbed half.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Attack } from '../test/hostile/attack.ts'
import { AttackerProcess } from '../test/hostile/attacker-handle.ts'
import type { ProcessCost } from '../test/hostile/attacker-process.ts'
import { ATTACKS } from '../test/hostile/attacks.ts'
import { type Half, measure } from './hostile/half.ts'
import { BenchNetwork } from './hostile/network.ts'

const TARGETS = { probeP99Ms: 100, pauseMs: 250, share: 0.8 }
/** Seconds between an attack and the next undisturbed half. */
const RECOVERY_SECONDS = 3
/** Seconds that an attack is under way before it is measured. */
const ONSET_SECONDS = 1

const HEADING = [
  row([
    'a stranger that …',
    'probe p50, ms',
    'probe p99, ms',
    'longest pause, ms',
    'blocks',
    'final',
    'memory, MiB',
    'it sent, kB/s',
    'it got, kB/s',
    'its CPU',
    'connections',
    'refused',
    'within the targets',
  ]),
  row(Array.from({ length: 13 }, () => '---')),
].join('\n')

interface Result {
  readonly name: string
  readonly quiet: Half
  /** Null where a node ended, or did not answer any more. */
  readonly attacked: Half | null
  readonly cost: ProcessCost
  readonly seconds: number
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    blocks: { type: 'string', default: '2000' },
    targets: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const chosen = ATTACKS.filter(({ name }) => name.includes(values.only))
if (chosen.length === 0 || !(seconds > 0)) throw new Error('no attack has such a name, or no time is given')

console.error(
  `${chosen.length} attacks, ${2 * seconds} s each; a network makes ${values.blocks} blocks first …`,
)
const results: Result[] = []
let network = await BenchNetwork.start(Number(values.blocks))
try {
  if (!values.json) console.log(HEADING)
  for (const attack of chosen) {
    const result = await run(attack)
    results.push(result)
    if (!values.json) console.log(lineOf(result))
    if (result.attacked !== null && network.isWhole) continue
    await network.close()
    network = await BenchNetwork.start(Number(values.blocks))
  }
} finally {
  await network.close()
}
if (values.json) console.log(JSON.stringify(results, null, 2))

async function run(attack: Attack): Promise<Result> {
  const attacker = await AttackerProcess.start()
  try {
    await sleep(RECOVERY_SECONDS * 1_000)
    const quiet = await measure(network, seconds)
    const beganMs = performance.now()
    attacker.attack(
      network.targets.slice(0, Number(values.targets)).map(target => ({ name: attack.name, target })),
    )
    await sleep(ONSET_SECONDS * 1_000)
    const attacked = await measure(network, seconds).catch(error => {
      console.error(`${attack.name}: ${error instanceof Error ? error.message : error}`)
      return null
    })
    const lasted = (performance.now() - beganMs) / 1_000
    const cost = await attacker.stop()
    return { name: attack.name, quiet, attacked, cost, seconds: lasted }
  } finally {
    attacker.kill()
  }
}

function lineOf({ name, quiet, attacked, cost, seconds: lasted }: Result): string {
  const rate = (bytes: number) => `${(bytes / 1_000 / lasted).toFixed(1)}`
  const spent = [
    rate(cost.bytesSent),
    rate(cost.bytesReceived),
    `${(cost.cpuMs / 10 / lasted).toFixed(0)} %`,
    String(cost.connections),
    String(cost.refusals),
  ]
  if (attacked === null) return row([name, 'a node ended', '', '', '', '', '', ...spent, 'NO'])
  const share = (of: (half: Half) => number) => (of(quiet) === 0 ? 0 : of(attacked) / of(quiet))
  const blocks = share(half => half.blocksPerSecond)
  const final = share(half => half.finalPerSecond)
  const isMet =
    attacked.probeP99Ms < TARGETS.probeP99Ms &&
    attacked.pauseMs < TARGETS.pauseMs &&
    Math.min(blocks, final) >= TARGETS.share
  const pair = (of: (half: Half) => number) => `${of(quiet).toFixed(0)} → ${of(attacked).toFixed(0)}`
  return row([
    name,
    pair(half => half.probeP50Ms),
    pair(half => half.probeP99Ms),
    pair(half => half.pauseMs),
    `${(100 * blocks).toFixed(0)} %`,
    `${(100 * final).toFixed(0)} %`,
    pair(half => half.rssBytes / 2 ** 20),
    ...spent,
    isMet ? 'yes' : 'NO',
  ])
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
