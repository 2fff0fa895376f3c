// The finality layers a genesis file can choose, by the name it gives as `finality.mode`.
// A new layer is one more line here.

import { Fields, InvalidField } from '../chain/fields.ts'
import type { Genesis } from '../chain/genesis.ts'
import type { Finality } from './contract.ts'
import { LongestChain } from './longest-chain.ts'

const MODES: ReadonlyMap<string, (settings: Fields) => Finality> = new Map([
  ['longest-chain', (settings: Fields) => new LongestChain(settings)],
])

/** The layer that a network's genesis file chooses. Throws `InvalidField` when it chooses none. */
export function createFinality(genesis: Pick<Genesis, 'finality'>): Finality {
  const settings = new Fields('finality', genesis.finality)
  const mode = settings.text('mode')
  const create = MODES.get(mode)
  if (create === undefined) {
    throw new InvalidField('finality.mode', `expected one of ${[...MODES.keys()].join(', ')}, got "${mode}"`)
  }
  return create(settings)
}
