// `quorate sim`: runs of a whole network in virtual time, each from one seed.
// Many seeds run on all cores; one seed replays a run to the byte.

import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { toHex } from '../chain/bytes.ts'
import { sha256 } from '../chain/hash.ts'
import { FAULT_KINDS, type FaultKind } from '../sim/faults.ts'
import type { SimulationResult, Verdict } from '../sim/simulation.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { packagedGenesis, readGenesis, readJson } from './files.ts'
import { readCount } from './node-option.ts'
import { columns, type Output, table } from './output.ts'
import { createProgress } from './progress.ts'
import type { SimulationSettings } from './sim-worker.ts'

/** The simulator's command. */
export const simCommand = defineCommand({
  command: 'sim',
  describe: 'Run a whole network in virtual time, with faults, from a seed',
  options: {
    genesis: {
      type: 'string',
      describe: 'Genesis file; its work is made easy',
      defaultDescription: 'genesis/simulated.json',
    },
    nodes: { type: 'number', default: 5, describe: 'How many nodes, 1 to 50' },
    faults: {
      type: 'string',
      default: 'none',
      describe: `none, all, or a list of: ${FAULT_KINDS.join(', ')}`,
    },
    seed: {
      type: 'number',
      describe: 'The run to make; the same seed gives the same run',
      defaultDescription: '1',
    },
    seeds: { type: 'string', describe: 'Many runs: A..B' },
    blocks: { type: 'number', default: 30, describe: 'Height at which faults end and the nodes must agree' },
    transfers: { type: 'number', default: 60, describe: 'Transfers that clients hand in' },
    trace: { type: 'boolean', default: false, describe: 'Show the last events even when all is well' },
  },
  examples: [
    ['quorate sim --faults all --seeds 1..500', 'five nodes, every fault, 500 runs'],
    ['quorate sim --faults crash,loss --seed 7 --trace', 'one run, with its last events'],
  ],
  run: async (args, output) => {
    const seeds = readSeeds(args.seed, args.seeds)
    const path = args.genesis ?? packagedGenesis('simulated')
    readGenesis(path)
    const settings: SimulationSettings = {
      genesis: readJson(path),
      nodes: readCount('--nodes', args.nodes, { min: 1, max: 50 }),
      faults: readFaults(args.faults),
      blocks: readCount('--blocks', args.blocks, { min: 1, max: 1_000_000 }),
      transfers: readCount('--transfers', args.transfers, { min: 0, max: 1_000_000 }),
    }
    const started = performance.now()
    const results = await runSeeds(settings, seeds)
    const seconds = (performance.now() - started) / 1000
    if (results.length === 1) reportOne(results[0]!, output, { seconds, isTraceShown: args.trace })
    else reportMany(results, output, seconds)
    return results.every(result => isFine(result.verdict)) ? EXIT.done : EXIT.no
  },
})

/** Runs the seeds on all cores; the results are in the order of the seeds. */
async function runSeeds(settings: SimulationSettings, seeds: readonly number[]): Promise<SimulationResult[]> {
  const isOne = seeds.length === 1
  const progress = createProgress('simulating', isOne ? settings.blocks : seeds.length)
  const results = new Map<number, SimulationResult>()
  const waiting = [...seeds]
  const threads = Math.min(seeds.length, availableParallelism())
  const onHeight = (height: number): void => {
    if (isOne) progress.update(height, 'blocks')
  }
  const onResult = (result: SimulationResult): void => {
    results.set(result.seed, result)
    if (!isOne) progress.update(results.size, describeFailures(results))
  }
  await Promise.all(
    Array.from({ length: threads }, () => runThread(settings, waiting, { onHeight, onResult })),
  )
  progress.end()
  return seeds.map(seed => results.get(seed)!)
}

function runThread(
  settings: SimulationSettings,
  waiting: number[],
  listeners: { onHeight: (height: number) => void; onResult: (result: SimulationResult) => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Written out for each form, because a bundler of the package looks for the name.
    const file = extname(import.meta.filename) === '.ts' ? './sim-worker.ts' : './sim-worker.js'
    const worker = new Worker(new URL(file, import.meta.url), { workerData: settings, execArgv: [] })
    const next = (): void => {
      const seed = waiting.shift()
      if (seed === undefined) void worker.terminate().then(() => resolve())
      else worker.postMessage(seed)
    }
    worker.on('message', (message: SimulationResult | { seed: number; height: number }) => {
      if ('height' in message) return listeners.onHeight(message.height)
      listeners.onResult(message)
      next()
    })
    worker.on('error', reject)
    next()
  })
}

function reportOne(
  result: SimulationResult,
  output: Output,
  { seconds, isTraceShown }: { seconds: number; isTraceShown: boolean },
): void {
  const { recent, ...data } = result
  if (isTraceShown || !isFine(result.verdict)) for (const line of recent) output.note(line)
  const rate = `${Math.round(result.events / seconds)} events/s, ${(result.simulatedMs / 1000 / seconds).toFixed(0)} simulated seconds a second`
  output.data(data, () =>
    table([
      ['verdict', result.reason === null ? result.verdict : `${result.verdict} (${result.reason})`],
      ['seed', String(result.seed)],
      ['trace hash', result.traceHash],
      ['head', `height ${result.headHeight}, final ${result.finalHeight}`],
      ['transfers', `${result.transfers} acknowledged`],
      [
        'faults',
        `${result.crashes} crashes, ${result.reorganisations} reorganisations, the deepest ${result.deepestReorganisation}`,
      ],
      [
        'messages',
        Object.entries(result.messages)
          .map(([type, count]) => `${count} ${type}`)
          .join(', '),
      ],
      ['bytes', String(result.bytes)],
      ['speed', `${result.events} events, ${rate}`],
    ]),
  )
}

function reportMany(results: readonly SimulationResult[], output: Output, seconds: number): void {
  const failed = results.filter(result => !isFine(result.verdict))
  const total = (pick: (result: SimulationResult) => number): number =>
    results.reduce((sum, result) => sum + pick(result), 0)
  const hashes = new TextEncoder().encode(results.map(result => result.traceHash).join(''))
  const messages: Record<string, number> = {}
  for (const result of results) {
    for (const [type, count] of Object.entries(result.messages))
      messages[type] = (messages[type] ?? 0) + count
  }
  const data = {
    verdict: worstOf(results),
    traceHash: toHex(sha256(hashes)),
    seed: `${results[0]!.seed}..${results.at(-1)!.seed}`,
    events: total(result => result.events),
    simulatedMs: total(result => result.simulatedMs),
    headHeight: Math.max(...results.map(result => result.headHeight)),
    finalHeight: Math.max(...results.map(result => result.finalHeight)),
    messages,
    bytes: total(result => result.bytes),
    runs: results.length,
    excused: results.filter(result => result.verdict === 'EXCUSED').length,
    failed: failed.map(({ seed, verdict, reason }) => ({ seed, verdict, reason })),
    crashes: total(result => result.crashes),
    reorganisations: total(result => result.reorganisations),
    deepestReorganisation: Math.max(...results.map(result => result.deepestReorganisation)),
    transfers: total(result => result.transfers),
  }
  output.data(data, () => {
    const summary = table([
      ['verdict', `${data.verdict}: ${results.length - failed.length} of ${results.length} runs hold`],
      ['excused', `${data.excused} met a branch that left theirs below the last final block, and said so`],
      ['trace hash', data.traceHash],
      ['transfers', `${data.transfers} acknowledged`],
      [
        'faults',
        `${data.crashes} crashes, ${data.reorganisations} reorganisations, the deepest ${data.deepestReorganisation}`,
      ],
      [
        'speed',
        `${data.events} events in ${seconds.toFixed(1)} s: ${Math.round(data.events / seconds)} a second, ${(data.simulatedMs / 3_600_000 / (seconds / 60)).toFixed(1)} simulated hours a minute`,
      ],
    ])
    if (failed.length === 0) return summary
    const rows = failed.map(({ seed, verdict, reason }) => [
      String(seed),
      verdict,
      (reason ?? '').split('\n', 1)[0]!,
    ])
    return `${summary}\n\n${columns([['seed', 'verdict', 'reason'], ...rows])}`
  })
}

function describeFailures(results: ReadonlyMap<number, SimulationResult>): string {
  const failed = [...results.values()].filter(result => !isFine(result.verdict)).length
  return failed === 0 ? 'all hold' : `${failed} failed`
}

function isFine(verdict: Verdict): boolean {
  return verdict === 'PASS' || verdict === 'EXCUSED'
}

function worstOf(results: readonly SimulationResult[]): Verdict {
  const order: readonly Verdict[] = ['SAFETY', 'LIVENESS', 'EXCUSED', 'PASS']
  return order.find(verdict => results.some(result => result.verdict === verdict))!
}

function readSeeds(seed: number | undefined, seeds: string | undefined): number[] {
  if (seed !== undefined && seeds !== undefined)
    throw new CommandError(EXIT.usage, 'give --seed or --seeds, not both')
  if (seeds === undefined) return [readCount('--seed', seed ?? 1, { min: 0, max: Number.MAX_SAFE_INTEGER })]
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(seeds)
  const [first, last] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || last < first)
    throw new CommandError(EXIT.usage, `--seeds: expected A..B such as 1..500, got ${seeds}`)
  if (last - first >= 1_000_000) throw new CommandError(EXIT.usage, '--seeds: at most 1000000 at once')
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function readFaults(list: string): Set<FaultKind> {
  if (list === 'none') return new Set()
  if (list === 'all') return new Set(FAULT_KINDS)
  return new Set(
    list.split(',').map(name => {
      const kind = FAULT_KINDS.find(kind => kind === name.trim())
      if (kind === undefined)
        throw new CommandError(
          EXIT.usage,
          `--faults: unknown fault ${name}`,
          `Known: ${FAULT_KINDS.join(', ')}.`,
        )
      return kind
    }),
  )
}
