// A lie with its timer and its audience, whatever the honest member is that it stands before: a finality layer
// (lying-finality.ts), or in tests a protocol alone.

import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import type { ChainAccess } from '../../../finality/contract.ts'
import { Audience } from './audience.ts'
import type { Lie, LieEffect, LieOptions, Said } from './lie.ts'
import { type ByzantineRole, LIES } from './roles.ts'

/** One member's lie. */
export class Liar {
  readonly #lie: Lie
  #isTimed = false

  /** Throws when the identity has no key: only a member can lie. */
  constructor(role: ByzantineRole, options: LieOptions) {
    const { self } = options.signing
    if (self === null) throw new Error('only a member can lie')
    this.#lie = LIES[role]({
      ...options,
      alternative: value => options.alternative(value),
      self,
      audience: new Audience(options.n, self, options.accomplices),
      wait: share => this.#wait(Math.ceil(options.timeoutMs * share)),
    })
  }

  /** What becomes of one thing that the honest member says. */
  say(said: Said): readonly LieEffect[] {
    return this.#lie.say(said)
  }

  /** The chain as the honest member is shown it. */
  show(chain: ChainAccess): ChainAccess {
    return this.#lie.show?.(chain) ?? chain
  }

  /** What is sent besides, when a message arrives; to be asked before the honest member processes it. */
  hear(message: PbftMessage): readonly LieEffect[] {
    return this.#lie.hear?.(message) ?? []
  }

  /** What is said beside at every tick. */
  tick(): readonly LieEffect[] {
    return this.#lie.tick?.() ?? []
  }

  /** What is said when the timer fires that `wait` asked for. */
  timeout(): readonly LieEffect[] {
    this.#isTimed = false
    return this.#lie.timeout?.() ?? []
  }

  #wait(delayMs: number): LieEffect[] {
    if (this.#isTimed) return []
    this.#isTimed = true
    return [{ type: 'wait', delayMs }]
  }
}
