// Runs one seed of the simulator: four validators under every common fault, one of them lying, and prints the verdict.
// The same seed gives the same run, to the byte.

import { readFileSync } from 'node:fs'
import { recoverSender } from 'quorate/chain'
import { FAULT_KINDS, simulate } from 'quorate/lab'

const file = new URL(import.meta.resolve('quorate/genesis/simulated-pbft.json'))
const seed = Number(process.argv[2] ?? 7)

const result = simulate({
  seed,
  genesis: JSON.parse(readFileSync(file, 'utf8')),
  nodes: 4,
  faults: new Set(FAULT_KINDS),
  adversary: { role: 'equivocate', count: 1 },
  blocks: 5,
  transfers: 8,
  recoverSender,
})

console.log(`seed ${seed}: ${result.verdict}${result.reason === null ? '' : ` (${result.reason})`}`)
console.log(
  `${result.finalHeight} blocks final after ${(result.simulatedMs / 1_000).toFixed(1)} s of virtual time`,
)
console.log(`${result.crashes} crashes, ${result.lostMessages} messages lost, trace ${result.traceHash}`)
process.exitCode = result.verdict === 'PASS' ? 0 : 1
