// What a decision costs: the messages that the simulator counted for committees of several sizes, and the curves of the
// formulas that books give for them.

import type { LogTheory } from '../../consensus/kit.ts'
import { PBFT } from '../../finality/modes/pbft.ts'
import { PBFT_LEADER } from '../stage/variant.ts'
import type { CountedDecision } from '../theory/decisions.ts'
import { THEORY } from '../theory/formulas.ts'
import { type Chart, type Figure, sayEach, sized, tellApart } from './figure.ts'

/** The ways to agree whose messages are counted, and what theory says of them. */
export const COUNTED: ReadonlyMap<string, LogTheory> = new Map([
  [PBFT.name, THEORY.allToAll],
  [PBFT_LEADER, THEORY.leaderCollected],
])
/** The sizes of the committees: 3f + 1 for f = 1, 2, … */
export const SIZES = [4, 7, 10, 13, 16]

/** They look as in the other figures, where two variants come before them. */
const FIRST = 2

/** The messages of a decision among n validators. */
interface CountRow {
  readonly name: string
  readonly n: number
  readonly messages: number | null
}

/** The figure of what was counted. */
export function messagesFigure(counted: readonly CountedDecision[]): Figure {
  const nameOf = (mode: string): string => `${mode}: ${COUNTED.get(mode)!.formula}`
  const names = [...COUNTED.keys()].map(nameOf)
  const drawn = Array.from({ length: SIZES.at(-1)! - SIZES[0]! + 1 }, (_, index) => SIZES[0]! + index)
  const curves = [...COUNTED].flatMap(([mode, { messages }]) =>
    drawn.map(n => ({ name: nameOf(mode), n, messages: messages(n) })),
  )
  const points = counted.map(({ mode, n, messages }) => ({ name: nameOf(mode), n, messages }))
  const isExact = counted.every(({ mode, n, messages }) => messages === COUNTED.get(mode)!.messages(n))
  const largest = counted.filter(({ n }) => n === SIZES.at(-1))
  return {
    id: 'messages',
    heading: 'How many messages does a decision take?',
    finding: `Among ${SIZES.at(-1)} validators ${sayEach(largest.map(({ mode, messages }) => `${messages ?? 'no'} messages with ${mode}`))}: ${isExact ? 'the counts are exactly those of the formulas' : 'the counts are not those of the formulas'}.`,
    method:
      'Lines are the formulas, points the messages that were counted, each receiver once, where nothing is broken. As with Castro and Liskov the proposal is its proposer’s PREPARE too. The command quorate theory counts them too, and the delays.',
    command: null,
    label:
      'Messages of one decision against the number of validators: two curves from the formulas with the measured points on them, one quadratic and one straight.',
    draw: width => drawCounts({ curves, points }, names, width),
    numbers: {
      heads: ['', 'validators', 'by the formula', 'counted', 'message delays'],
      rows: counted.map(({ mode, n, messages, delays }) => [
        mode,
        String(n),
        String(COUNTED.get(mode)!.messages(n)),
        String(messages ?? '–'),
        String(delays ?? '–'),
      ]),
    },
  }
}

/** Validators from left to right, messages from below to above. */
function drawCounts(
  { curves, points }: Record<'curves' | 'points', readonly CountRow[]>,
  names: readonly string[],
  width: number,
): Chart {
  const { color, shape, strokeDash } = tellApart(names, width, FIRST)
  return {
    ...sized(width, 300),
    encoding: {
      x: {
        field: 'n',
        type: 'quantitative',
        scale: { zero: false },
        title: 'validators',
        axis: { values: SIZES },
      },
      y: {
        field: 'messages',
        type: 'quantitative',
        title: 'messages a decision',
        axis: { tickCount: 6 },
      },
      color,
    },
    layer: [
      { data: { values: [...curves] }, mark: 'line', encoding: { strokeDash } },
      {
        data: { values: [...points] },
        mark: { type: 'point', filled: true, size: 90, opacity: 1 },
        encoding: { shape },
      },
    ],
  }
}
