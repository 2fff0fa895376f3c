// A recovery thread that fails as a test asks it to, through the environment data of worker_threads: `mode`,
// and in `counters` how many crashes are left, how many signatures the workers were asked for, how many there
// were, and whether one is inside its gate (1) or was (2).

import { getEnvironmentData, parentPort, workerData } from 'node:worker_threads'
import { Gate } from '../../src/signatures/gate.ts'
import { PACKED_SENDER_BYTES, PACKED_SIGNATURE_BYTES } from '../../src/signatures/packed.ts'
import type { ThreadSetup } from '../../src/signatures/recovery-thread.ts'

const port = parentPort!
const mode = getEnvironmentData('mode') as string
const gate = new Gate((workerData as ThreadSetup).gate)
const counters = getEnvironmentData('counters') as Int32Array

Atomics.add(counters, 2, 1)
const crashes = Atomics.sub(counters, 0, 1) > 0
if (crashes && mode === 'throws at once') throw new Error('scripted')

port.on('message', (packed: Uint8Array) => {
  const count = packed.length / PACKED_SIGNATURE_BYTES
  Atomics.add(counters, 1, count)
  if (crashes && mode === 'throws') throw new Error('scripted')
  if (crashes && mode === 'exits') process.exit(0)
  if (crashes && mode === 'never answers') return
  if (crashes && mode === 'takes long') {
    gate.enter()
    Atomics.store(counters, 3, 1)
    const end = performance.now() + 200
    while (performance.now() < end) {}
    Atomics.store(counters, 3, 2)
    gate.leave()
  }
  if (crashes && mode === 'answers too little') return port.postMessage(new Uint8Array(1))
  if (crashes && mode === 'answers nonsense') return port.postMessage({ senders: 1 })
  const senders = new Uint8Array(count * PACKED_SENDER_BYTES)
  // Everything was sent by 0x0101…01: a test can tell this answer from a true one.
  senders.fill(1)
  port.postMessage(senders)
  if (crashes && mode === 'answers twice') port.postMessage(senders)
})
