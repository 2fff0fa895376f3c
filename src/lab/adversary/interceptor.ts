// Applies the lies of a run to what nodes send: the lying peer's answers are twisted, and beside a block of the lying miner
// others leave that break the rules; the block itself may leave late. The nodes themselves run honest code.

import type { Departure, Intercept } from '../cluster/cluster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { Trace } from '../virtual/trace.ts'
import type { LyingMiner, ToldLie } from './lying-miner.ts'
import type { LyingPeer } from './lying-peer.ts'

/** What an interceptor is made of. */
export interface InterceptorOptions {
  /** Null where no miner lies. */
  readonly lyingMiner: LyingMiner | null
  /** Null where no peer lies. */
  readonly lyingPeer: LyingPeer | null
  /** Whether the miner may withhold an honest block now. */
  readonly mayWithhold: () => boolean
  readonly schedule: Schedule
  readonly epochMs: number
  readonly trace: Trace
}

/** The interceptor of one run. */
export function createInterceptor(options: InterceptorOptions): Intercept {
  const { lyingMiner, lyingPeer } = options
  return (from, departure) => {
    if (departure.to !== null) return lyingPeer?.id === from.id ? twist(lyingPeer, departure) : [departure]
    return lyingMiner?.id === from.id ? tellLies(lyingMiner, from, departure, options) : [departure]
  }
}

function twist(liar: LyingPeer, departure: Departure): Departure[] {
  const message = liar.twist(departure.message)
  return message === null ? [] : [{ ...departure, message }]
}

function tellLies(
  liar: LyingMiner,
  from: SimNode,
  departure: Departure,
  { mayWithhold, schedule, epochMs, trace }: InterceptorOptions,
): Departure[] {
  const { message } = departure
  if (message.type !== 'block') return [departure]
  const parent = from.replica?.tree.get(message.block.header.previous)
  const nowSeconds = Math.floor((epochMs + schedule.nowMs) / 1000)
  const lies = parent === undefined ? [] : liar.tell(message.block, parent, nowSeconds)
  const leave = ({ name, block }: ToldLie): Departure => {
    trace.add(schedule.nowMs, from.id, `! lie: ${name}, as ${block.id}`)
    liar.count({ name })
    return { to: null, message: { type: 'block', block }, tag: null, delayMs: 0 }
  }
  const before = lies.filter(({ isFirst }) => isFirst).map(leave)
  const delayMs = mayWithhold() ? liar.withheldMs() : 0
  const after = lies.filter(({ isFirst }) => !isFirst).map(leave)
  return [...before, { ...departure, delayMs }, ...after]
}
