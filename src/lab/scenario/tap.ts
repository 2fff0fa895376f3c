// What came of scenarios as TAP version 14 (testanything.org): one test point for each scenario, with its expectations
// as a subtest, each followed by a block that says where it stands and what was seen.

import type { Verdict } from './judge.ts'

/** What came of one scenario. */
export interface ScenarioOutcome {
  readonly file: string
  readonly name: string
  readonly expectations: readonly Verdict[]
}

/** The first lines: the version and how many scenarios there are; `notes` say how they are run. */
export function tapHead(scenarios: number, notes: readonly string[]): string {
  return ['TAP version 14', ...notes.map(note => `# ${note}`), `1..${scenarios}`].join('\n')
}

/** The lines of one scenario, the `number`th from 1. */
export function tapScenario({ file, name, expectations }: ScenarioOutcome, number: number): string {
  const lines = [
    `# Subtest: ${name}`,
    `    1..${expectations.length}`,
    ...expectations.flatMap(({ isMet, text, line, saw }, index) => [
      `    ${point(isMet, index + 1, text)}`,
      '      ---',
      `      at: ${JSON.stringify(`${file}:${line}`)}`,
      `      saw: ${JSON.stringify(saw)}`,
      '      ...',
    ]),
    point(
      expectations.every(({ isMet }) => isMet),
      number,
      name,
    ),
  ]
  return lines.join('\n')
}

function point(isOk: boolean, number: number, description: string): string {
  // Written bare they would begin a directive.
  const escaped = description.replaceAll('\\', '\\\\').replaceAll('#', '\\#')
  return `${isOk ? 'ok' : 'not ok'} ${number} - ${escaped}`
}
