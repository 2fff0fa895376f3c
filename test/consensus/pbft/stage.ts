// A stage for PBFT: replicas named A, B, C …, where nothing happens but what a test or a play tells. What is said
// waits until it is delivered or dropped; what is done is shown as a line of text.

import assert from 'node:assert/strict'
import type { Value } from '../../../src/consensus/log.ts'
import type {
  PbftInput,
  PbftMessage,
  PbftRecord,
  Statement,
  ViewChange,
} from '../../../src/consensus/pbft/messages.ts'
import { type Pattern, Pbft } from '../../../src/consensus/pbft/pbft.ts'
import type { Certificate, Vote } from '../../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../../src/consensus/process.ts'
import type { Signing } from '../../../src/consensus/signed.ts'
import { Notary } from '../notary.ts'

export type Effect = ReturnType<Pbft['step']>[number]

export interface Envelope {
  readonly from: number
  readonly to: number
  readonly message: PbftMessage
}

/** Which messages are meant; what is left out is any. */
export interface Which {
  readonly from?: readonly number[]
  readonly to?: readonly number[]
  readonly type?: string
  readonly view?: number
}

export interface StageOptions {
  readonly n: number
  readonly pattern?: Pattern
  readonly pipeline?: number
  readonly checkpointInterval?: number
  readonly followers?: number
}

interface Player {
  pbft: Pbft | null
  readonly signing: Signing<Statement>
  readonly disk: Map<string, PbftRecord>
  readonly decisions: Certificate[]
  readonly unknown: Set<Value>
}

export const nameOf = (index: number): string => String.fromCharCode(65 + index)
export const indexOf = (name: string): number => name.charCodeAt(0) - 65

export class Stage {
  readonly n: number
  readonly notary = new Notary()
  readonly players: Player[]
  readonly effects: { readonly at: number; readonly effect: Effect }[] = []
  waiting: Envelope[] = []
  /** All that was ever said. */
  readonly said: Envelope[] = []
  readonly #options: StageOptions
  /** How many effects a replica may still do before it crashes. */
  readonly #fuses = new Map<number, number>()

  constructor(options: StageOptions) {
    this.n = options.n
    this.#options = options
    this.players = Array.from({ length: this.n + (options.followers ?? 0) }, (_, index) => ({
      pbft: null,
      signing: this.notary.keyOf<Statement>(index < this.n ? index : null),
      disk: new Map(),
      decisions: [],
      unknown: new Set<Value>(),
    }))
    this.players.forEach((_, index) => void this.restart(index))
  }

  pbft(index: number): Pbft {
    const { pbft } = this.players[index]!
    assert.ok(pbft, `${nameOf(index)} is down`)
    return pbft
  }

  /** The values that a replica decided. */
  decided(index: number): Value[] {
    return this.players[index]!.decisions.map(({ value }) => value)
  }

  sign(member: MemberIndex, statement: Statement): Uint8Array {
    return this.players[member]!.signing.sign(statement)
  }

  /** Does one thing, and all of its effects; returns them. */
  step(index: number, input: PbftInput): Effect[] {
    const { pbft } = this.players[index]!
    if (pbft === null) return []
    const done: Effect[] = []
    for (const effect of pbft.step(input)) {
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
    const decided = done.filter(effect => effect.type === 'decide')
    for (const { decision: certificate } of decided) {
      const digest = this.decided(index).slice(0, certificate.sequence).join('|')
      done.push(...this.step(index, { type: 'executed', sequence: certificate.sequence, digest }))
    }
    return done
  }

  propose(index: number, value: Value): Effect[] {
    return this.step(index, { type: 'propose', value })
  }

  demand(indexes: readonly number[] = this.players.keys().toArray()): void {
    for (const index of indexes) this.step(index, { type: 'demand', isWaiting: true })
  }

  /** A timer runs out: the progress timer as a whole, of whose parts only the last counts here. */
  timeout(index: number, name: 'progress' | 'retransmit' = 'progress'): Effect[] {
    for (;;) {
      const effects = this.step(index, { type: 'timeout', name })
      if (name === 'retransmit' || !isPart(effects)) return effects
    }
  }

  /** The progress timer fires so many times, none of which is the last. */
  wait(index: number, parts: number): void {
    for (let part = 0; part < parts; part++) this.step(index, { type: 'timeout', name: 'progress' })
  }

  crash(index: number): void {
    this.players[index]!.pbft = null
    this.#fuses.delete(index)
  }

  /** Crashes a replica before the effect after so many. */
  crashAfter(index: number, effects: number): void {
    this.#fuses.set(index, effects)
  }

  /** With a challenge it asks the others for its own votes first. */
  restart(index: number, challenge: number | null = null): Effect[] {
    const { n, pattern = 'all-to-all', pipeline = 1, checkpointInterval = 4 } = this.#options
    const player = this.players[index]!
    const { signing, unknown, decisions, disk } = player
    const application = {
      validate: (_: number, value: Value) =>
        unknown.has(value)
          ? ('unknown' as const)
          : value.startsWith('bad')
            ? ('invalid' as const)
            : ('valid' as const),
      decision: (sequence: number) => decisions[sequence - 1] ?? null,
    }
    const times = { timeoutMs: 1000, retransmitMs: 500 }
    player.pbft = new Pbft({ n, pattern, pipeline, checkpointInterval, signing, application, ...times })
    return this.step(index, {
      type: 'start',
      records: new Map(disk),
      decided: decisions.length,
      challenge,
    })
  }

  /** Delivers what waits, in order, but not what it causes. */
  deliver(which: Which = {}): { readonly envelope: Envelope; readonly effects: Effect[] }[] {
    return this.#take(which).map(envelope => ({ envelope, effects: this.receive(envelope) }))
  }

  /** Delivers until nothing is left. */
  settle(which: Which = {}): void {
    while (this.deliver(which).length > 0);
  }

  drop(which: Which = {}): number {
    return this.#take(which).length
  }

  receive({ from, to, message }: Envelope): Effect[] {
    return this.step(to, { type: 'message', from: nameOf(from), message })
  }

  /** A message as if one had said it. */
  say(from: number, to: readonly number[], message: PbftMessage): Effect[] {
    return to.flatMap(target => this.receive({ from, to: target, message }))
  }

  /** A vote that a member really signed when it is honest; whatever it likes when it is not. */
  vote(member: MemberIndex, vote: Vote): { readonly member: MemberIndex; readonly signature: Uint8Array } {
    return { member, signature: this.sign(member, vote) }
  }

  certificate(vote: Vote, members: readonly MemberIndex[]): Certificate {
    return { ...vote, signatures: members.map(member => this.vote(member, vote)) }
  }

  #take({ from, to, type, view }: Which): Envelope[] {
    const isMeant = (envelope: Envelope): boolean =>
      (from?.includes(envelope.from) ?? true) &&
      (to?.includes(envelope.to) ?? true) &&
      (type === undefined || envelope.message.type === type) &&
      (view === undefined || ('view' in envelope.message && envelope.message.view === view))
    const taken = this.waiting.filter(isMeant)
    this.waiting = this.waiting.filter(envelope => !isMeant(envelope))
    return taken
  }

  #perform(index: number, effect: Effect): void {
    const { disk, decisions } = this.players[index]!
    const say = (to: number, message: PbftMessage): void => {
      this.waiting.push({ from: index, to, message })
      this.said.push({ from: index, to, message })
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
        decisions.push(effect.decision)
        return
      default:
    }
  }
}

// ---- what was done, as text

const voters = ({ signatures }: Certificate): string =>
  signatures.map(({ member }) => nameOf(member)).join('')
const what = ({ sequence, view, value }: { sequence: number; view: number; value: Value }): string =>
  `${value || 'null'}@${sequence} view ${view}`
const proof = (certificate: Certificate): string =>
  `${certificate.phase} of ${what(certificate)} by ${voters(certificate)}`
const list = (entries: readonly string[]): string => (entries.length === 0 ? 'nothing' : entries.join(', '))

const suspected = ({ suspects }: ViewChange): string =>
  suspects.length === 0
    ? ''
    : `; suspects ${list(suspects.map(({ member, until }) => `${nameOf(member)} to ${until}`))}`

export function showMessage(message: PbftMessage): string {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      return `${message.type.toUpperCase()} ${what(message)}`
    case 'checkpoint':
      return `CHECKPOINT ${message.sequence} ${message.value}`
    case 'view-change': {
      const low = message.stable === null ? '' : ` above ${message.stable.sequence}`
      return `VIEW-CHANGE ${message.view}${low}: prepared ${list(message.prepared.map(what))}${suspected(message)}`
    }
    case 'new-view': {
      const from = message.viewChanges.map(({ from }) => nameOf(from)).join('')
      const again = message.proposals.map(({ sequence, value }) => `${value || 'null'}@${sequence}`)
      return `NEW-VIEW ${message.view} from ${from}: again ${list(again)}`
    }
    case 'status':
      return `STATUS view ${message.view}${message.isActive ? '' : ' (leaving)'} decided ${message.decided}`
    case 'proof':
      return `PROOF ${proof(message.certificate)}`
    case 'complaint':
      return `COMPLAINT ${message.view}`
    case 'query':
      return `QUERY by ${nameOf(message.from)}`
    case 'answer':
      return `ANSWER to ${nameOf(message.to)}: decided ${message.decided}, ${message.votes.length} votes`
  }
}

function showRecord(record: PbftRecord): string {
  switch (record.type) {
    case 'view':
      return `view ${record.view}${record.isActive ? '' : ' (leaving)'}`
    case 'new-view':
      return `how view ${record.message.view} began`
    case 'slot': {
      const prepared = record.prepared === null ? '' : `, prepared in view ${record.prepared.view}`
      return `accepted ${what(record)}${prepared}`
    }
    case 'stable':
      return `stable ${record.certificate.sequence}`
  }
}

export function showEffect(effect: Effect): string {
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
      return `DECIDES ${what(effect.decision)} by ${voters(effect.decision)}`
    case 'behind':
      return `is behind: ${proof(effect.decision)}`
    case 'missing':
      return `misses ${effect.value}`
    case 'evidence': {
      const { evidence } = effect
      if (evidence.type === 'omission') {
        const { member, vote, departure } = evidence
        return `accuses ${nameOf(member)}: ${vote.phase} of ${what(vote)}, left out for view ${departure.view}`
      }
      const { member, first, second } = evidence
      return `accuses ${nameOf(member)}: ${first.phase} of ${what(first)} and of ${what(second)}`
    }
    case 'conflict':
      return `HALTS: ${proof(effect.first)} and ${proof(effect.second)}`
    case 'diverged':
      return `HALTS: ${proof(effect.decision)}, but has another state`
    case 'exhausted':
      return `HALTS: no view after ${effect.view}`
    case 'refuse':
      return `refuses ${effect.from}: ${effect.reason}`
  }
}

/** Whether the progress timer fired for a part of the timeout only: it runs on, and at most a decision is told. */
export function isPart(effects: readonly { readonly type: string }[]): boolean {
  const types = effects.map(({ type }) => type)
  return types.includes('set-timer') && types.every(type => type === 'set-timer' || type === 'send')
}
