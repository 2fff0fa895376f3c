// A stage for Multi-Paxos: members named A, B, C …, where nothing happens but what a test or a play tells. What is said
// waits until it is delivered or dropped; what is done is shown as a line of text.

import assert from 'node:assert/strict'
import type { Value } from '../../../src/consensus/log.ts'
import type {
  Accepted,
  PaxosDecision,
  PaxosEffect,
  PaxosInput,
  PaxosMessage,
  PaxosRecord,
} from '../../../src/consensus/multi-paxos/messages.ts'
import { MultiPaxos } from '../../../src/consensus/multi-paxos/multi-paxos.ts'

/** A message on its way. */
export interface Envelope {
  readonly from: number
  readonly to: number
  readonly message: PaxosMessage
}

/** Which messages are meant; what is left out is any. */
export interface Which {
  readonly from?: readonly number[]
  readonly to?: readonly number[]
  readonly type?: string
  readonly ballot?: number
  readonly slot?: number
}

interface Player {
  paxos: MultiPaxos | null
  readonly disk: Map<string, PaxosRecord>
  readonly decisions: PaxosDecision[]
  readonly unknown: Set<Value>
}

export const nameOf = (index: number): string => String.fromCharCode(65 + index)
export const indexOf = (name: string): number => name.charCodeAt(0) - 65

/** Members, their disks, and what is between them. */
export class Stage {
  readonly n: number
  readonly pipeline: number
  readonly players: Player[]
  readonly effects: { readonly at: number; readonly effect: PaxosEffect }[] = []
  waiting: Envelope[] = []
  /** Effects that a member still does before it crashes. */
  readonly #fuses = new Map<number, number>()

  constructor({ n, pipeline = 1 }: { readonly n: number; readonly pipeline?: number }) {
    this.n = n
    this.pipeline = pipeline
    this.players = Array.from({ length: n }, () => ({
      paxos: null,
      disk: new Map(),
      decisions: [],
      unknown: new Set<Value>(),
    }))
    this.players.forEach((_, index) => void this.restart(index))
  }

  paxos(index: number): MultiPaxos {
    const { paxos } = this.players[index]!
    assert.ok(paxos, `${nameOf(index)} is down`)
    return paxos
  }

  /** The values that a member decided. */
  decided(index: number): Value[] {
    return this.players[index]!.decisions.map(({ value }) => value)
  }

  /** Does one thing, and all of its effects; returns them. */
  step(index: number, input: PaxosInput): PaxosEffect[] {
    const { paxos } = this.players[index]!
    if (paxos === null) return []
    const done: PaxosEffect[] = []
    for (const effect of paxos.step(input)) {
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
    for (const effect of done)
      if (effect.type === 'decide')
        done.push(...this.step(index, { type: 'executed', sequence: effect.decision.sequence, digest: '' }))
    return done
  }

  propose(index: number, value: Value): PaxosEffect[] {
    return this.step(index, { type: 'propose', value })
  }

  demand(index: number): PaxosEffect[] {
    return this.step(index, { type: 'demand', isWaiting: true })
  }

  timeout(index: number, name: string): PaxosEffect[] {
    return this.step(index, { type: 'timeout', name })
  }

  crash(index: number): void {
    this.players[index]!.paxos = null
    this.#fuses.delete(index)
  }

  /** Crashes a member before the effect after so many. */
  crashAfter(index: number, effects: number): void {
    this.#fuses.set(index, effects)
  }

  restart(index: number): PaxosEffect[] {
    const player = this.players[index]!
    const { unknown, decisions, disk } = player
    player.paxos = new MultiPaxos({
      n: this.n,
      self: index,
      application: {
        validate: (_, value) => (unknown.has(value) ? 'unknown' : 'valid'),
        decision: sequence => decisions[sequence - 1] ?? null,
      },
      timeoutMs: 1000,
      retransmitMs: 500,
      pipeline: this.pipeline,
    })
    const records = new Map(disk)
    return this.step(index, { type: 'start', records, decided: decisions.length, challenge: null })
  }

  /** Delivers what waits, in order, but not what it causes. */
  deliver(which: Which = {}): { readonly envelope: Envelope; readonly effects: PaxosEffect[] }[] {
    return this.#take(which).map(envelope => ({ envelope, effects: this.receive(envelope) }))
  }

  /** Delivers until nothing is left. */
  settle(which: Which = {}): void {
    while (this.deliver(which).length > 0);
  }

  drop(which: Which = {}): number {
    return this.#take(which).length
  }

  receive({ from, to, message }: Envelope): PaxosEffect[] {
    return this.step(to, { type: 'message', from: nameOf(from), message })
  }

  #take({ from, to, type, ballot, slot }: Which): Envelope[] {
    const isMeant = (envelope: Envelope): boolean =>
      (from?.includes(envelope.from) ?? true) &&
      (to?.includes(envelope.to) ?? true) &&
      (type === undefined || envelope.message.type === type) &&
      (ballot === undefined || ('ballot' in envelope.message && envelope.message.ballot === ballot)) &&
      (slot === undefined || slotOf(envelope.message) === slot)
    const taken = this.waiting.filter(isMeant)
    this.waiting = this.waiting.filter(envelope => !isMeant(envelope))
    return taken
  }

  #perform(index: number, effect: PaxosEffect): void {
    const { disk, decisions } = this.players[index]!
    const say = (to: number, message: PaxosMessage): void => {
      this.waiting.push({ from: index, to, message })
    }
    switch (effect.type) {
      case 'persist':
        if (effect.record === null) disk.delete(effect.key)
        else disk.set(effect.key, effect.record)
        return
      case 'send':
        return say(effect.to, effect.message)
      case 'reply':
        return say(indexOf(effect.to), effect.message)
      case 'broadcast':
        return this.players.forEach((_, to) => void (to !== index && say(to, effect.message)))
      case 'decide':
        assert.equal(effect.decision.sequence, decisions.length + 1, `${nameOf(index)} decides over a hole`)
        decisions.push(effect.decision)
        return
      default:
    }
  }
}

function slotOf(message: PaxosMessage): number | null {
  if (message.type === 'chosen') return message.decision.sequence
  return 'sequence' in message ? message.sequence : null
}

// ---- what was done, as text

const what = ({ sequence, ballot, value }: Accepted): string =>
  `${value || 'no-op'}@${sequence} ballot ${ballot}`
const list = (entries: readonly string[]): string => (entries.length === 0 ? 'nothing' : entries.join(', '))

export function showMessage(message: PaxosMessage): string {
  switch (message.type) {
    case 'prepare':
      return `PREPARE ${message.ballot} above ${message.decided}`
    case 'promise':
      return `PROMISE ${message.ballot}: decided ${message.decided}, accepted ${list(message.accepted.map(what))}`
    case 'accept':
      return `ACCEPT ${what(message)}${message.isReproposed ? ' again' : ''}`
    case 'accepted':
      return `ACCEPTED ${what(message)}`
    case 'chosen':
      return `CHOSEN ${what(message.decision)}`
    case 'heartbeat':
      return `HEARTBEAT ${message.ballot} decided ${message.decided}`
    case 'reject':
      return `REJECT, promised ${message.ballot}`
    case 'status':
      return `STATUS ballot ${message.ballot} decided ${message.decided}`
  }
}

function showRecord(record: PaxosRecord): string {
  switch (record.type) {
    case 'promise':
      return `promised ${record.ballot}, stable ${record.stable}`
    case 'accepted':
      return `accepted ${what(record)}`
  }
}

export function showEffect(effect: PaxosEffect): string {
  switch (effect.type) {
    case 'persist':
      return effect.record === null ? `forgets ${effect.key}` : `keeps ${showRecord(effect.record)}`
    case 'send':
      return `to ${nameOf(effect.to)}: ${showMessage(effect.message)}`
    case 'reply':
      return `answers ${effect.to}: ${showMessage(effect.message)}`
    case 'broadcast':
      return `to all: ${showMessage(effect.message)}`
    case 'set-timer':
      return `timer ${effect.name} ${effect.delayMs} ms`
    case 'clear-timer':
      return `timer ${effect.name} off`
    case 'decide':
      return `DECIDES ${what(effect.decision)}`
    case 'behind':
      return `is behind: ${what(effect.decision)}`
    case 'missing':
      return `misses ${effect.value}`
    case 'conflict':
      return `HALTS: ${what(effect.first)} and ${what(effect.second)}`
    case 'exhausted':
      return `HALTS: no ballot after ${effect.view}`
    case 'refuse':
      return `refuses ${effect.from}: ${effect.reason}`
    case 'diverged':
    case 'evidence':
      throw new Error(`${effect.type} is for protocols whose members may lie`)
  }
}
