// What a node has done so far, as plain numbers: for comparisons of agreement protocols, not for the node itself.
//
// A message counts once for each recipient. Over links that is exact, the frame included. Of gossip it is what gossipsub
// reports: the recipients of our own messages. A relayed message counts for all subscribers but its sender, an upper
// bound: peers that have announced it are spared, and beyond a dozen nodes the mesh is smaller than the network. Of
// gossip only content counts, without the envelope and gossipsub's own control messages.

import type { OutgoingMessage } from '../replica/messages.ts'

/** What was sent of one kind. */
export interface Traffic {
  readonly messages: number
  readonly bytes: number
}

/** Everything that a node counts, since it was started. */
export interface NodeCounters {
  /** By kind of message. */
  readonly sent: ReadonlyMap<string, Traffic>
  /** Signatures whose signer was computed, of transactions and of votes; what is remembered is not checked again. */
  readonly signaturesChecked: number
  /** Headers that the node's own miner hashed. */
  readonly hashes: number
  /** How often the head moved to another branch, and the most blocks that were left behind at once. */
  readonly reorganisations: number
  readonly deepestReorganisation: number
}

/** Counts what is sent and how often the head moves. */
export class Counters {
  readonly #sent = new Map<string, { messages: number; bytes: number }>()
  #reorganisations = 0
  #deepestReorganisation = 0
  #signatures = 0

  /** So many bytes of this kind went to so many peers, to each the same. */
  countSent(kind: string, bytes: number, peers = 1): void {
    const traffic = this.#sent.get(kind) ?? { messages: 0, bytes: 0 }
    traffic.messages += peers
    traffic.bytes += peers * bytes
    this.#sent.set(kind, traffic)
  }

  /** The head moved and left so many blocks behind; none when the chain only grew. */
  countHead(reorganised: number): void {
    if (reorganised > 0) this.#reorganisations += 1
    this.#deepestReorganisation = Math.max(this.#deepestReorganisation, reorganised)
  }

  /** The same function, each call of which counts as a signature that is checked. */
  counting<A extends readonly unknown[], R>(check: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.#signatures += 1
      return check(...args)
    }
  }

  /** What was counted so far, together with what others count. */
  read(others: Pick<NodeCounters, 'signaturesChecked' | 'hashes'>): NodeCounters {
    return {
      hashes: others.hashes,
      signaturesChecked: others.signaturesChecked + this.#signatures,
      sent: new Map([...this.#sent].map(([kind, traffic]) => [kind, { ...traffic }])),
      reorganisations: this.#reorganisations,
      deepestReorganisation: this.#deepestReorganisation,
    }
  }
}

/** The name under which a message is counted: its type, or the kind that it names itself. */
export function kindOf(message: OutgoingMessage): string {
  return 'kind' in message && typeof message.kind === 'string' ? message.kind : message.type
}
