/**
 * A mining thread, the entry file of a worker. It waits for jobs; of each it takes slices of the nonce range until
 * none is left, and searches them in chunks of about 20 ms. Between chunks it looks whether the job is over, so a job
 * ends everywhere within a chunk; then the thread falls back to its event loop, where the next job may already wait.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  endJob,
  finishSlices,
  isRunning,
  restWhileRunning,
  SLICE_NONCES,
  type ThreadAnswer,
  type ThreadJob,
  type ThreadSetup,
  takeSlices,
} from './job.ts'
import { createKernel } from './kernel.ts'

const CHUNK_MS = 20

const port = parentPort!
const { throttle, hashes } = workerData as ThreadSetup
const kernel = createKernel()
let slicesPerChunk = 1

port.on('message', mine)

function mine(job: ThreadJob): void {
  const sliceCount = Math.ceil(job.count / SLICE_NONCES)
  while (isRunning(job.progress)) {
    const firstSlice = takeSlices(job.progress, slicesPerChunk)
    if (firstSlice >= sliceCount) return
    const slices = Math.min(slicesPerChunk, sliceCount - firstSlice)
    const startMs = performance.now()
    const nonce = searchSlices(job, firstSlice, slices)
    const tookMs = performance.now() - startMs
    // A slice that holds a nonce is never finished: so the range can't be called exhausted before the nonce is told.
    if (nonce !== null || finishSlices(job.progress, slices) === sliceCount) answer(job, nonce)
    if (slices === slicesPerChunk && nonce === null) adaptChunk(tookMs)
    if (throttle < 1) restWhileRunning(job.progress, tookMs * (1 / throttle - 1))
  }
}

function searchSlices(job: ThreadJob, firstSlice: number, slices: number): number | null {
  const { header, target } = job
  const firstNonce = job.firstNonce + firstSlice * SLICE_NONCES
  const count = Math.min(slices * SLICE_NONCES, job.firstNonce + job.count - firstNonce)
  const nonce = kernel.search({ header, target, firstNonce, count })
  Atomics.add(hashes, 0, BigInt(nonce === null ? count : nonce - firstNonce + 1))
  return nonce
}

function answer({ number, progress }: ThreadJob, nonce: number | null): void {
  if (endJob(progress)) port.postMessage({ number, nonce } satisfies ThreadAnswer)
}

/** Brings the next chunk nearer to its time. It at most doubles, because the first chunks run unoptimised code. */
function adaptChunk(tookMs: number): void {
  const fitting = Math.floor((slicesPerChunk * CHUNK_MS) / tookMs)
  slicesPerChunk = Math.max(1, Math.min(fitting, 2 * slicesPerChunk))
}
