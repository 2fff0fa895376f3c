// The finality layers a genesis file can choose, by the name it gives as `finality.mode`.
// A new layer is one more entry here.

import { Fields, InvalidField } from '../encoding/fields.ts'
import type { Genesis } from '../execution/genesis.ts'
import { Committee } from './committee.ts'
import type { Finality } from './contract.ts'
import { MinedCheckpoint } from './hybrid.ts'
import type { Identity } from './identity.ts'
import { LongestChain } from './longest-chain.ts'
import { NextBlock } from './pbft.ts'
import type { Policy } from './policy.ts'
import { takeProtocol } from './protocol.ts'
import { referenceRecover, referenceSign } from './signing.ts'
import { readValidators } from './validators.ts'

/** What a layer is made of: the network, and who this node is in it. */
interface Setup {
  readonly genesis: FinalityGenesis
  readonly identity: Identity
}

/** How the layer of one node is made: `createFinality`, or something that puts a wrapper around what that makes. */
export type CreateFinality = (genesis: FinalityGenesis, identity: Identity) => Finality

/** What of a genesis file a finality layer depends on. */
export type FinalityGenesis = Pick<Genesis, 'finality' | 'work' | 'blocks' | 'block'>

const MODES: ReadonlyMap<string, (settings: Fields, setup: Setup) => Finality> = new Map([
  ['longest-chain', createLongestChain],
  ['hybrid', createHybrid],
  ['pbft', createPbft],
])

/** A node that only follows. */
export const NOBODY: Identity = {
  peer: '',
  secretKey: null,
  recover: referenceRecover,
  sign: referenceSign,
  life: 0,
  mayForgetVotes: false,
}

/** The layer that a network's genesis file chooses. Throws `InvalidField` when it chooses none. */
export function createFinality(genesis: FinalityGenesis, identity: Identity = NOBODY): Finality {
  const settings = new Fields('finality', genesis.finality)
  const mode = settings.text('mode')
  const create = MODES.get(mode)
  if (create === undefined) {
    throw new InvalidField('finality.mode', `expected one of ${[...MODES.keys()].join(', ')}, got "${mode}"`)
  }
  return create(settings, { genesis, identity })
}

function createLongestChain(settings: Fields, { genesis }: Setup): Finality {
  requireWork(genesis, true)
  return new LongestChain(settings)
}

function createHybrid(settings: Fields, setup: Setup): Finality {
  requireWork(setup.genesis, true)
  const depth = settings.integer('depth', { min: 0, max: 1_000 })
  const interval = settings.integer('interval', { min: 1, max: 1_000 })
  return createCommittee(settings, setup, new MinedCheckpoint({ depth, interval }))
}

function createPbft(settings: Fields, setup: Setup): Finality {
  requireWork(setup.genesis, false)
  const intervalMs = settings.integer('intervalMs', { min: 200, max: 3_600_000 })
  const heartbeatSeconds = settings.isNull('heartbeatSeconds')
    ? null
    : settings.integer('heartbeatSeconds', { min: 1, max: 86_400 })
  const { futureLimitSeconds } = setup.genesis.work
  return createCommittee(settings, setup, new NextBlock({ intervalMs, heartbeatSeconds, futureLimitSeconds }))
}

function createCommittee(settings: Fields, { genesis, identity }: Setup, policy: Policy): Finality {
  const validators = readValidators(settings)
  const { pattern, kit } = takeProtocol(settings)
  const timeoutMs = settings.integer('timeoutMs', { min: 50, max: 600_000 })
  settings.end()
  const { chainId } = genesis.blocks
  return new Committee(
    {
      validators,
      pattern,
      kit,
      timeoutMs,
      chainId,
      genesisId: genesis.block.id,
      futureLimitSeconds: genesis.work.futureLimitSeconds,
      identity,
    },
    policy,
  )
}

function requireWork(genesis: FinalityGenesis, isProved: boolean): void {
  if (genesis.work.isProved === isProved) return
  const problem = isProved
    ? 'this mode needs blocks that are mined: give bits, easiestBits and the times'
    : 'this mode has no miners: give {"proof": "none", "futureLimitSeconds": …}'
  throw new InvalidField('work', problem)
}
