// What a simulated node is part of: time, and the network that carries what it sends (cluster.ts); and what an observer of
// nodes is told. Observers see everything in the order in which it happens and change nothing.

import type { Genesis } from '../../execution/genesis.ts'
import type { Effect, Input, PeerId, SubmitResult, Write } from '../../replica/effects.ts'
import type { Message, OutgoingMessage } from '../../replica/messages.ts'
import type { Tag } from '../network/costs.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { Trace } from '../virtual/trace.ts'
import type { SimNode } from './sim-node.ts'

/** Watches the nodes of a cluster. */
export interface NodeObserver {
  /** What is worth knowing of an effect when the step that returned it is made; `cause` is the tag of the message. */
  tag?(node: SimNode, effect: Effect, cause: Tag | null): Tag | null
  /** After every step of a replica. */
  afterStep?(node: SimNode, input: Input, effects: readonly Effect[]): void
  /** Before an effect is performed; a message that is refused unread, before its replica sees it, counts as a `reject`. */
  beforeEffect?(node: SimNode, effect: Effect, tag: Tag | null): void
  /** Writes of a node have become durable. */
  onDurable?(node: SimNode, batch: readonly Write[]): void
  /** A node went down: by a crash, or because of what it read (see `stoppedBy`). */
  onCrash?(node: SimNode): void
  /** A message with a tag left for so many receivers; `bytes` is its size. */
  onSent?(node: SimNode, tag: Tag, receivers: number, bytes: number): void
  /** A message with a tag arrived. */
  onReceived?(node: SimNode, tag: Tag): void
  /** A node answered a submission that was not made through the cluster. */
  onReply?(token: string, result: SubmitResult): void
}

/** What a simulated node needs of its cluster. */
export interface SimHost {
  readonly genesis: Genesis
  readonly schedule: Schedule
  /** Where inputs and effects are written down; null for nowhere. */
  readonly trace: Trace | null
  /** Milliseconds since 1970 at which virtual time starts. */
  readonly epochMs: number
  readonly observer: NodeObserver
  /** Whether a peer may send what can't be decoded. */
  mayBeBlamed(peer: PeerId): boolean
  send(from: SimNode, to: PeerId, message: OutgoingMessage, tag: Tag | null): void
  broadcast(from: SimNode, message: OutgoingMessage, tag: Tag | null): void
  /** A node passes on what came from `source`. */
  relay(from: SimNode, message: Message, source: PeerId): void
  disconnect(from: SimNode, peer: PeerId): void
  reply(from: SimNode, token: string, result: SubmitResult): void
  /** A node that was up is down. */
  crashed(node: SimNode): void
}
