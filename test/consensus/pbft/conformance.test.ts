import type { PbftMessage, Statement } from '../../../src/consensus/pbft/messages.ts'
import { describeByzantine } from '../byzantine-conformance.ts'
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
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const SEEDS = Number(process.env.SEEDS ?? 150)

for (const pattern of PATTERNS) {
  describeProtocol(pbftMaker(pattern), {
    sizes: SIZES,
    seeds: Math.ceil(SEEDS / 4),
    calmView: 0,
    effectsMin: 30,
  })
  describeByzantine(pbftMaker(pattern), {
    sizes: SIZES,
    seeds: SEEDS,
    liars: new Map(Object.entries(LIARS)),
    colluding: equivocating,
  })
}
