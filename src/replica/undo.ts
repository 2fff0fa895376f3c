// Undo records: the accounts that a final block changed, as they were before it. With them the state after an earlier final
// block follows from the state after the last one (like the undo files of Bitcoin Core, rev*.dat).
//
// One account is 60 bytes, in the order of addresses, so that it is found without decoding the others. A block of
// 1,000 transfers between 2,000 accounts is 120 KB, where its layer of the state tree in memory takes about 3 MB.
//
//   address 20 | nonce 8 | balance 32

import { ADDRESS_BYTES, type Address, addressBytes } from '../chain/address.ts'
import { type ByteReader, ByteWriter, MalformedBytes, toHex } from '../encoding/bytes.ts'
import type { Execution } from '../execution/block-execution.ts'
import { type Account, decodeAccount, encodeAccount } from '../execution/state.ts'

/** Final blocks below the last one whose states are kept. Ethereum's full nodes keep those of the last 128 blocks too. */
export const EARLIER_STATES = 128

const ENTRY_BYTES = ADDRESS_BYTES + 40

/** The accounts that a block changed, as they were before it. */
export class Undo {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#bytes.length
  }

  /** What the account had; null when the block did not change it. */
  get(address: Address): Account | null {
    const wanted = addressBytes(address)
    let [low, high] = [0, this.#bytes.length / ENTRY_BYTES]
    while (low < high) {
      const middle = (low + high) >> 1
      const order = compareAddresses(this.#bytes, middle * ENTRY_BYTES, wanted, 0)
      if (order === 0) return this.#accountAt(middle)
      if (order < 0) low = middle + 1
      else high = middle
    }
    return null
  }

  /** All of them. */
  *entries(): Generator<readonly [Address, Account]> {
    for (let index = 0; index * ENTRY_BYTES < this.#bytes.length; index++) {
      const start = index * ENTRY_BYTES
      yield [toHex(this.#bytes.subarray(start, start + ADDRESS_BYTES)), this.#accountAt(index)]
    }
  }

  #accountAt(index: number): Account {
    const end = (index + 1) * ENTRY_BYTES
    return decodeAccount(this.#bytes.subarray(end - ENTRY_BYTES + ADDRESS_BYTES, end))!
  }
}

/** The record of what a block took. */
export function encodeUndo({ changes, before }: Pick<Execution, 'changes' | 'before'>): Uint8Array {
  const writer = new ByteWriter()
  for (const address of [...changes.keys()].sort((a, b) => (a < b ? -1 : 1)))
    writer.bytes(addressBytes(address)).bytes(encodeAccount(before.get(address)!))
  return writer.finish()
}

/** The record that `encodeUndo` wrote. */
export function readUndo(reader: ByteReader): Undo {
  // In memory of its own: it outlives the database's.
  const bytes = reader.rest().slice()
  if (bytes.length % ENTRY_BYTES !== 0) throw new MalformedBytes('not whole accounts')
  for (let at = ENTRY_BYTES; at < bytes.length; at += ENTRY_BYTES)
    if (compareAddresses(bytes, at - ENTRY_BYTES, bytes, at) >= 0)
      throw new MalformedBytes('addresses do not ascend')
  return new Undo(bytes)
}

function compareAddresses(a: Uint8Array, startA: number, b: Uint8Array, startB: number): number {
  for (let index = 0; index < ADDRESS_BYTES; index++) {
    const difference = a[startA + index]! - b[startB + index]!
    if (difference !== 0) return difference
  }
  return 0
}
