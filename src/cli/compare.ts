// `quorate compare`: the same transfers through several ways of making blocks final, and what that costs: time,
// messages, work, and what a dead leader or a cut network does.

import { availableContenders, type Contender } from '../compare/contender.ts'
import { runLive } from '../compare/live.ts'
import type { CompareSettings, Measurement, RunContender } from '../compare/measurement.ts'
import { showMeasurements } from '../compare/report.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readCount } from './node-option.ts'
import type { Output } from './output.ts'

/** The command. */
export const compareCommand = defineCommand({
  command: 'compare',
  describe: 'The same transfers through several kinds of finality, with faults, and what each costs',
  options: {
    live: {
      type: 'boolean',
      default: false,
      describe: 'On real processes on this machine, half a minute for each mode',
    },
    nodes: { type: 'number', default: 4, describe: 'How many nodes each network has' },
    transfers: { type: 'number', default: 300, describe: 'Transfers handed in while nothing is broken' },
    rate: { type: 'number', default: 50, describe: 'Transfers handed in a second' },
    seed: { type: 'number', default: 1, describe: 'Names the accounts and the transfers' },
    modes: {
      type: 'string',
      describe: 'What to compare, in this order',
      defaultDescription: 'all that there are',
    },
    faults: { type: 'boolean', default: true, describe: 'Also kill the leader and cut the network in half' },
  },
  examples: [
    ['quorate compare --live', 'all modes, four processes each'],
    ['quorate compare --live --modes longest-chain --no-faults --json', 'one mode, undisturbed, as data'],
  ],
  run: async (args, output) => {
    const contenders = readContenders(args.modes)
    const settings: CompareSettings = {
      nodes: readCount('--nodes', args.nodes, { min: 2, max: 16 }),
      transfers: readCount('--transfers', args.transfers, { min: 1, max: 100_000 }),
      rate: readCount('--rate', args.rate, { min: 1, max: 1_000 }),
      seed: readCount('--seed', args.seed, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      hasFaults: args.faults,
    }
    if (!args.live) throw new CommandError(EXIT.usage, 'the simulator does not compare yet', 'Give --live.')
    const measurements = await runAll(contenders, settings, { run: runLive, output })
    output.data({ settings, contenders: measurements }, () => showMeasurements(measurements))
    return EXIT.done
  },
})

/** One contender after the other, so that they do not take the machine from each other. */
async function runAll(
  contenders: readonly Contender[],
  settings: CompareSettings,
  { run, output }: { readonly run: RunContender; readonly output: Output },
): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const contender of contenders)
    measurements.push(await run(contender, settings, word => output.note(`${contender.name}: ${word}`)))
  return measurements
}

function readContenders(list: string | undefined): Contender[] {
  const available = availableContenders()
  if (list === undefined) return available
  return list.split(',').map(name => {
    const contender = available.find(contender => contender.name === name.trim())
    if (contender !== undefined) return contender
    const known = available.map(({ name }) => name).join(', ')
    throw new CommandError(EXIT.usage, `--modes: unknown mode ${name}`, `Known: ${known}.`)
  })
}
