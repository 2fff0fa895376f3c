import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlockId } from '../../src/chain/header.ts'
import { encodeAccount, State } from '../../src/execution/state.ts'
import { BlockTree } from '../../src/replica/block-tree.ts'
import { Chain, type ChainHost } from '../../src/replica/chain.ts'
import { ReplicaOutbox, type Write } from '../../src/replica/effects.ts'
import { writeCertificate, writeFinalised } from '../../src/replica/finalise.ts'
import {
  encodePosition,
  KEYS,
  readCertificatePlace,
  readChainedHeader,
  readFinal,
  readHeight,
  readRecord,
  readSenders,
} from '../../src/replica/records.ts'
import { readUndo } from '../../src/replica/undo.ts'
import { addressNumber, COIN, GWEI } from '../chain/examples.ts'
import { ChainBuilder, smallGenesis, tipOf, transfer } from './small-chain.ts'

const genesis = smallGenesis()
const builder = new ChainBuilder(genesis)
const spends = transfer(1, 0, { to: addressNumber(9), value: COIN })
const run = builder.extend(builder.root, 3, step => ({
  transactions: step === 1 ? [spends, transfer(1, 1)] : step === 2 ? [transfer(1, 2)] : [],
}))
const dropped = [builder.mine(builder.root, { extra: 1 })]

function finalised(): Map<string, Write['value']> {
  const outbox = new ReplicaOutbox()
  writeFinalised(outbox, run, dropped)
  const effects = outbox.take()
  assert.equal(effects.length, 1)
  const [persist] = effects
  assert.ok(persist?.type === 'persist')
  return new Map(persist.writes.map(({ key, value }) => [key, value]))
}

test('finalising is one batch: base, index, accounts and the end of what is final', () => {
  const writes = finalised()
  const base = readRecord('base', writes.get(KEYS.base)!, readChainedHeader)
  assert.deepEqual(base, tipOf(run).chained)
  for (const entry of run) {
    const final = readRecord('final', writes.get(KEYS.final(entry.chained.height))!, readFinal)
    assert.equal(final.id, entry.chained.id)
    assert.equal(writes.get(KEYS.openBlock(entry.arrival)), null)
    // The block itself stays.
    assert.ok(!writes.has(KEYS.block(entry.chained.id)))
  }
  for (const entry of dropped) {
    assert.equal(writes.get(KEYS.openBlock(entry.arrival)), null)
    assert.equal(writes.get(KEYS.block(entry.chained.id)), null)
  }
})

test('every transaction is found by its block and its place in it', () => {
  const writes = finalised()
  for (const entry of run) {
    for (const [index, tx] of entry.block.transactions.entries()) {
      const position = encodePosition({ height: entry.chained.height, index })
      assert.deepEqual(writes.get(KEYS.transaction(tx.id)), position)
    }
  }
})

test('the accounts after it are those of the last block', () => {
  const accounts = new Map(genesis.state.accounts())
  for (const [key, value] of finalised()) {
    if (!key.startsWith(KEYS.accounts)) continue
    const address = key.slice(KEYS.accounts.length) as `0x${string}`
    const account = tipOf(run).execution.state.get(address)
    assert.deepEqual(value, encodeAccount(account))
    accounts.set(address, account)
  }
  assert.equal(State.EMPTY.with(accounts).root(), tipOf(run).execution.state.root())
})

test('an account that has nothing is removed, and one that has only a nonce is kept', () => {
  const price = 2n * GWEI
  const cost = 21_000n * price
  const poor = addressNumber(8)
  const all = smallGenesis({ accounts: { [poor]: `${cost + 5n}wei` } })
  const own = new ChainBuilder(all)
  const leaving = transfer(8, 0, { value: 5n, maxFeePerGas: price, maxPriorityFeePerGas: price })
  const block = own.mine(own.root, { transactions: [leaving] })
  assert.deepEqual(block.execution.state.get(poor), { nonce: 1n, balance: 0n })
  const outbox = new ReplicaOutbox()
  const ghost = new Map([...block.execution.changes, [addressNumber(7), { nonce: 0n, balance: 0n }]])
  const before = new Map([...block.execution.before, [addressNumber(7), { nonce: 0n, balance: 1n }]])
  writeFinalised(outbox, [{ ...block, execution: { ...block.execution, changes: ghost, before } }], [])
  const [persist] = outbox.take()
  assert.ok(persist?.type === 'persist')
  const written = (number: number) =>
    persist.writes.find(({ key }) => key === KEYS.account(addressNumber(number)))?.value
  assert.deepEqual(written(8), encodeAccount({ nonce: 1n, balance: 0n }))
  assert.equal(written(7), null)
})

test('a certificate is kept with its block, and for those before it where that is', () => {
  const outbox = new ReplicaOutbox()
  const bytes = Uint8Array.of(7, 7)
  writeCertificate(outbox, run, { sequence: 5, bytes })
  const [persist] = outbox.take()
  assert.ok(persist?.type === 'persist')
  const writes = new Map(persist.writes.map(({ key, value }) => [key, value]))
  const placeOf = (height: number) =>
    readRecord('certificate', writes.get(KEYS.certificate(height))!, readCertificatePlace)
  assert.deepEqual([1, 2, 3].map(placeOf), [
    { type: 'above', height: 3 },
    { type: 'above', height: 3 },
    { type: 'here', bytes },
  ])
  assert.equal(readRecord('decision', writes.get(KEYS.decision(5))!, readHeight), 3)
  assert.equal(writes.size, 4)
})

test('of blocks that become final at once each keeps its senders, and the last 128 what they took from the state', () => {
  const many = builder.extend(builder.root, 140, step => ({ transactions: [transfer(2, step - 1)] }))
  const outbox = new ReplicaOutbox()
  writeFinalised(outbox, many, [])
  const [persist] = outbox.take()
  assert.ok(persist?.type === 'persist')
  const writes = new Map(persist.writes.map(({ key, value }) => [key, value]))
  for (const [index, { execution }] of many.entries()) {
    const height = index + 1
    assert.deepEqual(readRecord('senders', writes.get(KEYS.senders(height))!, readSenders), execution.senders)
    const undo = writes.get(KEYS.undo(height)) ?? null
    if (height <= 12) assert.equal(undo, null)
    else assert.deepEqual(readRecord('undo', undo, readUndo).get(addressNumber(2))?.nonce, BigInt(index))
  }
})

test('what an earlier block took goes when 128 blocks are final above it', () => {
  const [block] = builder.extend(run.at(-1)!, 1)
  const chained = { ...block!.chained, height: 200 }
  const outbox = new ReplicaOutbox()
  writeFinalised(outbox, [{ ...block!, chained }], [])
  const [persist] = outbox.take()
  assert.ok(persist?.type === 'persist')
  const gone = persist.writes.filter(({ key, value }) => key.startsWith('undo/') && value === null)
  assert.deepEqual(
    gone.map(({ key }) => key),
    [KEYS.undo(72)],
  )
})

test('a block that is not above the last final one can not become final: that is a bug, and nothing is written', () => {
  const outbox = new ReplicaOutbox()
  const tree = new BlockTree(builder.root)
  const chain = new Chain({ tree, arrivals: 0 }, { outbox } as unknown as ChainHost)
  const finalise = (id: BlockId) => chain.finalise({ type: 'final', id, certificate: null })
  finalise(builder.root.chained.id)
  assert.throws(
    () => finalise(run[0]!.chained.id),
    /is said to be final, and is not a known descendant of final block/,
  )
  assert.deepEqual(outbox.take(), [])
})
