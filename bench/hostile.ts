// What attacks cost a network, and their attacker: for each attack of test/hostile half a minute undisturbed and half a
// minute under attack of the same four validators, each a process of its own, as the attacker is.
//
// With fewer cores than processes, the shares of time that four nodes give to clients of this machine add up to more than
// there is: --targets attacks fewer. On a quiet machine the probe's p99 stays under 100 ms, the longest pause of an event
// loop under 250 ms, and blocks and decisions at 80 % or more of the undisturbed half.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attack } from '../test/hostile/attack.ts'
import { AttackerProcess } from '../test/hostile/attacker-handle.ts'
import type { ProcessCost } from '../test/hostile/attacker-process.ts'
import { ATTACKS } from '../test/hostile/attacks.ts'
import { type Benchmark, type Figures, figuresOf, type Settings } from './benchmark.ts'
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

/** Final blocks under attack; a round is an attack. */
export const HOSTILE: Benchmark = {
  name: 'hostile',
  summary: 'final blocks of four validators under each attack of test/hostile, a minute of each',
  unit: 'final/s',
  reference: 'the undisturbed half of each attack',
  isShort: false,
  options: {
    seconds: { summary: 'length of a half', default: 30, quick: 1 },
    only: { summary: 'only the attacks whose names contain this', default: '' },
    blocks: { summary: 'length of the chain that the network begins with', default: 2_000, quick: 20 },
    targets: { summary: 'how many of the four validators are attacked', default: 4 },
  },
  run: runHostile,
}

async function runHostile({ numbers, texts, log }: Settings): Promise<Figures> {
  const only = texts.get('only')!
  const chosen = ATTACKS.filter(({ name }) => name.includes(only))
  if (chosen.length === 0) throw new Error(`no attack has a name with ${only}`)
  const blocks = numbers.get('blocks')!
  const seconds = numbers.get('seconds')!
  const targets = numbers.get('targets')!
  log(`${chosen.length} attacks, ${2 * seconds} s each; a network makes ${blocks} blocks first …`)
  const rounds: [number, number][] = []
  let network = await BenchNetwork.start(blocks)
  try {
    log(HEADING)
    for (const attack of chosen) {
      const result = await attackOnce(network, attack, { seconds, targets })
      rounds.push([result.attacked?.finalPerSecond ?? 0, result.quiet.finalPerSecond])
      log(lineOf(result))
      if (result.attacked !== null && network.isWhole) continue
      await network.close()
      network = await BenchNetwork.start(blocks)
    }
  } finally {
    await network.close()
  }
  return figuresOf(rounds)
}

async function attackOnce(
  network: BenchNetwork,
  attack: Attack,
  { seconds, targets }: { readonly seconds: number; readonly targets: number },
): Promise<Result> {
  const attacker = await AttackerProcess.start()
  try {
    await sleep(RECOVERY_SECONDS * 1_000)
    const quiet = await measure(network, seconds)
    const beganMs = performance.now()
    attacker.attack(network.targets.slice(0, targets).map(target => ({ name: attack.name, target })))
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
