// The mempool written down slowly: one list, every rule a search through it. The twin of src/replica/mempool.ts.

import type { Address } from '../../src/chain/address.ts'
import { effectiveTip, maximumCost } from '../../src/chain/fees.ts'
import { intrinsicGas } from '../../src/chain/gas.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import type { PoolLimits } from '../../src/replica/limits.ts'
import type { PoolContext } from '../../src/replica/mempool.ts'
import { RULES } from '../chain/examples.ts'

/** One transaction of the naive pool. */
export interface NaiveEntry {
  readonly tx: Transaction
  readonly sender: Address
  readonly arrival: number
}

/** What became of an attempt to add, in ids. */
export type NaiveResult = string | { readonly replaced: string | null; readonly evicted: readonly string[] }

/** A pool that is slow and obvious. */
export class NaiveMempool {
  entries: NaiveEntry[] = []
  context: PoolContext
  readonly #limits: PoolLimits
  #arrivals = 0

  constructor(context: PoolContext, limits: PoolLimits) {
    this.context = context
    this.#limits = limits
  }

  of(sender: Address): NaiveEntry[] {
    return this.entries
      .filter(entry => entry.sender === sender)
      .sort((a, b) => (a.tx.nonce < b.tx.nonce ? -1 : 1))
  }

  isPending(entry: NaiveEntry): boolean {
    const { nonce } = this.context.state.get(entry.sender)
    const nonces = new Set(this.of(entry.sender).map(({ tx }) => tx.nonce))
    for (let needed = nonce; needed <= entry.tx.nonce; needed++) if (!nonces.has(needed)) return false
    return true
  }

  add(tx: Transaction, sender: Address, origin: 'new' | 'back'): NaiveResult {
    const before = this.entries
    const result = this.#tryAdd(tx, sender, origin)
    if (typeof result === 'string') this.entries = before
    return result
  }

  moveTo(context: PoolContext): { id: string; reason: string }[] {
    this.context = context
    const gone: { id: string; reason: string }[] = []
    for (const sender of new Set(this.entries.map(entry => entry.sender))) {
      const account = context.state.get(sender)
      for (const { tx } of this.of(sender))
        if (tx.nonce < account.nonce) gone.push({ id: tx.id, reason: 'tx-nonce-too-low' })
      const left = this.of(sender).filter(({ tx }) => tx.nonce >= account.nonce)
      while (left.reduce((sum, { tx }) => sum + maximumCost(tx), 0n) > account.balance)
        gone.push({ id: left.pop()!.tx.id, reason: 'tx-insufficient-funds' })
    }
    const ids = new Set(gone.map(({ id }) => id))
    this.entries = this.entries.filter(entry => !ids.has(entry.tx.id))
    return gone
  }

  /** All that can be mined at this base fee, by picking the best of the firsts again and again. */
  byPrice(baseFee: bigint): string[] {
    const order: string[] = []
    let left = this.entries.filter(entry => this.isPending(entry))
    for (;;) {
      const firsts = left.filter(
        entry =>
          entry.tx.maxFeePerGas >= baseFee &&
          !left.some(other => other.sender === entry.sender && other.tx.nonce < entry.tx.nonce),
      )
      firsts.sort((a, b) => {
        const [tipA, tipB] = [effectiveTip(a.tx, baseFee), effectiveTip(b.tx, baseFee)]
        return tipA === tipB ? a.arrival - b.arrival : tipA > tipB ? -1 : 1
      })
      const best = firsts[0]
      if (best === undefined) return order
      order.push(best.tx.id)
      left = left.filter(entry => entry !== best)
    }
  }

  #tryAdd(tx: Transaction, sender: Address, origin: 'new' | 'back'): NaiveResult {
    const { limits, account } = { limits: this.#limits, account: this.context.state.get(sender) }
    if (this.entries.some(entry => entry.tx.id === tx.id)) return 'tx-already-known'
    if (origin === 'new' && tx.maxFeePerGas < this.context.baseFee) return 'tx-fee-below-base'
    if (tx.gasLimit < intrinsicGas(tx)) return 'tx-gas-below-intrinsic'
    if (tx.gasLimit > RULES.gasLimit) return 'tx-gas-above-block'
    if (tx.nonce < account.nonce) return 'tx-nonce-too-low'
    if (tx.nonce >= account.nonce + BigInt(limits.senderTransactionsMax)) return 'tx-nonce-too-high'
    if (maximumCost(tx) > account.balance) return 'tx-insufficient-funds'
    const replaced = this.of(sender).find(entry => entry.tx.nonce === tx.nonce) ?? null
    if (replaced !== null && !isBumped(tx, replaced.tx)) return 'tx-replacement-underpriced'
    const added = { tx, sender, arrival: this.#arrivals }
    this.entries = [...this.entries.filter(entry => entry !== replaced), added]
    const evicted: NaiveEntry[] = []
    for (;;) {
      const reason = this.#senderFault(sender)
      if (reason === null) break
      const last = this.of(sender).at(-1)!
      if (origin === 'new' || replaced !== null || last === added) return reason
      this.entries = this.entries.filter(entry => entry !== last)
      evicted.push(last)
    }
    const mayEvict = this.isPending(added)
    const behind = evicted.length > 0 || replaced !== null ? null : this.#roomBehind(added)
    while (this.entries.length > limits.transactionsMax || bytesOf(this.entries) > limits.bytesMax) {
      if (!mayEvict) return 'tx-pool-full'
      const victim = this.#firstToGo(sender)
      if (victim === null || (this.isPending(victim) && !isBumped(tx, victim.tx))) {
        if (behind === null) return 'tx-pool-full'
        this.entries = behind.kept
        evicted.splice(0, evicted.length, ...behind.gone)
        break
      }
      this.entries = this.entries.filter(entry => entry !== victim)
      evicted.push(victim)
    }
    this.#arrivals += 1
    return { replaced: replaced?.tx.id ?? null, evicted: evicted.map(entry => entry.tx.id) }
  }

  #senderFault(sender: Address): string | null {
    const own = this.of(sender)
    const { senderTransactionsMax, senderBytesMax } = this.#limits
    if (own.length > senderTransactionsMax || bytesOf(own) > senderBytesMax) return 'tx-sender-queue-full'
    const cost = own.reduce((sum, { tx }) => sum + maximumCost(tx), 0n)
    return cost > this.context.state.get(sender).balance ? 'tx-insufficient-funds' : null
  }

  /** What is left when the sender's own later ones make room, and which those are; null when they can't. */
  #roomBehind({ sender, tx }: NaiveEntry): { kept: NaiveEntry[]; gone: NaiveEntry[] } | null {
    const { transactionsMax, bytesMax } = this.#limits
    const later = this.of(sender).filter(entry => entry.tx.nonce > tx.nonce)
    for (let count = 1; count <= later.length; count++) {
      const gone = later.slice(-count).toReversed()
      const kept = this.entries.filter(entry => !gone.includes(entry))
      if (kept.length <= transactionsMax && bytesOf(kept) <= bytesMax) return { kept, gone }
    }
    return null
  }

  #firstToGo(except: Address): NaiveEntry | null {
    const ends = [...new Set(this.entries.map(entry => entry.sender))]
      .filter(sender => sender !== except)
      .map(sender => this.of(sender).at(-1)!)
    ends.sort((a, b) => {
      if (this.isPending(a) !== this.isPending(b)) return this.isPending(a) ? 1 : -1
      if (a.tx.maxFeePerGas !== b.tx.maxFeePerGas) return a.tx.maxFeePerGas < b.tx.maxFeePerGas ? -1 : 1
      return b.arrival - a.arrival
    })
    return ends[0] ?? null
  }
}

function bytesOf(entries: readonly NaiveEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.tx.raw.length, 0)
}

function isBumped(tx: Transaction, old: Transaction): boolean {
  const isTenPercentMore = (fee: bigint, than: bigint): boolean => fee * 10n >= than * 11n
  return (
    isTenPercentMore(tx.maxFeePerGas, old.maxFeePerGas) &&
    isTenPercentMore(tx.maxPriorityFeePerGas, old.maxPriorityFeePerGas)
  )
}
