// A second opinion on every block: ledgers as plain maps that are copied for each block, roots by naive-roots.ts, the
// median by sorting, all sums written out. Slow, obvious, and sharing with the chain only hashes, encodings and the
// recovery of senders.
//
// C1 supply, C2 range, C3 nonces, C4 no transaction twice, C5 state root, C9 valid header, size, body and claims.

import type { Address } from '../../chain/address.ts'
import { asertTarget } from '../../chain/asert.ts'
import { encodeCoinbase } from '../../chain/coinbase.ts'
import { decodeCompact, encodeCompact } from '../../chain/compact.ts'
import { sha256, sha256d } from '../../chain/hash.ts'
import { type BlockId, encodeHeader } from '../../chain/header.ts'
import type { RecoverSender } from '../../chain/signature.ts'
import { SECP256K1_N, type Transaction, type TransactionId } from '../../chain/transaction.ts'
import { bigintFromBytesLe, concatBytes, fromHex, type Hex, toHex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import {
  littleEndian,
  type NaiveLeaf,
  naiveListRoot,
  naiveMerkleRoot,
  naiveStateRoot,
} from './naive-roots.ts'
import { Violation } from './violation.ts'

interface NaiveAccount {
  nonce: bigint
  balance: bigint
}

interface NaiveBlock {
  readonly parent: NaiveBlock | null
  readonly id: BlockId
  readonly raw: Uint8Array
  readonly height: number
  readonly time: number
  readonly work: bigint
  readonly baseFee: bigint
  readonly gasUsed: bigint
  readonly ledger: ReadonlyMap<Address, NaiveAccount>
  /** Wei that must be in all accounts together. */
  readonly supply: bigint
  readonly transactions: readonly {
    readonly id: TransactionId
    readonly sender: Address
    readonly nonce: bigint
  }[]
}

/** Blocks on top of one that is final by work alone, where the genesis file says nothing. */
const DEPTH = 256

/** All blocks of a run, as the naive rules see them. */
export class NaiveChain {
  readonly #genesis: Genesis
  readonly #recoverSender: RecoverSender
  readonly #blocks = new Map<BlockId, NaiveBlock>()

  constructor(genesis: Genesis, recoverSender: RecoverSender) {
    this.#genesis = genesis
    this.#recoverSender = recoverSender
    const { id, header, coinbase } = genesis.block
    const ledger = new Map(
      [...genesis.state.accounts()].map(([address, account]) => [address, { ...account }]),
    )
    const { baseFee, gasUsed } = coinbase
    const { supply } = genesis
    this.#blocks.set(id, {
      parent: null,
      id,
      raw: genesis.block.raw,
      height: 0,
      time: header.time,
      work: 0n,
      baseFee,
      gasUsed,
      ledger,
      supply,
      transactions: [],
    })
  }

  /** Checks a block that some node holds to be valid; each block once. */
  check(entry: TreeBlock): void {
    const { id } = entry.block
    const known = this.#blocks.get(id)
    if (known === undefined) this.#blocks.set(id, this.#judge(entry))
    else if (toHex(known.raw) !== toHex(entry.block.raw))
      throw new Violation('C9', `two bodies of block ${id}`)
  }

  /** Whether a node ever held this block. */
  has(id: BlockId): boolean {
    return this.#blocks.has(id)
  }

  heightOf(id: BlockId): number {
    return this.#get(id).height
  }

  /** Whether a block has another among those before it, or is it. */
  isAbove(id: BlockId, other: BlockId): boolean {
    return isAbove(this.#get(id), this.#get(other))
  }

  workOf(id: BlockId): bigint {
    return this.#get(id).work
  }

  /** Whether so many blocks stand on this one that a node may have called it final by work alone. */
  isBuried(id: BlockId): boolean {
    const { validators, depth = DEPTH } = this.#genesis.finality
    if (validators !== undefined) return false
    const block = this.#get(id)
    const least = block.height + (depth as number)
    return [...this.#blocks.values()].some(other => other.height >= least && isAbove(other, block))
  }

  parentOf(id: BlockId): BlockId {
    return this.#get(id).parent!.id
  }

  /** What the chain up to a block did with a sender's nonce: the transaction that used it, or null. */
  spender(head: BlockId, sender: Address, nonce: bigint): TransactionId | null {
    for (let block: NaiveBlock | null = this.#get(head); block !== null; block = block.parent) {
      const found = block.transactions.find(tx => tx.sender === sender && tx.nonce === nonce)
      if (found !== undefined) return found.id
    }
    return null
  }

  #get(id: BlockId): NaiveBlock {
    const block = this.#blocks.get(id)
    if (block === undefined) throw new Violation('C9', `block ${id} is unknown to the oracle`)
    return block
  }

  #judge({ block }: TreeBlock): NaiveBlock {
    const parent = this.#get(block.header.previous)
    this.#judgeHeader(block.header, parent, block.raw.length)
    this.#judgeClaims(block, parent.height + 1)
    const { coinbase } = block
    const ledger = new Map([...parent.ledger].map(([address, account]) => [address, { ...account }]))
    const account = (address: Address): NaiveAccount => {
      if (!ledger.has(address)) ledger.set(address, { nonce: 0n, balance: 0n })
      return ledger.get(address)!
    }
    const baseFee = naiveBaseFee(parent, this.#genesis.blocks.gasLimit)
    if (coinbase.baseFee !== baseFee) throw new Violation('C9', `base fee of ${block.id}`)
    const transactions = []
    const receipts: Uint8Array[] = []
    let gasUsed = 0n
    let tips = 0n
    for (const tx of block.transactions) {
      const sender = this.#recoverSender(tx)
      if (sender === null) throw new Violation('C9', `${tx.id} has no sender`)
      this.#judgeTransaction(tx, gasUsed)
      const from = account(sender)
      // No nonce twice is also no transaction twice (C4).
      if (from.nonce !== tx.nonce)
        throw new Violation('C3', `${sender} has nonce ${from.nonce}, ${tx.id} has ${tx.nonce}`)
      const gas = 21_000n + [...tx.data].reduce((sum, byte) => sum + (byte === 0 ? 4n : 16n), 0n)
      const left = tx.maxFeePerGas - baseFee
      const isCapped = left < tx.maxPriorityFeePerGas
      const tip = isCapped ? left : tx.maxPriorityFeePerGas
      if (tip < 0n) throw new Violation('C9', `${tx.id} does not pay the base fee`)
      if (gas > tx.gasLimit) throw new Violation('C9', `${tx.id} uses more gas than it may`)
      from.nonce += 1n
      from.balance -= tx.value + gas * (baseFee + tip)
      if (from.balance < 0n) throw new Violation('C2', `${sender} is below zero after ${tx.id}`)
      account(tx.to!).balance += tx.value
      gasUsed += gas
      tips += gas * tip
      transactions.push({ id: tx.id, sender, nonce: tx.nonce })
      const price = littleEndian(baseFee + tip, 32)
      receipts.push(concatBytes(Uint8Array.of(0, 1), littleEndian(gasUsed, 8), price))
    }
    if (coinbase.receiptsRoot !== toHex(naiveListRoot(receipts.map(sha256))))
      throw new Violation('C9', `receipts of ${block.id}`)
    const { amount, halvingBlocks } = this.#genesis.blocks.reward
    const height = parent.height + 1
    const reward = amount / 2n ** BigInt(Math.floor(parent.height / halvingBlocks))
    account(coinbase.beneficiary).balance += reward + tips
    const supply = parent.supply + reward - gasUsed * baseFee
    if (coinbase.gasUsed !== gasUsed) throw new Violation('C9', `gas of ${block.id}`)
    judgeLedger(block.id, ledger, supply, coinbase.stateRoot)
    const target = decodeCompact(block.header.bits)!
    const work = parent.work + 2n ** 256n / (target + 1n)
    return {
      parent,
      id: block.id,
      raw: block.raw,
      height,
      time: block.header.time,
      work,
      baseFee,
      gasUsed,
      ledger,
      supply,
      transactions,
    }
  }

  #judgeClaims({ id, header, coinbase, transactions }: TreeBlock['block'], height: number): void {
    const { chainId, gasLimit } = this.#genesis.blocks
    const isOurs = coinbase.chainId === chainId && coinbase.gasLimit === gasLimit
    if (!isOurs || coinbase.height !== height || coinbase.transactionCount !== transactions.length)
      throw new Violation('C9', `claims of ${id}`)
    const leaves = [encodeCoinbase(coinbase), ...transactions.map(tx => tx.raw)].map(sha256d)
    if (toHex(naiveMerkleRoot(leaves).reverse()) !== header.merkleRoot)
      throw new Violation('C9', `${id} has another body than its header says`)
  }

  #judgeTransaction({ id, chainId, gasLimit, r, s, to }: Transaction, gasUsed: bigint): void {
    const { blocks } = this.#genesis
    if (chainId !== blocks.chainId || to === null) throw new Violation('C9', `${id} has no place here`)
    if (r < 1n || s < 1n || s > SECP256K1_N / 2n) throw new Violation('C9', `signature of ${id}`)
    if (gasUsed + gasLimit > blocks.gasLimit) throw new Violation('C9', `${id} has no room in its block`)
  }

  #judgeHeader(header: TreeBlock['block']['header'], parent: NaiveBlock, bytes: number): void {
    const id = sha256d(encodeHeader(header))
    const { isProved } = this.#genesis.work
    if (isProved && bigintFromBytesLe(id) > decodeCompact(header.bits)!)
      throw new Violation('C9', 'a block without its work')
    if (header.bits !== this.#naiveBits(parent))
      throw new Violation('C9', 'a block with another target than is due')
    const times: number[] = []
    for (let block: NaiveBlock | null = parent; block !== null && times.length < 11; block = block.parent)
      times.push(block.time)
    times.sort((a, b) => a - b)
    if (header.time <= times[Math.floor(times.length / 2)]!)
      throw new Violation('C9', 'a block not later than the median of eleven')
    if (bytes > this.#genesis.blocks.blockBytesMax) throw new Violation('C9', 'a block that is too large')
  }

  #naiveBits(parent: NaiveBlock): number {
    const { work } = this.#genesis
    let first: NaiveBlock = parent
    while (first.height > 1) first = first.parent!
    if (parent.height === 0 || !work.isProved) return encodeCompact(work.firstTarget)
    const anchor = { target: work.firstTarget, parentTime: first.time - work.blockTimeSeconds, height: 1 }
    return encodeCompact(asertTarget(work, anchor, parent))
  }
}

/** Whether a block has another among those before it, or is it. */
function isAbove(block: NaiveBlock, other: NaiveBlock): boolean {
  let below: NaiveBlock | null = block
  while (below !== null && below.height > other.height) below = below.parent
  return below === other
}

function naiveBaseFee(parent: NaiveBlock, gasLimit: bigint): bigint {
  const target = gasLimit / 2n
  if (parent.gasUsed > target) {
    const up = (parent.baseFee * (parent.gasUsed - target)) / target / 8n
    return parent.baseFee + (up > 1n ? up : 1n)
  }
  return parent.baseFee - (parent.baseFee * (target - parent.gasUsed)) / target / 8n
}

function judgeLedger(id: BlockId, ledger: Map<Address, NaiveAccount>, supply: bigint, stateRoot: Hex): void {
  let sum = 0n
  const leaves: NaiveLeaf[] = []
  for (const [address, { nonce, balance }] of ledger) {
    sum += balance
    if (balance >= 2n ** 256n) throw new Violation('C2', `${address} has too much`)
    if (nonce === 0n && balance === 0n) continue
    const path = sha256(fromHex(address))
    const record = concatBytes(littleEndian(nonce, 8), littleEndian(balance, 32))
    const bits = [...path].map(byte => byte.toString(2).padStart(8, '0')).join('')
    leaves.push({ bits, hash: sha256(concatBytes(Uint8Array.of(0), path, record)) })
  }
  if (sum !== supply)
    throw new Violation('C1', `block ${id}: ${sum} wei in accounts, ${supply} issued and not burned`)
  if (toHex(naiveStateRoot(leaves)) !== stateRoot)
    throw new Violation('C5', `block ${id} claims another state root`)
}
