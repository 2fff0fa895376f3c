// `quorate scenario`: runs scenario files in the simulator or on real processes, and checks their expectations. The
// answer is TAP, which any harness can read.

import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stdout } from 'node:process'
import { parseScenario } from '../lab/scenario/parser.ts'
import { runScenario } from '../lab/scenario/run.ts'
import type { Scenario } from '../lab/scenario/scenario.ts'
import { type ScenarioOutcome, tapHead, tapScenario } from '../lab/scenario/tap.ts'
import { InvalidScenario } from '../lab/scenario/words.ts'
import { onLiveStage } from '../lab/stage/live-stage.ts'
import { LATENCY_MS, onSimulatedStage } from '../lab/stage/simulated-stage.ts'
import type { WithStage } from '../lab/stage/stage.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readText } from './files.ts'
import { LINK_LIMITS } from './link-option.ts'
import { readCount } from './node-option.ts'
import { columns } from './output.ts'
import { createProgress } from './progress.ts'

/** The ending of scenario files. */
const SUFFIX = '.scenario'
const SHIPPED = join(import.meta.dirname, '..', '..', 'scenarios')
const SECOND_MS = 1_000
/** Default factor by which the deadlines of a file are stretched on real processes. */
const PATIENCE_LIVE = 2
const PATIENCE_MAX = 20

const runCommand = defineCommand({
  command: 'run [files..]',
  describe: 'Run scenarios and report each expectation; by default all that come with quorate',
  positionals: {
    files: {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'Scenario files, or names of those that come with quorate',
    },
  },
  options: {
    live: {
      type: 'boolean',
      default: false,
      describe: 'Use real processes on this machine, in real time, in place of the simulator',
    },
    seed: {
      type: 'number',
      default: 1,
      describe: 'Seed of the transfers, and of the randomness of a simulated run',
    },
    patience: {
      type: 'number',
      describe: 'Factor by which deadlines are stretched, counted from the last event before each',
      defaultDescription: `${PATIENCE_LIVE} with --live, 1 in the simulator`,
    },
  },
  examples: [
    [
      'quorate scenario run',
      'all that come with quorate, in the simulator; the same seed gives the same run',
    ],
    ['quorate scenario run late-joiner --live', 'one of them on real processes'],
    ['quorate scenario run mine.scenario --seed 7', 'one of your own; scenarios/README.md has the grammar'],
  ],
  run: async ({ files, live, seed: givenSeed, patience: givenPatience }, output) => {
    const paths = files.length === 0 ? shippedPaths() : files.map(findPath)
    const scenarios = paths.map(file => ({ file, scenario: readScenario(file) }))
    const seed = readCount('--seed', givenSeed, { min: 0, max: Number.MAX_SAFE_INTEGER })
    const patience = readPatience(givenPatience ?? (live ? PATIENCE_LIVE : 1))
    if (live) for (const { file, scenario } of scenarios) assertBearable(file, scenario)
    const stage = live ? 'live' : 'simulator'
    if (!output.isJson) say(tapHead(scenarios.length, [`on ${stage}, seed ${seed}, patience ${patience}`]))
    const outcomes: (ScenarioOutcome & { readonly says: string })[] = []
    for (const [index, { file, scenario }] of scenarios.entries()) {
      if (live && scenario.lossRate > 0 && !output.isJson)
        say('# what is lost is sent again, as TCP does, and is late; in the simulator it is gone')
      const { name, says } = scenario
      const expectations = await runOne(scenario, { seed, patience, withStage: stageOf(scenario, live) })
      const outcome = { file: shortPath(file), name, says, expectations }
      outcomes.push(outcome)
      if (!output.isJson) say(tapScenario(outcome, index + 1))
    }
    if (output.isJson) output.data({ stage, seed, patience, scenarios: outcomes }, () => '')
    const isAllMet = outcomes.every(({ expectations }) => expectations.every(({ isMet }) => isMet))
    return isAllMet ? EXIT.done : EXIT.no
  },
})

const listCommand = defineCommand({
  command: 'list',
  describe: 'The scenarios that come with quorate',
  run: async (_args, output) => {
    const all = shippedPaths().map(file => {
      const { name, says, nodes, mode, endMs } = readScenario(file)
      return {
        name: basename(file, SUFFIX),
        title: name,
        says,
        nodes,
        finality: mode,
        seconds: endMs / SECOND_MS,
      }
    })
    output.data(all, () =>
      columns([
        ['name', 'nodes', 'finality', 'seconds', 'shows'],
        ...all.map(({ name, nodes, finality, seconds, title }) => [
          name,
          String(nodes),
          finality,
          String(seconds),
          title,
        ]),
      ]),
    )
    return EXIT.done
  },
})

/** The commands about scenarios. */
export const scenarioCommand = defineGroup('scenario', 'What a file tells, done to a network and judged', [
  runCommand,
  listCommand,
])

async function runOne(
  scenario: Scenario,
  options: { readonly seed: number; readonly patience: number; readonly withStage: WithStage },
): Promise<ScenarioOutcome['expectations']> {
  const progress = createProgress(scenario.name, Math.ceil(scenario.endMs / SECOND_MS))
  try {
    const onProgress = (nowMs: number): void => progress.update(Math.floor(nowMs / SECOND_MS), 'seconds')
    return await runScenario(scenario, { ...options, onProgress })
  } finally {
    progress.end()
  }
}

function stageOf({ latencyMs, lossRate }: Scenario, isLive: boolean): WithStage {
  if (!isLive) return onSimulatedStage({ latencyMs: latencyMs ?? LATENCY_MS, lossRate })
  return onLiveStage({
    ...(latencyMs === null ? {} : { latencyMs }),
    ...(lossRate === 0 ? {} : { lossRate }),
  })
}

/** Ends the command when real nodes could not get to know each other over links as slow as these. */
function assertBearable(file: string, { latencyMs }: Scenario): void {
  if (latencyMs === null || latencyMs <= LINK_LIMITS.latencyMs) return
  throw new CommandError(
    EXIT.usage,
    `${file}: with --live a latency of at most ${LINK_LIMITS.latencyMs} ms, not ${latencyMs}`,
    'Real nodes give up a handshake that takes ten seconds; the simulator bears any latency.',
  )
}

function say(text: string): void {
  stdout.write(`${text}\n`)
}

function readPatience(patience: number): number {
  if (patience >= 1 && patience <= PATIENCE_MAX) return patience
  throw new CommandError(
    EXIT.usage,
    `--patience: expected a number from 1 to ${PATIENCE_MAX}, got ${patience}`,
  )
}

function shippedPaths(): string[] {
  const names = readdirSync(SHIPPED).filter(name => name.endsWith(SUFFIX))
  return names.toSorted().map(name => join(SHIPPED, name))
}

/** A file's path as it is, or of the one that comes with quorate under this name. */
function findPath(given: string): string {
  return shippedPaths().find(path => basename(path, SUFFIX) === given) ?? given
}

function shortPath(path: string): string {
  return path.startsWith(SHIPPED) ? `scenarios/${basename(path)}` : path
}

/** Ends the command, naming file and line, when there is no scenario in it. */
function readScenario(path: string): Scenario {
  const text = readText(path, 'quorate scenario list names those that come with quorate.')
  try {
    return parseScenario(text)
  } catch (error) {
    if (!(error instanceof InvalidScenario)) throw error
    throw new CommandError(
      EXIT.file,
      `${path} is not a scenario: ${error.message}`,
      'scenarios/README.md has the grammar; quorate scenario list names examples.',
    )
  }
}
