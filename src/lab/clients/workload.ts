// The clients of a run: transfers between funded accounts, signed in advance from the seed. Some spend the same
// nonce twice through two nodes, some pay themselves, and a client that got no answer submits the same bytes
// again, as a wallet must.

import type { Address } from '../../chain/address.ts'
import { sha256 } from '../../chain/hash.ts'
import { addressOfSecretKey, signDigest } from '../../chain/signature.ts'
import { encodeTransaction, signingHash, type TransactionFields } from '../../chain/transaction.ts'
import type { Random } from '../virtual/random.ts'

/** A client's account. */
export interface Client {
  readonly secretKey: Uint8Array
  readonly address: Address
}

/** A transfer to be submitted; the rival of a double spend goes to another node at the same moment. */
export interface PlannedTransfer {
  readonly sender: Address
  readonly nonce: bigint
  readonly raw: Uint8Array
  readonly rival: Uint8Array | null
}

const DOUBLE_SPEND_RATE = 0.05
const SELF_TRANSFER_RATE = 0.05
const GWEI = 10n ** 9n
/** Gwei per gas that transfers pay at most, base fee included; and at least where prices differ. */
const PRICE_MAX = 200
const PRICE_MIN = 100

/** Keys are dear to make, and a process makes many runs. */
const made: Client[] = []

/** The accounts of the clients, the same in every run. */
export function createClients(count: number): Client[] {
  for (let index = made.length; index < count; index++) {
    const secretKey = sha256(new TextEncoder().encode(`quorate simulated client ${index}`))
    made.push({ secretKey, address: addressOfSecretKey(secretKey) })
  }
  return made.slice(0, count)
}

/** The account of a stranger, which never has anything. */
export function createStranger(index: number): Client {
  const secretKey = sha256(new TextEncoder().encode(`quorate simulated stranger ${index}`))
  return { secretKey, address: addressOfSecretKey(secretKey) }
}

/** Plans transfers one after the other, with the right nonces. */
export class Workload {
  readonly #clients: readonly Client[]
  readonly #recipients: readonly Address[]
  readonly #chainId: bigint
  readonly #random: Random
  readonly #prices: Random | null
  readonly #nonces = new Map<Address, bigint>()

  /**
   * `others` are addresses besides the clients' that get money too, such as the miners'. With `prices` some pay more than
   * others, so that one can push another out of a full pool.
   */
  constructor(
    clients: readonly Client[],
    others: readonly Address[],
    chainId: bigint,
    random: Random,
    prices: Random | null = null,
  ) {
    this.#clients = clients
    this.#prices = prices
    this.#recipients = [...clients.map(client => client.address), ...others]
    this.#chainId = chainId
    this.#random = random
  }

  next(): PlannedTransfer {
    const client = this.#random.pick(this.#clients)
    const nonce = this.#nonces.get(client.address) ?? 0n
    this.#nonces.set(client.address, nonce + 1n)
    const isDouble = this.#random.chance(DOUBLE_SPEND_RATE)
    const raw = this.#sign(client, nonce)
    return { sender: client.address, nonce, raw, rival: isDouble ? this.#sign(client, nonce) : null }
  }

  #sign(client: Client, nonce: bigint): Uint8Array {
    const isSelf = this.#random.chance(SELF_TRANSFER_RATE)
    const fields: TransactionFields = {
      type: this.#random.chance(0.5) ? 'legacy' : 'eip1559',
      chainId: this.#chainId,
      nonce,
      maxFeePerGas: BigInt(this.#prices?.integer(PRICE_MIN, PRICE_MAX) ?? PRICE_MAX) * GWEI,
      maxPriorityFeePerGas: 0n,
      gasLimit: 21_000n,
      to: isSelf ? client.address : this.#random.pick(this.#recipients),
      value: BigInt(this.#random.integer(0, 1_000_000)) * GWEI,
      data: new Uint8Array(),
      accessList: [],
    }
    const tip = BigInt(this.#random.integer(1, 20)) * GWEI
    const priced = { ...fields, maxPriorityFeePerGas: fields.type === 'legacy' ? fields.maxFeePerGas : tip }
    return encodeTransaction(priced, signDigest(signingHash(priced), client.secretKey))
  }
}
