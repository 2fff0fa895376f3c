// Whether a timeline can happen: only a node that runs can be killed or frozen, only one that does not can be started, only
// a whole network can be cut. Which node leads is known only when it happens, so of the leader nothing is checked.

import type { Nodes, Scenario, ScenarioEvent, TimedEvent } from './scenario.ts'
import { InvalidScenario } from './words.ts'

type State = 'up' | 'down' | 'frozen'

/** Follows a timeline from the start. */
export class ScenarioPlausibility {
  readonly #events: readonly TimedEvent[]
  readonly #states: State[]
  #isCut = false

  constructor({ nodes, keptOut, events }: Pick<Scenario, 'nodes' | 'keptOut' | 'events'>) {
    this.#events = events
    this.#states = Array.from({ length: nodes }, (_, node) => (node < nodes - keptOut ? 'up' : 'down'))
  }

  /** Throws `InvalidScenario` for the first event that can't happen. */
  check(): void {
    for (const { line, event } of this.#events) {
      const problem = this.#follow(event)
      if (problem !== null) throw new InvalidScenario(line, problem)
    }
  }

  #follow(event: ScenarioEvent): string | null {
    switch (event.type) {
      case 'kill':
        return this.#change(event.nodes, { from: ['up', 'frozen'], to: 'down', what: 'that runs' })
      case 'restart':
        return this.#change(event.nodes, { from: ['down'], to: 'up', what: 'that does not run' })
      case 'freeze':
        return this.#change(event.nodes, { from: ['up'], to: 'frozen', what: 'that runs' })
      case 'thaw':
        // A node that was killed meanwhile is not frozen any more.
        for (const node of this.#chosen(event.nodes))
          if (this.#states[node] === 'frozen') this.#states[node] = 'up'
        return null
      case 'cut':
        if (this.#isCut) return 'expected a network that is whole: it is cut already'
        this.#isCut = true
        return null
      case 'heal':
        if (!this.#isCut) return 'expected a network that is cut: it is whole'
        this.#isCut = false
        return null
      case 'miners':
      case 'pay':
        return null
    }
  }

  #change(
    nodes: Nodes,
    { from, to, what }: { readonly from: readonly State[]; readonly to: State; readonly what: string },
  ): string | null {
    const chosen = this.#chosen(nodes)
    const wrong = nodes === 'all' ? undefined : chosen.find(node => !from.includes(this.#states[node]!))
    if (wrong !== undefined) return `expected a node ${what}: n${wrong + 1} is ${this.#states[wrong]}`
    for (const node of chosen) if (from.includes(this.#states[node]!)) this.#states[node] = to
    return null
  }

  #chosen(nodes: Nodes): number[] {
    if (nodes === 'all') return [...this.#states.keys()]
    return nodes.filter(node => node !== 'leader')
  }
}
