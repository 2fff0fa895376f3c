// Headers for attacks: the network in which they are tried, and real headers that are mined on the spot, because every
// second hash has the work that is asked for. They are chained by the rules that every node holds them to.

import type { Address } from '../../chain/address.ts'
import { decodeCompact } from '../../chain/compact.ts'
import {
  type ChainedHeader,
  chainHeader,
  firstHeader,
  requiredBits,
  type WorkRules,
} from '../../chain/header-chain.ts'
import type { Hex } from '../../encoding/bytes.ts'
import { type Genesis, parseGenesis } from '../../execution/genesis.ts'
import { searchNonce } from '../cluster/search-nonce.ts'
import { createGenesis, type NamedValidator, type Variant } from '../stage/variant.ts'

/** Second of the genesis block. */
export const GENESIS_TIME = 1_700_000_000
/** Hashes that a block takes on average: every one is made for real. */
export const HASHES_PER_BLOCK = 2

/** The network in which an attack is tried. Its target never moves: so the formulas of the attacks assume. */
export function attackGenesis(
  variant: Variant,
  funded: readonly Address[],
  validators: readonly NamedValidator[] = [],
): Genesis {
  return parseGenesis(
    createGenesis(variant, { time: GENESIS_TIME, validators, funded, hashesPerBlock: HASHES_PER_BLOCK }),
  )
}

/** The genesis block as the start of a chain of headers. */
export function firstOf(genesis: Genesis): ChainedHeader {
  return firstHeader(genesis.block.header)
}

/** Mines a header on `parent`, at its time by the clock too, and chains it. `root` tells it from its siblings. */
export function mineOn(rules: WorkRules, parent: ChainedHeader, time: number, root: Hex): ChainedHeader {
  const bits = requiredBits(rules, parent)
  const header = { version: 1, previous: parent.id, merkleRoot: root, time, bits, nonce: 0 }
  const mined = { ...header, nonce: searchNonce(header, decodeCompact(bits)!) }
  const chained = chainHeader(rules, parent, mined, time)
  if (typeof chained === 'string') throw new Error(`a header that was mined is refused: ${chained}`)
  return chained
}

/** A merkle root out of a number: these headers have no bodies. */
export function rootOf(number: number): Hex {
  return `0x${number.toString(16).padStart(64, '0')}`
}
