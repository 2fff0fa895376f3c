// The transfers of a comparison: funded accounts and validators' keys made from the seed, transfers signed in advance
// so that no signature is made while time is taken. The same seed gives the same accounts and the same bytes.

import type { Address } from '../chain/address.ts'
import type { Hex } from '../chain/bytes.ts'
import { sha256 } from '../chain/hash.ts'
import { addressOfSecretKey } from '../chain/signature.ts'
import { Random } from '../sim/random.ts'
import { type SignedTransfer, signTransfer } from '../wallet/transfer.ts'
import { CHAIN_ID } from './contender.ts'

/** Somebody with a key from the seed. */
export interface SeededAccount {
  readonly secretKey: Uint8Array
  readonly address: Address
}

/** A transfer to be handed in, and the other one for the same nonce where the sender spends twice. */
export interface PlannedTransfer {
  /** Which sender, so that one sender's transfers go to one node. */
  readonly sender: number
  readonly id: Hex
  readonly raw: Hex
  readonly rival: SignedTransfer | null
}

const GWEI = 10n ** 9n

/** Accounts with keys from the seed; those of another purpose have other keys. */
export function createAccounts(seed: number, purpose: string, count: number): SeededAccount[] {
  return Array.from({ length: count }, (_, index) => {
    const secretKey = sha256(new TextEncoder().encode(`quorate compare ${seed} ${purpose} ${index}`))
    return { secretKey, address: addressOfSecretKey(secretKey) }
  })
}

/** Plans transfers between senders who take turns, with the right nonces. */
export class Workload {
  readonly #senders: readonly SeededAccount[]
  readonly #nonces: bigint[]
  readonly #random: Random
  #next = 0

  constructor(senders: readonly SeededAccount[], seed: number) {
    this.#senders = senders
    this.#nonces = senders.map(() => 0n)
    this.#random = new Random(`compare ${seed}`)
  }

  /** The next transfers; with `isDouble` each sender signs two for his nonce, which can't both be on one chain. */
  plan(count: number, { isDouble = false } = {}): PlannedTransfer[] {
    return Array.from({ length: count }, () => {
      const sender = this.#next++ % this.#senders.length
      const nonce = this.#nonces[sender]!
      this.#nonces[sender] = nonce + 1n
      const rival = isDouble ? this.#sign(sender, nonce) : null
      return { sender, ...this.#sign(sender, nonce), rival }
    })
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
