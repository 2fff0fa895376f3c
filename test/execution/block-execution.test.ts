import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Address } from '../../src/chain/address.ts'
import { assembleBlock, type Block, contentRoot } from '../../src/chain/block.ts'
import { BLOCK_OVERHEAD_BYTES } from '../../src/chain/block-size.ts'
import { type CoinbaseRecord, EXTRA_NONCE_BYTES } from '../../src/chain/coinbase.ts'
import { effectiveTip, nextBaseFee } from '../../src/chain/fees.ts'
import { intrinsicGas } from '../../src/chain/gas.ts'
import { NO_BLOCK } from '../../src/chain/header.ts'
import type { Transaction, TransactionFields } from '../../src/chain/transaction.ts'
import { checkTransaction } from '../../src/chain/transaction-rules.ts'
import {
  BlockExecution,
  type BlockRules,
  describeExecution,
  executeBlock,
} from '../../src/execution/block-execution.ts'
import { receiptsRoot } from '../../src/execution/receipts.ts'
import { issuedUpTo, rewardAt } from '../../src/execution/reward.ts'
import { NO_ACCOUNT, State } from '../../src/execution/state.ts'
import { accepted, addressNumber, COIN, exampleTransaction, GWEI, RULES } from '../chain/examples.ts'

const ALICE = addressNumber(0xa11ce)
const BOB = addressNumber(2)
const MINER = addressNumber(0x313)
const BASE_FEE = GWEI
const REWARD = 2n * COIN

const START = State.EMPTY.with([[ALICE, { nonce: 0n, balance: 100n * COIN }]])

function begin(state = START, baseFee = BASE_FEE, rules = RULES): BlockExecution {
  return new BlockExecution(rules, state, baseFee)
}

const totalOf = (state: State): bigint =>
  [...state.accounts()].reduce((sum, [, { balance }]) => sum + balance, 0n)

// ---- What a transaction does ----

test('a transfer takes value, base fee and tip from the sender, and gives the tip to the beneficiary', () => {
  const run = begin()
  assert.equal(run.apply(exampleTransaction({ value: 5n * COIN }), ALICE), null)
  const { state, gasUsed, receipts, changes } = run.finish(MINER, 1)
  assert.deepEqual(state.get(ALICE), { nonce: 1n, balance: 95n * COIN - 21_000n * 2n * GWEI })
  assert.deepEqual(state.get(BOB), { nonce: 0n, balance: 5n * COIN })
  assert.deepEqual(state.get(MINER), { nonce: 0n, balance: REWARD + 21_000n * GWEI })
  assert.equal(gasUsed, 21_000n)
  assert.deepEqual(receipts, [{ gasUsed: 21_000n, cumulativeGasUsed: 21_000n, effectiveGasPrice: 2n * GWEI }])
  assert.deepEqual(new Set(changes.keys()), new Set([ALICE, BOB, MINER]))
  assert.equal(state.root(), START.with(changes).root())
})

test('an address in another case than its key’s is refused before anything changes: it would be a second account', () => {
  const upper = (address: Address): Address => `0x${address.slice(2).toUpperCase()}`
  const carol = addressNumber(0xca201)
  const refusal = /^RangeError: expected an address of 0x and 40 lower-case hex digits, got "0x/
  const run = begin()
  const tx = exampleTransaction()
  assert.throws(() => run.apply(tx, upper(ALICE)), refusal)
  assert.throws(() => run.apply({ ...tx, to: upper(carol) }, ALICE), refusal)
  assert.throws(() => run.finish(upper(ALICE), 1), refusal)
  assert.equal(run.apply(tx, ALICE), null)
  const { state } = run.finish(MINER, 1)
  assert.equal(state.get(ALICE).nonce, 1n)
  assert.equal(totalOf(state), totalOf(START) + REWARD - tx.gasLimit * BASE_FEE)
  assert.throws(() => START.get(upper(ALICE)), refusal)
  assert.throws(() => START.with([[upper(ALICE), NO_ACCOUNT]]), refusal)
  assert.throws(() => START.prove(upper(ALICE)), refusal)
  assert.throws(() => exampleTransaction({ to: upper(carol) }), refusal)
  assert.throws(
    () => exampleTransaction({ accessList: [{ address: upper(carol), storageKeys: [] }] }),
    refusal,
  )
})

test('a block execution pays its beneficiary once, and takes no transaction after that', () => {
  const run = begin()
  run.finish(MINER, 1)
  assert.throws(() => run.finish(MINER, 1), /has finished/)
  assert.throws(() => run.apply(exampleTransaction(), ALICE), /has finished/)
})

test('gas that is not needed is not paid for', () => {
  const run = begin()
  run.apply(exampleTransaction({ gasLimit: 1_000_000n }), ALICE)
  const { state, gasUsed } = run.finish(MINER, 1)
  assert.equal(gasUsed, 21_000n)
  assert.equal(state.get(ALICE).balance, 100n * COIN - 5n - 21_000n * 2n * GWEI)
})

test('data and access list are paid for', () => {
  const tx = exampleTransaction({
    gasLimit: 30_000n,
    data: Uint8Array.of(0, 1),
    accessList: [{ address: BOB, storageKeys: [] }],
  })
  const run = begin()
  run.apply(tx, ALICE)
  assert.equal(run.finish(MINER, 1).gasUsed, 21_000n + 4n + 16n + 2_400n)
})

test('a legacy transaction pays its whole price: what the base fee leaves is tip', () => {
  const run = begin()
  run.apply(exampleTransaction({ type: 'legacy', maxFeePerGas: 5n * GWEI }), ALICE)
  const { state } = run.finish(MINER, 1)
  assert.equal(state.get(MINER).balance, REWARD + 21_000n * 4n * GWEI)
  assert.equal(state.get(ALICE).balance, 100n * COIN - 5n - 21_000n * 5n * GWEI)
})

test('a tip that the fee cap leaves no room for is cut', () => {
  const run = begin()
  run.apply(exampleTransaction({ maxFeePerGas: GWEI + 3n, maxPriorityFeePerGas: GWEI }), ALICE)
  const { state, receipts } = run.finish(MINER, 1)
  assert.equal(state.get(MINER).balance, REWARD + 21_000n * 3n)
  assert.equal(receipts[0]!.effectiveGasPrice, GWEI + 3n)
})

test('gas and receipts add up over a block', () => {
  const run = begin()
  for (const nonce of [0n, 1n, 2n]) {
    assert.equal(
      run.apply(exampleTransaction({ nonce, gasLimit: 50_000n, data: new Uint8Array(1) }), ALICE),
      null,
    )
  }
  const { receipts, gasUsed, state } = run.finish(MINER, 1)
  assert.equal(gasUsed, 3n * 21_004n)
  assert.deepEqual(
    receipts.map(receipt => receipt.cumulativeGasUsed),
    [21_004n, 42_008n, 63_012n],
  )
  assert.equal(state.get(ALICE).nonce, 3n)
})

test('a transfer of nothing creates no account', () => {
  const run = begin()
  run.apply(exampleTransaction({ value: 0n }), ALICE)
  const { changes } = run.finish(MINER, 1)
  assert.ok(!changes.has(BOB))
})

test('money received in a block can be sent on in it', () => {
  const run = begin()
  assert.equal(run.apply(exampleTransaction({ to: BOB, value: COIN }), ALICE), null)
  assert.equal(run.apply(exampleTransaction({ to: ALICE, value: COIN / 2n }), BOB), null)
  const { state } = run.finish(MINER, 1)
  assert.equal(state.get(BOB).balance, COIN / 2n - 21_000n * 2n * GWEI)
})

// ---- One account in several parts (CVE-2018-17144's like: written once, read stale) ----

const ALIASES: readonly [says: string, to: Address, beneficiary: Address][] = [
  ['sender and recipient', ALICE, MINER],
  ['sender and beneficiary', BOB, ALICE],
  ['recipient and beneficiary', BOB, BOB],
  ['sender, recipient and beneficiary', ALICE, ALICE],
]
for (const [says, to, beneficiary] of ALIASES) {
  test(`${says} in one account neither mint nor burn`, () => {
    const run = begin()
    assert.equal(run.apply(exampleTransaction({ to, value: 60n * COIN }), ALICE), null)
    assert.equal(run.apply(exampleTransaction({ to, value: COIN, nonce: 1n }), ALICE), null)
    const { state, gasUsed } = run.finish(beneficiary, 1)
    assert.equal(totalOf(state), totalOf(START) + REWARD - gasUsed * BASE_FEE)
    const sent = to === ALICE ? 0n : 61n * COIN
    const earned = beneficiary === ALICE ? REWARD + gasUsed * GWEI : 0n
    assert.deepEqual(state.get(ALICE), {
      nonce: 2n,
      balance: 100n * COIN - sent - gasUsed * 2n * GWEI + earned,
    })
  })
}

test('a transfer of all one has to oneself costs the fee and nothing else', () => {
  const fee = 21_000n * 2n * GWEI
  const run = begin()
  assert.equal(run.apply(exampleTransaction({ to: ALICE, value: 100n * COIN - fee }), ALICE), null)
  assert.deepEqual(run.finish(MINER, 1).state.get(ALICE), { nonce: 1n, balance: 100n * COIN - fee })
})

// ---- Every rejection ----

type Case = readonly [says: string, changes: Partial<TransactionFields>, rejection: string | null]

const FOR_CHAIN: readonly Case[] = [
  ['a plain transfer', {}, null],
  ['another chain', { chainId: RULES.chainId + 1n }, 'tx-wrong-chain'],
  ['chain 0', { chainId: 0n, type: 'legacy' }, 'tx-wrong-chain'],
  ['no recipient', { to: null, gasLimit: 100_000n }, 'tx-creates-contract'],
  ['a gas below the intrinsic', { gasLimit: 20_999n }, 'tx-gas-below-intrinsic'],
  ['no gas', { gasLimit: 0n }, 'tx-gas-below-intrinsic'],
  ['gas for no data', { data: Uint8Array.of(0) }, 'tx-gas-below-intrinsic'],
  ['gas for one byte of two', { data: Uint8Array.of(1, 1), gasLimit: 21_031n }, 'tx-gas-below-intrinsic'],
  ['gas for all its data', { data: Uint8Array.of(1, 1), gasLimit: 21_032n }, null],
  ['all gas of a block', { gasLimit: RULES.gasLimit }, null],
  ['more gas than a block', { gasLimit: RULES.gasLimit + 1n }, 'tx-gas-above-block'],
]
for (const [says, changes, rejection] of FOR_CHAIN) {
  test(`for the chain, ${says} is ${rejection ?? 'fine'}`, () => {
    const tx = exampleTransaction(changes)
    assert.equal(checkTransaction(RULES, tx), rejection)
    assert.equal(begin().apply(tx, ALICE), rejection)
  })
}

test('a transaction may take all room that every block has for one, and not a byte more', () => {
  const tx = exampleTransaction({})
  const room = (bytes: number): BlockRules => ({ ...RULES, blockBytesMax: BLOCK_OVERHEAD_BYTES + bytes })
  assert.equal(checkTransaction(room(tx.raw.length), tx), null)
  assert.equal(checkTransaction(room(tx.raw.length - 1), tx), 'tx-bytes-above-block')
})

test('the room beside the transactions is what the largest header, count and coinbase record take', () => {
  const block = makeBlock(TRANSACTIONS, { extraNonce: new Uint8Array(EXTRA_NONCE_BYTES.max) })
  const bytes = TRANSACTIONS.reduce((sum, { raw }) => sum + raw.length, 0)
  // The count of a small block is one byte, not five.
  assert.equal(block.raw.length - bytes, BLOCK_OVERHEAD_BYTES - 4)
})

const COST = 21_000n * 2n * GWEI + 5n

/** Alice has sent three transactions and has just enough for an example transaction. */
const EXACT = State.EMPTY.with([[ALICE, { nonce: 3n, balance: COST }]])

const FOR_STATE: readonly Case[] = [
  ['the next nonce and just enough money', { nonce: 3n }, null],
  ['a nonce used before', { nonce: 2n }, 'tx-nonce-too-low'],
  ['the first nonce again', { nonce: 0n }, 'tx-nonce-too-low'],
  ['a nonce that leaves a gap', { nonce: 4n }, 'tx-nonce-too-high'],
  ['a fee cap of the base fee', { nonce: 3n, maxFeePerGas: GWEI }, null],
  ['a fee cap below', { nonce: 3n, maxFeePerGas: GWEI - 1n, maxPriorityFeePerGas: 0n }, 'tx-fee-below-base'],
  ['a wei too much of value', { nonce: 3n, value: 6n }, 'tx-insufficient-funds'],
  ['a wei too much of fee cap', { nonce: 3n, maxFeePerGas: 2n * GWEI + 1n }, 'tx-insufficient-funds'],
  ['gas that would not be used but might', { nonce: 3n, gasLimit: 21_001n }, 'tx-insufficient-funds'],
  ['a value of 2^256 - 1', { nonce: 3n, value: 2n ** 256n - 1n }, 'tx-insufficient-funds'],
]
for (const [says, changes, rejection] of FOR_STATE) {
  test(`for the state, ${says} is ${rejection ?? 'fine'}`, () => {
    assert.equal(begin(EXACT).apply(exampleTransaction(changes), ALICE), rejection)
  })
}

test('an account that does not exist has no balance', () => {
  assert.equal(begin().apply(exampleTransaction(), addressNumber(99)), 'tx-insufficient-funds')
})

test('the same transaction twice in a block is refused the second time', () => {
  const run = begin()
  const tx = exampleTransaction()
  assert.equal(run.apply(tx, ALICE), null)
  assert.equal(run.apply(tx, ALICE), 'tx-nonce-too-low')
  assert.equal(run.finish(MINER, 1).gasUsed, 21_000n)
})

test('two transactions that each could be paid, but not both, are refused at the second', () => {
  const run = begin()
  assert.equal(run.apply(exampleTransaction({ value: 60n * COIN }), ALICE), null)
  assert.equal(
    run.apply(exampleTransaction({ value: 60n * COIN, nonce: 1n }), ALICE),
    'tx-insufficient-funds',
  )
})

test('a transaction that the gas left in the block does not cover is refused, and one that it does is not', () => {
  const rules: BlockRules = { ...RULES, gasLimit: 63_000n }
  const run = begin(START, BASE_FEE, rules)
  assert.equal(run.apply(exampleTransaction(), ALICE), null)
  assert.equal(run.apply(exampleTransaction({ nonce: 1n, gasLimit: 42_001n }), ALICE), 'tx-gas-above-block')
  assert.equal(run.apply(exampleTransaction({ nonce: 1n, gasLimit: 42_000n }), ALICE), null)
  assert.equal(run.apply(exampleTransaction({ nonce: 2n }), ALICE), null, 'only what was used counts')
  assert.equal(run.apply(exampleTransaction({ nonce: 3n }), ALICE), 'tx-gas-above-block')
})

test('a refused transaction changes nothing', () => {
  const refused = [...FOR_CHAIN, ...FOR_STATE].filter(([, , rejection]) => rejection !== null)
  const run = begin(EXACT)
  for (const [, changes] of refused) assert.notEqual(run.apply(exampleTransaction(changes), ALICE), null)
  const { changes, receipts, gasUsed } = run.finish(MINER, 1)
  assert.deepEqual([...changes.keys()], [MINER])
  assert.deepEqual([receipts.length, gasUsed], [0, 0n])
})

test('running a block leaves the state of its parent as it was', () => {
  const root = START.root()
  const run = begin()
  run.apply(exampleTransaction({ value: COIN }), ALICE)
  run.finish(MINER, 1)
  assert.equal(START.root(), root)
  assert.deepEqual(START.get(ALICE), { nonce: 0n, balance: 100n * COIN })
})

test('the genesis block pays no account, and neither do blocks whose reward has halved to nothing', () => {
  assert.equal(begin().finish(MINER, 0).state.root(), START.root())
  const rules: BlockRules = { ...RULES, reward: { amount: 1n, halvingBlocks: 10 } }
  assert.equal(begin(START, BASE_FEE, rules).finish(MINER, 11).state.root(), START.root())
})

// ---- Whole blocks ----

const PARENT_COINBASE: CoinbaseRecord = {
  chainId: RULES.chainId,
  height: 6,
  beneficiary: MINER,
  stateRoot: START.root(),
  receiptsRoot: receiptsRoot([]),
  gasUsed: 15_000_000n,
  gasLimit: RULES.gasLimit,
  baseFee: BASE_FEE,
  transactionCount: 0,
  extraNonce: new Uint8Array(8),
}
const PARENT = { height: 6, coinbase: PARENT_COINBASE, state: START }

/** The block that a miner would make of these transactions of Alice, then changed. */
function makeBlock(transactions: readonly Transaction[], changes: Partial<CoinbaseRecord> = {}): Block {
  const run = begin()
  for (const tx of transactions) run.apply(tx, ALICE)
  const honest = describeExecution(RULES, run.finish(MINER, 7), {
    height: 7,
    beneficiary: MINER,
    baseFee: BASE_FEE,
    extraNonce: new Uint8Array(8),
  })
  const coinbase = { ...honest, transactionCount: transactions.length, ...changes }
  const merkleRoot = contentRoot({ coinbase, transactions })
  const header = { version: 1, previous: NO_BLOCK, merkleRoot, time: 0, bits: 0, nonce: 0 }
  return assembleBlock(header, coinbase, transactions)
}

const TRANSACTIONS = [exampleTransaction({ value: COIN }), exampleTransaction({ nonce: 1n })]
const fromAlice = (): Address => ALICE

test('a block that claims what it does is executed', () => {
  const block = makeBlock(TRANSACTIONS)
  const execution = accepted(executeBlock(RULES, PARENT, block, fromAlice))
  assert.equal(execution.state.root(), block.coinbase.stateRoot)
  assert.equal(execution.gasUsed, 42_000n)
  assert.equal(execution.state.get(MINER).balance, REWARD + 42_000n * GWEI)
  assert.equal(block.coinbase.transactionCount, 2)
})

test('a block without transactions is executed', () => {
  const execution = accepted(executeBlock(RULES, PARENT, makeBlock([]), fromAlice))
  assert.deepEqual([...execution.changes], [[MINER, { nonce: 0n, balance: REWARD }]])
})

const OTHER_ROOT = `0x${'ab'.repeat(32)}` as const
const FALSE_CLAIMS: readonly [says: string, changes: Partial<CoinbaseRecord>, rejection: string][] = [
  ['another chain', { chainId: RULES.chainId + 1n }, 'block-wrong-chain'],
  ['the height of its parent', { height: 6 }, 'block-height-wrong'],
  ['a height too many', { height: 8 }, 'block-height-wrong'],
  ['height 0', { height: 0 }, 'block-height-wrong'],
  ['more gas than the rules', { gasLimit: RULES.gasLimit + 1n }, 'block-gas-limit-wrong'],
  ['less gas than the rules', { gasLimit: RULES.gasLimit - 1n }, 'block-gas-limit-wrong'],
  ['a base fee too high', { baseFee: BASE_FEE + 1n }, 'block-base-fee-wrong'],
  ['a base fee too low', { baseFee: BASE_FEE - 1n }, 'block-base-fee-wrong'],
  ['gas that was not used', { gasUsed: 42_001n }, 'block-gas-used-wrong'],
  ['less gas than was used', { gasUsed: 0n }, 'block-gas-used-wrong'],
  ['other receipts', { receiptsRoot: OTHER_ROOT }, 'block-receipts-root-wrong'],
  ['another state', { stateRoot: OTHER_ROOT }, 'block-state-root-wrong'],
  ["its parent's state", { stateRoot: START.root() }, 'block-state-root-wrong'],
  ['another beneficiary than its state pays', { beneficiary: BOB }, 'block-state-root-wrong'],
]
for (const [says, changes, rejection] of FALSE_CLAIMS) {
  test(`a block that claims ${says} is ${rejection}`, () => {
    assert.equal(executeBlock(RULES, PARENT, makeBlock(TRANSACTIONS, changes), fromAlice), rejection)
  })
}

test('the extra nonce is the miner’s to choose', () => {
  accepted(
    executeBlock(RULES, PARENT, makeBlock(TRANSACTIONS, { extraNonce: new Uint8Array(100) }), fromAlice),
  )
})

test('a block may have as many bytes as the rules say, and not one more', () => {
  const block = makeBlock(TRANSACTIONS, { extraNonce: new Uint8Array(EXTRA_NONCE_BYTES.max) })
  const exact: BlockRules = { ...RULES, blockBytesMax: block.raw.length }
  accepted(executeBlock(exact, PARENT, block, fromAlice))
  const less: BlockRules = { ...RULES, blockBytesMax: block.raw.length - 1 }
  assert.equal(executeBlock(less, PARENT, block, fromAlice), 'block-too-large')
})

test('the base fee is checked against the gas of the parent', () => {
  const empty = { ...PARENT, coinbase: { ...PARENT_COINBASE, gasUsed: 0n } }
  assert.equal(executeBlock(RULES, empty, makeBlock(TRANSACTIONS), fromAlice), 'block-base-fee-wrong')
  assert.equal(nextBaseFee(empty.coinbase), (BASE_FEE * 7n) / 8n)
})

const BAD_TRANSACTIONS: readonly [says: string, transactions: readonly Transaction[]][] = [
  ['one transaction twice', [TRANSACTIONS[0]!, TRANSACTIONS[0]!]],
  ['a nonce that leaves a gap', [TRANSACTIONS[1]!]],
  ['nonces in the wrong order', TRANSACTIONS.toReversed()],
  ['a transaction of another chain', [exampleTransaction({ chainId: 1n })]],
  ['a transfer that can’t be paid', [exampleTransaction({ value: 101n * COIN })]],
  ['a fee cap below the base fee', [exampleTransaction({ maxFeePerGas: 1n, maxPriorityFeePerGas: 0n })]],
  ['a creation', [exampleTransaction({ to: null, gasLimit: 60_000n })]],
]
for (const [says, transactions] of BAD_TRANSACTIONS) {
  test(`a block with ${says} is block-tx-invalid`, () => {
    assert.equal(executeBlock(RULES, PARENT, makeBlock(transactions), fromAlice), 'block-tx-invalid')
  })
}

test('a block with a transaction without a signer is block-tx-invalid', () => {
  assert.equal(
    executeBlock(RULES, PARENT, makeBlock(TRANSACTIONS), () => null),
    'block-tx-invalid',
  )
})

test('what is described is what was done', () => {
  const run = begin()
  run.apply(TRANSACTIONS[0]!, ALICE)
  const execution = run.finish(MINER, 7)
  const extraNonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const block = { height: 7, beneficiary: MINER, baseFee: BASE_FEE, extraNonce }
  assert.deepEqual(describeExecution(RULES, execution, block), {
    ...block,
    chainId: RULES.chainId,
    stateRoot: execution.state.root(),
    receiptsRoot: receiptsRoot(execution.receipts),
    gasUsed: 21_000n,
    gasLimit: RULES.gasLimit,
    transactionCount: 1,
  })
})

// ---- Conservation of money, against a ledger kept by hand ----

const PEOPLE = [1, 2, 3, 4].map(addressNumber)
const someTransfer = fc.record(
  {
    from: fc.nat(PEOPLE.length - 1),
    to: fc.nat(PEOPLE.length - 1),
    value: fc.oneof(fc.bigInt({ min: 0n, max: 10n }), fc.bigInt({ min: 0n, max: 30n * COIN })),
    fee: fc.bigInt({ min: 0n, max: 4n * GWEI }),
    tip: fc.bigInt({ min: 0n, max: 4n * GWEI }),
    nonceError: fc.constantFrom(0n, 0n, 0n, 0n, 1n),
    data: fc.uint8Array({ maxLength: 3 }),
    isLegacy: fc.boolean(),
  },
  { noNullPrototype: true },
)
const someBlock = fc.record(
  { beneficiary: fc.nat(PEOPLE.length - 1), transfers: fc.array(someTransfer, { maxLength: 6 }) },
  { noNullPrototype: true },
)

test('over any blocks, all balances are what there was, and what was issued, less what was burned', () => {
  const rules: BlockRules = {
    ...RULES,
    gasLimit: 100_000n,
    reward: { amount: 7n * COIN, halvingBlocks: 2 },
  }
  fc.assert(
    fc.property(fc.array(someBlock, { minLength: 1, maxLength: 6 }), blocks => {
      let state = State.EMPTY.with(PEOPLE.map(address => [address, { nonce: 0n, balance: 10n * COIN }]))
      const ledger = new Map(PEOPLE.map(address => [address, { nonce: 0n, balance: 10n * COIN }]))
      const supply = totalOf(state)
      let parent = { baseFee: GWEI, gasUsed: 0n, gasLimit: rules.gasLimit }
      let burned = 0n
      for (const [index, { beneficiary, transfers }] of blocks.entries()) {
        const height = index + 1
        const baseFee = nextBaseFee(parent)
        const run = new BlockExecution(rules, state, baseFee)
        let tips = 0n
        let gasUsed = 0n
        for (const { from, to, value, fee, tip, nonceError, data, isLegacy } of transfers) {
          const payer = ledger.get(PEOPLE[from]!)!
          const [maxPriorityFeePerGas, maxFeePerGas] = fee < tip ? [fee, tip] : [tip, fee]
          const tx = exampleTransaction({
            type: isLegacy ? 'legacy' : 'eip1559',
            nonce: payer.nonce + nonceError,
            to: PEOPLE[to]!,
            value,
            maxFeePerGas,
            maxPriorityFeePerGas,
            gasLimit: 30_000n,
            data,
          })
          const cost = tx.value + tx.gasLimit * tx.maxFeePerGas
          const isFine =
            nonceError === 0n &&
            tx.maxFeePerGas >= baseFee &&
            cost <= payer.balance &&
            gasUsed + tx.gasLimit <= rules.gasLimit
          assert.equal(run.apply(tx, PEOPLE[from]!) === null, isFine)
          if (!isFine) continue
          const gas = intrinsicGas(tx)
          const paid = gas * (baseFee + effectiveTip(tx, baseFee))
          ledger.set(PEOPLE[from]!, { nonce: payer.nonce + 1n, balance: payer.balance - value - paid })
          const payee = ledger.get(PEOPLE[to]!)!
          ledger.set(PEOPLE[to]!, { ...payee, balance: payee.balance + value })
          gasUsed += gas
          burned += gas * baseFee
          tips += paid - gas * baseFee
        }
        const execution = run.finish(PEOPLE[beneficiary]!, height)
        const winner = ledger.get(PEOPLE[beneficiary]!)!
        const reward = rewardAt(rules.reward, height)
        ledger.set(PEOPLE[beneficiary]!, { ...winner, balance: winner.balance + reward + tips })
        assert.equal(execution.gasUsed, gasUsed)
        state = execution.state
        assert.deepEqual(new Map(state.accounts()), ledger)
        assert.equal(totalOf(state), supply + issuedUpTo(rules.reward, height) - burned)
        parent = { baseFee, gasUsed, gasLimit: rules.gasLimit }
      }
    }),
    { numRuns: 80 },
  )
})
