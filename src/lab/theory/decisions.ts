// Committees of several sizes in the simulator: how they are made, and what a decision of theirs costs where nothing is
// broken.

import { chooseBackend } from '../../signatures/choose-backend.ts'
import { SenderCache } from '../../signatures/sender-cache.ts'
import { signerRecovery } from '../../signatures/signer-recovery.ts'
import { GENESIS_TIME } from '../attack/header-miner.ts'
import { createGenesis, variantNamed } from '../stage/variant.ts'
import { simulate } from '../swarm/simulation.ts'
import type { SimulationOptions } from '../swarm/simulation-options.ts'
import type { SimulationResult } from '../swarm/simulation-result.ts'

const BLOCKS = 5
const TRANSFERS = 8

/** Runs the simulator with the variant of this name, which has validators; without faults and liars unless the changes say so. */
export type RunCommittee = (
  variant: string,
  changes: Pick<SimulationOptions, 'seed' | 'nodes'> & Partial<SimulationOptions>,
) => SimulationResult

/** What a decision cost on average among n validators; null where none was made. */
export interface CountedDecision {
  readonly mode: string
  readonly n: number
  readonly messages: number | null
  /** Message delays until the last one knew, at most. */
  readonly delays: number | null
}

/** Counts what decisions cost, in committees of these sizes. */
export async function countDecisions(
  {
    seed,
    modes,
    sizes,
  }: { readonly seed: number; readonly modes: readonly string[]; readonly sizes: readonly number[] },
  onStep: (word: string) => void,
): Promise<CountedDecision[]> {
  const run = await createSimulator()
  return modes.flatMap(mode =>
    sizes.map(n => {
      onStep(`messages of ${mode} among ${n}`)
      const { agreement } = run(mode, { seed, nodes: n, validators: n })
      const delays = agreement?.delaysPerDecision?.max ?? null
      return { mode, n, messages: agreement?.messagesPerDecision ?? null, delays }
    }),
  )
}

/** What runs committees. */
export async function createSimulator(): Promise<RunCommittee> {
  const backend = await chooseBackend()
  const { recoverSender } = new SenderCache(backend)
  const recover = signerRecovery(backend)
  return (variant, changes) =>
    simulate({
      genesis: genesisOf(variant),
      faults: new Set(),
      adversary: null,
      blocks: BLOCKS,
      transfers: TRANSFERS,
      recoverSender,
      signatures: { recover, sign: (digest, secretKey) => backend.sign(digest, secretKey) },
      ...changes,
    })
}

/** The simulator puts its own validators in the place of this one. */
function genesisOf(variant: string): unknown {
  const placeholder = { name: 'one', address: `0x${'11'.repeat(20)}` } as const
  const parts = { time: GENESIS_TIME, validators: [placeholder], funded: [], hashesPerBlock: 16 }
  return createGenesis(variantNamed(variant), parts)
}
