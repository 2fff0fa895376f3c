// Selfish mining: a pool with the share alpha of all hashes keeps what it finds and shows it only to make others' work
// worthless. I. Eyal and E. G. Sirer, "Majority is not enough: Bitcoin mining is vulnerable" (2014), algorithm 1; its
// revenue is held against their equation 8.
//
// The pool plays on real headers and the fork choice of a node: first seen wins ties. Where two branches tie, the share
// gamma of the others has seen the pool's first; so the others are two groups that differ in what reaches them first.

import type { ChainedHeader } from '../../chain/header-chain.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Finality } from '../../finality/contract.ts'
import { LONGEST_CHAIN } from '../../finality/modes/longest-chain.ts'
import { createFinality } from '../../finality/registry.ts'
import { BATCHES, batchError, chiSquareTail, type Interval } from '../compare/interval.ts'
import { variantNamed } from '../stage/variant.ts'
import { Random } from '../virtual/random.ts'
import { attackGenesis, firstOf, mineOn, rootOf } from './header-miner.ts'

/** One setting: the pool's share, and the share of the others that mine on its branch where two tie. */
export interface SelfishSetting {
  readonly alpha: number
  readonly gamma: number
}

/** What was measured at one setting: shares of the blocks that counted in the end. */
export interface SelfishRow extends SelfishSetting {
  /** Blocks that were found, and those of them that counted. */
  readonly blocks: number
  readonly counted: number
  readonly revenue: number
  readonly interval: Interval
  readonly standardError: number
  readonly theory: number
  /** Whether the formula lies inside the interval. */
  readonly isInside: boolean
  /** The share above which it pays. */
  readonly threshold: number
}

/** Everything that was measured. */
export interface SelfishTable {
  readonly seed: number
  readonly rows: readonly SelfishRow[]
  /** The probability of a table as far off as this one, or further, if the formula is right. */
  readonly probability: number
}

/** The pool's share of all revenue: Eyal and Sirer's equation 8, for alpha from 0 to 1/2. */
export function selfishRevenue(alpha: number, gamma: number): number {
  const a = alpha
  return (a * (1 - a) ** 2 * (4 * a + gamma * (1 - 2 * a)) - a ** 3) / (1 - a * (1 + (2 - a) * a))
}

/** The share above which selfish mining pays. */
export function selfishThreshold(gamma: number): number {
  return (1 - gamma) / (3 - 2 * gamma)
}

/** Plays every setting for so many blocks. */
export function mineSelfishly(options: {
  readonly settings: readonly SelfishSetting[]
  readonly blocks: number
  readonly seed: number
  readonly onProgress?: (done: number) => void
}): SelfishTable {
  const { settings, blocks, seed, onProgress } = options
  const genesis = attackGenesis(variantNamed(LONGEST_CHAIN.name), [])
  const rows = settings.map((setting, index) => {
    const name = `quorate attack/selfish-mining/${seed}/${setting.alpha}/${setting.gamma}`
    const row = measure(genesis, setting, blocks, new Random(name))
    onProgress?.(index + 1)
    return row
  })
  // Squared distances in standard errors are close to chi-square with one degree of freedom each.
  const chiSquare = rows.reduce(
    (sum, { revenue, theory, standardError }) => sum + ((revenue - theory) / standardError) ** 2,
    0,
  )
  return { seed, rows, probability: chiSquareTail(chiSquare, rows.length) }
}

function measure(genesis: Genesis, setting: SelfishSetting, blocks: number, random: Random): SelfishRow {
  const { alpha, gamma } = setting
  const game = new SelfishGame(genesis, gamma, random)
  const means: number[] = []
  let before = { pool: 0, others: 0 }
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let found = 0; found < Math.ceil(blocks / BATCHES) || !game.isSettled; found++) game.play(alpha)
    const { pool, others } = game.counted
    means.push((pool - before.pool) / (pool - before.pool + others - before.others))
    before = { pool, others }
  }
  const counted = before.pool + before.others
  // Of all blocks, not the mean of the batches, which a ratio of two sums would bend.
  const revenue = before.pool / counted
  const { standardError, halfWidth } = batchError(means)
  const [low, high] = [revenue - halfWidth, revenue + halfWidth]
  const theory = selfishRevenue(alpha, gamma)
  return {
    ...setting,
    blocks: game.found,
    counted,
    revenue,
    interval: { low, high },
    standardError,
    theory,
    isInside: low <= theory && theory <= high,
    threshold: selfishThreshold(gamma),
  }
}

/** A header and its miner. */
interface Mined {
  readonly chained: ChainedHeader
  readonly parent: Mined | null
  readonly isPools: boolean
}

/** The pool against the others, block by block. */
class SelfishGame {
  /** Blocks found in all, and the miners of those that all follow. */
  found = 0
  readonly counted = { pool: 0, others: 0 }
  readonly #genesis: Genesis
  readonly #finality: Finality
  readonly #gamma: number
  readonly #random: Random
  #time: number
  /** The pool's branch, oldest first, as far as the others have not been shown it. */
  #hidden: Mined[] = []
  #poolHead: Mined
  /** What the others follow: the miners that receive the pool's blocks last, and those that receive them first. */
  #lastHead: Mined
  #firstHead: Mined
  /** The block up to which everything is counted. */
  #settled: Mined

  constructor(genesis: Genesis, gamma: number, random: Random) {
    this.#genesis = genesis
    this.#finality = createFinality(genesis)
    this.#gamma = gamma
    this.#random = random
    const first = { chained: firstOf(genesis), parent: null, isPools: false }
    this.#time = first.chained.header.time
    this.#poolHead = first
    this.#lastHead = first
    this.#firstHead = first
    this.#settled = first
  }

  /** Whether all follow one block. */
  get isSettled(): boolean {
    return this.#poolHead === this.#lastHead && this.#lastHead === this.#firstHead
  }

  /** The pool or another miner finds a block. */
  play(alpha: number): void {
    if (this.#random.chance(alpha)) this.#onPoolBlock()
    else this.#onOthersBlock()
    if (this.isSettled) this.#settle()
  }

  /** The pool found a block: kept, unless its branch ties with the others', which it ends at once. */
  #onPoolBlock(): void {
    const isTied = this.#poolHead !== this.#lastHead && this.#hidden.length === 0
    this.#poolHead = this.#mineOn(this.#poolHead, true)
    this.#hidden.push(this.#poolHead)
    if (isTied) this.#publish(null, 1)
  }

  /** The others found a block: the pool gives up, ties, ends it, or shows as much as keeps it ahead. */
  #onOthersBlock(): void {
    const miners = this.#random.chance(this.#gamma) ? this.#firstHead : this.#lastHead
    const block = this.#mineOn(miners, false)
    const lead = this.#poolHead.chained.height - miners.chained.height
    if (lead === 0) {
      // Behind by one now, or on even ground before: the pool does what every miner does.
      this.#publish(block, 0)
      this.#poolHead = block
    } else this.#publish(block, lead === 2 ? this.#hidden.length : 1)
  }

  /** Shows the others a block of their own and so many of the pool's, to each group in its order. */
  #publish(own: Mined | null, count: number): void {
    const shown = this.#hidden.splice(0, count)
    const ofOwn = own === null ? [] : [own]
    this.#lastHead = this.#follow(this.#lastHead, [...ofOwn, ...shown])
    this.#firstHead = this.#follow(this.#firstHead, [...shown, ...ofOwn])
  }

  #follow(head: Mined, blocks: readonly Mined[]): Mined {
    return blocks.reduce(
      (best, block) => (this.#finality.prefers(block.chained, best.chained) ? block : best),
      head,
    )
  }

  #settle(): void {
    for (let at = this.#poolHead; at !== this.#settled; at = at.parent!) {
      if (at.isPools) this.counted.pool += 1
      else this.counted.others += 1
    }
    // What is counted is forgotten.
    const first = { chained: this.#poolHead.chained, parent: null, isPools: false }
    this.#poolHead = first
    this.#lastHead = first
    this.#firstHead = first
    this.#settled = first
  }

  #mineOn(parent: Mined, isPools: boolean): Mined {
    this.found += 1
    this.#time += 1
    const chained = mineOn(this.#genesis.work, parent.chained, this.#time, rootOf(isPools ? 1 : 0))
    return { chained, parent, isPools }
  }
}
