// How many calls an address may make: a token bucket each. The hour is
// given.

import { BoundedMap } from '../replica/bounded-map.ts'
import type { RpcLimits } from './limits.ts'

/** Addresses that are remembered; who was forgotten begins with a full bucket. */
const ADDRESSES_MAX = 4_096

/** The buckets of all addresses. */
export class RateLimit {
  readonly #limits: Pick<RpcLimits, 'callsPerSecond' | 'callsBurst'>
  readonly #buckets = new BoundedMap<string, { calls: number; timeMs: number }>(ADDRESSES_MAX)

  constructor(limits: Pick<RpcLimits, 'callsPerSecond' | 'callsBurst'>) {
    this.#limits = limits
  }

  /** Whether the address may make so many calls now; if so they are counted. `nowMs` never steps back. */
  take(address: string, calls: number, nowMs: number): boolean {
    const { callsPerSecond, callsBurst } = this.#limits
    const bucket = this.#buckets.get(address) ?? { calls: callsBurst, timeMs: nowMs }
    const refilled = bucket.calls + ((nowMs - bucket.timeMs) * callsPerSecond) / 1000
    const left = Math.min(callsBurst, refilled)
    const isAllowed = calls <= left
    this.#buckets.set(address, { calls: isAllowed ? left - calls : left, timeMs: nowMs })
    return isAllowed
  }
}
