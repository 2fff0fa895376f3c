// Pictures as SVG, drawn by Vega without a browser: a page that holds them needs no script, no network and no fonts, and
// looks the same everywhere.

import type { Config } from 'vega-lite'
import type { Chart } from './figure.ts'

const TEXT = '#292524'
const FAINT = '#e7e5e4'

/** What all pictures have in common. Their names for screen readers stand around them, in the page. */
const LOOK: Config = {
  aria: false,
  background: 'white',
  font: 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  padding: 4,
  axis: {
    domainColor: '#a8a29e',
    gridColor: FAINT,
    labelColor: TEXT,
    labelFontSize: 12,
    tickColor: '#a8a29e',
    titleColor: TEXT,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
  },
  legend: {
    labelColor: TEXT,
    labelFontSize: 12,
    labelLimit: 0,
    orient: 'top',
    symbolOpacity: 1,
    symbolSize: 90,
    symbolStrokeWidth: 2,
    title: null,
  },
  line: { strokeWidth: 2 },
  title: { anchor: 'start', color: TEXT, fontSize: 13, fontWeight: 600, offset: 10 },
  view: { stroke: null },
}

/** A picture as the text of one `svg` element; names inside begin with `prefix`, so that many can stand in one page. */
export async function drawSvg(chart: Chart, prefix: string): Promise<string> {
  // Loaded when something is drawn: no other command should wait for it.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  const view = new View(parse(compile(chart, { config: LOOK }).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return renameIds(svg, prefix)
}

/** Vega numbers what it names through all pictures that it draws: here each begins at one. */
function renameIds(svg: string, prefix: string): string {
  const names = new Map<string, string>()
  const nameOf = (id: string): string => {
    if (!names.has(id)) names.set(id, `${prefix}-${names.size}`)
    return names.get(id)!
  }
  return svg.replaceAll(/\bid="([^"]+)"|url\(#([^)]+)\)/g, (_, id?: string, reference?: string) =>
    id === undefined ? `url(#${nameOf(reference!)})` : `id="${nameOf(id)}"`,
  )
}
