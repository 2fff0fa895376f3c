// All benchmarks, in the order in which they are run.

import type { Benchmark } from './benchmark.ts'
import { HOSTILE } from './hostile.ts'
import { MINER } from './miner.ts'
import { MINING } from './mining.ts'
import { NODE } from './node.ts'
import { RECOVERY } from './recovery.ts'
import { REPLICA } from './replica.ts'
import { SIGNATURES } from './signatures.ts'
import { SIMULATOR } from './simulator.ts'
import { STALL } from './stall.ts'

/** Every benchmark. */
export const BENCHMARKS: readonly Benchmark[] = [
  MINING,
  MINER,
  RECOVERY,
  SIGNATURES,
  SIMULATOR,
  REPLICA,
  NODE,
  STALL,
  HOSTILE,
]
