// What a report says, and in which order: the words before it, the table, and the figures. What is drawn in each figure is
// that figure's own affair.

import { simulatedStage } from '../compare/stage-kinds.ts'
import { METRICS } from '../sweep/metrics.ts'
import { describeSweep } from '../sweep/report.ts'
import type { SweepResult } from '../sweep/sweep.ts'
import { availabilityFigure } from './availability-figure.ts'
import { compareCommand } from './command.ts'
import { distributionFigure } from './distribution.ts'
import type { NumberTable } from './figure.ts'
import { loadFigure } from './load.ts'
import { meanOf, pointOf, sayMetric, variantsOf } from './means.ts'
import { messagesFigure } from './messages.ts'
import type { Page } from './page.ts'
import type { Report } from './report.ts'
import { reversalFigure } from './reversal.ts'
import { blockTimeFigure, delayFigure, stabilizationFigure } from './sweeps.ts'
import { timelineFigure } from './timeline-figure.ts'

/** The page of a report. */
export function layOut(report: Report): Page {
  const { settings, latencyMs, comparison } = report
  const command = compareCommand({ settings, latencyMs, repeat: comparison.seeds.length }, '--all')
  return {
    title: 'Kinds of finality, compared',
    lead: [
      'The same accounts, transfers, network and faults, and one chain; only what makes a block final differs. All of it is the code that real nodes run, on simulated nodes in virtual time: the same seed gives the same figures to the last digit.',
      describeSweep(comparison, simulatedStage(latencyMs).means(settings)),
    ],
    command,
    summary: summaryOf(comparison),
    figures: [
      distributionFigure(comparison),
      loadFigure(report.load),
      delayFigure(report.delay),
      blockTimeFigure(report.blockTime),
      messagesFigure(report.decisions),
      reversalFigure(report.races),
      stabilizationFigure(report.stabilization),
      availabilityFigure(report.availability),
      ...report.timelines.map(timelineFigure),
    ],
  }
}

/** What the terminal's table says too: a row for each thing that was measured. */
function summaryOf(comparison: SweepResult): NumberTable {
  const names = variantsOf(comparison)
  const measured = METRICS.filter(({ name }) => comparison.points.some(point => meanOf(point, name) !== null))
  return {
    heads: ['', ...names],
    rows: measured.map(({ name: metric, label }) => [
      label,
      ...names.map(name => sayMetric(comparison, pointOf(comparison, name, null), metric)),
    ]),
  }
}
