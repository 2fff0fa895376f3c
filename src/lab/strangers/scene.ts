// What attacks of strangers are made of: what a stranger knows, what an attack and an answer are, and its random parts. Each
// attack is data, made from what the strangers have overheard; its receiver and its time are decided in strangers.ts.
//
// A stranger has no key and does no work: whatever it makes itself is refused. What is genuine it took from others, and it
// comes too late, too early, too often, or to nodes that it was not meant for.

import type { BlockId } from '../../chain/header.ts'
import { toHex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { OutgoingMessage, Status } from '../../replica/messages.ts'
import type { Client } from '../clients/workload.ts'
import type { Random } from '../virtual/random.ts'
import type { Overheard } from './overheard.ts'

/** What an attack is made from. */
export interface Scene {
  readonly genesis: Genesis
  /** An account without money. */
  readonly account: Client
  readonly overheard: Overheard
  readonly random: Random
}

/** The messages of one attack, in their order; none where nothing was overheard that it needs. */
type Make = (scene: Scene) => readonly OutgoingMessage[]

/** One kind of attack. */
export interface Attack {
  readonly name: string
  /** Whether a node bans a peer that does it, for no honest peer can. */
  readonly isBlatant?: boolean
  readonly make: Make
}

/** What is asked of a stranger. */
export type Question = Extract<OutgoingMessage, { type: 'get-headers' | 'get-blocks' | 'get-transactions' }>

/** What a stranger answers; an empty list is silence. */
export interface Answer {
  readonly name: string
  /** Whether it makes the node ask for more, which it will not get: such an answer is given more often. */
  readonly isLure?: boolean
  readonly make: (question: Question, scene: Scene) => readonly OutgoingMessage[]
}

/** The same message so many times: more than a node needs, and far less than a link carries. */
export const BURST = 5

/** The first status of a stranger: that of a node at the genesis block. */
export function ownStatus({ genesis }: Pick<Scene, 'genesis'>): Status {
  const { id } = genesis.block
  return { genesisId: id, chainId: genesis.blocks.chainId, headId: id, height: 0, work: 0n }
}

/** Some of the items, each once. */
export function some<T>(items: readonly T[], random: Random, max = BURST): T[] {
  return random.shuffle(items).slice(0, random.integer(1, max))
}

/** So many, one after the other. */
export function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

/** Any number of 32 bits. */
export function randomNumber(random: Random): number {
  return random.integer(0, 2 ** 32 - 1)
}

/** So many random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(0, 255))
}

/** The id of no block and of no transaction. */
export function randomId(random: Random): BlockId {
  return toHex(randomBytes(random, 32))
}

/** Flips one bit. */
export function flipBit(random: Random): (bytes: Uint8Array) => Uint8Array {
  return bytes => {
    const flipped = bytes.slice()
    const at = random.integer(0, Math.max(0, bytes.length - 1))
    if (bytes.length > 0) flipped[at] = flipped[at]! ^ (1 << random.integer(0, 7))
    return flipped
  }
}
