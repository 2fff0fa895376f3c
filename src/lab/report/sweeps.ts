// What distance, the time between blocks and a network that is not whole do to finality: three sweeps as figures, each
// with the words that belong to it.

import { RATE_DEFAULT } from '../compare/measurement.ts'
import type { SweepResult } from '../sweep/sweep.ts'
import { type Figure, sayEach } from './figure.ts'
import { meansFigure, type Panel, pointOf, sayMeanAlone, variantsOf } from './means.ts'

const MEDIAN: Panel = { title: 'Median until final: seconds', metric: 'finality_p50_ms', by: 1_000 }
const STALE: Panel = { title: 'Stale blocks', metric: 'stale_blocks', by: 1 }
const REVERSED: Panel = { title: 'Final, then reversed: transfers', metric: 'cut_reversed', by: 1 }
const AGAIN: Panel = {
  title: 'Healed until final: seconds',
  metric: 'cut_final_again_ms',
  by: 1_000,
}

/** What distance costs. */
export function delayFigure(sweep: SweepResult): Figure {
  return meansFigure(sweep, {
    id: 'delay',
    heading: 'What does distance cost?',
    finding: `Where a message takes ${sweep.values.at(-1)} ms, the median of the transfers is final after ${sayLast(sweep, MEDIAN)}.`,
    method:
      'Mining waits for no message, and pays with blocks that become stale. A decision takes three message delays, or five where the leader collects the votes. Validators wait for one second, whatever the distance, before they change views: where the delays of a decision come near that, views change though nothing is broken, and most of the time goes there.',
    label:
      'Median seconds until a transfer is final, and stale blocks, against the milliseconds that a message takes, a line for each kind of finality.',
    xTitle: 'milliseconds that a message takes',
    panels: [MEDIAN, STALE],
  })
}

/** What the time between blocks does. */
export function blockTimeFigure(sweep: SweepResult): Figure {
  return meansFigure(sweep, {
    id: 'block-time',
    heading: 'How fast may blocks be?',
    finding: `With a block every ${sweep.values[0]} ms the median of the transfers is final after ${sayAt(sweep, MEDIAN, 0)}; with one every ${sweep.values.at(-1)} ms, after ${sayLast(sweep, MEDIAN)}.`,
    method:
      'Where final means so many blocks deep, finality takes as many times the time between two blocks; a certificate takes one block and the votes on it, and with hybrid the blocks on top of it that they wait for. Blocks that are made faster than they travel become stale.',
    label:
      'Median seconds until a transfer is final, and stale blocks, against the milliseconds between two blocks, a line for each kind of finality.',
    xTitle: 'milliseconds between two blocks',
    panels: [MEDIAN, STALE],
  })
}

/** All kinds of finality on one axis: the time until the network is whole. Which stop, and which reverse? */
export function stabilizationFigure(sweep: SweepResult): Figure {
  return meansFigure(sweep, {
    id: 'gst',
    heading: 'What if the network takes its time to become whole?',
    finding: `After ${sweep.values.at(-1)} seconds in two halves, so many transfers that had been final were reversed: ${sayLast(sweep, REVERSED)}.`,
    method: `The network is cut in half, and so many seconds later it is whole: theory calls that moment the global stabilization time. Before it no protocol has both safety and progress. In the first two seconds of the cut ${pairsOf(sweep)} senders pay twice, once in each half: that many transfers at most can be reversed. Below, the seconds from the healing until something new is final; links that were cut are up again ${sweep.stage.reconnectMs} ms after it, which is most of it where finality had stopped.`,
    label:
      'Transfers that were final and were then reversed, and seconds from the healing until something new is final, against the seconds for which the network was cut in half, a line for each kind of finality.',
    xTitle: 'seconds until the network is whole',
    panels: [REVERSED, AGAIN],
  })
}

function sayLast(sweep: SweepResult, panel: Panel): string {
  return sayAt(sweep, panel, sweep.values.length - 1)
}

/** What came out for each variant at the value with this index. */
function sayAt(sweep: SweepResult, { metric }: Panel, index: number): string {
  const value = sweep.values[index]!
  return sayEach(
    variantsOf(sweep).map(name => `${sayMeanAlone(pointOf(sweep, name, value), metric)} with ${name}`),
  )
}

/** Pairs of transfers that are submitted while the network is cut: see ../compare/network-cut-part.ts. */
function pairsOf({ settings }: SweepResult): number {
  return settings.rate === 'max' ? RATE_DEFAULT : settings.rate
}
