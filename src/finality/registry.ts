// The finality modes, and the one that a genesis file chooses by the name it gives as `finality.mode`.
// A new mode is a file in modes/ and an entry here.

import { Fields, InvalidField } from '../encoding/fields.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { Finality } from './contract.ts'
import type { Identity } from './identity.ts'
import { HYBRID } from './modes/hybrid.ts'
import { LONGEST_CHAIN } from './modes/longest-chain.ts'
import type { FinalityGenesis, FinalityMode } from './modes/mode.ts'
import { PBFT } from './modes/pbft.ts'
import { referenceRecover, referenceSign } from './signing.ts'

/** How the layer of one node is made: `createFinality`, or something that puts a wrapper around what that makes. */
export type CreateFinality = (genesis: FinalityGenesis, identity: Identity) => Finality

/** All modes, in the order in which they are listed and compared. */
export const MODES: readonly FinalityMode[] = [LONGEST_CHAIN, HYBRID, PBFT]

/** Every `pattern` that some mode has. */
export const PATTERN_NAMES: readonly string[] = [
  ...new Set(MODES.flatMap(({ protocols }) => [...protocols.keys()])),
]

/** A node that only follows. */
export const NOBODY: Identity = {
  peer: '',
  secretKey: null,
  recover: referenceRecover,
  sign: referenceSign,
  life: 0,
  mayForgetVotes: false,
}

/** The mode with this name, or null. */
export function modeNamed(name: string): FinalityMode | null {
  return MODES.find(mode => mode.name === name) ?? null
}

/** The mode that a network's genesis file chooses. Throws `InvalidField` when it chooses none. */
export function modeOf(genesis: Pick<Genesis, 'finality'>): FinalityMode {
  return takeMode(new Fields('finality', genesis.finality))
}

/** The layer that a network's genesis file chooses. Throws `InvalidField` when it chooses none. */
export function createFinality(genesis: FinalityGenesis, identity: Identity = NOBODY): Finality {
  const settings = new Fields('finality', genesis.finality)
  const mode = takeMode(settings)
  requireWork(genesis, mode.isMined)
  return mode.create(settings, { genesis, identity })
}

function takeMode(settings: Fields): FinalityMode {
  const name = settings.text('mode')
  const mode = modeNamed(name)
  if (mode !== null) return mode
  const known = MODES.map(({ name }) => name).join(', ')
  throw new InvalidField('finality.mode', `expected one of ${known}, got "${name}"`)
}

function requireWork(genesis: FinalityGenesis, isProved: boolean): void {
  if (genesis.work.isProved === isProved) return
  const problem = isProved
    ? 'this mode needs blocks that are mined: give bits, easiestBits and the times'
    : 'this mode has no miners: give {"proof": "none", "futureLimitSeconds": …}'
  throw new InvalidField('work', problem)
}
