// The faults under which availability is measured, as data: what each does to a network of nodes, at which nodes clients
// go on handing in meanwhile, and how it is undone. Clients know a node that does not answer and go to another one; they
// cannot know that one is cut off.
//
// Where the network is cut there are two sides, and a double spender can pay once on each.

import { faultsTolerated } from '../../consensus/quorum.ts'
import type { Stage } from '../stage/stage.ts'

/** A fault, by the name that files know it by. */
export type FaultName =
  | 'none'
  | 'follower-killed'
  | 'leader-killed'
  | 'leader-frozen'
  | 'quorum-killed'
  | 'one-cut-off'
  | 'cut-in-half'
  | 'loss-10'
  | 'loss-30'

/** What can befall a network. */
export interface Fault {
  readonly name: FaultName
  /** In words, to follow "under" or to head a column. */
  readonly says: string
  /** Share of messages that never arrive, from the beginning of the run to its end. */
  readonly lossRate: number
  /** Breaks what is to be broken. */
  readonly begin: (stage: Stage) => Promise<Broken>
}

/** A network while the fault lasts. */
export interface Broken {
  /** Nodes to which clients submit; a dead one among them is skipped. */
  readonly desks: readonly number[]
  /** The two sides of a network that is cut; null of one that is not. */
  readonly sides: readonly [readonly number[], readonly number[]] | null
  /** Lets everything run again. */
  readonly end: () => Promise<void>
}

/** All faults, in the order of their columns. */
export const FAULTS: readonly Fault[] = [
  { name: 'none', says: 'nothing broken', lossRate: 0, begin: breakNothing },
  { name: 'follower-killed', says: 'a follower killed', lossRate: 0, begin: killFollower },
  { name: 'leader-killed', says: 'the leader killed', lossRate: 0, begin: killLeader },
  { name: 'leader-frozen', says: 'the leader frozen', lossRate: 0, begin: freezeLeader },
  { name: 'quorum-killed', says: 'f + 1 nodes killed', lossRate: 0, begin: killQuorum },
  { name: 'one-cut-off', says: 'one node cut off', lossRate: 0, begin: stage => cutAt(stage, -1) },
  {
    name: 'cut-in-half',
    says: 'cut in half',
    lossRate: 0,
    begin: stage => cutAt(stage, Math.ceil(stage.nodes().length / 2)),
  },
  { name: 'loss-10', says: '10 % of messages lost', lossRate: 0.1, begin: breakNothing },
  { name: 'loss-30', says: '30 % of messages lost', lossRate: 0.3, begin: breakNothing },
]

async function breakNothing(stage: Stage): Promise<Broken> {
  return { desks: stage.nodes(), sides: null, end: async () => {} }
}

async function killLeader(stage: Stage): Promise<Broken> {
  return kill(stage, [await stage.leader()])
}

/** Not the next leader either: where all lead in turn, it is the one whose turn is furthest away but for one. */
async function killFollower(stage: Stage): Promise<Broken> {
  const nodes = stage.nodes()
  return kill(stage, [nodes[(nodes.indexOf(await stage.leader()) + 2) % nodes.length]!])
}

/** The last f + 1: those that are left are one too few for n − f. */
async function killQuorum(stage: Stage): Promise<Broken> {
  const nodes = stage.nodes()
  return kill(stage, nodes.slice(-(faultsTolerated(nodes.length) + 1)))
}

async function kill(stage: Stage, victims: readonly number[]): Promise<Broken> {
  const desks = stage.nodes()
  for (const victim of victims) await stage.kill(victim)
  const end = async () => {
    for (const victim of victims) await stage.restart(victim)
  }
  return { desks, sides: null, end }
}

async function freezeLeader(stage: Stage): Promise<Broken> {
  const leader = await stage.leader()
  const desks = stage.nodes().filter(node => node !== leader)
  await stage.freeze(leader)
  return { desks, sides: null, end: () => stage.thaw(leader) }
}

async function cutAt(stage: Stage, at: number): Promise<Broken> {
  const nodes = stage.nodes()
  const sides = [nodes.slice(0, at), nodes.slice(at)] as const
  await stage.cut(sides)
  return { desks: nodes, sides, end: () => stage.heal() }
}
