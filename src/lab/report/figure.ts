// A figure of the report: what is asked, what came out in one sentence, the picture, and the numbers behind it for readers
// who can't see a picture or want to check it. Pictures are Vega-Lite specifications (A. Satyanarayan, D. Moritz,
// K. Wongsuphasawat, J. Heer, "Vega-Lite: A Grammar of Interactive Graphics", 2017), drawn by draw.ts.

import type { TopLevelSpec } from 'vega-lite'

/** What is drawn, without the look that all figures share. */
export type Chart = TopLevelSpec
/** One of several views of a chart that stand below each other. */
export type View = Extract<Chart, { vconcat: unknown }>['vconcat'][number]
/** One of several pictures that lie on each other in one view. */
export type Layer = Extract<Chart, { layer: unknown }>['layer'][number]

/** One figure. */
export interface Figure {
  /** Letters and hyphens: its anchor in the page. */
  readonly id: string
  readonly heading: string
  /** What came out, in a sentence made of the figures. */
  readonly finding: string
  /** What is drawn and how it was measured. */
  readonly method: string
  /** The command that measures it alone; null where there is none. */
  readonly command: string | null
  /** What the picture shows, in words: its accessible name. */
  readonly label: string
  /** The picture in so many pixels of width. */
  readonly draw: (width: number) => Chart
  readonly numbers: NumberTable
}

/** The numbers of a figure. */
export interface NumberTable {
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Told apart by all kinds of eyes, and each by its shape and stroke as well. */
const COLORS = ['#c2410c', '#047857', '#1d4ed8', '#9333ea', '#0e7490', '#be185d', '#4d7c0f', '#57534e']
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down']
const DASHES = [
  [1, 0],
  [7, 3],
  [1, 0],
  [3, 3],
]

/** Whether a picture of so many pixels is for a phone. */
export function isNarrow(width: number): boolean {
  return width < 500
}

/** A picture that is as wide as this, whatever its axes take. */
export function sized(width: number, height: number) {
  return { width, height, autosize: { type: 'fit', contains: 'padding' } } as const
}

/**
 * How the field `name` tells things apart: each has one color, shape and stroke in all figures of the page, by its place
 * in their order, whose first is number `first`.
 */
export function tellApart(names: readonly string[], width: number, first = 0) {
  const domain = [...names]
  const rangeOf = <T>(choices: readonly T[]): T[] =>
    names.map((_, index) => choices[(first + index) % choices.length]!)
  const legend = { columns: isNarrow(width) ? 2 : names.length }
  const by = { field: 'name', type: 'nominal', legend } as const
  return {
    color: { ...by, scale: { domain, range: rangeOf(COLORS) } },
    shape: { ...by, scale: { domain, range: rangeOf(SHAPES) } },
    strokeDash: { ...by, scale: { domain, range: rangeOf(DASHES) } },
  }
}

/** Milliseconds as people say them. */
export function sayMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

/** Names and what is said of each, as the end of a sentence. */
export function sayEach(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
