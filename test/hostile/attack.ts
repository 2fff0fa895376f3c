// What an attack is: a name, what it makes the node do, and how it is done. Attacks run in tests beside the node that they
// attack, and in the bench in a process of their own.

import type { Attacker } from './attacker.ts'

/** What an attack exercises: a kind of message, of the finality layer `finality/…`, or a method of the RPC. */
export type Covered = string

/** One way to harm a node. */
export interface Attack {
  /** What follows on 'a stranger that …'. */
  readonly name: string
  readonly covers: readonly Covered[]
  /** Whether it harms those who catch up; all others harm a node that is in use. */
  readonly isAgainstJoiners?: boolean
  /** What becomes of its strangers: the node keeps them, or ends their connections. Left open where both are right. */
  readonly fate?: 'kept' | 'ended'
  /** Attacks until the attacker's signal ends it. */
  run(attacker: Attacker): Promise<void>
}
