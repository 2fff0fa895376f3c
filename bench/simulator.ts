// The simulator against a bare loop that hashes as many bytes as the nodes of the run sent, in as many pieces as it had events.

import { readFileSync } from 'node:fs'
import { sha256 } from '../src/chain/hash.ts'
import { FAULT_KINDS } from '../src/lab/faults/fault-plan.ts'
import { simulate } from '../src/lab/swarm/simulation.ts'
import { chooseBackend } from '../src/signatures/choose-backend.ts'
import { SenderCache } from '../src/signatures/sender-cache.ts'
import { signerRecovery } from '../src/signatures/signer-recovery.ts'
import { type Benchmark, compare, threadRate } from './benchmark.ts'

const SIZE = { nodes: 5, blocks: 30, transfers: 60 }
const QUICK_SIZE = { nodes: 2, blocks: 3, transfers: 3 }

/** Events of simulated networks with all faults, each round another seed. */
export const SIMULATOR: Benchmark = {
  name: 'simulator',
  summary: 'events of simulated networks of five nodes with all faults',
  unit: 'events/s',
  reference: 'SHA-256 of the bytes sent',
  isShort: true,
  options: {
    finality: {
      summary: 'longest-chain, pbft or hybrid',
      default: 'longest-chain',
      choices: ['longest-chain', 'pbft', 'hybrid'],
    },
  },
  async run(settings) {
    const genesis = genesisOf(settings.texts.get('finality')!)
    const backend = await chooseBackend()
    const faults = new Set(FAULT_KINDS)
    let seed = 0
    let last = { events: 0, bytes: 0 }
    const run = (): number => {
      const { recoverSender } = new SenderCache(backend)
      const signatures = { recover: signerRecovery(backend), sign: backend.sign }
      const size = settings.isQuick ? QUICK_SIZE : SIZE
      const result = simulate({ seed: ++seed, genesis, faults, recoverSender, signatures, ...size })
      if (result.verdict !== 'PASS') throw new Error(`seed ${seed}: ${result.verdict} ${result.reason}`)
      last = result
      return result.events
    }
    run()
    return compare(settings, {
      subject: () => threadRate(settings, run),
      reference: () => threadRate(settings, () => hashPieces(last)),
    })
  },
}

function genesisOf(finality: string): unknown {
  const file = finality === 'longest-chain' ? 'simulated' : `simulated-${finality}`
  return JSON.parse(readFileSync(new URL(`../genesis/${file}.json`, import.meta.url), 'utf8'))
}

function hashPieces({ events, bytes }: { readonly events: number; readonly bytes: number }): number {
  const piece = new Uint8Array(Math.ceil(bytes / events))
  for (let event = 0; event < events; event++) sha256(piece)
  return events
}
