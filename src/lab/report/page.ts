// The report as one HTML file that needs nothing else: no script, no network, no font. Every picture is there twice, for a
// wide window and for a phone, and a stylesheet shows one of them; under each are its numbers, which is also what a screen
// reader gets.

import { drawSvg } from './draw.ts'
import type { Figure, NumberTable } from './figure.ts'

/** What a page says. */
export interface Page {
  readonly title: string
  /** Paragraphs before everything else. */
  readonly lead: readonly string[]
  /** The command that makes the same page again. */
  readonly command: string
  readonly summary: NumberTable
  readonly figures: readonly Figure[]
}

/** Pixels of the pictures: in a wide window, and on a phone. */
const WIDE = 760
const NARROW = 343

const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fafaf9; color: #292524; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: ${WIDE + 72}px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 40px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 12px; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 4px; }
p { margin: 0 0 12px; max-width: 70ch; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 16px 0 28px; list-style: none; }
a { color: #1d4ed8; }
section { background: white; border: 1px solid #e7e5e4; border-radius: 8px; padding: 20px; margin: 0 0 20px; }
.finding { font-size: 1.05rem; }
.method { color: #57534e; font-size: 0.9rem; }
code { font: 0.85em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; background: #f5f5f4; padding: 2px 5px; border-radius: 4px; overflow-wrap: anywhere; }
figure { margin: 12px 0; }
svg { display: block; max-width: 100%; height: auto; }
.narrow { display: none; }
summary { cursor: pointer; color: #1d4ed8; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; margin: 10px 0; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid #e7e5e4; vertical-align: top; }
thead th { border-bottom: 2px solid #a8a29e; }
td { white-space: nowrap; }
tbody th { font-weight: normal; color: #57534e; min-width: 8em; }
footer { color: #57534e; font-size: 0.9rem; padding-bottom: 40px; }
@media (max-width: 640px) {
  .wide { display: none; }
  .narrow { display: block; }
  section { padding: 16px 12px; margin-left: -8px; margin-right: -8px; }
  th, td { padding-right: 8px; }
  #summary td { white-space: normal; }
  #summary tbody th { min-width: 5em; }
}
@media print { section { break-inside: avoid; } details { display: none; } }
`

/** The text of the file. */
export async function renderPage({ title, lead, command, summary, figures }: Page): Promise<string> {
  const sections = await Promise.all(figures.map(renderFigure))
  const links = figures.map(({ id, heading }) => `<li><a href="#${id}">${escapeHtml(heading)}</a></li>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
${lead.map(text => `<p>${escapeHtml(text)}</p>`).join('\n')}
<nav aria-label="Figures"><ul>
${links.join('\n')}
</ul></nav>
</header>
<main>
<section id="summary" aria-labelledby="summary-heading">
<h2 id="summary-heading">At a glance</h2>
${renderTable(summary, 'At a glance')}
</section>
${sections.join('\n')}
</main>
<footer><p>Made by <code>${escapeHtml(command)}</code>, which makes the same page again.</p></footer>
</body>
</html>
`
}

async function renderFigure({
  id,
  heading,
  finding,
  method,
  command,
  label,
  draw,
  numbers,
}: Figure): Promise<string> {
  const pictures = await Promise.all(
    (
      [
        ['wide', WIDE],
        ['narrow', NARROW],
      ] as const
    ).map(async ([name, width]) => {
      const svg = await drawSvg(draw(width), `${id}-${name}`)
      const named = svg.replace('<svg ', `<svg role="img" aria-label="${escapeHtml(label)}" `)
      return `<div class="${name}">${named}</div>`
    }),
  )
  return `<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${escapeHtml(heading)}</h2>
<p class="finding">${escapeHtml(finding)}</p>
<figure>
${pictures.join('\n')}
</figure>
<p class="method">${escapeHtml(method)}</p>
${command === null ? '' : `<p class="method">Alone: <code>${escapeHtml(command)}</code></p>`}
<details><summary>The numbers</summary>
${renderTable(numbers, `The numbers: ${heading}`)}
</details>
</section>`
}

function renderTable({ heads, rows }: NumberTable, name: string): string {
  const cells = heads.map(head => `<th scope="col">${escapeHtml(head)}</th>`).join('')
  const lines = rows.map(([first = '', ...rest]) => {
    const others = rest.map(cell => `<td>${escapeHtml(cell)}</td>`).join('')
    return `<tr><th scope="row">${escapeHtml(first)}</th>${others}</tr>`
  })
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(name)}"><table><thead><tr>${cells}</tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table></div>`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
