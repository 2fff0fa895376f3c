import { describeProtocol } from '../conformance.ts'
import { describeCrash } from '../crash-conformance.ts'
import { MULTI_PAXOS_MAKER } from './maker.ts'

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const SEEDS = Number(process.env.SEEDS ?? 150)

// The first ballot is 1, and without faults it is the only one.
describeProtocol(MULTI_PAXOS_MAKER, { sizes: SIZES, seeds: SEEDS, calmView: 1, effectsMin: 25 })
describeCrash(MULTI_PAXOS_MAKER, { faults: [0, 1, 2, 3], seeds: SEEDS })
