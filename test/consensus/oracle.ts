// What must be true of every protocol, whatever the network does: an oracle that looks at everything that honest
// members do, after every event, and knows nothing of how the protocol works. The names are those of the invariants:
// S1 agreement, S3 in order and once, S4 no vote contradicted, S5 durable before visible, S6 views never fall, S7
// every certificate proves what it says, S9 bounded memory, P1 one prepared value, P4 equal states, P5 watermarks.

import type { LogProtocol, Value } from '../../src/consensus/log.ts'
import type { Certificate, Evidence } from '../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import { type Notary, textOf } from './notary.ts'

/** A protocol under test. */
export type Protocol<Message, Record> = LogProtocol<Message, Record, Certificate, Evidence>

/** Something that a member bound itself to by a message: `about` may only ever have one `value`. */
export interface Claim {
  readonly about: string
  readonly value: string
  /** The sequence number of a vote, which must lie between the watermarks. */
  readonly sequence: number | null
}

/** What an oracle has to know of a protocol. */
export interface Anatomy<Message, Record> {
  /** What its sender bound itself to. */
  claims(message: Message): readonly Claim[]
  /** The certificates that a message carries. */
  certificates(message: Message): readonly Certificate[]
  /** Whether what a message binds its sender to could be told from these records alone. */
  isDurable(records: ReadonlyMap<string, Record>, message: Message): boolean
  view(protocol: Protocol<Message, Record>): number
  /** The last sequence number that can be forgotten, and the last that may be voted for. */
  watermarks(protocol: Protocol<Message, Record>): readonly [number, number]
  size(protocol: Protocol<Message, Record>): number
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
export class Oracle<Message, Record> {
  readonly #n: number
  readonly #notary: Notary
  readonly #anatomy: Anatomy<Message, Record>
  readonly #decided = new Map<number, Certificate>()
  readonly #claimed = new Map<string, string>()
  readonly #prepared = new Map<string, Value>()
  readonly #states = new Map<number, Value>()
  readonly #views = new Map<MemberIndex, number>()

  constructor(n: number, notary: Notary, anatomy: Anatomy<Message, Record>) {
    this.#n = n
    this.#notary = notary
    this.#anatomy = anatomy
  }

  /** The decisions that were made anywhere, by sequence number. */
  get decided(): ReadonlyMap<number, Certificate> {
    return this.#decided
  }

  /** One that has so many decisions makes the next. */
  onDecide(node: number, known: number, certificate: Certificate): void {
    const { sequence, value } = certificate
    if (sequence !== known + 1) throw new Violation('S3', `${node} decides ${sequence} after ${known}`)
    if (certificate.phase !== 'commit') throw new Violation('S7', `${node} decides by a ${certificate.phase}`)
    this.#checkCertificate(node, certificate)
    const first = this.#decided.get(sequence)
    if (first === undefined) this.#decided.set(sequence, certificate)
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
    records: ReadonlyMap<string, Record>,
    protocol: Protocol<Message, Record>,
    message: Message,
  ): void {
    const [low, high] = this.#anatomy.watermarks(protocol)
    for (const { about, value, sequence } of this.#anatomy.claims(message)) {
      const key = `${node} ${about}`
      const known = this.#claimed.get(key) ?? value
      this.#claimed.set(key, known)
      if (known !== value) throw new Violation('S4', `${key} is ${known}, and then ${value}`)
      if (sequence !== null && (sequence <= low || sequence > high))
        throw new Violation('P5', `${key} is not between ${low} and ${high}`)
    }
    if (!this.#anatomy.isDurable(records, message))
      throw new Violation('S5', `${node} said what is not on its disk: ${textOf(message)}`)
    for (const certificate of this.#anatomy.certificates(message)) this.#checkCertificate(node, certificate)
  }

  onStep(node: number, protocol: Protocol<Message, Record>): void {
    const view = this.#anatomy.view(protocol)
    const before = this.#views.get(node) ?? 0
    if (view < before) throw new Violation('S6', `${node} is in view ${view} after ${before}`)
    this.#views.set(node, view)
    const size = this.#anatomy.size(protocol)
    if (size > this.#anatomy.sizeMax(this.#n)) throw new Violation('S9', `${node} keeps ${size} things`)
  }

  /** The naive verifier: it shares nothing with the protocol but the shape of a certificate. */
  #checkCertificate(node: number, certificate: Certificate): void {
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
    const key = `${phase === 'prepare' ? view : ''} ${phase} ${sequence}`
    const known = this.#prepared.get(key) ?? value
    this.#prepared.set(key, known)
    if (known !== value)
      throw new Violation(phase === 'prepare' ? 'P1' : 'S1', `${key} is proven for ${known} and for ${value}`)
  }
}
