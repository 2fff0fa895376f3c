// `quorate compare --all`: every experiment, and one HTML file with all that came out of them. A file that is there
// already is not touched.

import type { LoadSettings } from '../lab/compare/measurement.ts'
import { layOut } from '../lab/report/layout.ts'
import { renderPage } from '../lab/report/page.ts'
import { countReportSteps, EFFORT, makeReport, type Report } from '../lab/report/report.ts'
import { assertNewFile, writeNewFile } from './files.ts'
import { createProgress } from './progress.ts'

/** What is reported, and where. */
export interface ReportRequest {
  readonly settings: LoadSettings
  readonly latencyMs: number
  /** Seeds of each experiment; as many as intervals need at least when null. */
  readonly repeat: number | null
  /** The file, which must not be there yet. */
  readonly path: string
}

/** Runs all of it, with a bar on the way, and writes the file. */
export async function writeReport({ settings, latencyMs, repeat, path }: ReportRequest): Promise<Report> {
  // Not after minutes of work.
  assertNewFile(path)
  const effort = { ...EFFORT, repeat: repeat ?? EFFORT.repeat }
  const progress = createProgress('measuring', countReportSteps({ settings, effort }))
  try {
    const onProgress = (done: number, word: string): void => progress.update(done, word)
    const report = await makeReport({ settings, latencyMs, effort, onProgress })
    await writeNewFile(path, await renderPage(layOut(report)))
    return report
  } finally {
    progress.end()
  }
}
