// How validators find each other among the peers: each tells every peer which validator it is, by a hello that it signs
// over its own peer id (envelope.ts), and tells it again while validators are missing, for a hello may be lost.

import type { MemberIndex, PeerId } from '../consensus/process.ts'
import type { CommitteeContext } from './committee-context.ts'
import { type Content, helloDigest } from './envelope.ts'
import type { VoteMemory } from './vote-memory.ts'

/** What a hello says. */
export type Hello = Extract<Content<never>, { type: 'hello' }>

/** The hellos that one node sends and receives. */
export class Greeting {
  readonly #context: CommitteeContext
  readonly #votes: VoteMemory
  /** Peers that were sent a hello since the last tick. */
  readonly #greeted = new Set<PeerId>()

  constructor(context: CommitteeContext, votes: VoteMemory) {
    this.#context = context
    this.#votes = votes
  }

  /** Tells a peer which validator we are, once between two ticks. */
  greet(peer: PeerId): void {
    const { identity } = this.#context.options
    const { secretKey, sign } = identity
    const member = this.#votes.self
    if (member === null || secretKey === null || this.#greeted.has(peer)) return
    this.#greeted.add(peer)
    const signature = sign(helloDigest(this.#context.domain, identity.peer), secretKey)
    const body = this.#context.envelope({ type: 'hello', member, signature })
    this.#context.emit({ type: 'send', to: peer, body, block: null })
  }

  /**
   * While validators are missing they may be among the peers, and their hello or ours may be lost. Where nothing is signed
   * a follower believes us by our hello alone, and it does not say whether it has that.
   */
  greetAgain(): void {
    const { members, options } = this.#context
    this.#greeted.clear()
    const isMissing = members.count < options.validators.size - 1
    if (isMissing || options.kit.signed === null) for (const peer of members.followers()) this.greet(peer)
  }

  forget(peer: PeerId): void {
    this.#greeted.delete(peer)
  }

  /** Binds a peer to the validator whose signature its hello has. */
  onHello(from: PeerId, { member, signature }: Hello): void {
    const { members, domain, options } = this.#context
    const { identity, validators } = options
    // It may have disconnected before its message was handled.
    if (!members.isConnected(from)) return
    const signer = identity.recover(helloDigest(domain, from), signature)
    if (signer === null || validators.indexOf(signer) !== member)
      return this.#context.emit({ type: 'refuse', from, reason: 'hello-forged' })
    const isOwn = member === this.#votes.self
    const other = isOwn ? identity.peer : members.peerOf(member)
    if (other !== undefined && other !== from) this.#onTwin(member, other, from)
    if (isOwn) return
    // A peer that says it again does not know which validator we are.
    if (other === from) this.greet(from)
    members.bind(member, from)
  }

  /** One key in two places: sooner or later they contradict each other. */
  #onTwin(member: MemberIndex, first: PeerId, second: PeerId): void {
    if (!this.#context.members.isNewTwin(member)) return
    const name = this.#context.nameOf(member)
    this.#context.alarm(`the key of validator ${name} is in use at two peers, ${first} and ${second}`)
  }
}
