// The stage for Multi-Paxos.

import { PAXOS_ANATOMY, type PaxosTypes } from '../../../src/consensus/multi-paxos/anatomy.ts'
import { MultiPaxos } from '../../../src/consensus/multi-paxos/multi-paxos.ts'
import { Stage } from '../stage.ts'

export class PaxosStage extends Stage<PaxosTypes> {
  constructor({ n, pipeline = 1 }: { readonly n: number; readonly pipeline?: number }) {
    const times = { timeoutMs: 1000, retransmitMs: 500 }
    super({
      n,
      anatomy: PAXOS_ANATOMY,
      create: (self, application) => new MultiPaxos({ n, self, application, pipeline, ...times }),
    })
  }
}
