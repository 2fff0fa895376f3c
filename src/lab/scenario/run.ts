// Runs a scenario on a stage of either kind: performs the events of its timeline at their times, and judges the expectations.
// Nothing here knows whether the nodes are simulated or real processes.

import type { Stage, WithStage } from '../stage/stage.ts'
import { type Variant, variantNamed } from '../stage/variant.ts'
import { createSenders, type PlannedTransfer, Workload } from '../stage/workload.ts'
import { ScenarioClock } from './clock.ts'
import { ScenarioDriver } from './driver.ts'
import { ScenarioJudge, type Verdict } from './judge.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'

/** How a scenario is run. */
export interface ScenarioOptions {
  /** Names accounts, transfers and keys, and the chance of a simulated network. */
  readonly seed: number
  /** By how much longer than the file says what must come true may take: 1 for exactly as long. */
  readonly patience: number
  readonly withStage: WithStage
  /** Reports progress: how many milliseconds of the scenario have passed. */
  readonly onProgress?: (nowMs: number) => void
}

/** Milliseconds between two looks at the network. */
const LOOK_MS = 25

/** Runs a scenario; the verdicts are in the order of its expectations. */
export async function runScenario(scenario: Scenario, options: ScenarioOptions): Promise<Verdict[]> {
  const { seed, withStage } = options
  const senders = createSenders(seed)
  const workload = new Workload(senders, seed)
  // Signed in advance, so that no time of the scenario is spent on it.
  const acts = scenario.events.map(({ atMs, event }): Act => {
    const isDouble = event.type === 'pay' && event.rivalsThrough !== null
    return { atMs, event, planned: event.type === 'pay' ? workload.plan(event.count, { isDouble }) : [] }
  })
  const { nodes, liars, keptOut, isMining } = scenario
  const funded = senders.map(({ address }) => address)
  const parts = { variant: variantOf(scenario), nodes, seed, funded, liars, keptOut, isMining }
  return withStage(parts, stage => play(stage, scenario, acts, options))
}

/** An event with the transfers that it submits. */
interface Act {
  readonly atMs: number
  readonly event: ScenarioEvent
  readonly planned: readonly PlannedTransfer[]
}

async function play(
  stage: Stage,
  scenario: Scenario,
  acts: readonly Act[],
  { patience, onProgress }: ScenarioOptions,
): Promise<Verdict[]> {
  const clock = new ScenarioClock(stage)
  const driver = new ScenarioDriver(stage, scenario)
  const room = { stage, driver, clock, patience }
  const judges = scenario.expectations.map(expectation => new ScenarioJudge(expectation, scenario, room))
  const waiting = [...acts]
  for (;;) {
    while (waiting.length > 0 && waiting[0]!.atMs <= clock.nowMs()) {
      const { event, planned } = waiting.shift()!
      await clock.standStill(() => driver.perform(event, planned))
    }
    const nowMs = clock.nowMs()
    onProgress?.(nowMs)
    for (const judge of judges) await judge.look(nowMs)
    const endMs = Math.max(scenario.endMs, ...judges.map(({ waitsUntilMs }) => waitsUntilMs))
    if (nowMs > endMs && waiting.length === 0) break
    await stage.sleep(Math.min(LOOK_MS, Math.max(1, (waiting[0]?.atMs ?? nowMs + LOOK_MS) - nowMs)))
  }
  await driver.settle()
  const verdicts: Verdict[] = []
  for (const judge of judges) verdicts.push(await judge.verdict())
  return verdicts
}

function variantOf({ mode, pattern }: Scenario): Variant {
  const variant = variantNamed(mode)
  if (pattern === null) return variant
  return {
    ...variant,
    finality: (validators, pace) => ({ ...variant.finality(validators, pace), pattern }),
  }
}
