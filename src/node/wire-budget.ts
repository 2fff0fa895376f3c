// What connections may cost below their messages: milliseconds of the event loop that libp2p spends on frames.
//
// The bounds of frame-guard.ts are per connection; a peer may have several, and many peers may act together. So arriving
// bytes have a price, which is paid before libp2p reads them. Each connection has a small budget of its own, enough for
// honest peers; beyond it the connection draws on the budgets of its peer, its address and all connections together. When
// those are used up it waits, and is not closed: the load of others is no fault of its own. Given peers and proven
// validators are never delayed.

import { BoundedMap } from '../collections/bounded-map.ts'
import { type Credit, Debt } from '../defence/debt.ts'
import { TokenBucket, type TokenRate } from '../defence/token-bucket.ts'

/** Milliseconds of each connection, which no other connection can use up. */
export const OWN_MS: TokenRate = { burst: 2, perSecond: 2 }
/** Of one connection besides: some 600 small frames in a second, or a block of a megabyte; and what came in a pause. */
export const CONNECTION_CREDIT: Credit = { share: 0.03, burstMs: 100 }
/** Of all connections of one address, where addresses are limited. */
const ADDRESS_CREDIT: Credit = { share: 0.05, burstMs: 50 }
/** Of all connections. */
export const SHARED_CREDIT: Credit = { share: 0.15, burstMs: 100 }

/** Addresses that are remembered. */
const ADDRESSES_MAX = 1_024
/** Milliseconds after which a connection that waits tries again: by then it has a little of its own. */
const RETRY_MS = 250

/** The peer of the connection. */
export interface Payer {
  /** Its address; null where addresses are not limited. */
  readonly address: string | null
  /** Whether it is never delayed, as of now. */
  isPrivileged(): boolean
}

/** The budgets of all connections of one node. Times are milliseconds of a clock that never steps back. */
export class WireBudgets {
  readonly #shared = new Debt(SHARED_CREDIT)
  readonly #addresses = new BoundedMap<string, Debt>(ADDRESSES_MAX)

  /** The budget of a connection that has just been made. */
  open(payer: Payer, nowMs: number): WireBudget {
    const debts = [new Debt(CONNECTION_CREDIT), ...this.#ofAddress(payer.address), this.#shared]
    return new WireBudget(payer, debts, nowMs)
  }

  #ofAddress(address: string | null): Debt[] {
    if (address === null) return []
    const debt = this.#addresses.get(address) ?? new Debt(ADDRESS_CREDIT)
    this.#addresses.set(address, debt)
    return [debt]
  }
}

/** The budget of one connection. */
export class WireBudget {
  readonly #payer: Payer
  readonly #own: TokenBucket
  readonly #debts: readonly Debt[]

  constructor(payer: Payer, debts: readonly Debt[], nowMs: number) {
    this.#payer = payer
    this.#own = new TokenBucket(OWN_MS, nowMs)
    this.#debts = debts
  }

  /** Pays this price; or answers with the milliseconds after which to try again, and nothing is paid. */
  pay(priceMs: number, nowMs: number): number {
    if (this.#own.take(priceMs, nowMs) || this.#payer.isPrivileged()) return 0
    const waitMs = Math.max(...this.#debts.map(debt => debt.waitMs(nowMs)))
    if (waitMs > 0) return Math.min(waitMs, RETRY_MS)
    for (const debt of this.#debts) debt.add(priceMs, nowMs)
    return 0
  }
}
