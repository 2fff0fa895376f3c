// The report of `quorate compare --all`: what its figures say, and the page as people see it: in Debian's Chromium, from a
// file, without a network, in a wide window and on a phone. What was seen is left in test-output/ as screenshots.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { drawSvg } from '../../../src/lab/report/draw.ts'
import { layOut } from '../../../src/lab/report/layout.ts'
import { renderPage } from '../../../src/lab/report/page.ts'
import { METRICS } from '../../../src/lab/sweep/metrics.ts'
import type { SweepResult } from '../../../src/lab/sweep/sweep.ts'
import { THEORY } from '../../../src/lab/theory/formulas.ts'
import { makeSmallReport } from './small-report.ts'

const { report, steps, expected } = await makeSmallReport()
const page = layOut(report)

test('every experiment has its figure, each with a name of its own', () => {
  const ids = page.figures.map(({ id }) => id)
  assert.deepEqual(ids, [
    'finality',
    'load',
    'delay',
    'block-time',
    'messages',
    'reversal',
    'gst',
    'availability',
    'timeline-longest-chain',
    'timeline-hybrid',
    'timeline-pbft',
    'timeline-pbft-leader',
  ])
})

for (const { id, heading, finding, method, label, numbers } of page.figures) {
  test(`the figure ${id} says what came out, and its numbers are a whole table`, () => {
    for (const text of [heading, finding, method, label]) {
      assert.ok(text.length > 10, text)
      assert.doesNotMatch(text, /NaN|undefined|null|Infinity|\[object/)
    }
    assert.ok(numbers.rows.length > 0)
    for (const row of numbers.rows) assert.equal(row.length, numbers.heads.length)
    assert.doesNotMatch(JSON.stringify(numbers), /NaN|undefined|Infinity/)
  })
}

test('a figure is drawn about as wide as it is asked to be, and its names begin with its prefix', async () => {
  for (const { id, draw } of page.figures)
    for (const width of [760, 343]) {
      const svg = await drawSvg(draw(width), `p-${id}`)
      const drawn = Number(/<svg[^>]* width="(\d+)"/.exec(svg)?.[1])
      assert.ok(drawn <= width * 1.1 && drawn > width * 0.6, `${id} at ${width}: ${drawn}`)
      for (const [, name] of svg.matchAll(/\bid="([^"]+)"/g)) assert.ok(name!.startsWith(`p-${id}-`), name)
      assert.doesNotMatch(svg, /NaN/)
    }
})

test('commands name all settings that their figures were made with', () => {
  const commands = page.figures.map(({ command }) => command).filter(command => command !== null)
  assert.equal(
    page.command,
    'quorate compare --all --nodes 4 --transfers 30 --rate 50 --latency 3 --seed 1 --repeat 1',
  )
  assert.deepEqual(commands.slice(0, 3), [
    'quorate compare --nodes 4 --transfers 30 --rate 50 --latency 3 --seed 1 --repeat 1',
    'quorate compare --sweep rate=50,max --no-faults --nodes 4 --transfers 60 --rate 50 --latency 3 --seed 1 --repeat 1',
    'quorate compare --sweep latency=3,30 --no-faults --nodes 4 --transfers 30 --rate 50 --latency 3 --seed 1 --repeat 1',
  ])
})

test('the messages that were counted are those of the formulas', () => {
  assert.equal(report.decisions.length, 10)
  for (const { mode, n, messages } of report.decisions)
    assert.equal(messages, (mode === 'pbft' ? THEORY.allToAll : THEORY.leaderCollected).messages(n))
  assert.match(page.figures.find(({ id }) => id === 'messages')!.finding, /exactly those of the formulas/)
})

test('counts that are not those of the formulas are said to be others', () => {
  const decisions = report.decisions.map(decision => ({ ...decision, messages: decision.messages! + 1 }))
  const { figures } = layOut({ ...report, decisions })
  assert.match(figures.find(({ id }) => id === 'messages')!.finding, /are not those of the formulas/)
})

test('what is said of a cut in half is what was measured', () => {
  const { finding } = page.figures.find(({ id }) => id === 'availability')!
  for (const name of ['hybrid', 'pbft', 'pbft-leader'])
    assert.ok(finding.includes(`with ${name} 0 % become final in time and nothing is reversed`), finding)
  assert.match(finding, /with longest-chain 50 % become final in time and \d+ transfers are reversed/)
})

test('where nothing became final the figures say never, and are drawn all the same', async () => {
  const silent = (sweep: SweepResult): SweepResult => ({
    ...sweep,
    points: sweep.points.map(point => ({
      ...point,
      metrics: Object.fromEntries(METRICS.map(({ name }) => [name, null])),
      measurements: point.measurements.map(measurement => ({
        ...measurement,
        quiet: {
          ...measurement.quiet,
          finalityTimesMs: [],
          finalityMs: null,
          final: 0,
          finalPerSecond: null,
        },
      })),
    })),
  })
  const { figures } = layOut({
    ...report,
    comparison: silent(report.comparison),
    load: silent(report.load),
    delay: silent(report.delay),
  })
  const [finality, load, delay] = figures
  assert.match(finality!.finding, /final after never with longest-chain/)
  assert.match(load!.finding, /: – with longest-chain/)
  assert.match(delay!.finding, /after never with longest-chain/)
  for (const figure of [finality!, load!, delay!])
    assert.doesNotMatch(await drawSvg(figure.draw(760), 'silent'), /NaN|undefined/)
})

test('of several seeds the tables give the interval of the mean, and of runs that forked how many did', () => {
  const sweep = report.delay
  const several: SweepResult = {
    ...sweep,
    seeds: [1, 2],
    points: sweep.points.map(point => ({
      ...point,
      metrics: {
        ...point.metrics,
        finality_p50_ms: { mean: 1_500, halfWidth: 250, runs: 2 },
        cut_forked: { mean: 0.5, halfWidth: 6, runs: 2 },
      },
    })),
  }
  const { figures, summary } = layOut({
    ...report,
    delay: several,
    comparison: { ...several, axis: null, points: several.points.map(point => ({ ...point, value: null })) },
  })
  assert.equal(figures.find(({ id }) => id === 'delay')!.numbers.rows[0]![1], '1.50 ± 0.25 s')
  const forked = summary.rows.find(([label]) => label === 'cut in half: runs that forked')!
  assert.equal(forked[1], '1 of 2')
})

test('a page needs no script and no network, and what is in a text stays text', async () => {
  const html = await renderPage({ ...page, title: '<script>alert("&")</script>' })
  assert.doesNotMatch(html, /<script/)
  assert.doesNotMatch(html.replaceAll('http://www.w3.org/', ''), /https?:\/\//)
  assert.match(html, /<h1>&lt;script&gt;alert\(&quot;&amp;&quot;\)&lt;\/script&gt;<\/h1>/)
})

test('the same report makes the same page to the byte', async () => {
  assert.equal(await renderPage(page), await renderPage(layOut(JSON.parse(JSON.stringify(report)))))
})

test('progress comes to its end, one step after the other', () => {
  assert.deepEqual(
    steps,
    Array.from({ length: expected }, (_, step) => step),
  )
})

// ---- in a browser

const CHROMIUM = process.env.QUORATE_CHROMIUM ?? '/usr/bin/chromium'
const OUTPUT = join(import.meta.dirname, '..', '..', '..', 'test-output')
const WINDOWS = { desktop: { width: 1280, height: 900 }, phone: { width: 375, height: 812 } }
const FIGURES = 12
const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}; QUORATE_CHROMIUM names another`

let browser: Browser
let file: string

before(async () => {
  if (skip !== false) return
  file = join(mkdtempSync(join(tmpdir(), 'quorate-report-')), 'report.html')
  writeFileSync(file, await renderPage(page))
  mkdirSync(OUTPUT, { recursive: true })
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})

after(async () => {
  if (skip !== false) return
  await browser.close()
  rmSync(join(file, '..'), { recursive: true, force: true })
})

/** The page in a window, and what went wrong in it. */
async function open(window: keyof typeof WINDOWS): Promise<{ page: Page; wrong: string[] }> {
  const page = await browser.newPage({ viewport: WINDOWS[window] })
  const wrong: string[] = []
  page.on('console', message => wrong.push(message.text()))
  page.on('pageerror', error => wrong.push(String(error)))
  page.on('request', request => {
    if (!/^(file|data):/.test(request.url())) wrong.push(request.url())
  })
  await page.goto(pathToFileURL(file).href)
  return { page, wrong }
}

for (const window of ['desktop', 'phone'] as const) {
  test(`in a ${window} window every figure is seen, named and whole`, { skip }, async t => {
    const { page, wrong } = await open(window)
    const pictures = page.getByRole('img')
    assert.equal(await pictures.count(), FIGURES, 'hidden pictures have no role')
    for (const picture of await pictures.all()) {
      assert.ok((await picture.getAttribute('aria-label'))!.length > 20)
      const box = await picture.boundingBox()
      assert.ok(box !== null && box.width > 250 && box.height > 100)
      assert.ok(box.x >= 0 && box.x + box.width <= WINDOWS[window].width)
      assert.ok((await picture.locator('path, line').count()) > 10)
    }
    const width = await page.evaluate('document.documentElement.scrollWidth')
    assert.equal(width, WINDOWS[window].width, 'nothing has to be scrolled sideways')
    const path = join(OUTPUT, `report-${window}.png`)
    await page.screenshot({ path, fullPage: true })
    t.diagnostic(path)
    assert.deepEqual(wrong, [])
    await page.close()
  })
}

test('headings lead through the page, and links to their figures', { skip }, async () => {
  const { page } = await open('desktop')
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1)
  assert.equal(await page.getByRole('heading', { level: 2 }).count(), FIGURES + 1)
  for (const link of await page.getByRole('navigation', { name: 'Figures' }).getByRole('link').all()) {
    const target = await link.getAttribute('href')
    const heading = page.locator(`${target} h2`)
    assert.equal(await heading.textContent(), await link.textContent())
  }
  await page.close()
})

test('the numbers of a figure are a table that opens on demand', { skip }, async () => {
  const { page } = await open('phone')
  const figure = page.locator('#messages')
  assert.equal(await figure.getByRole('table').count(), 0)
  await figure.getByText('The numbers').click()
  const table = figure.getByRole('table')
  assert.equal(await table.getByRole('columnheader').count(), 5)
  const last = table.getByRole('row').last().getByRole('cell')
  assert.deepEqual(await last.allTextContents(), ['16', '75', '75', '5'])
  await page.close()
})

test('the text is legible: no letter of a picture is smaller than 9 pixels on a phone', {
  skip,
}, async () => {
  const { page } = await open('phone')
  const smallest =
    await page.evaluate(`Math.min(...[...document.querySelectorAll('.narrow svg')].flatMap(svg => {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
    return [...svg.querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize) * scale)
  }))`)
  assert.ok((smallest as number) >= 9, `${smallest} pixels`)
  await page.close()
})
