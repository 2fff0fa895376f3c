// A recovery thread, the entry file of a worker: packed signatures in, packed senders out, in the order in
// which they came, until its gate is shut. It knows neither transactions nor the cache.

import { parentPort, workerData } from 'node:worker_threads'
import type { RecoveryBackend } from './backend.ts'
import { loadBackend } from './choose-backend.ts'
import { Gate } from './gate.ts'
import { PACKED_SENDER_BYTES, PACKED_SIGNATURE_BYTES, packSender } from './packed.ts'
import type { ThreadSetup } from './recovery-thread.ts'

const port = parentPort!
const setup = workerData as ThreadSetup
const gate = new Gate(setup.gate)
const backend = await load()

// Messages that came before this line have waited in the port.
if (backend !== null) port.on('message', (packed: Uint8Array) => answer(backend, packed))

function answer(backend: RecoveryBackend, packed: Uint8Array): void {
  const count = packed.length / PACKED_SIGNATURE_BYTES
  const senders = new Uint8Array(count * PACKED_SENDER_BYTES)
  for (let index = 0; index < count; index++) {
    const start = index * PACKED_SIGNATURE_BYTES
    const signature = packed.subarray(start, start + PACKED_SIGNATURE_BYTES)
    if (!gate.enter()) return
    try {
      packSender(senders, index, backend.recoverPacked(signature))
    } finally {
      gate.leave()
    }
  }
  port.postMessage(senders, [senders.buffer])
}

/** The back end, or null when the gate was shut before. */
async function load(): Promise<RecoveryBackend | null> {
  if (!gate.enter()) return null
  // The native one is loaded when this call returns; the others may be ended at any time.
  const loading = loadBackend(setup.backend)
  gate.leave()
  const backend = await loading
  if (backend === null) throw new Error(`there is no ${setup.backend} back end in this thread`)
  return backend
}
