// Runs many seeds of one simulation on all cores, one worker thread per core.
// A worker takes the next seed when it has finished one; the results are in the order of the seeds.

import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isFine, type SimulationResult } from '../lab/swarm/simulation-result.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'
import type { SimulationSettings } from './sim-worker.ts'

/** Runs the seeds, with progress on the terminal. Of many seeds, a failing one is reported as soon as it fails. */
export async function runSeeds(
  settings: SimulationSettings,
  seeds: readonly number[],
  output: Output,
): Promise<SimulationResult[]> {
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
    if (!isOne && !isFine(result.verdict)) {
      progress.end()
      output.note(`seed ${result.seed}: ${result.verdict} (${(result.reason ?? '').split('\n', 1)[0]})`)
    }
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

function describeFailures(results: ReadonlyMap<number, SimulationResult>): string {
  const failed = [...results.values()].filter(result => !isFine(result.verdict)).length
  return failed === 0 ? 'all hold' : `${failed} failed`
}
