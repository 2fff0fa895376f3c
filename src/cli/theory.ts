// `quorate theory`: what books and papers claim, run and measured on this program's own code, and judged. Its exit code is
// that verdict, so that a build stops when formula and code part.

import { EFFORT, runTheory, showTheory } from '../lab/theory/theory.ts'
import { defineCommand } from './command.ts'
import { terminalColumns } from './compare.ts'
import { EXIT } from './exit-codes.ts'
import { readCount } from './node-option.ts'
import { createProgress } from './progress.ts'

/** The bar is in hundredths. */
const WHOLE = 100

/** The command. */
export const theoryCommand = defineCommand({
  command: 'theory',
  describe: 'Check each theoretical claim that this program depends on: source, measurement, verdict',
  options: {
    seed: { type: 'number', default: 1, describe: 'Seed of the runs; the same seed gives the same figures' },
    races: {
      type: 'number',
      default: EFFORT.races,
      describe: 'Double-spend races at each of twelve settings',
    },
  },
  examples: [['quorate theory', 'all of it in a minute or two; code 1 when a claim fails']],
  run: async (args, output) => {
    const seed = readCount('--seed', args.seed, { min: 0, max: Number.MAX_SAFE_INTEGER })
    const races = readCount('--races', args.races, { min: 100, max: 1_000_000 })
    const progress = createProgress('measuring', WHOLE)
    const onProgress = (share: number, word: string): void => progress.update(Math.floor(share * WHOLE), word)
    try {
      const result = await runTheory({ seed, effort: { ...EFFORT, races }, onProgress })
      progress.end()
      output.data(result, () => showTheory(result, { columns: terminalColumns() }))
      return result.isTrue ? EXIT.done : EXIT.no
    } finally {
      progress.end()
    }
  },
})
