// The transfers of a comparison: funded accounts and validators' keys made from the seed, transfers signed in advance
// so that no signature is made while time is taken. The same seed gives the same accounts and the same bytes.

import type { Address } from '../../chain/address.ts'
import { sha256 } from '../../chain/hash.ts'
import { addressOfSecretKey } from '../../chain/signature.ts'
import type { Hex } from '../../encoding/bytes.ts'
import { type SignedTransfer, signTransfer } from '../../wallet/transfer.ts'
import { Random } from '../virtual/random.ts'
import { CHAIN_ID } from './variant.ts'

/** An account with a key from the seed. */
export interface SeededAccount {
  readonly secretKey: Uint8Array
  readonly address: Address
}

/** A transfer to be submitted, and the other one for the same nonce where the sender spends twice. */
export interface PlannedTransfer {
  /** Which sender, so that one sender's transfers go to one node. */
  readonly sender: number
  readonly id: Hex
  readonly raw: Hex
  readonly rival: SignedTransfer | null
}

/** Transfers a second, or all at once: as fast as nodes accept them, unless it is more than their pools hold. */
export type Rate = number | 'max'

/** The next payer: every sender in turn, or some far more often than others. */
export type SenderOrder = 'turns' | 'zipf'

/** Accounts that pay in a comparison or a scenario. */
const SENDERS = 200
const GWEI = 10n ** 9n

/** Accounts with keys from the seed; those of another purpose have other keys. */
export function createAccounts(seed: number, purpose: string, count: number): SeededAccount[] {
  return Array.from({ length: count }, (_, index) => {
    const secretKey = sha256(new TextEncoder().encode(`quorate compare ${seed} ${purpose} ${index}`))
    return { secretKey, address: addressOfSecretKey(secretKey) }
  })
}

/** The accounts that pay in a comparison or a scenario of this seed. */
export function createSenders(seed: number): SeededAccount[] {
  return createAccounts(seed, 'sender', SENDERS)
}

/** Plans transfers between senders, with the right nonces. */
export class Workload {
  readonly #senders: readonly SeededAccount[]
  readonly #nonces: bigint[]
  readonly #random: Random
  readonly #order: Random
  /** The probability that the payer is this sender or one before it, by Zipf's law. */
  readonly #upTo: readonly number[]
  #next = 0

  constructor(senders: readonly SeededAccount[], seed: number) {
    this.#senders = senders
    this.#nonces = senders.map(() => 0n)
    this.#random = new Random(`compare ${seed}`)
    this.#order = this.#random.stream('order of senders')
    this.#upTo = zipfShares(senders.length)
  }

  /**
   * The next transfers, of senders in turn unless told otherwise; with `isDouble` each sender signs two for its nonce,
   * which can't both be on one chain.
   */
  plan(
    count: number,
    { isDouble = false, order = 'turns' }: { isDouble?: boolean; order?: SenderOrder } = {},
  ): PlannedTransfer[] {
    return Array.from({ length: count }, () => {
      const sender = order === 'zipf' ? this.#drawSender() : this.#next++ % this.#senders.length
      const nonce = this.#nonces[sender]!
      this.#nonces[sender] = nonce + 1n
      const rival = isDouble ? this.#sign(sender, nonce) : null
      return { sender, ...this.#sign(sender, nonce), rival }
    })
  }

  #drawSender(): number {
    const drawn = this.#order.between(0, 1)
    return Math.max(
      0,
      this.#upTo.findIndex(share => drawn < share),
    )
  }

  #sign(sender: number, nonce: bigint): SignedTransfer {
    const { secretKey } = this.#senders[sender]!
    const fields = {
      type: 'eip1559' as const,
      chainId: BigInt(CHAIN_ID),
      nonce,
      maxFeePerGas: 1_000n * GWEI,
      maxPriorityFeePerGas: GWEI,
      gasLimit: 21_000n,
      to: this.#random.pick(this.#senders).address,
      value: BigInt(this.#random.integer(1, 1_000_000_000)),
      data: new Uint8Array(),
      accessList: [],
    }
    return signTransfer(fields, secretKey)
  }
}

/** G. K. Zipf, "Human Behavior and the Principle of Least Effort" (1949): the k-th has 1/k of what the first has. */
function zipfShares(count: number): number[] {
  const weights = Array.from({ length: count }, (_, index) => 1 / (index + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let upTo = 0
  return weights.map(weight => {
    upTo += weight / total
    return upTo
  })
}
