// The stage for PBFT: replicas with keys of a notary, so that a test or a play can also tell what a liar signs and says.

import { PBFT_ANATOMY, type PbftTypes } from '../../../src/consensus/pbft/anatomy.ts'
import type { Statement } from '../../../src/consensus/pbft/messages.ts'
import { type Pattern, Pbft } from '../../../src/consensus/pbft/pbft.ts'
import type { Certificate, Vote } from '../../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../../src/consensus/process.ts'
import type { Signing } from '../../../src/consensus/signed.ts'
import { Notary } from '../notary.ts'
import { type EffectOf, Stage } from '../stage.ts'

export type Effect = EffectOf<PbftTypes>

export interface PbftStageOptions {
  readonly n: number
  readonly pattern?: Pattern
  readonly pipeline?: number
  readonly checkpointInterval?: number
  readonly followers?: number
}

export class PbftStage extends Stage<PbftTypes> {
  /** The keys of all nodes. */
  readonly #keys: readonly Signing<Statement>[]

  constructor(options: PbftStageOptions) {
    const { n, pattern = 'all-to-all', pipeline = 1, checkpointInterval = 4, followers = 0 } = options
    const notary = new Notary()
    const keys = Array.from({ length: n + followers }, (_, index) =>
      notary.keyOf<Statement>(index < n ? index : null),
    )
    const given = { n, pattern, pipeline, checkpointInterval, timeoutMs: 1000, retransmitMs: 500 }
    super({
      n,
      followers,
      anatomy: PBFT_ANATOMY,
      create: (index, application) => new Pbft({ ...given, signing: keys[index]!, application }),
    })
    this.#keys = keys
  }

  /** The key of a member. */
  keyOf(member: MemberIndex): Signing<Statement> {
    return this.#keys[member]!
  }

  sign(member: MemberIndex, statement: Statement): Uint8Array {
    return this.keyOf(member).sign(statement)
  }

  /** A timer fires: the progress timer as a whole, of whose parts only the last counts here. */
  override timeout(index: number, name: string = 'progress'): Effect[] {
    for (;;) {
      const effects = super.timeout(index, name)
      if (name !== 'progress' || !isPart(effects)) return effects
    }
  }

  /** The progress timer fires so many times, none of which is the last. */
  wait(index: number, parts: number): void {
    for (let part = 0; part < parts; part++) super.timeout(index, 'progress')
  }

  /** A vote that a member really signed when it is honest; whatever it likes when it is not. */
  vote(member: MemberIndex, vote: Vote): { readonly member: MemberIndex; readonly signature: Uint8Array } {
    return { member, signature: this.sign(member, vote) }
  }

  certificate(vote: Vote, members: readonly MemberIndex[]): Certificate {
    return { ...vote, signatures: members.map(member => this.vote(member, vote)) }
  }
}

/** Whether the progress timer fired for a part of the timeout only: it runs on, and at most a decision is told. */
export function isPart(effects: readonly { readonly type: string }[]): boolean {
  const types = effects.map(({ type }) => type)
  return types.includes('set-timer') && types.every(type => type === 'set-timer' || type === 'send')
}
