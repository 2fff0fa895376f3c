// An attacker in a process of its own, so that its work is not the nodes': carries out the attacks that it is given until
// it is told to stop, and then says what they cost it. The other end of the channel is `AttackerProcess`.

import process from 'node:process'
import { Attacker, type Cost } from './attacker.ts'
import { ATTACKS } from './attacks.ts'
import type { Target } from './stranger.ts'

/** A target as it travels between processes. */
export type SentTarget = Omit<Target, 'chainId'> & { readonly chainId: string }

/** An attack by its name, and whom it harms. */
export interface Assignment {
  readonly name: string
  readonly target: SentTarget
}

/** What the process is told. */
export type Order =
  | { readonly type: 'attack'; readonly assignments: readonly Assignment[] }
  | { readonly type: 'stop' }

/** What all attacks cost together, the time of a processor included. */
export type ProcessCost = Cost & { readonly cpuMs: number }

/** What the process says: that it can begin, and in the end what the attacks cost. */
export type Said = { readonly type: 'ready' } | { readonly type: 'cost'; readonly cost: ProcessCost }

const stop = new AbortController()
const attackers: Attacker[] = []
let used = process.cpuUsage()

process.on('message', (order: Order) => {
  if (order.type === 'attack') attack(order.assignments)
  else tellCost()
})
process.on('disconnect', () => process.exit())
// Whatever the nodes do to an attack, the others go on.
process.on('unhandledRejection', () => {})
process.on('uncaughtException', error => console.error(error))
process.send?.({ type: 'ready' } satisfies Said)

function attack(assignments: readonly Assignment[]): void {
  used = process.cpuUsage()
  for (const { name, target } of assignments) {
    const found = ATTACKS.find(other => other.name === name)
    if (found === undefined) throw new Error(`there is no attack '${name}'`)
    const attacker = new Attacker({ ...target, chainId: BigInt(target.chainId) }, stop.signal)
    attackers.push(attacker)
    void found.run(attacker)
  }
}

function tellCost(): void {
  const { user, system } = process.cpuUsage(used)
  const sum = (of: keyof Cost) => attackers.reduce((all, { cost }) => all + cost[of], 0)
  const cost = {
    connections: sum('connections'),
    refusals: sum('refusals'),
    bytesSent: sum('bytesSent'),
    bytesReceived: sum('bytesReceived'),
    cpuMs: (user + system) / 1_000,
  }
  stop.abort()
  process.send?.({ type: 'cost', cost } satisfies Said, () => process.exit())
}
