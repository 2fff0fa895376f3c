// The words of one line of a scenario file, taken one after the other. What does not fit is said with the line, what
// was expected and what is there instead.

import type { NodeChoice, Nodes } from './scenario.ts'

/** A scenario file that can't be understood. */
export class InvalidScenario extends Error {
  override name = 'InvalidScenario'
  readonly line: number

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`)
    this.line = line
  }
}

/** Milliseconds in the longest time that a scenario can name. */
const TIME_MS_MAX = 600_000
/** Characters of a line that an error shows. */
const SHOWN_MAX = 60

/** What is left of a line. */
export class Words {
  readonly line: number
  readonly #words: string[]

  /** Commas are for the eye only. */
  constructor(line: number, text: string) {
    this.line = line
    this.#words = text
      .replaceAll('|', ' | ')
      .split(/[\s,]+/)
      .filter(word => word !== '')
  }

  get isEmpty(): boolean {
    return this.#words.length === 0
  }

  /** The rest as it is, which is taken. */
  rest(): string {
    return this.#words.splice(0).join(' ')
  }

  /** Takes these words, separated by spaces, if they are next. */
  takes(phrase: string): boolean {
    const words = phrase.split(' ')
    if (!words.every((word, index) => this.#words[index] === word)) return false
    this.#words.splice(0, words.length)
    return true
  }

  /** Takes these words; throws when they are not next. */
  demand(phrase: string): void {
    if (!this.takes(phrase)) this.fail(`"${phrase}"`)
  }

  /** Takes one of these words. */
  choose<T extends string>(choices: readonly T[]): T {
    const choice = choices.find(choice => this.takes(choice))
    return choice ?? this.fail(choices.map(choice => `"${choice}"`).join(' or '))
  }

  /** Takes a time such as 2.5s or 300ms; in milliseconds. */
  time(): number {
    const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s)$/.exec(this.#words[0] ?? '')
    const ms = match === null ? null : Math.round(Number(match[1]) * (match[2] === 's' ? 1_000 : 1))
    if (ms === null) return this.fail('a time such as 3s, 0.5s or 300ms')
    if (ms > TIME_MS_MAX) return this.fail(`a time of at most ${TIME_MS_MAX / 1_000}s`)
    this.#words.shift()
    return ms
  }

  /** Takes a whole number from `min` to `max`. */
  count(min: number, max: number): number {
    const word = this.#words[0] ?? ''
    const value = /^\d{1,6}$/.test(word) ? Number(word) : null
    if (value === null || value < min || value > max) return this.fail(`a whole number from ${min} to ${max}`)
    this.#words.shift()
    return value
  }

  /** Takes a share such as 5% or 0.5%; as a fraction. */
  share(max: number): number {
    const match = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(this.#words[0] ?? '')
    if (match === null || Number(match[1]) / 100 > max) return this.fail(`a share of at most ${max * 100}%`)
    this.#words.shift()
    return Number(match[1]) / 100
  }

  /** Whether a node is next, be it one of the network or not. */
  get isNodeNext(): boolean {
    return this.#nodeWord() !== null
  }

  /** Takes a node such as n2, of so many. */
  node(nodes: number): number {
    return this.#nodeIfAny(nodes) ?? this.fail('a node such as n2')
  }

  /** Takes one or more nodes; each once. */
  someNodes(nodes: number): number[] {
    const chosen = [this.node(nodes)]
    for (let next = this.#nodeIfAny(nodes); next !== null; next = this.#nodeIfAny(nodes)) {
      if (chosen.includes(next))
        throw new InvalidScenario(this.line, `expected each node once: n${next + 1} is named twice`)
      chosen.push(next)
    }
    return chosen
  }

  /** Takes `all`, `the leader`, or one or more nodes. */
  nodes(nodes: number): Nodes {
    if (this.takes('all')) return 'all'
    if (this.takes('the leader')) return ['leader'] satisfies NodeChoice[]
    if (this.#nodeWord() === null) return this.fail('nodes such as n1 n2, "all" or "the leader"')
    return this.someNodes(nodes)
  }

  /** Throws unless everything is taken. */
  end(): void {
    if (!this.isEmpty) this.fail('the end of the line')
  }

  /** Throws: this was expected, and what is there is not it. */
  fail(expected: string): never {
    const rest = this.#words.join(' ')
    const shown = rest.length > SHOWN_MAX ? `${rest.slice(0, SHOWN_MAX)}…` : rest
    const got = rest === '' ? 'the line ends' : `got "${shown}"`
    throw new InvalidScenario(this.line, `expected ${expected}, ${got}`)
  }

  #nodeWord(): number | null {
    const match = /^n([1-9]\d{0,2})$/.exec(this.#words[0] ?? '')
    return match === null ? null : Number(match[1])
  }

  #nodeIfAny(nodes: number): number | null {
    const number = this.#nodeWord()
    if (number === null) return null
    if (number > nodes) return this.fail(`one of the nodes n1 to n${nodes}`)
    this.#words.shift()
    return number - 1
  }
}
