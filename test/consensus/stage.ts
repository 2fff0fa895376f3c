// A stage for log protocols: members named A, B, C …, where nothing happens but what a test or a play tells. Messages wait
// until they are delivered or dropped, disks keep what is persisted, and a member can crash between any two effects.

import assert from 'node:assert/strict'
import type { LogAnatomy, LogTypes } from '../../src/consensus/kit.ts'
import type {
  Application,
  LogEffect,
  LogInput,
  LogProtocol,
  LogStart,
  Value,
} from '../../src/consensus/log.ts'

/** An effect of a protocol. */
export type EffectOf<T extends LogTypes> = LogEffect<T['message'], T['record'], T['decision'], T['evidence']>
type InputOf<T extends LogTypes> = LogInput<T['message'], T['record'], T['decision']>
type ProtocolOf<T extends LogTypes> = LogProtocol<T['message'], T['record'], T['decision'], T['evidence']>

/** A message on its way. */
export interface Envelope<Message> {
  readonly from: number
  readonly to: number
  readonly message: Message
}

/** Which messages are meant; what is left out is any. View and sequence number are those of the protocol's anatomy. */
export interface Which {
  readonly from?: readonly number[]
  readonly to?: readonly number[]
  readonly type?: string
  readonly view?: number
  readonly sequence?: number
}

/** What a stage is made of. */
export interface StageSetup<T extends LogTypes> {
  readonly n: number
  /** Nodes that only follow, after the members. */
  readonly followers?: number
  readonly anatomy: LogAnatomy<T>
  create(index: number, application: Application<T['decision']>): ProtocolOf<T>
}

/** A member, or a node that only follows. */
interface StageNode<T extends LogTypes> {
  /** Null while it is down. */
  process: ProtocolOf<T> | null
  readonly disk: Map<string, T['record']>
  readonly decisions: T['decision'][]
  /** Values that its application does not know. */
  readonly unknown: Set<Value>
}

export const nameOf = (index: number): string => String.fromCharCode(65 + index)
export const indexOf = (name: string): number => name.charCodeAt(0) - 65

/** Members, their disks, and what is between them. */
export class Stage<T extends LogTypes> {
  readonly n: number
  readonly nodes: StageNode<T>[]
  readonly effects: { readonly at: number; readonly effect: EffectOf<T> }[] = []
  waiting: Envelope<T['message']>[] = []
  /** All messages that were ever sent. */
  readonly said: Envelope<T['message']>[] = []
  readonly #setup: StageSetup<T>
  /** How many effects a node may still do before it crashes. */
  readonly #fuses = new Map<number, number>()

  constructor(setup: StageSetup<T>) {
    this.n = setup.n
    this.#setup = setup
    this.nodes = Array.from({ length: this.n + (setup.followers ?? 0) }, () => ({
      process: null,
      disk: new Map(),
      decisions: [],
      unknown: new Set<Value>(),
    }))
    this.nodes.forEach((_, index) => void this.restart(index))
  }

  process(index: number): ProtocolOf<T> {
    const { process } = this.nodes[index]!
    assert.ok(process, `${nameOf(index)} is down`)
    return process
  }

  /** The values that a node decided. */
  decided(index: number): Value[] {
    return this.nodes[index]!.decisions.map(({ value }) => value)
  }

  /** Gives a node an input, and does all of its effects; returns them. */
  step(index: number, input: InputOf<T>): EffectOf<T>[] {
    const { process } = this.nodes[index]!
    if (process === null) return []
    const done: EffectOf<T>[] = []
    for (const effect of process.step(input)) {
      const fuse = this.#fuses.get(index)
      if (fuse !== undefined) this.#fuses.set(index, fuse - 1)
      if (fuse === 0) {
        this.crash(index)
        break
      }
      done.push(effect)
      this.effects.push({ at: index, effect })
      this.#perform(index, effect)
    }
    const decided = done.flatMap(effect => (effect.type === 'decide' ? [effect.decision] : []))
    for (const { sequence } of decided) {
      const digest = this.decided(index).slice(0, sequence).join('|')
      done.push(...this.step(index, { type: 'executed', sequence, digest }))
    }
    return done
  }

  propose(index: number, value: Value): EffectOf<T>[] {
    return this.step(index, { type: 'propose', value })
  }

  /** Something is to be decided at these nodes. */
  demand(indexes: readonly number[] = this.nodes.keys().toArray()): EffectOf<T>[] {
    return indexes.flatMap(index => this.step(index, { type: 'demand', isWaiting: true }))
  }

  timeout(index: number, name: string): EffectOf<T>[] {
    return this.step(index, { type: 'timeout', name })
  }

  crash(index: number): void {
    this.nodes[index]!.process = null
    this.#fuses.delete(index)
  }

  /** Crashes a node before the effect after so many. */
  crashAfter(index: number, effects: number): void {
    this.#fuses.set(index, effects)
  }

  /** With a challenge it asks the others for its own votes first. `start` is what else is not as usual. */
  restart(index: number, challenge: number | null = null, start: Partial<LogStart> = {}): EffectOf<T>[] {
    const node = this.nodes[index]!
    const { unknown, decisions, disk } = node
    node.process = this.#setup.create(index, {
      validate: (_, value) => {
        if (unknown.has(value)) return 'unknown'
        return value.startsWith('bad') ? 'invalid' : 'valid'
      },
      decision: sequence => decisions[sequence - 1] ?? null,
    })
    const records = new Map(disk)
    const usual = { decided: decisions.length, challenge, forgotten: null, convicted: [] }
    return this.step(index, { type: 'start', records, ...usual, ...start })
  }

  /** Delivers what waits, in order, but not what it causes. */
  deliver(
    which: Which = {},
  ): { readonly envelope: Envelope<T['message']>; readonly effects: EffectOf<T>[] }[] {
    return this.#take(which).map(envelope => ({ envelope, effects: this.receive(envelope) }))
  }

  /** Delivers until nothing is left. */
  deliverAll(which: Which = {}): void {
    while (this.deliver(which).length > 0);
  }

  drop(which: Which = {}): number {
    return this.#take(which).length
  }

  receive({ from, to, message }: Envelope<T['message']>): EffectOf<T>[] {
    return this.step(to, { type: 'message', from: nameOf(from), message })
  }

  /** A message as if a node had sent it. */
  say(from: number, to: readonly number[], message: T['message']): EffectOf<T>[] {
    return to.flatMap(target => this.receive({ from, to: target, message }))
  }

  #take({ from, to, type, view, sequence }: Which): Envelope<T['message']>[] {
    const isMeant = (envelope: Envelope<T['message']>): boolean => {
      const facts = this.#setup.anatomy.message(envelope.message)
      return (
        (from?.includes(envelope.from) ?? true) &&
        (to?.includes(envelope.to) ?? true) &&
        (type === undefined || envelope.message.type === type) &&
        (view === undefined || facts.view === view) &&
        (sequence === undefined || facts.sequence === sequence)
      )
    }
    const taken = this.waiting.filter(isMeant)
    this.waiting = this.waiting.filter(envelope => !isMeant(envelope))
    return taken
  }

  #perform(index: number, effect: EffectOf<T>): void {
    const { disk, decisions } = this.nodes[index]!
    const send = (to: number, message: T['message']): void => {
      this.waiting.push({ from: index, to, message })
      this.said.push({ from: index, to, message })
    }
    switch (effect.type) {
      case 'persist':
        if (effect.record === null) disk.delete(effect.key)
        else disk.set(effect.key, effect.record)
        return
      case 'send':
        return send(effect.to, effect.message)
      case 'reply':
        return send(indexOf(effect.to), effect.message)
      case 'broadcast':
        return this.nodes.forEach((_, to) => void (to !== index && send(to, effect.message)))
      case 'decide':
        assert.equal(effect.decision.sequence, decisions.length + 1, `${nameOf(index)} decides over a hole`)
        decisions.push(effect.decision)
        return
      default:
    }
  }
}
