// `quorate sim`: runs of a whole network in virtual time, each from one seed.
// Many seeds run on all cores; one seed replays a run to the byte.

import { isFine } from '../lab/swarm/simulation-result.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { SIM_EXAMPLES, simOptions } from './sim-options.ts'
import { reportMany, reportOne } from './sim-report.ts'
import { runSeeds } from './sim-runner.ts'
import { readSeeds, readSettings } from './sim-settings.ts'
import { replayFile, shrinkSeed } from './sim-shrink.ts'
import { neverSeen } from './sim-sometimes.ts'

/** The simulator's command. */
export const simCommand = defineCommand({
  command: 'sim',
  describe: 'Run a whole network in virtual time, with faults, from a seed',
  options: simOptions,
  examples: SIM_EXAMPLES,
  run: async (args, output) => {
    if (args.out !== undefined && !args.shrink) throw new CommandError(EXIT.usage, '--out needs --shrink')
    const seeds = readSeeds(args.seed, args.seeds)
    const started = performance.now()
    if (args.shrink) {
      if (seeds.length !== 1) throw new CommandError(EXIT.usage, '--shrink takes one --seed')
      const path = args.out ?? `regression-${seeds[0]}.json`
      return await shrinkSeed(readSettings(args), seeds[0]!, { path, output })
    }
    const results =
      args.replay === undefined
        ? await runSeeds(readSettings(args), seeds, output)
        : [await replayFile(args.replay)]
    const seconds = (performance.now() - started) / 1000
    if (results.length === 1) reportOne(results[0]!, output, { seconds, isTraceShown: args.trace })
    else reportMany(results, output, seconds)
    const missing = args.require ? neverSeen(results, args.swarm) : []
    for (const text of missing) output.note(`never happened: ${text}`)
    return results.every(result => isFine(result.verdict)) && missing.length === 0 ? EXIT.done : EXIT.no
  },
})
