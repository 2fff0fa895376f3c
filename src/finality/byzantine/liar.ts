// A validator that lies on purpose, for tests. It stands between an honest replica and everybody else and changes what
// is said; what it is told it takes in as anybody does, so that it always knows where the others are. How it lies is
// its role's (roles.ts).

import type { LogState } from '../../consensus/log.ts'
import type { PbftInput } from '../../consensus/pbft/messages.ts'
import type { Pbft } from '../../consensus/pbft/pbft.ts'
import { Audience } from './audience.ts'
import type { LiarEffect, LiarInput, Lie, LieOptions } from './lie.ts'
import { type ByzantineRole, LIES } from './roles.ts'

/** What a committee drives: an honest replica, or a liar with one inside. */
export interface Member {
  readonly turn: number | null
  readonly state: LogState
  /** How much is remembered of what others said. */
  readonly size: number
  step(input: LiarInput): LiarEffect[]
}

/** An honest replica in the hands of a liar. */
export class Liar implements Member {
  readonly #honest: Pbft
  readonly #lie: Lie
  readonly #timeoutMs: number
  #isTimed = false

  /** Throws when the signing is nobody's: only a member can lie. */
  constructor(honest: Pbft, role: ByzantineRole, options: LieOptions) {
    const { self } = options.signing
    if (self === null) throw new Error('only a member can lie')
    this.#honest = honest
    this.#timeoutMs = options.timeoutMs
    this.#lie = LIES[role]({
      ...options,
      self,
      audience: new Audience(options.n, self, options.accomplices),
      get state() {
        return honest.state
      },
      wait: share => this.#wait(share),
    })
  }

  get turn(): number | null {
    return this.#honest.turn
  }

  get state(): LogState {
    return this.#honest.state
  }

  get size(): number {
    return this.#honest.size
  }

  step(input: LiarInput): LiarEffect[] {
    if (input.type === 'timeout' && input.name === 'mischief') {
      this.#isTimed = false
      return [...(this.#lie.mischief?.() ?? [])]
    }
    const beside = input.type === 'message' ? (this.#lie.hear?.(input.message) ?? []) : []
    const honest = this.#honest.step(this.#misled(input) as PbftInput)
    const said = honest.flatMap(effect => this.#twist(effect))
    const isTick = input.type === 'timeout' && input.name === 'retransmit'
    return [...said, ...beside, ...(isTick ? (this.#lie.tick?.() ?? []) : [])]
  }

  /** What the honest replica is told of what happens. */
  #misled(input: LiarInput): LiarInput {
    if (input.type !== 'propose') return input
    return { ...input, value: this.#lie.propose?.(input.value) ?? input.value }
  }

  /** What becomes of one thing that the honest replica wants done. */
  #twist(effect: LiarEffect): readonly LiarEffect[] {
    const isSaid = effect.type === 'send' || effect.type === 'broadcast' || effect.type === 'reply'
    return isSaid ? this.#lie.say(effect) : [effect]
  }

  #wait(share: number): LiarEffect[] {
    if (this.#isTimed) return []
    this.#isTimed = true
    return [{ type: 'set-timer', name: 'mischief', delayMs: Math.ceil(this.#timeoutMs * share) }]
  }
}
