// Equivocation: one half of the others is sent one proposal and the other half another. With enough accomplices both are
// decided: safety holds with f liars and fails with f + 1.

import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import type { Vote } from '../../../consensus/pbft/votes.ts'
import type { MemberIndex } from '../../../consensus/process.ts'
import { quorumOf } from '../../../consensus/quorum.ts'
import { tell } from './audience.ts'
import type { Lie, LieContext, LieEffect, Said } from './lie.ts'
import { Story } from './story.ts'

/** The share of the timeout after which it votes: enough to receive both stories. */
const STORY_SHARE = 0.05
/** Places in which stories are kept. */
const PLACES_MAX = 64

/** Tells two stories. */
export function equivocate(context: LieContext): Lie {
  const equivocator = new Equivocator(context)
  return {
    say: said => equivocator.say(said),
    hear: message => equivocator.listen(message),
    timeout: () => equivocator.vote(),
  }
}

class Equivocator {
  readonly #context: LieContext
  readonly #stories = new Map<string, Story>()

  constructor(context: LieContext) {
    this.#context = context
  }

  say(said: Said): LieEffect[] {
    const { message } = said
    switch (message.type) {
      case 'pre-prepare':
        return this.#begin(message)
      // Told to each half as its own story, later.
      case 'prepare':
      case 'commit':
        return []
      case 'proof':
        return said.type === 'broadcast' ? [] : [said]
      case 'checkpoint':
      case 'view-change':
      case 'new-view':
      case 'status':
      case 'complaint':
      case 'query':
      case 'answer':
        return [said]
    }
  }

  /** Learns what is proposed and voted, to vote for all of it. */
  listen(message: PbftMessage): LieEffect[] {
    if (message.type !== 'pre-prepare' && message.type !== 'prepare' && message.type !== 'commit') return []
    const { state, signing, wait } = this.#context
    const { sequence, view, value } = message
    const { decided, view: current } = state()
    if (sequence <= decided || view !== current) return []
    const story = this.#story(sequence, view)
    if (message.type === 'pre-prepare') story.proposal ??= message
    if (message.type === 'prepare') story.proposal ??= { from: message.proposer, signature: message.proposal }
    story.values.add(value)
    if (message.type === 'pre-prepare') return wait(STORY_SHARE)
    const vote: Vote = { phase: message.type, sequence, view, value }
    if (!signing.isSigned(vote, message.from, message.signature)) return []
    story.note(vote, message.from, message.signature)
    return [...wait(STORY_SHARE), ...this.#prove(story)]
  }

  /** Votes for one story before one half and for the other before the other half. */
  vote(): LieEffect[] {
    return [...this.#stories.values()].flatMap(story => this.#voteFor(story))
  }

  /** Proposes one value to one half and another to the other. */
  #begin({
    sequence,
    view,
    value,
    from,
    signature,
  }: Extract<PbftMessage, { type: 'pre-prepare' }>): LieEffect[] {
    const { audience, signing, wait } = this.#context
    const story = this.#story(sequence, view)
    const proposal = { type: 'pre-prepare' as const, sequence, view, value, from, signature }
    const other = this.#context.alternative(value)
    story.values.add(value)
    if (other === null) return [{ type: 'broadcast', message: proposal }, ...wait(STORY_SHARE)]
    story.values.add(other)
    const effects = [...story.values].toSorted().flatMap((told, half) => {
      const vote: Vote = { phase: 'prepare', sequence, view, value: told }
      const signature = signing.sign(vote)
      return tell(audience.confidants(half), { ...proposal, value: told, signature })
    })
    return [...effects, ...wait(STORY_SHARE)]
  }

  #voteFor(story: Story): LieEffect[] {
    const { self, signing } = this.#context
    const { sequence, view } = story
    return [...story.values].toSorted().flatMap((value, half) => {
      if (story.told.has(value)) return []
      story.told.add(value)
      const votes = (['prepare', 'commit'] as const).map((phase): PbftMessage => {
        const vote: Vote = { phase, sequence, view, value }
        const signature = signing.sign(vote)
        story.note(vote, self, signature)
        if (phase === 'commit') return { type: 'commit', sequence, view, value, from: self, signature }
        const { from: proposer, signature: proposal } = story.proposal ?? { from: self, signature }
        return { type: 'prepare', sequence, view, value, from: self, signature, proposer, proposal }
      })
      return [...tell(this.#audienceOf(story, half), ...votes), ...this.#prove(story)]
    })
  }

  /** Spreads the certificates that the votes for either story make: in one pattern no other member would. */
  #prove(story: Story): LieEffect[] {
    const quorum = quorumOf(this.#context.n)
    return [...story.values].toSorted().flatMap((value, half) =>
      (['prepare', 'commit'] as const).flatMap(phase => {
        const certificate = story.certificate(phase, value, quorum)
        return certificate === null ? [] : tell(this.#audienceOf(story, half), { type: 'proof', certificate })
      }),
    )
  }

  /** The members that are told the value at this index of a story. */
  #audienceOf({ values }: Story, half: number): readonly MemberIndex[] {
    const { audience } = this.#context
    return values.size === 1 ? audience.others : audience.confidants(half)
  }

  #story(sequence: number, view: number): Story {
    const key = `${sequence}/${view}`
    const story = this.#stories.get(key) ?? new Story(sequence, view)
    this.#stories.set(key, story)
    for (const oldest of this.#stories.keys())
      if (this.#stories.size > PLACES_MAX) this.#stories.delete(oldest)
    return story
  }
}
