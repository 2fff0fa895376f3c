// A thread that simulates seeds: the seeds come in one by one, the results go back.
// Senders are recovered by the fastest back end; the verdict is the same with any.

import { parentPort, workerData } from 'node:worker_threads'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { signerRecovery } from '../signatures/signer-recovery.ts'
import { type SimulationOptions, simulate } from '../sim/simulation.ts'

/** What every seed of a batch has in common. */
export type SimulationSettings = Omit<
  SimulationOptions,
  'seed' | 'recoverSender' | 'signatures' | 'onProgress'
>

const settings = workerData as SimulationSettings
const backend = await chooseBackend()
const { recoverSender } = new SenderCache(backend)
const signatures = { recover: signerRecovery(backend), sign: backend.sign }

parentPort!.on('message', (seed: number) => {
  const onProgress = (height: number): void => parentPort!.postMessage({ seed, height })
  parentPort!.postMessage(simulate({ ...settings, seed, recoverSender, signatures, onProgress }))
})
