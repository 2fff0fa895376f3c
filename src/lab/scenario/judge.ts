// Judges one expectation of a scenario while it runs: it looks again and again, and says in the end whether it came
// true and what was seen. What must come true by a time is judged from the last thing that happens before that time, so
// that `one chain by 15s` after a cut that heals at 9s is not true because nothing had happened yet.

import type { Hex } from '../../encoding/bytes.ts'
import type { Stage } from '../stage/stage.ts'
import type { ScenarioClock } from './clock.ts'
import type { ScenarioDriver } from './driver.ts'
import { type Claim, type Expectation, momentsOf, type Scenario, type Window } from './scenario.ts'

/** What came of one expectation. */
export interface Verdict {
  readonly line: number
  readonly text: string
  readonly isMet: boolean
  /** What was seen, in a line. */
  readonly saw: string
}

/** What is judged by. */
export interface Courtroom {
  readonly stage: Stage
  readonly driver: ScenarioDriver
  readonly clock: ScenarioClock
  /** By how much longer than the file says what must come true may take. */
  readonly patience: number
}

/** Milliseconds after the end in which what must be so at the end may come true: blocks are always on their way. */
const END_MS = 2_000
/** Milliseconds for which two branches must stand to be called a fork. */
const FORK_MS = 1_000
/** Milliseconds between two questions for evidence. */
const EVIDENCE_MS = 500

/** Whether something is so, and what was seen. */
type Sight = { readonly isSo: boolean; readonly saw: string }

/** Watches one expectation. */
export class ScenarioJudge {
  readonly #expectation: Expectation
  readonly #room: Courtroom
  /** Null for what is judged over a time, or once at the end. */
  readonly #term: { readonly fromMs: number; readonly untilMs: number } | null
  #last: Sight = { isSo: false, saw: 'nothing yet' }
  #metMs: number | null = null
  #askedMs = Number.NEGATIVE_INFINITY
  /** The nodes that were awake, honest and meant the whole time of the window. */
  #present: number[] | null = null
  /** Since when there is a fork now, the longest that stood, and when there was one last. */
  #forkedSinceMs: number | null = null
  #longestForkMs = 0
  #forkedAtMs: number | null = null

  constructor(expectation: Expectation, scenario: Scenario, room: Courtroom) {
    this.#expectation = expectation
    this.#room = room
    this.#term = termOf(expectation, scenario, room.patience)
  }

  /** The moment until which it is worth waiting for it; 0 when there is nothing to wait for. */
  get waitsUntilMs(): number {
    return this.#term === null || this.#metMs !== null ? 0 : this.#term.untilMs
  }

  /** Looks at how things are now. */
  async look(nowMs: number): Promise<void> {
    const { claim } = this.#expectation
    if ('window' in claim) return this.#lookThrough(claim, claim.window, nowMs)
    if (this.#term === null || this.#metMs !== null) return
    if (nowMs < this.#term.fromMs || nowMs > this.#term.untilMs) return
    if (claim.type === 'evidence') {
      if (nowMs < this.#askedMs + EVIDENCE_MS) return
      this.#askedMs = nowMs
    }
    this.#last = await this.#see(claim)
    if (this.#last.isSo) this.#metMs = nowMs
  }

  /** What is to be said when all is over. */
  async verdict(): Promise<Verdict> {
    const { line, text, claim } = this.#expectation
    const sight = this.#term === null ? await this.#see(claim) : this.#last
    const when = this.#metMs === null ? '' : `at ${showTime(this.#metMs)}: `
    return { line, text, isMet: sight.isSo, saw: `${when}${sight.saw}` }
  }

  // ---- over a time

  #lookThrough(claim: Claim, { fromMs, toMs }: Window, nowMs: number): void {
    if (nowMs < fromMs || nowMs > toMs) return
    const { nodes } = this.#expectation
    const now = this.#room.driver.honest()
    if (nodes === 'all') this.#present = (this.#present ?? now).filter(node => now.includes(node))
    else this.#present = [...nodes]
    if (claim.type !== 'forked') return
    const watched = (nodes === 'all' ? now : nodes).filter(
      node => this.#room.stage.timeline.height(node) >= 0,
    )
    if (watched.length === 0 || this.#room.stage.timeline.isOneChain(watched)) {
      this.#forkedSinceMs = null
      return
    }
    this.#forkedSinceMs ??= nowMs
    this.#forkedAtMs = nowMs
    this.#longestForkMs = Math.max(this.#longestForkMs, nowMs - this.#forkedSinceMs)
  }

  #seeProgress({ of, isWanted, window }: Extract<Claim, { type: 'progress' }>): Sight {
    const { timeline } = this.#room.stage
    const counts = (this.#present ?? []).map(node => {
      const { newBlockMs, newFinalMs } = timeline.progress([node])
      const moments = (of === 'blocks' ? newBlockMs : newFinalMs).map(ms => this.#room.clock.at(ms))
      return { node, count: moments.filter(ms => ms >= window.fromMs && ms <= window.toMs).length }
    })
    const isSo = counts.length > 0 && counts.every(({ count }) => count > 0 === isWanted)
    const what = of === 'blocks' ? 'times a new head' : 'times something newly final'
    return { isSo, saw: `${what}: ${showCounts(counts)}` }
  }

  #seeFork(isWanted: boolean): Sight {
    const stood = `for ${showTime(this.#longestForkMs)}, last at ${showTime(this.#forkedAtMs ?? 0)}`
    const saw = this.#forkedAtMs === null ? 'no two branches' : `two branches ${stood}`
    return { isSo: isWanted ? this.#longestForkMs >= FORK_MS : this.#forkedAtMs === null, saw }
  }

  // ---- now

  async #see(claim: Claim): Promise<Sight> {
    switch (claim.type) {
      case 'count':
        return this.#seeCount(claim)
      case 'all-final':
        return this.#seeAllFinal()
      case 'one-chain':
        return this.#seeChains((chains, nodes) => chains.isOneChain(nodes))
      case 'equal-states':
        return this.#seeChains(
          (chains, nodes) =>
            chains.isOneChain(nodes) && new Set(nodes.map(node => chains.height(node))).size === 1,
        )
      case 'evidence': {
        const against = await this.#room.stage.evidence()
        return { isSo: against.includes(claim.against), saw: showEvidence(against) }
      }
      case 'no-evidence': {
        const against = await this.#room.stage.evidence()
        return { isSo: against.length === 0, saw: showEvidence(against) }
      }
      case 'reversed': {
        const count = this.#countReversed()
        return { isSo: count > 0 === claim.isWanted, saw: `transfers that were final and then not: ${count}` }
      }
      case 'no-double-spend':
        return this.#seeDoubleSpends()
      case 'forked':
        return this.#seeFork(claim.isWanted)
      case 'progress':
        return this.#seeProgress(claim)
    }
  }

  /** The nodes that an expectation means now. */
  #nodes(): number[] {
    const { nodes } = this.#expectation
    return nodes === 'all' ? this.#room.driver.honest() : [...nodes]
  }

  #seeCount({ what, least }: Extract<Claim, { type: 'count' }>): Sight {
    const { stage, driver } = this.#room
    const { timeline } = stage
    const counts = this.#nodes().map(node => {
      if (what === 'height') return { node, count: Math.max(0, timeline.height(node)) }
      const isCounted = (id: Hex): boolean => {
        const sighting = timeline.sighting(node, id)
        return sighting !== null && (what === 'seen' || sighting.finalMs !== null)
      }
      return { node, count: driver.pairs.filter(ids => ids.some(isCounted)).length }
    })
    const isSo = counts.length > 0 && counts.every(({ count }) => count >= least)
    return { isSo, saw: showCounts(counts) }
  }

  #seeAllFinal(): Sight {
    const { stage, driver } = this.#room
    const wanted = driver.payments.filter(({ isAcknowledged }) => isAcknowledged)
    const counts = this.#nodes().map(node => {
      const kept = stage.timeline.transfersOn(node)
      const isFinal = (id: Hex): boolean =>
        kept.has(id) && (stage.timeline.sighting(node, id)?.finalMs ?? null) !== null
      return { node, count: wanted.filter(({ ids }) => ids.some(isFinal)).length }
    })
    const isSo =
      driver.isHandedIn &&
      wanted.length > 0 &&
      counts.length > 0 &&
      counts.every(({ count }) => count === wanted.length)
    const open = driver.isHandedIn ? '' : ', more on their way'
    return { isSo, saw: `of ${wanted.length}${open}: ${showCounts(counts)}` }
  }

  #seeChains(isSo: (chains: Stage['timeline'], nodes: readonly number[]) => boolean): Sight {
    const { timeline } = this.#room.stage
    const nodes = this.#nodes()
    const heights = nodes.map(node => ({ node, count: timeline.height(node) }))
    const are = nodes.length > 0 && timeline.isOneChain(nodes) ? 'on one chain' : 'not on one chain'
    return { isSo: nodes.length > 0 && isSo(timeline, nodes), saw: `${are}; heights ${showCounts(heights)}` }
  }

  #seeDoubleSpends(): Sight {
    const { timeline } = this.#room.stage
    const counts = this.#nodes().map(node => {
      const kept = timeline.transfersOn(node)
      return {
        node,
        count: this.#room.driver.pairs.filter(ids => ids.every(id => kept.has(id)) && ids.length > 1).length,
      }
    })
    const pairs = this.#room.driver.pairs.filter(ids => ids.length > 1).length
    const isSo = counts.length > 0 && pairs > 0 && counts.every(({ count }) => count === 0)
    return { isSo, saw: `of ${pairs} pairs both on one chain: ${showCounts(counts)}` }
  }

  /** Transfers that a node showed as final, and that no node has now, or that other nodes have not, but their rival. */
  #countReversed(): number {
    const { stage, driver } = this.#room
    const everFinal = stage.timeline.everFinal()
    const kept = new Set(driver.honest().flatMap(node => [...stage.timeline.transfersOn(node)]))
    const lost = [...everFinal].filter(id => !kept.has(id))
    // Both of a pair can only be kept on two chains.
    const disputed = driver.pairs.filter(
      ids => ids.length > 1 && ids.every(id => everFinal.has(id) && kept.has(id)),
    )
    return lost.length + disputed.flat().length
  }
}

/** From when to when something may come true; null for what is judged over a time or once all is over. */
function termOf(
  { claim, byMs }: Expectation,
  scenario: Scenario,
  patience: number,
): { fromMs: number; untilMs: number } | null {
  switch (claim.type) {
    case 'forked':
    case 'progress':
    case 'reversed':
    case 'no-evidence':
    case 'no-double-spend':
      return null
    case 'count':
    case 'all-final':
    case 'one-chain':
    case 'equal-states':
    case 'evidence': {
      if (byMs === null) return { fromMs: scenario.endMs, untilMs: scenario.endMs + END_MS * patience }
      const fromMs = momentsOf(scenario).findLast(ms => ms < byMs) ?? 0
      return { fromMs, untilMs: fromMs + (byMs - fromMs) * patience }
    }
  }
}

function showCounts(counts: readonly { readonly node: number; readonly count: number }[]): string {
  if (counts.length === 0) return 'no node to ask'
  return counts.map(({ node, count }) => `n${node + 1} ${count}`).join(', ')
}

function showEvidence(against: readonly number[]): string {
  return against.length === 0
    ? 'no evidence'
    : `evidence against ${against.map(node => `n${node + 1}`).join(', ')}`
}

function showTime(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}
