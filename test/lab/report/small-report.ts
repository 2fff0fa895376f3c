// A report of as little as can be measured: all experiments are there, with the fewest values and one seed.

import { countReportSteps, type Effort, makeReport, type Report } from '../../../src/lab/report/report.ts'

const SETTINGS = { nodes: 4, transfers: 30, rate: 50, seed: 1 } as const
const EFFORT: Effort = {
  repeat: 1,
  loadTransfers: 60,
  races: 30,
  rates: [50, 'max'],
  latencies: [3, 30],
  blockTimes: [400, 800],
  cuts: [2, 8],
  faults: ['none', 'cut-in-half'],
}

/** The report, the steps of which its progress heard, and how many it should hear of. */
export async function makeSmallReport(): Promise<{ report: Report; steps: number[]; expected: number }> {
  const steps: number[] = []
  const onProgress = (done: number): void => void steps.push(done)
  const report = await makeReport({ settings: SETTINGS, latencyMs: 3, effort: EFFORT, onProgress })
  return { report, steps, expected: countReportSteps({ settings: SETTINGS, effort: EFFORT }) }
}
