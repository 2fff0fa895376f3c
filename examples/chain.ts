// Makes a block that pays 1.5 coins, finds its nonce, and checks it as a stranger would: from its bytes alone.

import { readFileSync } from 'node:fs'
import * as chain from 'quorate/chain'

const file = new URL(import.meta.resolve('quorate/genesis/simulated.json'))
// The first of the well-known test keys: everybody knows it, so it holds nothing on a real network.
const key = Buffer.from('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80', 'hex')
const alice = chain.addressOfSecretKey(key)
const bob = chain.parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')!
const genesis = chain.parseGenesis({
  ...JSON.parse(readFileSync(file, 'utf8')),
  accounts: { [alice]: '10' },
})
const nowSeconds = genesis.block.header.time + 2

// A signed transfer: 1.5 coins, 21,000 gas.
const fields: chain.TransactionFields = {
  type: 'eip1559',
  chainId: genesis.blocks.chainId,
  nonce: 0n,
  maxFeePerGas: chain.parseAmount('2gwei')!,
  maxPriorityFeePerGas: chain.parseAmount('1gwei')!,
  gasLimit: 21_000n,
  to: bob,
  value: chain.parseAmount('1.5')!,
  data: new Uint8Array(),
  accessList: [],
}
const signature = chain.signDigest(chain.signingHash(fields), key)
const transfer = chain.decodeTransaction(chain.encodeTransaction(fields, signature))
if (typeof transfer === 'string') throw new Error(transfer)

// The block: what it does to the state, the record that says so, a header that commits to both.
const baseFee = chain.nextBaseFee(genesis.block.coinbase)
const making = new chain.BlockExecution(genesis.blocks, genesis.state, baseFee)
const refused = making.apply(transfer, alice)
if (refused !== null) throw new Error(refused)
const place = { height: 1, beneficiary: bob, baseFee, extraNonce: new Uint8Array(8) }
const coinbase = chain.describeExecution(genesis.blocks, making.finish(bob, 1), place)
const merkleRoot = chain.contentRoot({ coinbase, transactions: [transfer] })
const bits = chain.requiredBits(genesis.work, genesis.header)
let header = { version: 1, previous: genesis.block.id, merkleRoot, time: nowSeconds, bits, nonce: 0 }
while (!chain.meetsTarget(chain.blockId(header), chain.decodeCompact(bits)!))
  header = { ...header, nonce: header.nonce + 1 }
const { raw } = chain.assembleBlock(header, coinbase, [transfer])

// The check: body against header, header against its parent, claims against an execution.
const block = chain.decodeBlock(raw)
if (typeof block === 'string') throw new Error(block)
const chained = chain.chainHeader(genesis.work, genesis.header, block.header, nowSeconds)
if (typeof chained === 'string') throw new Error(chained)
const parent = { height: 0, coinbase: genesis.block.coinbase, state: genesis.state }
const outcome = chain.executeBlock(genesis.blocks, parent, block, chain.recoverSender)
if (typeof outcome === 'string') throw new Error(outcome)
console.log(
  `block ${chained.height} ${block.id}: bob has ${chain.formatAmount(outcome.state.get(bob).balance)}`,
)
