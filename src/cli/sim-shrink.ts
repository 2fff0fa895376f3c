// `quorate sim --shrink` and `--replay`: a failing run made short and kept as a file, and such a file run again. One run
// after the other on one core, for each depends on the last.

import { describeFault } from '../lab/faults/fault-events.ts'
import { ofRegressionFile, toRegressionFile } from '../lab/swarm/regression-file.ts'
import { shrink } from '../lab/swarm/shrink.ts'
import { simulate } from '../lab/swarm/simulation.ts'
import type { SimulationOptions } from '../lab/swarm/simulation-options.ts'
import type { SimulationResult } from '../lab/swarm/simulation-result.ts'
import { drawSwarm } from '../lab/swarm/swarm.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { signerRecovery } from '../signatures/signer-recovery.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { readJson, writeJson } from './files.ts'
import { type Output, table } from './output.ts'
import { createProgress } from './progress.ts'
import type { SimulationSettings } from './sim-worker.ts'

/** Runs that shrinking takes at most. */
const RUNS_MAX = 400

/** Makes the failing run of a seed short, writes it to a file and shows it; without a failure there is nothing to do. */
export async function shrinkSeed(
  { swarm, ...settings }: SimulationSettings,
  seed: number,
  { path, output }: { path: string; output: Output },
): Promise<ExitCode> {
  const drawn = swarm == null ? {} : drawSwarm(seed, swarm)
  const options = { ...settings, ...drawn, seed, ...(await createCryptography()) }
  const progress = createProgress('shrinking', RUNS_MAX)
  const found = shrink(options, {
    simulate,
    runsMax: RUNS_MAX,
    onProgress: (runs, events) => progress.update(runs, `runs, ${events} faults left`),
  })
  progress.end()
  if (found === null) {
    output.note(`seed ${seed} does not fail: there is nothing to shrink`)
    return EXIT.done
  }
  const file = toRegressionFile(found)
  await writeJson(path, file)
  const { events, faults: _faults, options: kept, ...rest } = file
  output.data({ ...rest, path, runs: found.runs, nodes: kept.nodes, transfers: kept.transfers, events }, () =>
    table([
      ['rule', file.rule],
      ['reason', file.reason],
      ['left', `${kept.nodes} nodes, ${kept.transfers} transfers, ${events.length} faults`],
      ...events.map((event): [string, string] => ['fault', describeFault(event)]),
      ['runs', String(found.runs)],
      ['file', `${path}: quorate sim --replay ${path}`],
    ]),
  )
  return EXIT.no
}

/** Makes the run of a regression file again. */
export async function replayFile(path: string): Promise<SimulationResult> {
  const options = ofRegressionFile(readJson(path))
  if (options === null)
    throw new CommandError(
      EXIT.file,
      `${path} is not a shrunk run`,
      'Such files are written by quorate sim --shrink.',
    )
  return simulate({ ...options, ...(await createCryptography()) })
}

async function createCryptography(): Promise<Pick<SimulationOptions, 'recoverSender' | 'signatures'>> {
  const backend = await chooseBackend()
  const { recoverSender } = new SenderCache(backend)
  return { recoverSender, signatures: { recover: signerRecovery(backend), sign: backend.sign } }
}
