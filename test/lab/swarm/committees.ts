// Runs of networks whose validators agree, as the tests of the simulator make them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAULT_KINDS } from '../../../src/lab/faults/fault-plan.ts'
import { simulate } from '../../../src/lab/swarm/simulation.ts'
import type { SimulationOptions } from '../../../src/lab/swarm/simulation-options.ts'
import type { AgreementResult, SimulationResult } from '../../../src/lab/swarm/simulation-result.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'
import { SenderCache } from '../../../src/signatures/sender-cache.ts'
import { signerRecovery } from '../../../src/signatures/signer-recovery.ts'

const backend = await chooseBackend()
const cache = new SenderCache(backend)
const fileOf = (mode: string): unknown =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', '..', 'genesis', `simulated-${mode}.json`), 'utf8'),
  )

/** The genesis files of the two modes. */
export const COMMITTEE_FILES = { pbft: fileOf('pbft'), hybrid: fileOf('hybrid') } as const

/** Every configuration that is simulated at length: the mode and the pattern. */
export const CONFIGURATIONS = [
  ['pbft', 'all-to-all'],
  ['pbft', 'leader-collected'],
  ['hybrid', 'all-to-all'],
] as const

/** One short run: every fault, 1 to 10 validators and as many liars as they bear, unless told otherwise. */
export function runCommittee(
  mode: keyof typeof COMMITTEE_FILES,
  seed: number,
  changes: Partial<SimulationOptions> = {},
): SimulationResult & { readonly agreement: AgreementResult } {
  const result = simulate({
    seed,
    genesis: COMMITTEE_FILES[mode],
    nodes: 1,
    validators: 'any',
    faults: new Set(FAULT_KINDS),
    adversary: { role: 'all', count: null },
    blocks: 5,
    transfers: 8,
    recoverSender: cache.recoverSender,
    signatures: { recover: signerRecovery(backend), sign: backend.sign },
    ...changes,
  })
  assert.ok(result.agreement !== null)
  return { ...result, agreement: result.agreement }
}

/** One short run of five nodes for which work alone decides, without faults unless told otherwise. */
export function runMined(
  seed: number,
  changes: Partial<SimulationOptions> & Pick<SimulationOptions, 'genesis'>,
): SimulationResult {
  return simulate({
    seed,
    nodes: 5,
    faults: new Set(),
    blocks: 12,
    transfers: 12,
    recoverSender: cache.recoverSender,
    ...changes,
  })
}

/** Says what a run found, with its last events. */
export function assertPass(result: SimulationResult): void {
  assert.equal(result.verdict, 'PASS', `seed ${result.seed}: ${result.reason}\n${result.recent.join('\n')}`)
}
