// One run of a whole network in virtual time, from one seed.
//
// Two phases, as in TigerBeetle's simulator: first safety, with every fault of the plan, while nodes mine and
// clients pay; then liveness: faults end, and all honest nodes must come to one head that holds every acknowledged
// transfer, and where validators agree, to one final block that does, in bounded time. Whatever rule breaks ends the
// run and names itself; the same seed replays it to the byte.

import { Violation } from '../oracle/violation.ts'
import { assertSimulationOptions } from './check-options.ts'
import { runLiveness } from './liveness-phase.ts'
import { Run } from './run.ts'
import { runSafety } from './safety-phase.ts'
import type { SimulationOptions } from './simulation-options.ts'
import { describeRun, type SimulationResult } from './simulation-result.ts'

/**
 * Runs one simulation to its end, on this thread: seconds of processor time for a small network. Whatever goes wrong in the
 * run is its verdict. Throws `InvalidField` for a genesis file or an option that is none.
 */
export function simulate(options: SimulationOptions): SimulationResult {
  assertSimulationOptions(options)
  const run = new Run(options)
  try {
    runSafety(run)
    runLiveness(run)
  } catch (error) {
    if (error instanceof Violation) {
      const isSafe = error.rule === 'L1' || error.rule === 'L3'
      return describeRun(run, isSafe ? 'LIVENESS' : 'SAFETY', `${error.rule}: ${error.message}`)
    }
    // An assertion of the code under test, or a throw where none may be: a finding that names no rule.
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return describeRun(run, 'ERROR', reason)
  }
  return describeRun(run, 'PASS', null)
}
