// A run as a picture: above, the blocks, each where and when it was made and linked to the one before it, every branch in
// a lane of its own; below, the votes of each validator. Grey is the time for which the network was cut in half.

import { type Chart, type Figure, isNarrow, type Layer, sayEach, type View } from './figure.ts'
import type { TimelineBlock } from './recorder.ts'
import type { Timeline } from './timeline.ts'
import type { TimelineVote } from './votes.ts'

/** Pixels beside a view that its axis takes, and heights of a lane and of a node's votes. */
const MARGIN = 74
const LANE_HEIGHT = 34
const NODE_HEIGHT = 36

const FATES = ['final', 'on the chain', 'left', 'final, then left'] as const
const FATE_COLORS = ['#047857', '#78716c', '#b45309', '#b91c1c']
const FATE_SHAPES = ['square', 'circle', 'triangle-up', 'cross']
const DEEDS = ['proposal', 'prepare', 'commit', 'proof', 'view change', 'reorganisation']
const DEED_COLORS = ['#292524', '#0891b2', '#1d4ed8', '#9333ea', '#b45309', '#b91c1c']

/** The figure of a recorded run. */
export function timelineFigure(run: Timeline): Figure {
  const { variant, seed, faults, nodes } = run
  const blocks = run.blocks.filter(({ parent }) => parent !== null)
  const deepest = Math.max(0, ...run.heads.map(({ depth }) => depth))
  const [cut] = faults
  const during = blocks.filter(
    ({ firstSeenMs }) => cut !== undefined && firstSeenMs >= cut.fromMs && firstSeenMs < cut.toMs,
  )
  return {
    id: `timeline-${variant}`,
    heading: `A run of ${variant}: blocks and votes`,
    finding: sayRun(during, deepest),
    method: `${nodes} nodes, cut in half from second ${secondsOf(cut?.fromMs ?? 0)} to second ${secondsOf(cut?.toMs ?? 0)}, seed ${seed}. Above, each mark is a block, linked to the one before it, a lane for each branch. Below, a row for each node and in it one for each kind of what it said, and where it left blocks that it had followed: ${sayDeeds(deedsOf(run))}. Final means: ${run.finalMeans}.`,
    command: null,
    label: `Blocks of a run of ${variant} over time as a tree, with a lane for each branch, and below it the votes of each of ${nodes} nodes.`,
    draw: width => drawTimeline(run, width),
    numbers: {
      heads: ['block', 'height', 'after', 'made by', 'at', 'final at', ''],
      rows: blocks.map(({ id, height, parent, by, firstSeenMs, finalMs, isStale }) => [
        id,
        String(height),
        parent ?? '',
        by === null ? '' : `n${by + 1}`,
        `${secondsOf(firstSeenMs)} s`,
        finalMs === null ? '–' : `${secondsOf(finalMs)} s`,
        isStale ? 'left' : '',
      ]),
    },
  }
}

function sayRun(during: readonly TimelineBlock[], deepest: number): string {
  const left = during.filter(({ isStale }) => isStale)
  const undone = left.filter(({ finalMs }) => finalMs !== null).length
  const many = (count: number): string => (count === 1 ? 'One block' : `${count} blocks`)
  const made = `${during.length === 0 ? 'No block' : many(during.length)} that some node followed came while the network was cut in half`
  if (left.length === 0) return `${made}${during.length === 0 ? '' : ', and none was left again'}.`
  const lost =
    undone === 0 ? 'none after it had been final' : `${undone} after some node had called them final`
  return `${made}; ${left.length} of them were left again, ${lost}; the deepest reorganisation took back ${deepest}.`
}

/** What was done how often, in words. */
function sayDeeds(deeds: readonly Deed[]): string {
  const counts = DEEDS.map(kind => ({ kind, count: deeds.filter(deed => deed.kind === kind).length }))
  return sayEach(counts.filter(({ count }) => count > 0).map(({ kind, count }) => `${count} × ${kind}`))
}

function drawTimeline(run: Timeline, width: number): Chart {
  const deeds = deedsOf(run)
  return {
    resolve: { scale: { color: 'independent', shape: 'independent' } },
    vconcat:
      deeds.length === 0 ? [drawBlocks(run, width)] : [drawBlocks(run, width), drawDeeds(run, deeds, width)],
  }
}

function drawBlocks(run: Timeline, width: number): View {
  const known = new Map(run.blocks.map(block => [block.id, block]))
  const links = run.blocks.flatMap(({ parent, firstSeenMs, lane }) => {
    const from = parent === null ? undefined : known.get(parent)
    return from === undefined
      ? []
      : [{ x: seconds(from.firstSeenMs), y: from.lane, x2: seconds(firstSeenMs), y2: lane }]
  })
  const squares = run.blocks.map(block => ({
    x: seconds(block.firstSeenMs),
    y: block.lane,
    fate: fateOf(block),
  }))
  const fates = FATES.filter(fate => squares.some(square => square.fate === fate))
  const legend = { columns: isNarrow(width) ? 2 : fates.length }
  const lanes = { domain: [-0.6, run.lanes - 0.4], reverse: true, nice: false, zero: false }
  return {
    width: width - MARGIN,
    height: Math.max(2, run.lanes) * LANE_HEIGHT,
    layer: [
      shade(run, null),
      {
        data: { values: links },
        mark: { type: 'rule', color: '#a8a29e' },
        encoding: {
          x: { field: 'x', type: 'quantitative' },
          x2: { field: 'x2' },
          y: { field: 'y', type: 'quantitative', scale: lanes },
          y2: { field: 'y2' },
        },
      },
      {
        data: { values: squares },
        mark: { type: 'point', filled: true, size: 55, opacity: 1 },
        encoding: {
          x: time(run, null),
          y: {
            field: 'y',
            type: 'quantitative',
            scale: lanes,
            title: 'branches',
            axis: { labels: false, ticks: false, grid: false, domain: false },
          },
          color: {
            field: 'fate',
            type: 'nominal',
            scale: { domain: fates, range: fates.map(fate => FATE_COLORS[FATES.indexOf(fate)]!) },
            legend,
          },
          shape: {
            field: 'fate',
            type: 'nominal',
            scale: { domain: fates, range: fates.map(fate => FATE_SHAPES[FATES.indexOf(fate)]!) },
            legend,
          },
        },
      },
    ],
  }
}

function drawDeeds(run: Timeline, deeds: readonly Deed[], width: number): View {
  const nodes = Array.from({ length: run.nodes }, (_, node) => nameOf(node))
  const seen = DEEDS.filter(deed => deeds.some(({ kind }) => kind === deed))
  return {
    width: width - MARGIN,
    height: run.nodes * NODE_HEIGHT,
    layer: [
      shade(run, 'seconds'),
      {
        data: { values: [...deeds] },
        mark: { type: 'tick', thickness: 1.6, size: (NODE_HEIGHT - 6) / seen.length, opacity: 1 },
        encoding: {
          x: time(run, 'seconds'),
          y: {
            field: 'node',
            type: 'nominal',
            sort: nodes,
            scale: { type: 'band', domain: nodes, padding: 0.15 },
            title: null,
            axis: { ticks: false, domain: false },
          },
          yOffset: { field: 'kind', type: 'nominal', scale: { domain: seen } },
          color: {
            field: 'kind',
            type: 'nominal',
            scale: { domain: seen, range: seen.map(deed => DEED_COLORS[DEEDS.indexOf(deed)]!) },
            legend: { columns: isNarrow(width) ? 2 : seen.length },
          },
        },
      },
    ],
  }
}

/** The time for which something was broken. */
function shade(run: Timeline, title: string | null): Layer {
  const values = run.faults.map(({ fromMs, toMs }) => ({ x: seconds(fromMs), x2: seconds(toMs) }))
  return {
    data: { values },
    mark: { type: 'rect', color: '#e7e5e4', opacity: 0.6 },
    encoding: { x: time(run, title), x2: { field: 'x2' } },
  }
}

function time(run: Timeline, title: string | null) {
  const domain = [0, seconds(run.lastedMs)]
  return {
    field: 'x',
    type: 'quantitative' as const,
    scale: { domain, nice: false },
    title,
    axis: { grid: false, tickCount: 8 },
  }
}

/** What a node did at a moment. */
interface Deed {
  readonly x: number
  readonly node: string
  readonly kind: string
}

function deedsOf({ votes, heads }: Timeline): Deed[] {
  const said = votes.map(vote => ({ x: seconds(vote.ms), node: nameOf(vote.node), kind: kindOf(vote) }))
  const left = heads
    .filter(({ depth }) => depth > 0)
    .map(({ node, ms }) => ({ x: seconds(ms), node: nameOf(node), kind: 'reorganisation' }))
  return [...said, ...left]
}

function kindOf({ role, type }: TimelineVote): string {
  switch (role) {
    case 'proposal':
      return 'proposal'
    case 'departure':
    case 'beginning':
      return 'view change'
    case 'vote':
    case 'certificate':
    case 'checkpoint':
    case 'status':
    case 'other':
      return type
  }
}

function fateOf({ isStale, finalMs }: TimelineBlock): (typeof FATES)[number] {
  if (isStale) return finalMs === null ? 'left' : 'final, then left'
  return finalMs === null ? 'on the chain' : 'final'
}

function nameOf(node: number): string {
  return `n${node + 1}`
}

function seconds(ms: number): number {
  return ms / 1_000
}

function secondsOf(ms: number): string {
  return Number(seconds(ms).toFixed(2)).toString()
}
