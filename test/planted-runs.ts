// The simulator of a copy of the sources, in a process of its own, so that its modules are the copy's as they are now:
// planted-copy.ts starts it, asks for one run after the other, and ends it.

import { readFileSync } from 'node:fs'
import { FAULT_KINDS } from '../src/lab/faults/fault-plan.ts'
import { simulate } from '../src/lab/swarm/simulation.ts'
import type { SimulationOptions } from '../src/lab/swarm/simulation-options.ts'
import { drawSwarm } from '../src/lab/swarm/swarm.ts'
import { chooseBackend } from '../src/signatures/choose-backend.ts'
import { SenderCache } from '../src/signatures/sender-cache.ts'
import { signerRecovery } from '../src/signatures/signer-recovery.ts'

/** A kind of runs, of which a seed names one. */
export interface RunKind {
  readonly name: string
  readonly finality: 'longest-chain' | 'pbft' | 'hybrid'
  /** How votes travel; null as the genesis file says. */
  readonly pattern: string | null
  /** Whether every knob is drawn from the seed; otherwise all faults happen, and as many validators lie as can. */
  readonly isSwarm: boolean
}

/** What the planter asks for. */
export interface RunRequest extends RunKind {
  readonly seed: number
}

/** What it hears: first that runs can be made, then of each run what it found, null for nothing. */
export type RunAnswer = 'ready' | { readonly found: string | null }

/** The verdicts that find nothing, as `quorate sim` has it. */
const FINE: readonly string[] = ['PASS', 'EXCUSED', 'OUTSIDE-MODEL']

const backend = await chooseBackend()
const { recoverSender } = new SenderCache(backend)
const signatures = { recover: signerRecovery(backend), sign: backend.sign }

process.on('message', (request: RunRequest) => say({ found: run(request) }))
say('ready')

function run(request: RunRequest): string | null {
  try {
    const { verdict, reason } = simulate(optionsOf(request))
    return FINE.includes(verdict) ? null : `${verdict} ${reason}`
  } catch (error) {
    // What a run is made of may throw before it is one.
    return `throws ${error}`
  }
}

/** The options that the command line makes of such a run: see planted-faults.ts. */
function optionsOf({ finality, pattern, isSwarm, seed }: RunRequest): SimulationOptions {
  const file = finality === 'longest-chain' ? 'simulated' : `simulated-${finality}`
  const genesis: unknown = JSON.parse(
    readFileSync(new URL(`../genesis/${file}.json`, import.meta.url), 'utf8'),
  )
  const base = { seed, genesis, recoverSender, signatures }
  if (isSwarm) return { ...base, ...drawSwarm(seed, new Map([[finality, genesis]])) }
  const faults = new Set(FAULT_KINDS)
  if (finality === 'longest-chain') return { ...base, faults, nodes: 5, blocks: 30, transfers: 60 }
  const adversary = { role: 'all', count: null } as const
  return { ...base, faults, nodes: 1, validators: 'any', pattern, adversary, blocks: 5, transfers: 8 }
}

function say(answer: RunAnswer): void {
  process.send!(answer)
}
