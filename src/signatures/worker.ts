// A recovery thread, the entry file of a worker: packed signatures in, packed senders out, in the order in
// which they came. It knows neither transactions nor the cache.

import { parentPort, workerData } from 'node:worker_threads'
import type { BackendName, RecoveryBackend } from './backend.ts'
import { loadBackend } from './choose-backend.ts'
import { PACKED_SENDER_BYTES, PACKED_SIGNATURE_BYTES, packSender } from './packed.ts'

const port = parentPort!
const name = workerData as BackendName
const backend = await loadBackend(name)
if (backend === null) throw new Error(`there is no ${name} back end in this thread`)

// Messages that came before this line have waited in the port.
port.on('message', (packed: Uint8Array) => {
  const senders = recoverBatch(backend, packed)
  port.postMessage(senders, [senders.buffer])
})

function recoverBatch(backend: RecoveryBackend, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = packed.length / PACKED_SIGNATURE_BYTES
  const senders = new Uint8Array(count * PACKED_SENDER_BYTES)
  for (let index = 0; index < count; index++) {
    const start = index * PACKED_SIGNATURE_BYTES
    packSender(senders, index, backend.recoverPacked(packed.subarray(start, start + PACKED_SIGNATURE_BYTES)))
  }
  return senders
}
