// Makes a failing run short: leaves out what it does not need to fail, as long as it fails by the same rule. First what
// messages, clocks and disks suffer all the time, lies of a miner and clients that mean harm, then the single faults (by halves, quarters and so on: A. Zeller,
// R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), then nodes, transfers and small limits.

import { LIMIT_NAMES } from '../cluster/small-limits.ts'
import { type FaultEvent, isAmong, renamed } from '../faults/fault-events.ts'
import { type FaultPlan, NO_FAULTS } from '../faults/fault-plan.ts'
import type { FaultScript, SimulationOptions } from './simulation-options.ts'
import { isFine, type SimulationResult } from './simulation-result.ts'

/** What a run may have less of than its genesis file allows. */
const LIMITS = ['blockTransactionsMax', 'blockBytesMax', 'halvingBlocks', 'depth'] as const

/** A run as a list of what goes wrong in it. */
export interface ShrunkRun {
  readonly options: SimulationOptions
  readonly result: SimulationResult
  readonly script: FaultScript
  /** Runs that it took. */
  readonly runs: number
}

/** How runs are made and watched. */
export interface Shrinking {
  readonly simulate: (options: SimulationOptions) => SimulationResult
  /** Runs at most. */
  readonly runsMax: number
  readonly onProgress?: (runs: number, events: number) => void
}

/** The rule that a run broke, or the error that ended it, without what was particular about it; null for a run that failed in no way. */
export function ruleOf({ verdict, reason }: Pick<SimulationResult, 'verdict' | 'reason'>): string | null {
  if (isFine(verdict)) return null
  const rule = /^[A-Z]\d+(?=:)/.exec(reason ?? '')?.[0]
  // An error of the code under test: its words, but for the numbers in it.
  return rule ?? (reason ?? '').split('\n', 1)[0]!.replaceAll(/0x[0-9a-f]+|\d+/g, '#')
}

/** The shortest run found that breaks the same rule; null when the run breaks none. */
export function shrink(options: SimulationOptions, shrinking: Shrinking): ShrunkRun | null {
  const first = shrinking.simulate(options)
  const rule = ruleOf(first)
  if (rule === null) return null
  const search = new Search(shrinking, rule, { options, result: first, script: first.script, runs: 1 })
  // Its own list must bring the failure about, or nothing can be left out of it.
  if (!search.try({})) return search.best
  search.silence()
  search.calm()
  search.thin()
  search.takeNodes()
  search.takeTransfers()
  search.widen()
  search.thin()
  return search.best
}

/** The search for a shorter run. */
class Search {
  best: ShrunkRun
  readonly #shrinking: Shrinking
  readonly #rule: string
  readonly #liars: number
  #runs = 1

  constructor(shrinking: Shrinking, rule: string, first: ShrunkRun) {
    this.#shrinking = shrinking
    this.#rule = rule
    const { agreement } = first.result
    const { nodes } = first.result
    // What was drawn is named, so that it stays when something else goes.
    const validators = agreement === null ? {} : { validators: agreement.validators }
    this.best = { ...first, options: { ...first.options, nodes, ...validators } }
    this.#liars = Object.keys(agreement?.liars ?? {}).length
  }

  /** Takes a change when the run still fails by the same rule. */
  try(change: { options?: Partial<SimulationOptions>; script?: Partial<FaultScript> }): boolean {
    const { runsMax, simulate, onProgress } = this.#shrinking
    if (this.#runs >= runsMax) return false
    this.#runs += 1
    const script = { ...this.best.script, ...change.script }
    const options = { ...this.best.options, ...change.options, script }
    const result = simulate(options)
    onProgress?.(this.#runs, this.best.script.events.length)
    if (ruleOf(result) !== this.#rule) return false
    this.best = { options, result, script, runs: this.#runs }
    return true
  }

  /** Makes the miner and the peer honest that lie, and the clients that mean harm. */
  silence(): void {
    for (const name of ['lyingMiner', 'lyingPeer', 'hostileClients'] as const)
      if (this.best.options[name] === true) this.try({ options: { [name]: false } })
  }

  /** Ends what goes on all the time, one thing after the other. */
  calm(): void {
    const { script } = this.best
    for (const name of Object.keys(NO_FAULTS) as (keyof FaultPlan)[]) {
      const quiet = { [name]: NO_FAULTS[name] } as Partial<FaultPlan>
      // These draw events only, and the list takes their place.
      const isIdle = name.endsWith('EveryMs') || name === 'voteCrashRate' || script.plan[name] === quiet[name]
      if (!isIdle) this.try({ script: { plan: { ...this.best.script.plan, ...quiet } } })
    }
  }

  /** Leaves out single faults, many at a time and then fewer. */
  thin(): void {
    let parts = 2
    if (this.best.script.events.length > 0 && this.try({ script: { events: [] } })) return
    while (this.best.script.events.length > 0) {
      const { events } = this.best.script
      const size = Math.ceil(events.length / parts)
      const found = this.#leaveOutOne(events, size)
      if (found) parts = Math.max(2, parts - 1)
      else if (size === 1) return
      else parts = Math.min(events.length, parts * 2)
    }
  }

  /** Takes the last nodes away: followers first, then validators where none of them lies. */
  takeNodes(): void {
    this.#swapIn()
    for (;;) {
      const { options, script } = this.best
      const { nodes, validators } = options
      if (nodes <= 1) return
      const isFollower = typeof validators === 'number' && nodes > validators
      // Another committee has other liars.
      if (typeof validators === 'number' && !isFollower && this.#liars > 0) return
      const fewer = nodes - 1
      const left = new Set(Array.from({ length: fewer }, (_, index) => `n${index + 1}`))
      const size = {
        nodes: fewer,
        ...(typeof validators === 'number' && !isFollower ? { validators: fewer } : {}),
      }
      const events = script.events.filter(event => isAmong(event, left))
      if (!this.try({ options: size, script: { events } })) return
    }
  }

  takeTransfers(): void {
    for (let step = Math.ceil(this.best.options.transfers / 2); step >= 1; step = Math.floor(step / 2))
      while (this.best.options.transfers >= step)
        if (!this.try({ options: { transfers: this.best.options.transfers - step } })) break
  }

  /** Lifts small limits. */
  widen(): void {
    for (const name of LIMITS) if (this.best.options[name] != null) this.try({ options: { [name]: null } })
    for (const name of LIMIT_NAMES) {
      const { [name]: limit, ...limits } = this.best.options.limits ?? {}
      if (limit !== undefined) this.try({ options: { limits } })
    }
  }

  /** Lets the faults hit the first nodes instead of the last, so that the last can go. */
  #swapIn(): void {
    const { options, script } = this.best
    if (options.validators !== undefined || script.events.length === 0) return
    for (let last = options.nodes; last > 1; last--) {
      const swap = (node: string): string => (node === `n${last}` ? 'n1' : node === 'n1' ? `n${last}` : node)
      const isHit = !isAmongAll(script.events, last)
      if (isHit && this.try({ script: { events: script.events.map(event => renamed(event, swap)) } })) return
    }
  }

  #leaveOutOne(events: readonly FaultEvent[], size: number): boolean {
    for (let start = 0; start < events.length; start += size)
      if (this.try({ script: { events: events.filter((_, at) => at < start || at >= start + size) } }))
        return true
    return false
  }
}

/** Whether the faults are about the nodes before this one only. */
function isAmongAll(events: readonly FaultEvent[], last: number): boolean {
  return !events.some(event => isAmong(event, new Set([`n${last}`])))
}
