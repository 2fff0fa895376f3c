// A budget for checks of signatures. Any r on the curve recovers to some address, so a transaction of an account without funds
// costs its sender nothing and us a recovery: the most expensive check that there is.
//
// A transaction is paid for when it is requested. Each peer has a credit, which bounds what it alone can cause. Requests to
// peers without merit are also paid out of one shared pool, so that many identities get no more than one. A peer that brought
// useful transactions has earned as many checks outside that pool, which no stranger can use up. A useful transaction gives
// back its price and one credit more: it costs its author a fee. One that our pool refuses and another may hold costs its
// price and no score, for the peer that announced it may be honest. No clock is read: ticks refill the budget.

/** Transactions that may be requested of one peer at once; the credit of a new peer. */
export const CREDIT_MAX = 512
/** Credits given back to a peer with each tick: 32 checks a second, 3 ms of a thread. */
export const CREDIT_PER_TICK = 16
/** Transactions that may be requested at once of all peers without merit together. */
export const SHARED_MAX = 1_024
/** Checks given back to the shared pool with each tick: 128 a second, 15 ms of a thread. */
export const SHARED_PER_TICK = 64
/** Bound on scores in both directions: neither merit nor fault counts for ever. */
const SCORE_MAX = 256

/** What a check was paid from: the privilege of validators, a peer's merit, or the shared pool. */
export type Payment = 'trusted' | 'earned' | 'shared'

/**
 * The outcome of a request for a transaction: it can go into the next block, it waits behind a gap, it is known already, it
 * was refused after its sender was recovered, by our pool alone or by any pool, or it was not delivered.
 */
export type RelayOutcome = 'useful' | 'future' | 'known' | 'refused' | 'useless' | 'withheld'

/** The budget of one peer. */
export interface Account {
  credit: number
  /** Useful transactions less useless ones. */
  score: number
  /** Requested transactions that its merit paid for. */
  earnedUnderWay: number
}

/** The budget of one replica. */
export class RelayBudget {
  #shared = SHARED_MAX

  /** What is left of the shared pool. */
  get shared(): number {
    return this.#shared
  }

  get isFull(): boolean {
    return this.#shared === SHARED_MAX
  }

  /** The account of a new peer. */
  open(): Account {
    return { credit: CREDIT_MAX, score: 0, earnedUnderWay: 0 }
  }

  /** Refills these accounts and the shared pool, once per tick. */
  refill(accounts: Iterable<Account>): void {
    this.#shared = Math.min(SHARED_MAX, this.#shared + SHARED_PER_TICK)
    for (const account of accounts) account.credit = Math.min(CREDIT_MAX, account.credit + CREDIT_PER_TICK)
  }

  /** Pays for one transaction; null when the peer has to wait. `mayShare` says whether the shared pool may be used. */
  pay(account: Account, isTrusted: boolean, mayShare: boolean): Payment | null {
    const payment = this.choose(account, isTrusted, mayShare)
    if (payment === null) return null
    account.credit -= 1
    if (payment === 'earned') account.earnedUnderWay += 1
    if (payment === 'shared') this.#shared -= 1
    return payment
  }

  /** Settles a payment, now that the outcome is known. */
  settle(account: Account, payment: Payment, outcome: RelayOutcome): void {
    if (payment === 'earned') account.earnedUnderWay -= 1
    // Without a check of a signature, or with a useful one, the pool loses nothing.
    const wasChecked = outcome === 'future' || outcome === 'refused' || outcome === 'useless'
    if (payment === 'shared' && !wasChecked) this.#shared = Math.min(SHARED_MAX, this.#shared + 1)
    switch (outcome) {
      case 'useful':
        account.credit = Math.min(CREDIT_MAX, account.credit + 2)
        account.score = Math.min(SCORE_MAX, account.score + 1)
        return
      case 'known':
        account.credit = Math.min(CREDIT_MAX, account.credit + 1)
        return
      case 'future':
      case 'refused':
        return
      case 'useless':
      case 'withheld':
        account.score = Math.max(-SCORE_MAX, account.score - 1)
        return
    }
  }

  /** What one more transaction would be paid from; null when the peer has to wait. */
  choose(account: Account, isTrusted: boolean, mayShare: boolean): Payment | null {
    if (account.credit < 1) return null
    if (isTrusted) return 'trusted'
    if (account.score > account.earnedUnderWay) return 'earned'
    return mayShare && this.#shared > 0 ? 'shared' : null
  }
}
