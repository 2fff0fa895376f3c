// A thread that simulates seeds: the seeds come in one by one, the results go back.
// Senders are recovered by the fastest back end; the verdict is the same with any.

import { parentPort, workerData } from 'node:worker_threads'
import { simulate } from '../lab/swarm/simulation.ts'
import type { SimulationOptions } from '../lab/swarm/simulation-options.ts'
import { drawSwarm } from '../lab/swarm/swarm.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { signerRecovery } from '../signatures/signer-recovery.ts'

/** What every seed of a batch has in common. */
export interface SimulationSettings
  extends Omit<SimulationOptions, 'seed' | 'recoverSender' | 'signatures' | 'onProgress'> {
  /** The genesis files by kind of finality, where all else is drawn from each seed. */
  readonly swarm?: ReadonlyMap<string, unknown> | null
}

const { swarm, ...settings } = workerData as SimulationSettings
const backend = await chooseBackend()
const { recoverSender } = new SenderCache(backend)
const signatures = { recover: signerRecovery(backend), sign: backend.sign }

parentPort!.on('message', (seed: number) => {
  const drawn = swarm == null ? {} : drawSwarm(seed, swarm)
  const onProgress = (height: number): void => parentPort!.postMessage({ seed, height })
  parentPort!.postMessage(simulate({ ...settings, ...drawn, seed, recoverSender, signatures, onProgress }))
})
