// A small network for protocols, in virtual time and from one seed: messages are lost, doubled, late and out of order,
// links are cut, members crash between any two effects and start again from what was durable, and some lie. It knows
// protocols by their contract only. An oracle watches all that the honest do.

import type { LogKit, LogTypes } from '../../src/consensus/kit.ts'
import type { Application, LogEffect, LogInput, LogStart, Value } from '../../src/consensus/log.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import type { Signing } from '../../src/consensus/signed.ts'
import { Notary } from './notary.ts'
import { Oracle, type Protocol, type SecondOpinion, Violation } from './oracle.ts'
import { Random } from './random.ts'

/** A protocol under test. */
export interface Maker<T extends LogTypes> {
  readonly kit: LogKit<T>
  readonly opinion: SecondOpinion<T>
  create(options: ProcessOptions<T>): Protocol<T>
}

/** What a process is made of here. */
export interface ProcessOptions<T extends LogTypes> {
  readonly n: number
  readonly self: MemberIndex | null
  readonly timeoutMs: number
  readonly pipeline: number
  /** Null where nothing is signed. */
  readonly signing: Signing<T['statement']> | null
  readonly application: Application<T['decision']>
  random(): number
}

/** What a lying member makes of what an honest one would say, and what it says on its own. */
export interface Liar<Message> {
  /** In place of a message to one node; the milliseconds are to wait before it. */
  send(message: Message, to: number): readonly Message[]
  /** Now and then, to nodes of its choice. */
  chatter?(): readonly { readonly to: number; readonly message: Message }[]
  readonly delayMs?: number
  /** Two honest copies of one member, with one key and a disk each. */
  readonly isTwin?: boolean
  /** Forgets everything when it crashes. */
  readonly isForgetful?: boolean
}

/** What a liar can use: its own key, and what it has heard. */
export interface LiarContext<Message, Statement> {
  readonly n: number
  readonly self: MemberIndex
  readonly signing: Signing<Statement>
  readonly random: Random
  /** All that lie, itself too. */
  readonly accomplices: readonly MemberIndex[]
  /** The key of an accomplice. */
  keyOf(member: MemberIndex): Signing<Statement>
  /** The last messages that reached it. */
  readonly heard: readonly Message[]
}

export type LiarMaker<Message, Statement> = (context: LiarContext<Message, Statement>) => Liar<Message>

/** How bad the network is. */
export interface Weather {
  readonly drop: number
  readonly double: number
  readonly delayMs: readonly [number, number]
  /** Chances in each tick of a quarter of a timeout. */
  readonly crash: number
  readonly cut: number
  /** The chance that an application is slow to apply a decision, as when it lacks the block. */
  readonly lag: number
}

export const FAIR: Weather = { drop: 0, double: 0, delayMs: [10, 10], crash: 0, cut: 0, lag: 0 }

export interface NetworkOptions<T extends LogTypes> {
  readonly maker: Maker<T>
  readonly n: number
  readonly seed: number
  readonly followers?: number
  readonly timeoutMs?: number
  readonly pipeline?: number
  readonly liars?: ReadonlyMap<MemberIndex, LiarMaker<T['message'], T['statement']>>
  readonly weather?: Weather
  /** Decisions that are wanted. */
  readonly goal: number
  /** Crashes the node before it does the effect with this number, counted from 0. */
  readonly crashAt?: { readonly node: number; readonly effect: number }
  /** Whether broken rules are only noted, which is what negative controls want. */
  readonly isBlind?: boolean
}

interface Timer {
  readonly name: string
}

/** One copy of a node: liars may have two. */
interface Copy<T extends LogTypes> {
  protocol: Protocol<T> | null
  readonly disk: Map<string, T['record']>
  /** The decisions that are applied, and so durable. */
  readonly decisions: T['decision'][]
  /** The state after each of them, as far as it was asked for. */
  readonly digests: Value[]
  /** Those that wait to be applied, and are lost in a crash. */
  readonly awaited: T['decision'][]
  readonly bodies: Set<Value>
  readonly timers: Map<string, Timer>
  isDemanding: boolean
}

interface Node<T extends LogTypes> {
  readonly index: number
  readonly self: MemberIndex | null
  readonly signing: Signing<T['statement']>
  readonly liar: Liar<T['message']> | null
  readonly heard: T['message'][]
  readonly copies: Copy<T>[]
}

const HEARD_MAX = 200
const TICK_PARTS = 4

export class Network<T extends LogTypes> {
  readonly options: NetworkOptions<T>
  readonly timeoutMs: number
  readonly notary = new Notary()
  readonly oracle: Oracle<T>
  readonly nodes: Node<T>[]
  readonly evidence: T['evidence'][] = []
  readonly conflicts: { readonly first: T['decision']; readonly second: T['decision'] }[] = []
  /** The broken rules that were noted. */
  readonly violations: Violation[] = []
  /** Messages between members, by type; none to oneself. */
  readonly counts = new Map<string, number>()
  /** What honest nodes wanted done, by type: a run in which something never happens says nothing of it. */
  readonly seen = new Map<string, number>()
  /** When each node decided each sequence number first. */
  readonly decidedAtMs = new Map<string, number>()
  readonly random: Random
  /** All that honest applications proposed. */
  readonly #proposed = new Set<Value>()
  /** Names of states, by the state before and the value that was applied to it. */
  readonly #digests = new Map<string, Value>()
  nowMs = 0
  effects = 0
  #weather: Weather
  #goal: number
  #nonce = 0
  #cut: ReadonlySet<number> = new Set()
  #queue: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = []
  #order = 0

  constructor(options: NetworkOptions<T>) {
    this.options = options
    const { n, maker, seed } = options
    this.timeoutMs = options.timeoutMs ?? 1000
    this.random = new Random(seed)
    this.#weather = options.weather ?? FAIR
    this.#goal = options.goal
    const proposed = (options.liars?.size ?? 0) === 0 ? this.#proposed : null
    this.oracle = new Oracle(n, { notary: this.notary, kit: maker.kit, opinion: maker.opinion, proposed })
    this.nodes = Array.from({ length: n + (options.followers ?? 0) }, (_, index) => this.#node(index))
    for (const node of this.nodes) for (const copy of node.copies) this.#start(node, copy)
    this.#after(this.timeoutMs / TICK_PARTS, () => this.#tick())
  }

  /** Nodes that keep to the protocol. */
  get honest(): Node<T>[] {
    return this.nodes.filter(({ liar }) => liar === null)
  }

  /** Runs until what is wanted came true or the time is up; says which. */
  runUntil(isDone: () => boolean, untilMs: number): boolean {
    while (!isDone()) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = untilMs
        return false
      }
      this.#pop()
      this.nowMs = next.atMs
      next.run()
    }
    return true
  }

  /** Whether all honest nodes have decided so much. */
  haveDecided(goal: number = this.#goal): boolean {
    return this.honest.every(({ copies }) => copies[0]!.decisions.length >= goal)
  }

  want(goal: number): void {
    this.#goal = goal
    for (const node of this.nodes) for (const copy of node.copies) this.#settle(node, copy)
  }

  /** From now on the network works; members that lie go on. */
  heal(): void {
    this.#weather = FAIR
    this.#cut = new Set()
    for (const node of this.nodes)
      for (const copy of node.copies) if (copy.protocol === null) this.#start(node, copy)
  }

  /** These can not reach the others. */
  cut(nodes: Iterable<number>): void {
    this.#cut = new Set(nodes)
  }

  crash(index: number): void {
    for (const copy of this.nodes[index]!.copies) this.#crash(this.nodes[index]!, copy)
  }

  /** A member that is down starts. `start` is what is not as usual. */
  restart(index: number, start: Partial<LogStart> = {}): void {
    const node = this.nodes[index]!
    for (const copy of node.copies) if (copy.protocol === null) this.#start(node, copy, start)
  }

  view(index: number): number {
    return this.nodes[index]!.copies[0]!.protocol?.state.view ?? 0
  }

  // ---- nodes

  #node(index: number): Node<T> {
    const { n, liars } = this.options
    const self = index < n ? index : null
    const signing = this.notary.keyOf<T['statement']>(self)
    const heard: T['message'][] = []
    const make = self === null ? undefined : liars?.get(self)
    const accomplices = [...(liars?.keys() ?? [])]
    const keyOf = (member: MemberIndex): Signing<T['statement']> => {
      if (!accomplices.includes(member)) throw new Error(`${member} is honest and keeps its key`)
      return this.notary.keyOf(member)
    }
    const context = { n, self: index, signing, heard, random: this.random, accomplices, keyOf }
    const liar = make?.(context) ?? null
    const copies = Array.from({ length: liar?.isTwin ? 2 : 1 }, () => ({
      protocol: null,
      disk: new Map<string, T['record']>(),
      decisions: [],
      digests: [],
      awaited: [],
      bodies: new Set<Value>(),
      timers: new Map<string, Timer>(),
      isDemanding: false,
    }))
    return { index, self, signing, liar, heard, copies }
  }

  #start(node: Node<T>, copy: Copy<T>, start: Partial<LogStart> = {}): void {
    const { n, maker, pipeline = 1 } = this.options
    const application: Application<T['decision']> = {
      validate: (sequence, value) => {
        if (!value.startsWith(`${sequence}:`)) return 'invalid'
        if (sequence > copy.decisions.length + pipeline) return 'unknown'
        return copy.bodies.has(value) ? 'valid' : 'unknown'
      },
      decision: sequence => copy.decisions[sequence - 1] ?? null,
    }
    copy.protocol = maker.create({
      n,
      self: node.self,
      timeoutMs: this.timeoutMs,
      pipeline,
      signing: maker.kit.signed === null ? null : node.signing,
      application,
      random: () => this.random.unit(),
    })
    copy.isDemanding = false
    this.#step(node, copy, {
      type: 'start',
      records: new Map(copy.disk),
      decided: copy.decisions.length,
      challenge: null,
      forgotten: null,
      convicted: [],
      ...start,
    })
    if (pipeline > 1)
      for (const { sequence } of copy.decisions.slice(-40)) this.#execute(node, copy, sequence)
    this.#settle(node, copy)
  }

  #crash(node: Node<T>, copy: Copy<T>): void {
    copy.protocol = null
    copy.timers.clear()
    copy.awaited.length = 0
    if (!node.liar?.isForgetful) return
    copy.disk.clear()
    copy.decisions.length = 0
    copy.digests.length = 0
  }

  #step(node: Node<T>, copy: Copy<T>, input: LogInput<T['message'], T['record'], T['decision']>): void {
    const { protocol } = copy
    if (protocol === null) return
    const effects = protocol.step(input)
    for (const effect of effects) {
      if (copy.protocol !== protocol) return
      const { crashAt } = this.options
      if (crashAt?.node === node.index && this.effects++ === crashAt.effect) {
        this.#crash(node, copy)
        this.#after(this.timeoutMs / 2, () => this.restart(node.index))
        return
      }
      this.#perform(node, copy, effect)
    }
    // What was done is durable now; a view that was never kept was never entered.
    if (node.liar === null) this.#look(() => this.oracle.onStep(node.index, protocol))
    if (input.type !== 'start') this.#settle(node, copy)
  }

  /** The application's part: it says whether it waits for something, and proposes when it may. */
  #settle(node: Node<T>, copy: Copy<T>): void {
    const isWaiting = copy.decisions.length < this.#goal
    if (copy.protocol !== null && isWaiting !== copy.isDemanding) {
      copy.isDemanding = isWaiting
      this.#step(node, copy, { type: 'demand', isWaiting })
    }
    const turn = copy.protocol?.turn ?? null
    const { pipeline = 1 } = this.options
    if (turn === null || turn > Math.min(this.#goal, copy.decisions.length + pipeline)) return
    // Never the same value twice: a member that forgets what it said would contradict itself.
    const value = `${turn}:${node.index}.${this.#nonce++}`
    copy.bodies.add(value)
    this.#proposed.add(value)
    this.#step(node, copy, { type: 'propose', value })
  }

  #perform(
    node: Node<T>,
    copy: Copy<T>,
    effect: LogEffect<T['message'], T['record'], T['decision'], T['evidence']>,
  ): void {
    if (node.liar === null) this.seen.set(effect.type, (this.seen.get(effect.type) ?? 0) + 1)
    switch (effect.type) {
      case 'persist':
        if (effect.record === null) copy.disk.delete(effect.key)
        else copy.disk.set(effect.key, effect.record)
        return
      case 'send':
        return this.#send(node, copy, effect.to, effect.message)
      case 'reply':
        return effect.to === '' ? undefined : this.#send(node, copy, Number(effect.to), effect.message)
      case 'broadcast':
        // The oracle looks at the message once, not once for every node that it goes to.
        if (node.liar === null) this.#lookAtMessage(node, copy, effect.message)
        for (const { index } of this.nodes)
          if (index !== node.index) this.#dispatch(node, index, effect.message)
        return
      case 'set-timer':
        return this.#setTimer(node, copy, effect.name, effect.delayMs)
      case 'clear-timer':
        copy.timers.delete(effect.name)
        return
      case 'decide':
        return this.#decide(node, copy, effect.decision)
      case 'behind':
        this.#after(this.#delayMs() * 3, () => this.#catchUp(node, copy, effect.decision))
        return
      case 'missing':
        this.#after(this.#delayMs() * 2, () => this.#fetch(node, copy, effect.value))
        return
      case 'evidence':
        return this.#onEvidence(node, effect.evidence)
      case 'conflict':
        if (node.liar === null) this.conflicts.push(effect)
        return this.#onWrong(node, 'S1', 'two certificates for one sequence number')
      case 'diverged':
        return this.#onWrong(node, 'P4', 'another state than the others')
      case 'refuse':
        if (this.nodes[Number(effect.from)]?.liar === null)
          this.#onWrong(node, 'refuse', `${node.index} refuses honest ${effect.from}: ${effect.reason}`)
    }
  }

  /** Evidence must hold before anybody, and only liars give any. */
  #onEvidence(node: Node<T>, evidence: T['evidence']): void {
    if (node.liar !== null) return
    const { member } = evidence
    const isProven = this.options.maker.opinion.convicts(evidence, this.notary)
    if (!isProven || this.nodes[member]!.liar === null)
      this.#onWrong(node, 'evidence', `${node.index} accuses ${member} of nothing`)
    this.evidence.push(evidence)
  }

  #onWrong(node: Node<T>, rule: string, says: string): void {
    if (node.liar !== null) return
    this.#look(() => {
      throw new Violation(rule, says)
    })
  }

  #look(look: () => void): void {
    try {
      look()
    } catch (error) {
      if (!this.options.isBlind || !(error instanceof Violation)) throw error
      this.violations.push(error)
    }
  }

  #decide(node: Node<T>, copy: Copy<T>, decision: T['decision']): void {
    const known = Math.max(copy.decisions.length, copy.awaited.at(-1)?.sequence ?? 0)
    if (node.liar === null) this.#look(() => this.oracle.onDecide(node.index, known, decision))
    const key = `${node.index} ${decision.sequence}`
    if (!this.decidedAtMs.has(key)) this.decidedAtMs.set(key, this.nowMs)
    copy.awaited.push(decision)
    if (!this.random.chance(this.#weather.lag)) return this.#apply(node, copy)
    const { protocol } = copy
    this.#after(this.random.between(0, this.timeoutMs), () => {
      if (copy.protocol === protocol) this.#apply(node, copy)
    })
  }

  /** The application's part of decisions: it makes them durable, in order. */
  #apply(node: Node<T>, copy: Copy<T>): void {
    for (const decision of copy.awaited.splice(0)) {
      if (decision.sequence <= copy.decisions.length) continue
      copy.decisions.push(decision)
      this.#after(0, () => this.#execute(node, copy, decision.sequence))
      this.#after(0, () => this.#step(node, copy, { type: 'revalidate' }))
    }
  }

  #execute(node: Node<T>, copy: Copy<T>, sequence: number): void {
    const digest = this.#digestAfter(copy, sequence)
    if (node.liar === null) this.#look(() => this.oracle.onExecuted(node.index, sequence, digest))
    this.#step(node, copy, { type: 'executed', sequence, digest })
  }

  /** The state after so many decisions: one name for each list of values, which grows by one entry a decision. */
  #digestAfter({ digests, decisions }: Copy<T>, sequence: number): Value {
    if (decisions.length < sequence) return `${sequence}#forgotten`
    for (let known = digests.length; known < sequence; known++) {
      const history = `${digests.at(-1) ?? ''}|${decisions[known]!.value}`
      const digest = this.#digests.get(history) ?? `${known + 1}#${this.#digests.size}`
      this.#digests.set(history, digest)
      digests.push(digest)
    }
    return digests[sequence - 1]!
  }

  /** The application's own way of catching up: from any node that it can reach and that has all of it. */
  #catchUp(node: Node<T>, copy: Copy<T>, decision: T['decision']): void {
    if (copy.protocol === null || copy.decisions.length >= decision.sequence) return
    const source = this.honest.find(
      ({ index, copies }) =>
        this.#isLinked(node.index, index) && copies[0]!.decisions.length >= decision.sequence,
    )
    if (source === undefined) return
    const known = source.copies[0]!.decisions.slice(copy.decisions.length, decision.sequence)
    for (const missed of known) {
      const before = copy.decisions.length
      if (node.liar === null) this.#look(() => this.oracle.onDecide(node.index, before, missed))
      copy.decisions.push(missed)
    }
    this.#step(node, copy, { type: 'caught-up', decision })
  }

  #fetch(node: Node<T>, copy: Copy<T>, value: Value): void {
    const hasIt = this.nodes.some(
      ({ index, copies }) =>
        this.#isLinked(node.index, index) &&
        copies.some(({ protocol, bodies }) => protocol !== null && bodies.has(value)),
    )
    if (!hasIt || copy.bodies.has(value)) return
    copy.bodies.add(value)
    this.#step(node, copy, { type: 'revalidate' })
  }

  #setTimer(node: Node<T>, copy: Copy<T>, name: Timer['name'], delayMs: number): void {
    const timer = { name }
    copy.timers.set(name, timer)
    this.#after(delayMs, () => {
      if (copy.timers.get(name) !== timer) return
      copy.timers.delete(name)
      this.#step(node, copy, { type: 'timeout', name })
    })
  }

  // ---- links

  #isLinked(a: number, b: number): boolean {
    return this.#cut.has(a) === this.#cut.has(b)
  }

  #delayMs(): number {
    const [least, most] = this.#weather.delayMs
    return least === most ? least : this.random.between(least, most)
  }

  #send(node: Node<T>, copy: Copy<T>, to: number, message: T['message']): void {
    if (node.liar === null) this.#lookAtMessage(node, copy, message)
    this.#dispatch(node, to, message)
  }

  #lookAtMessage(node: Node<T>, copy: Copy<T>, message: T['message']): void {
    this.#look(() => this.oracle.onMessage(node.index, copy.disk, copy.protocol!, message))
  }

  /** To one node, by way of the liar that the sender may be. */
  #dispatch(node: Node<T>, to: number, message: T['message']): void {
    if (node.liar === null) {
      if (to < this.options.n) this.counts.set(message.type, (this.counts.get(message.type) ?? 0) + 1)
      return this.#carry(node.index, to, message, 0)
    }
    for (const lie of node.liar.send(message, to)) this.#carry(node.index, to, lie, node.liar.delayMs ?? 0)
  }

  #carry(from: number, to: number, message: T['message'], waitMs: number): void {
    if (!this.#isLinked(from, to) || this.random.chance(this.#weather.drop)) return
    const times = this.random.chance(this.#weather.double) ? 2 : 1
    for (let time = 0; time < times; time++)
      this.#after(waitMs + this.#delayMs(), () => this.#deliver(from, to, message))
  }

  #deliver(from: number, to: number, message: T['message']): void {
    const node = this.nodes[to]!
    if (node.liar !== null) {
      node.heard.push(message)
      if (node.heard.length > HEARD_MAX) node.heard.shift()
    }
    // A proposal comes with its value, most of the time.
    const { role, value: body } = this.options.maker.kit.anatomy.message(message)
    // Of twins one hears the first half of the members, the other one the rest.
    const copies = node.copies.length === 1 ? node.copies : [node.copies[from * 2 < this.options.n ? 0 : 1]!]
    for (const copy of copies) {
      if (role === 'proposal' && body !== null && this.random.chance(1 - this.#weather.drop))
        copy.bodies.add(body)
      this.#step(node, copy, { type: 'message', from: String(from), message })
    }
  }

  // ---- time

  /** What goes wrong by itself. */
  #tick(): void {
    const { n } = this.options
    const { crash, cut } = this.#weather
    for (const node of this.nodes) {
      for (const copy of node.copies)
        if (this.random.chance(crash)) {
          this.#crash(node, copy)
          this.#after(this.random.between(0, this.timeoutMs), () => this.restart(node.index))
        }
      for (const { to, message } of node.liar?.chatter?.() ?? []) this.#carry(node.index, to, message, 0)
    }
    if (cut > 0 && this.random.chance(cut))
      this.#cut = this.random.chance(0.5)
        ? new Set()
        : new Set(Array.from({ length: this.random.below(n) }, () => this.random.below(n)))
    this.#after(this.timeoutMs / TICK_PARTS, () => this.#tick())
  }

  #after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.#order++, run }
    this.#queue.push(event)
    let index = this.#queue.length - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(event, this.#queue[parent]!)) break
      this.#queue[index] = this.#queue[parent]!
      index = parent
    }
    this.#queue[index] = event
  }

  #pop(): void {
    const last = this.#queue.pop()!
    if (this.#queue.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#queue.length) break
      if (child + 1 < this.#queue.length && isBefore(this.#queue[child + 1]!, this.#queue[child]!)) child += 1
      if (!isBefore(this.#queue[child]!, last)) break
      this.#queue[index] = this.#queue[child]!
      index = child
    }
    this.#queue[index] = last
  }
}

function isBefore(
  a: { readonly atMs: number; readonly order: number },
  b: { readonly atMs: number; readonly order: number },
): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
