// What a run has only where validators agree: the oracle of their agreement, what it costs, and how long they may take
// once nothing goes wrong any more.

import { protocolOf } from '../../finality/protocol.ts'
import { Costs } from '../network/costs.ts'
import { AgreementOracle } from '../oracle/agreement-oracle.ts'
import type { NaiveChain } from '../oracle/naive-chain.ts'
import { NaiveVotes } from '../oracle/naive-votes.ts'
import type { Setup } from './setup.ts'

/** The agreement of one run. */
export class Agreement {
  readonly oracle: AgreementOracle
  readonly costs: Costs
  readonly genesisFile: unknown
  /** Milliseconds that validators wait for each other before their patience grows. */
  readonly timeoutMs: number
  /** f, of n validators. */
  readonly faultsTolerated: number
  /** Certificates by which a node that was behind learned that a block is final. */
  pulled = 0
  /** The greatest final height of an honest node when the faults ended. */
  finalHeightAtHeal = 0
  /** Milliseconds from then until all was final; null as long as it is not. */
  recoveryMs: number | null = null

  constructor({ genesis, genesisFile, roster, signatures }: Setup, chain: NaiveChain) {
    const kit = protocolOf(genesis)!
    const votes = new NaiveVotes(genesis, signatures.recover)
    this.costs = new Costs(kit)
    this.oracle = new AgreementOracle(genesis, chain, votes, roster)
    this.genesisFile = genesisFile
    this.timeoutMs = genesis.finality.timeoutMs as number
    this.faultsTolerated = kit.model.tolerated(roster.validators)
  }
}
