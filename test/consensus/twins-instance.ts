// One instance of a validator in a Twins scenario: a protocol, and an application that always wants the next decision,
// takes any value that names its sequence number, and proposes what no other instance does. Signatures are those of
// Notary in a shape that is quick to check, for instances are told their histories again and again.

import type { Application } from '../../src/consensus/log.ts'
import type { PbftMessage, Statement } from '../../src/consensus/pbft/messages.ts'
import type { Pattern, Pbft } from '../../src/consensus/pbft/pbft.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import type { Signature, Signing } from '../../src/consensus/signed.ts'
import { pbftMaker } from './pbft/maker.ts'
import { isPart } from './pbft/stage.ts'

export type Effect = ReturnType<Pbft['step']>[number]

/** What an instance is told. `want`: its application wants one more decision. */
export type Told =
  | { readonly type: 'begin' }
  | { readonly type: 'timeout'; readonly name: string }
  | { readonly type: 'message'; readonly from: string; readonly message: PbftMessage }
  | { readonly type: 'want' }

export interface InstanceOptions {
  readonly n: number
  readonly pattern: Pattern
  readonly signing: Signing<Statement>
  /** Which tells the values that it proposes from those of others. */
  readonly name: string
  /** What all decided before. */
  readonly past: readonly Certificate[]
}

export class Instance {
  readonly decisions: Certificate[]
  readonly timers = new Set<string>()
  readonly #name: string
  readonly #pbft: Pbft
  #wanted: number
  #isDemanding = false
  #effects: Effect[] = []

  constructor({ n, pattern, signing, name, past }: InstanceOptions) {
    this.#name = name
    this.decisions = [...past]
    this.#wanted = past.length + 1
    const application: Application<Certificate> = {
      validate: (sequence, value) => (value.startsWith(`${sequence}:`) ? 'valid' : 'invalid'),
      decision: sequence => this.decisions[sequence - 1] ?? null,
    }
    const { self } = signing
    const options = { n, self, timeoutMs: 1, pipeline: 1, signing, application, random: () => 0 }
    this.#pbft = pbftMaker(pattern).create(options) as Pbft
  }

  /** All that it does then, in order. */
  tell(told: Told): Effect[] {
    this.#effects = []
    switch (told.type) {
      case 'begin':
        this.#step({
          type: 'start',
          records: new Map(),
          decided: this.decisions.length,
          challenge: null,
          forgotten: null,
          convicted: [],
        })
        break
      case 'timeout': {
        // The progress timer as a whole, of whose parts only the last counts here.
        do {
          this.#effects = []
          this.timers.delete(told.name)
          this.#step(told)
        } while (told.name === 'progress' && isPart(this.#effects))
        break
      }
      case 'message':
        this.#step(told)
        break
      case 'want':
        this.#wanted += 1
        this.#settle()
    }
    return this.#effects
  }

  #step(input: Parameters<Pbft['step']>[0]): void {
    for (const effect of this.#pbft.step(input)) {
      this.#effects.push(effect)
      if (effect.type === 'set-timer') this.timers.add(effect.name)
      if (effect.type === 'clear-timer') this.timers.delete(effect.name)
      if (effect.type === 'decide') this.#apply(effect.decision)
    }
    this.#settle()
  }

  #apply(certificate: Certificate): void {
    this.decisions.push(certificate)
    const digest = this.decisions.map(({ value }) => value).join('|')
    this.#step({ type: 'executed', sequence: certificate.sequence, digest })
    this.#step({ type: 'revalidate' })
  }

  /** The application says whether it waits for something, and proposes when it may. */
  #settle(): void {
    const isWaiting = this.decisions.length < this.#wanted
    if (isWaiting !== this.#isDemanding) {
      this.#isDemanding = isWaiting
      this.#step({ type: 'demand', isWaiting })
    }
    const { turn } = this.#pbft
    if (turn === null || turn > this.#wanted) return
    this.#step({ type: 'propose', value: `${turn}:${this.#name}@${this.#pbft.state.view}` })
  }
}

/** Gives out signatures, and knows what each of them is over. */
export class Seals {
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = []

  /** The key of a member. */
  keyOf(self: MemberIndex): Signing<Statement> {
    return {
      self,
      sign: statement => this.#sign(textOf(statement, self)),
      isSigned: (statement, member, signature) => this.isSigned(statement, member, signature),
    }
  }

  isSigned(statement: Statement, member: MemberIndex, [high = 0, middle = 0, low = 0]: Signature): boolean {
    return this.#texts[(high << 16) | (middle << 8) | low] === textOf(statement, member)
  }

  #sign(text: string): Signature {
    const number = this.#numbers.get(text) ?? this.#texts.push(text) - 1
    this.#numbers.set(text, number)
    return Uint8Array.of(number >> 16, number >> 8, number)
  }
}

function textOf(statement: Statement, member: MemberIndex): string {
  switch (statement.phase) {
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      return `${member} ${statement.phase} ${statement.sequence} ${statement.view} ${statement.value}`
    case 'view-change':
    case 'new-view':
    case 'complaint':
    case 'answer':
      return `${member} ${JSON.stringify(statement)}`
  }
}
