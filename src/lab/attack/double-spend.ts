// The double-spend table: thousands of races from a seed for each share and number of confirmations, held against the
// formulas of src/finality/reversal.ts.
//
// Every race is of real headers, judged by the fork choice that a node uses; some of them are run again between whole
// replicas (double-spend-replicas.ts), from the same seed, and must end the same way.

import type { ChainedHeader } from '../../chain/header-chain.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Finality } from '../../finality/contract.ts'
import { LONGEST_CHAIN } from '../../finality/modes/longest-chain.ts'
import { createFinality } from '../../finality/registry.ts'
import { exactReversal, nakamotoReversal } from '../../finality/reversal.ts'
import { type Agreement, type Interval, judgeCounts, wilsonInterval } from '../compare/interval.ts'
import { variantNamed } from '../stage/variant.ts'
import { Random } from '../virtual/random.ts'
import { hopelessGap, type RaceField, type RaceSetting, runRace } from './double-spend-race.ts'
import { ReplicaRaces } from './double-spend-replicas.ts'
import { attackGenesis, firstOf, mineOn, rootOf } from './header-miner.ts'

/** What was measured at one setting. */
export interface RaceRow extends RaceSetting {
  readonly races: number
  readonly reversed: number
  readonly measured: number
  readonly interval: Interval
  readonly exact: number
  readonly nakamoto: number
  /** Whether the exact formula lies inside the interval. */
  readonly isInside: boolean
  /** Races that were run again with whole replicas, and those of them that ended the same way. */
  readonly replayed: number
  readonly agreed: number
}

/** Everything that was measured. */
export interface RaceTable {
  readonly seed: number
  readonly rows: readonly RaceRow[]
  /** The table as one. */
  readonly agreement: Agreement
}

/** What to measure. */
export interface RaceTableOptions {
  readonly settings: readonly RaceSetting[]
  readonly races: number
  /** Races of each setting that whole replicas repeat. */
  readonly replayed: number
  readonly seed: number
  readonly onProgress?: (done: number) => void
}

/** Runs the races of all settings. */
export function runRaces(options: RaceTableOptions): RaceTable {
  const { settings, races, seed, onProgress } = options
  const genesis = attackGenesis(variantNamed(LONGEST_CHAIN.name), [])
  const finality = createFinality(genesis)
  const replicas = new ReplicaRaces()
  const rows = settings.map((setting, index) =>
    measure({
      ...options,
      setting,
      genesis,
      finality,
      replicas,
      onRace: race => onProgress?.(index * races + race),
    }),
  )
  const counts = rows.map(({ reversed, races, exact }) => ({
    count: reversed,
    trials: races,
    expected: exact,
  }))
  return { seed, rows, agreement: judgeCounts(counts) }
}

interface Measuring extends RaceTableOptions {
  readonly setting: RaceSetting
  readonly genesis: Genesis
  readonly finality: Finality
  readonly replicas: ReplicaRaces
  readonly onRace: (race: number) => void
}

function measure({
  setting,
  races,
  replayed,
  seed,
  genesis,
  finality,
  replicas,
  onRace,
}: Measuring): RaceRow {
  const { share, confirmations } = setting
  const gapMax = hopelessGap(share, races)
  let [reversed, agreed] = [0, 0]
  for (let race = 0; race < races; race++) {
    const name = `quorate attack/double-spend/${seed}/${share}/${confirmations}/${race}`
    const isReversed = runRace(new HeaderField(genesis, finality, race), setting, new Random(name), gapMax)
    if (isReversed) reversed += 1
    if (race < replayed && runRace(replicas.field(), setting, new Random(name), gapMax) === isReversed)
      agreed += 1
    onRace(race + 1)
  }
  const interval = wilsonInterval(reversed, races)
  const exact = exactReversal(share, confirmations)
  return {
    ...setting,
    races,
    reversed,
    measured: reversed / races,
    interval,
    exact,
    nakamoto: nakamotoReversal(share, confirmations),
    isInside: interval.low <= exact && exact <= interval.high,
    replayed: Math.min(replayed, races),
    agreed,
  }
}

/** A race of headers alone: real ones, and the fork choice that a node uses. */
class HeaderField implements RaceField {
  readonly #genesis: Genesis
  readonly #finality: Finality
  readonly #race: number
  #time: number
  #open: ChainedHeader
  #secret: ChainedHeader

  constructor(genesis: Genesis, finality: Finality, race: number) {
    this.#genesis = genesis
    this.#finality = finality
    this.#race = race
    const first = firstOf(genesis)
    this.#time = first.header.time
    this.#open = first
    this.#secret = first
  }

  mineSecret(): void {
    this.#secret = this.#mineOn(this.#secret, 2 * this.#race + 1)
  }

  mineOpen(): void {
    const block = this.#mineOn(this.#open, 2 * this.#race)
    if (this.#finality.prefers(block, this.#open)) this.#open = block
  }

  isHeavier(): boolean {
    return this.#finality.prefers(this.#secret, this.#open)
  }

  release(): boolean {
    return this.isHeavier()
  }

  #mineOn(parent: ChainedHeader, root: number): ChainedHeader {
    this.#time += 1
    return mineOn(this.#genesis.work, parent, this.#time, rootOf(root))
  }
}
