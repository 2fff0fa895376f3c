// What can be asked of a simulation. Together with the version of the program this is all that a run depends on: the
// same options give the same run, to the byte.

import type { RecoverSender } from '../../chain/signature.ts'
import type { Identity } from '../../finality/identity.ts'
import type { Adversary } from '../adversary/adversary.ts'
import type { SmallLimits } from '../cluster/small-limits.ts'
import type { FaultEvent } from '../faults/fault-events.ts'
import type { FaultKind, FaultPlan } from '../faults/fault-plan.ts'
import type { LatencyName } from '../network/latency-table.ts'
import type { NetworkRequest } from '../network/network-model.ts'

/** What goes wrong in a run: how messages, clocks and disks suffer all the time, and what happens once each. */
export interface FaultScript {
  readonly plan: FaultPlan
  readonly events: readonly FaultEvent[]
}

/** What to simulate. */
export interface SimulationOptions {
  readonly seed: number
  /** The JSON of a genesis file; work that is hard is made easy, and its validators are nodes of the run. */
  readonly genesis: unknown
  readonly nodes: number
  readonly faults: ReadonlySet<FaultKind>
  /** Height at which the first phase ends. */
  readonly blocks: number
  /** Transfers submitted during the first phase. */
  readonly transfers: number
  readonly recoverSender: RecoverSender
  /** Signs and checks votes; the reference unless given. */
  readonly signatures?: Pick<Identity, 'recover' | 'sign'>
  /** The first so many nodes are validators; `any` draws 1 to 10, and the number of nodes. All nodes unless given. */
  readonly validators?: number | 'any'
  /** How votes travel; as the genesis file says unless given. */
  readonly pattern?: string | null
  readonly adversary?: Adversary | null
  /** Whether one of three miners or more sends blocks that break the rules, beside its honest ones. */
  readonly lyingMiner?: boolean
  /** Whether one of four nodes or more lies about its chain to nodes that catch up. */
  readonly lyingPeer?: boolean
  /** What the network promises; unless given, anything may happen until the faults end, and nothing after that. */
  readonly network?: NetworkRequest | null
  /** How far nodes are from each other; all are close unless given. */
  readonly latency?: LatencyName | null
  /** Bytes a second on each link in each direction; as many as there are unless given. */
  readonly bandwidth?: number | null
  /** Lets validators whose votes are lost vote again: a fault that is planted on purpose. */
  readonly mayForgetVotes?: boolean
  /** How many times as long as the genesis file says validators wait for each other; 1 unless given. */
  readonly timerScale?: number
  /** Transfers in a block at most; as many as the genesis file allows unless given. */
  readonly blockTransactionsMax?: number | null
  /** Bytes of a block at most, and blocks until the reward is halved; as the genesis file says unless given. */
  readonly blockBytesMax?: number | null
  readonly halvingBlocks?: number | null
  /** Blocks by which what is final is behind the head, where work alone decides; as the file says unless given. */
  readonly depth?: number | null
  /** Those limits of the nodes that are small; null for none. */
  readonly limits?: SmallLimits | null
  /** Whether some accounts belong to hostile clients. */
  readonly hostileClients?: boolean
  /** What goes wrong, instead of what the seed would bring about. */
  readonly script?: FaultScript | null
  /** Called now and then with the height reached. */
  readonly onProgress?: (height: number) => void
}
