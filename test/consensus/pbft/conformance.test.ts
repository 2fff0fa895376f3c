import type { PbftMessage, Statement } from '../../../src/consensus/pbft/messages.ts'
import { faultsTolerated } from '../../../src/consensus/quorum.ts'
import { describeProtocol } from '../conformance.ts'
import { forgetful, late, replaying, silent, twins, withholding } from '../liars.ts'
import type { LiarMaker } from '../network.ts'
import { babbling, equivocating, exaggerating, forging, omitting, preempting } from './liars.ts'
import { PATTERNS, pbftMaker } from './maker.ts'

const LIARS: Record<string, LiarMaker<PbftMessage, Statement>> = {
  silent,
  withholding,
  late,
  replaying,
  twins,
  forgetful,
  equivocating,
  forging,
  omitting,
  preempting,
  exaggerating,
  babbling,
}

for (const pattern of PATTERNS)
  describeProtocol(`pbft, ${pattern}`, pbftMaker(pattern), {
    faults: faultsTolerated,
    sizes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    seeds: Number(process.env.SEEDS ?? 150),
    liars: new Map(Object.entries(LIARS)),
    colluding: equivocating,
  })
