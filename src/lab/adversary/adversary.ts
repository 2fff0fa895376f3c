// Which nodes lie in a run, and how: members of the committee, one miner and one peer. All others are honest, and only
// the honest are held to the rules.

import type { Random } from '../virtual/random.ts'
import { BYZANTINE_ROLES } from './byzantine/roles.ts'

/**
 * What may be wrong with a validator: the roles of real nodes; `twins`, two honest nodes that share one key; `amnesia`,
 * an honest node whose disk loses its votes, but not its chain, and which must vote no more; and `rollback`, an honest
 * node whose disk is put back to what it was at an earlier start.
 */
export const LIAR_ROLES = [...BYZANTINE_ROLES, 'twins', 'amnesia', 'rollback'] as const

/** One of these. */
export type LiarRole = (typeof LIAR_ROLES)[number]

/** Whether only the disk of a node with this role is faulty: its code is honest, and it is held to the rules. */
export function isForgetful(role: LiarRole): role is 'amnesia' | 'rollback' {
  return role === 'amnesia' || role === 'rollback'
}

/** Nodes that do not lie yet, of which one may begin to: the others are more. */
const HONEST_MIN = 3

/** How many validators lie and how; `all` draws the number, up to `count`, and each one's role from the seed. */
export interface Adversary {
  readonly role: LiarRole | 'all'
  /** Null for as many as the committee tolerates. */
  readonly count: number | null
}

/** The roles of the validators that lie, by their places. */
export function drawLiars(
  adversary: Adversary | null,
  validators: number,
  random: Random,
): ReadonlyMap<number, LiarRole> {
  if (adversary === null) return new Map()
  const { role } = adversary
  const most = Math.min(validators, adversary.count ?? Math.floor((validators - 1) / 3))
  const count = role === 'all' ? random.integer(Math.min(1, most), most) : most
  const places = random.shuffle(Array.from({ length: validators }, (_, place) => place)).slice(0, count)
  return new Map(places.map(place => [place, role === 'all' ? random.pick(LIAR_ROLES) : role]))
}

/** The miner that lies, by its place: no validator that does, and one of three nodes at least; null where none can. */
export function drawLyingMiner(
  nodes: number,
  liars: ReadonlyMap<number, LiarRole>,
  random: Random,
): number | null {
  const honest = Array.from({ length: nodes }, (_, place) => place).filter(place => !liars.has(place))
  return honest.length < HONEST_MIN ? null : random.pick(honest)
}

/** The peer that lies, by its place: no other liar, nor one whose votes are needed; null where it would be one of few. */
export function drawLyingPeer(
  nodes: number,
  { voters, lyingMiner }: { voters: number; lyingMiner: number | null },
  random: Random,
): number | null {
  const honest = Array.from({ length: nodes }, (_, place) => place).filter(place => place !== lyingMiner)
  const mayLie = honest.filter(place => place >= voters)
  return honest.length <= HONEST_MIN || mayLie.length === 0 ? null : random.pick(mayLie)
}
