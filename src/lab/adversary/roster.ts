// The nodes of a run and what each is: which have a validator's key, which of them lie and how, and which have lost their
// votes. Only honest nodes are held to the rules. All is known before the first node starts.

import type { PeerId } from '../../replica/effects.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { isStranger, placeOfStranger } from '../strangers/stranger-name.ts'
import { isForgetful, type LiarRole } from './adversary.ts'
import type { Byzantine } from './byzantine/lying-finality.ts'

/** What a roster is made of. */
export interface RosterOptions {
  /** Nodes without the twins. */
  readonly nodes: number
  /** The first so many nodes are the committee. */
  readonly validators: number
  /** The roles of the members that lie. */
  readonly liars: ReadonlyMap<number, LiarRole>
  readonly mayForgetVotes: boolean
  /** The place of the miner that lies, if one does. */
  readonly lyingMiner?: number | null
  /** The same of the peer that lies. */
  readonly lyingPeer?: number | null
}

/** One node of the roster: a twin has the place, and with it the key, of the node that it doubles. */
export interface Part {
  readonly id: PeerId
  readonly index: number
  readonly isTwin: boolean
}

/** All nodes of one run. */
export class Roster {
  /** Every node: first those that clients know of, then the twins. */
  readonly parts: readonly Part[]
  readonly validators: number
  readonly liars: ReadonlyMap<number, LiarRole>
  /** Whether a node that lost its votes may vote nevertheless: a fault that is planted on purpose. */
  readonly mayForgetVotes: boolean
  /** The miner that sends blocks which break the rules, beside those that it makes; null when all are honest. */
  readonly lyingMiner: PeerId | null
  /** The peer that lies about what it has; null when all are honest. */
  readonly lyingPeer: PeerId | null
  readonly #parts: ReadonlyMap<PeerId, Part>
  readonly #forgetful = new Set<SimNode>()

  constructor({ nodes, validators, liars, mayForgetVotes, ...others }: RosterOptions) {
    const { lyingMiner = null, lyingPeer = null } = others
    const known = Array.from({ length: nodes }, (_, index) => ({ id: nameOf(index), index, isTwin: false }))
    const twins = [...liars]
      .filter(([, role]) => role === 'twins')
      .map(([index]) => ({ id: `${nameOf(index)}-twin`, index, isTwin: true }))
    this.parts = [...known, ...twins]
    this.validators = validators
    this.liars = liars
    this.mayForgetVotes = mayForgetVotes
    this.lyingMiner = lyingMiner === null ? null : nameOf(lyingMiner)
    this.lyingPeer = lyingPeer === null ? null : nameOf(lyingPeer)
    this.#parts = new Map(this.parts.map(part => [part.id, part]))
  }

  /** The liars by name, in the order of their places. */
  get roles(): Readonly<Record<string, LiarRole>> {
    const liars = [...this.liars].sort(([a], [b]) => a - b)
    return Object.fromEntries(liars.map(([index, role]) => [nameOf(index), role]))
  }

  /** Where a node stands: a twin stands where the node does that it doubles. */
  placeOf(id: PeerId): number {
    return isStranger(id) ? placeOfStranger(id) : this.#parts.get(id)!.index
  }

  /** Whether a node, or a stranger, may be blamed. */
  mayBeBlamed(id: PeerId): boolean {
    return isStranger(id) || !this.#isOwedPart(this.#parts.get(id)!)
  }

  isTwin(node: SimNode): boolean {
    return this.#partOf(node).isTwin
  }

  /** The member whose key a node has; null for a follower. */
  memberOf(node: SimNode): number | null {
    const { index } = this.#partOf(node)
    return index < this.validators ? index : null
  }

  /** Whether a node is held to the rules; within, those of the lying miner and peer are: only what they send is not. */
  isHonest(node: SimNode): boolean {
    return this.#isHonestPart(this.#partOf(node))
  }

  /** Whether anything is owed to a node when faults end, and by it. */
  isOwed(node: SimNode): boolean {
    return this.#isOwedPart(this.#partOf(node))
  }

  /** Whether a member is held to the rules; one that forgets is, for it must know that it did. */
  isHonestMember(member: number): boolean {
    const role = this.liars.get(member)
    return role === undefined || isForgetful(role)
  }

  /** From now on this node's disk loses its votes. */
  forget(node: SimNode): void {
    this.#forgetful.add(node)
  }

  /** Whether a node's disk lost its votes, or will when it crashes. */
  hasForgotten(node: SimNode): boolean {
    return this.#forgetful.has(node)
  }

  /** How a node's own code lies, together with all that lie in the same way; twins and the forgetful are honest code. */
  lieOf({ index }: Part): Byzantine | null {
    const role = this.liars.get(index)
    if (role === undefined || role === 'twins' || isForgetful(role)) return null
    const accomplices = [...this.liars].filter(([other, its]) => other !== index && its === role)
    return { role, accomplices: accomplices.map(([other]) => other) }
  }

  #isOwedPart(part: Part): boolean {
    return this.#isHonestPart(part) && part.id !== this.lyingMiner && part.id !== this.lyingPeer
  }

  #isHonestPart({ index }: Part): boolean {
    return index >= this.validators || this.isHonestMember(index)
  }

  #partOf(node: SimNode): Part {
    return this.#parts.get(node.id)!
  }
}

function nameOf(index: number): PeerId {
  return `n${index + 1}`
}
