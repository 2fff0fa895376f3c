// What peers may cost in checks of signatures. Any r on the curve recovers to some address, so a transaction that nobody
// can pay for costs its sender nothing and costs us a recovery: the dearest check that there is.
//
// A transaction is paid for when it is asked for. Each peer has a credit, which bounds what it alone can cause. Besides, what
// a peer without merits is asked for is paid for out of one pool that all such peers share: many identities get no more than
// one. A peer that brought useful transactions has earned as many checks outside that pool, so no stranger can take them away.
// A useful transaction gives back what was paid, and one credit more; it costs its author a fee. One that our pool refuses and
// another pool may hold costs what was paid, for a signature was checked, and no score: the peer that announced it may be
// honest. Nothing here reads a clock: the budget is refilled by ticks.

/** Transactions that one peer may be asked for at once, and what a new peer begins with. */
export const CREDIT_MAX = 512
/** Credits that a peer gets back with each tick: 32 checks a second, 3 ms of a thread. */
export const CREDIT_PER_TICK = 16
/** Transactions that all peers without merits may be asked for at once. */
export const SHARED_MAX = 1_024
/** Checks that they get back together with each tick: 128 a second, 15 ms of a thread. */
export const SHARED_PER_TICK = 64
/** The most that a peer can earn, and the most that it can lose: neither merit nor fault counts for ever. */
const SCORE_MAX = 256

/** Out of what a check was paid for: the place that validators have, a peer's merits, or what strangers share. */
export type Payment = 'trusted' | 'earned' | 'shared'

/**
 * What became of a transaction that was asked for: it can go into the next block, it waits behind a gap, it is here already,
 * it was refused after its sender was recovered, by our pool alone or by any, or it was not given.
 */
export type RelayOutcome = 'useful' | 'future' | 'known' | 'refused' | 'useless' | 'withheld'

/** What one peer may still cost. */
export interface Account {
  credit: number
  /** Useful transactions less useless ones. */
  score: number
  /** Transactions on their way that its merits paid for. */
  earnedUnderWay: number
}

/** The budget of one replica. */
export class RelayBudget {
  #shared = SHARED_MAX

  /** What is left of the pool that strangers share. */
  get shared(): number {
    return this.#shared
  }

  get isFull(): boolean {
    return this.#shared === SHARED_MAX
  }

  /** The account of a peer that was never seen. */
  open(): Account {
    return { credit: CREDIT_MAX, score: 0, earnedUnderWay: 0 }
  }

  /** Gives back what a tick gives to all of these, and to the pool. */
  refill(accounts: Iterable<Account>): void {
    this.#shared = Math.min(SHARED_MAX, this.#shared + SHARED_PER_TICK)
    for (const account of accounts) account.credit = Math.min(CREDIT_MAX, account.credit + CREDIT_PER_TICK)
  }

  /** Pays for one transaction; null when the peer has to wait. `mayShare` says whether the pool may be used for it. */
  pay(account: Account, isTrusted: boolean, mayShare: boolean): Payment | null {
    const payment = this.choose(account, isTrusted, mayShare)
    if (payment === null) return null
    account.credit -= 1
    if (payment === 'earned') account.earnedUnderWay += 1
    if (payment === 'shared') this.#shared -= 1
    return payment
  }

  /** Settles what was paid, now that it is known what became of the transaction. */
  settle(account: Account, payment: Payment, outcome: RelayOutcome): void {
    if (payment === 'earned') account.earnedUnderWay -= 1
    // Where no signature was checked, or it was worth it, the others lose nothing.
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

  /** Out of what one more transaction would be paid for; null when the peer has to wait. */
  choose(account: Account, isTrusted: boolean, mayShare: boolean): Payment | null {
    if (account.credit < 1) return null
    if (isTrusted) return 'trusted'
    if (account.score > account.earnedUnderWay) return 'earned'
    return mayShare && this.#shared > 0 ? 'shared' : null
  }
}
