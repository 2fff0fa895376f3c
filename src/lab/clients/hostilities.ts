// What clients do that mean harm: each kind as the transactions of one attack, made from what the attacker sees of the
// chain. They are data; hostile-clients.ts signs and submits them.
//
// All that can be mined pays less than an honest transfer in both prices (workload.ts: 100 gwei and more, of which 1 or more
// are for the block's maker). A client that pays more than others is served first, whatever its purpose: an attack with better
// prices would keep honest transfers out of a small pool for as long as it is paid for, and no rule would be broken. With
// lower prices honest transfers must get through. Prices also stay so low that full blocks of an attacker can't raise the
// base fee to what honest clients are ready to pay. What can never be mined offers the highest prices: offers cost nothing,
// and buy no place (K. Li et al., "DETER: Denial of Ethereum Txpool sERvices", CCS 2021).

import type { Address } from '../../chain/address.ts'
import type { TransactionFields } from '../../chain/transaction.ts'
import type { Random } from '../virtual/random.ts'

/** What an attacker knows of its account, and of the chain. */
export interface Standing {
  readonly nonce: bigint
  readonly balance: bigint
  readonly blockGas: bigint
  readonly chainId: bigint
  /** Accounts that transfers may go to, none of them an honest client's. */
  readonly recipients: readonly Address[]
  readonly random: Random
}

/** One kind of attack. */
export interface Hostility {
  readonly name: string
  /** Whether each transaction goes to every node at once, instead of all to one, in their order. */
  readonly isEverywhere?: boolean
  readonly attack: (standing: Standing) => readonly TransactionFields[]
}

const GWEI = 10n ** 9n
const TRANSFER_GAS = 21_000n
const U256_MAX = 2n ** 256n - 1n
/** Wei per gas for the block's maker, from and to. */
const TIP_MIN = Number(GWEI / 10n)
const TIP_MAX = Number(GWEI / 2n)
/** What a hostile transaction pays at most, as a multiple of its tip. */
const PRICE_PER_TIP = 10n
/** Wei per gas that a flood promises. */
const FLOOD_PRICE = 1_000n * GWEI
/** Transactions of a flood, and versions of a war, at most. A war ends below 0.9 gwei of tip, 9 gwei in all. */
const FLOOD_MAX = 12
const VERSIONS_MAX = 6

/** All of them. */
export const HOSTILITIES: readonly Hostility[] = [
  {
    name: 'nonces that never become pending',
    attack: standing =>
      Array.from({ length: standing.random.integer(2, FLOOD_MAX) }, (_, index) => ({
        ...transfer(standing),
        maxFeePerGas: FLOOD_PRICE,
        maxPriorityFeePerGas: FLOOD_PRICE,
        nonce: standing.nonce + 1n + BigInt(index),
      })),
  },
  { name: 'one nonce again and again', attack: war },
  {
    name: 'all the money, and more',
    attack: standing => {
      const first = transfer(standing)
      const all = standing.balance - first.gasLimit * first.maxFeePerGas
      const values = [U256_MAX, standing.balance, all + 1n, all].filter(value => value >= 0n)
      return values.map(value => ({ ...first, value }))
    },
  },
  {
    name: 'the same bytes to every node',
    isEverywhere: true,
    attack: standing => {
      const once = transfer(standing)
      return [once, once]
    },
  },
  {
    name: 'what no block can hold',
    attack: standing => {
      const plain = transfer(standing)
      return [
        { ...plain, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
        { ...plain, gasLimit: standing.blockGas + 1n },
        { ...plain, gasLimit: TRANSFER_GAS - 1n },
        { ...plain, chainId: standing.chainId + 1n },
        { ...plain, to: null },
      ]
    },
  },
]

/** Versions of one transfer, each a tenth dearer than the last or, by chance, not quite. */
function war(standing: Standing): TransactionFields[] {
  const versions = [transfer(standing)]
  for (let left = standing.random.integer(1, VERSIONS_MAX - 1); left > 0; left--) {
    const percent = standing.random.chance(0.7) ? 110n : 109n
    const { maxFeePerGas, maxPriorityFeePerGas } = versions.at(-1)!
    versions.push({
      ...versions[0]!,
      // Rounded up: a wei less than a tenth more is less than a tenth more.
      maxFeePerGas: (maxFeePerGas * percent + 99n) / 100n,
      maxPriorityFeePerGas: (maxPriorityFeePerGas * percent + 99n) / 100n,
    })
  }
  return versions
}

function transfer({ nonce, chainId, recipients, random }: Standing): TransactionFields {
  const maxPriorityFeePerGas = BigInt(random.integer(TIP_MIN, TIP_MAX))
  return {
    type: 'eip1559',
    chainId,
    nonce,
    maxFeePerGas: maxPriorityFeePerGas * PRICE_PER_TIP,
    maxPriorityFeePerGas,
    gasLimit: TRANSFER_GAS,
    to: random.pick(recipients),
    value: BigInt(random.integer(0, 1_000_000)) * GWEI,
    data: new Uint8Array(),
    accessList: [],
  }
}
