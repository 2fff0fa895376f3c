// A thread that does nothing but recover the senders of packed signatures, as fast as it can: the reference of
// bench/signatures.ts. Each message is one batch, and the answer is how many senders were found in it.

import { parentPort } from 'node:worker_threads'
import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { PACKED_SIGNATURE_BYTES } from '../../src/signatures/packed.ts'

const port = parentPort!
const backend = await chooseBackend()

port.on('message', (packed: Uint8Array) => {
  let count = 0
  for (let start = 0; start < packed.length; start += PACKED_SIGNATURE_BYTES)
    if (backend.recoverPacked(packed.subarray(start, start + PACKED_SIGNATURE_BYTES)) !== null) count += 1
  port.postMessage(count)
})
