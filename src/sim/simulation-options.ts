// What can be asked of a simulation. Together with the version of the program this is all that a run depends on: the
// same options give the same run, to the byte.

import type { RecoverSender } from '../chain/signature.ts'
import type { Identity } from '../finality/identity.ts'
import type { Adversary } from './adversary.ts'
import type { FaultKind } from './faults.ts'

/** What to simulate. */
export interface SimulationOptions {
  readonly seed: number
  /** The JSON of a genesis file; work that is hard is made easy, and its validators are nodes of the run. */
  readonly genesis: unknown
  readonly nodes: number
  readonly faults: ReadonlySet<FaultKind>
  /** Height at which the first phase ends. */
  readonly blocks: number
  /** Transfers handed in during the first phase. */
  readonly transfers: number
  readonly recoverSender: RecoverSender
  /** Signs and checks votes; the reference unless given. */
  readonly signatures?: Pick<Identity, 'recover' | 'sign'>
  /** The first so many nodes are validators; `any` draws 1 to 10, and the number of nodes. All nodes unless given. */
  readonly validators?: number | 'any'
  /** How votes travel; as the genesis file says unless given. */
  readonly pattern?: string | null
  readonly adversary?: Adversary | null
  /** Lets validators whose votes are lost vote again: a fault that is planted on purpose. */
  readonly mayForgetVotes?: boolean
  /** Called now and then with the height reached. */
  readonly onProgress?: (height: number) => void
}
