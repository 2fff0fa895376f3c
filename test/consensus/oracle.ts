// What must be true of every protocol, whatever the network does: an oracle that looks at everything that honest
// members do, after every event, and knows nothing of how the protocol works. The names are those of the invariants:
// S1 agreement, S2 validity, S3 in order and once, S4 no vote contradicted, S5 durable before visible, S6 views never fall, S7
// every certificate proves what it says, S9 bounded memory, P1 one prepared value, P4 equal states, P5 watermarks.

import type { LogKit, LogTypes } from '../../src/consensus/kit.ts'
import { NO_VALUE, type Value } from '../../src/consensus/log.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import type { SomeCertificate } from '../../src/consensus/signed.ts'
import { type Notary, textOf } from './notary.ts'

/** A process of the protocol under test. */
export type Protocol<T extends LogTypes> = ReturnType<LogKit<T>['create']>

/** What an oracle has to know of a protocol besides its kit: a second opinion, and its bounds. */
export interface SecondOpinion<T extends LogTypes> {
  /** Whether what a message binds its sender to could be told from these records alone. */
  isDurable(records: ReadonlyMap<string, T['record']>, message: T['message']): boolean
  /** Whether evidence proves that its member lies; never where nothing is signed. */
  convicts(evidence: T['evidence'], notary: Notary): boolean
  /** Sequence numbers above what is stable in which members vote. */
  readonly window: number
  /** How much one process may remember. */
  sizeMax(n: number): number
}

/** A rule that was broken. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, says: string) {
    super(`${rule}: ${says}`)
    this.rule = rule
  }
}

/** Watches one network. */
export class Oracle<T extends LogTypes> {
  readonly #n: number
  readonly #notary: Notary
  readonly #kit: LogKit<T>
  readonly #opinion: SecondOpinion<T>
  /** What honest members proposed; null where liars may propose what they like. */
  readonly #proposed: ReadonlySet<Value> | null
  readonly #decided = new Map<number, T['decision']>()
  readonly #claimed = new Map<string, string>()
  readonly #prepared = new Map<string, Value>()
  readonly #states = new Map<number, Value>()
  readonly #views = new Map<MemberIndex, number>()

  constructor(
    n: number,
    {
      notary,
      kit,
      opinion,
      proposed,
    }: {
      readonly notary: Notary
      readonly kit: LogKit<T>
      readonly opinion: SecondOpinion<T>
      readonly proposed: ReadonlySet<Value> | null
    },
  ) {
    this.#n = n
    this.#notary = notary
    this.#kit = kit
    this.#opinion = opinion
    this.#proposed = proposed
  }

  /** The decisions that were made anywhere, by sequence number. */
  get decided(): ReadonlyMap<number, T['decision']> {
    return this.#decided
  }

  /** One that has so many decisions makes the next. */
  onDecide(node: number, known: number, decision: T['decision']): void {
    const { sequence, value } = decision
    if (sequence !== known + 1) throw new Violation('S3', `${node} decides ${sequence} after ${known}`)
    if (!this.#kit.anatomy.decision(decision).isDecision)
      throw new Violation('S7', `${node} decides by ${this.#kit.describeDecision(decision)}`)
    if (this.#kit.signed !== null) this.#checkCertificate(node, this.#kit.signed.certificate(decision))
    if (value !== NO_VALUE && this.#proposed?.has(value) === false)
      throw new Violation('S2', `${node} decides ${value}, which no member proposed`)
    const first = this.#decided.get(sequence)
    if (first === undefined) this.#decided.set(sequence, decision)
    else if (first.value !== value)
      throw new Violation('S1', `${sequence} is ${first.value}, and ${value} for ${node}`)
  }

  /** The application's state after a sequence number. */
  onExecuted(node: number, sequence: number, digest: Value): void {
    const known = this.#states.get(sequence) ?? digest
    this.#states.set(sequence, known)
    if (known !== digest) throw new Violation('P4', `${node} has another state after ${sequence}`)
  }

  onMessage(
    node: number,
    records: ReadonlyMap<string, T['record']>,
    protocol: Protocol<T>,
    message: T['message'],
  ): void {
    const low = protocol.state.stable
    const high = low + this.#opinion.window
    for (const { about, value, sequence } of this.#kit.anatomy.claims(message)) {
      const key = `${node} ${about}`
      const known = this.#claimed.get(key) ?? value
      this.#claimed.set(key, known)
      if (known !== value) throw new Violation('S4', `${key} is ${known}, and then ${value}`)
      if (sequence !== null && (sequence <= low || sequence > high))
        throw new Violation('P5', `${key} is not between ${low} and ${high}`)
    }
    if (!this.#opinion.isDurable(records, message))
      throw new Violation('S5', `${node} said what is not on its disk: ${textOf(message)}`)
    for (const certificate of this.#kit.signed?.certificates(message) ?? [])
      this.#checkCertificate(node, certificate)
  }

  onStep(node: number, protocol: Protocol<T>): void {
    const { view } = protocol.state
    const before = this.#views.get(node) ?? 0
    if (view < before) throw new Violation('S6', `${node} is in view ${view} after ${before}`)
    this.#views.set(node, view)
    const { size } = protocol
    if (size > this.#opinion.sizeMax(this.#n)) throw new Violation('S9', `${node} keeps ${size} things`)
  }

  /** The naive verifier: it shares nothing with the protocol but the shape of a certificate. */
  #checkCertificate(node: number, certificate: SomeCertificate): void {
    const { phase, sequence, view, value, signatures } = certificate
    const members = new Set(signatures.map(({ member }) => member))
    const n = this.#n
    const isProven =
      members.size === signatures.length &&
      3 * (n - members.size) < n &&
      signatures.every(({ member }) => Number.isInteger(member) && member >= 0 && member < n) &&
      signatures.every(({ member, signature }) =>
        this.#notary.isSigned({ phase, sequence, view, value }, member, signature),
      )
    if (!isProven)
      throw new Violation('S7', `${node} has a certificate that proves nothing: ${phase} ${value}`)
    // What is decided, or attested of a state, is so in every view.
    const isFinal = phase === this.#kit.signed?.decidingPhase || phase === this.#kit.signed?.statePhase
    const key = `${isFinal ? '' : view} ${phase} ${sequence}`
    const known = this.#prepared.get(key) ?? value
    this.#prepared.set(key, known)
    if (known !== value)
      throw new Violation(isFinal ? 'S1' : 'P1', `${key} is proven for ${known} and for ${value}`)
  }
}
