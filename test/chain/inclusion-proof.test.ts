import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leavesOf } from '../../src/chain/block.ts'
import { encodeCoinbase } from '../../src/chain/coinbase.ts'
import { decodeHeader, encodeHeader } from '../../src/chain/header.ts'
import { verifyInclusionProof } from '../../src/chain/inclusion-proof.ts'
import { merkleBranch } from '../../src/chain/merkle.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { ChainBuilder, transfer } from '../replica/small-chain.ts'

const builder = new ChainBuilder()
const blockOf = (count: number) =>
  builder.extend(builder.root, 1, () => ({
    transactions: Array.from({ length: count }, (_, nonce) => transfer(1, nonce)),
  }))[0]!.block

/** The fields that a node answers with. */
function proofOf(block: ReturnType<typeof blockOf>, index: number) {
  const branch = (leaf: number) => merkleBranch(leavesOf(block), leaf).map(toHex)
  return {
    raw: toHex(block.transactions[index]!.raw),
    transactionIndex: `0x${index.toString(16)}`,
    headerHex: toHex(encodeHeader(block.header)),
    coinbase: toHex(encodeCoinbase(block.coinbase)),
    coinbaseBranch: branch(0),
    merkleBranch: branch(index + 1),
  }
}

for (const count of [1, 2, 3, 4, 6]) {
  const block = blockOf(count)
  test(`each of ${count} transactions of a block is proven at its place and at no other`, () => {
    for (const [index, tx] of block.transactions.entries()) {
      const proven = verifyInclusionProof(block.id, proofOf(block, index))
      assert.ok(typeof proven === 'object', String(proven))
      assert.deepEqual([proven.transaction.id, proven.index, proven.coinbase.height], [tx.id, index, 1])
      for (let other = 0; other <= count + 8; other++)
        if (other !== index)
          assert.equal(
            verifyInclusionProof(block.id, {
              ...proofOf(block, index),
              transactionIndex: `0x${other.toString(16)}`,
            }),
            'proof-transaction-wrong',
          )
    }
  })
}

test('a proof is about one block, its coinbase record and its transaction', () => {
  const block = blockOf(3)
  const good = proofOf(block, 1)
  const verify = (change: object) => verifyInclusionProof(block.id, { ...good, ...change })
  assert.equal(typeof verify({}), 'object')
  assert.equal(verifyInclusionProof(builder.root.chained.id, good), 'proof-block-wrong')
  const richer = encodeCoinbase({ ...block.coinbase, height: 7 })
  assert.equal(verify({ coinbase: toHex(richer) }), 'proof-coinbase-wrong')
  const more = encodeCoinbase({ ...block.coinbase, transactionCount: 9 })
  assert.equal(verify({ coinbase: toHex(more) }), 'proof-coinbase-wrong')
  assert.equal(verify({ coinbaseBranch: good.coinbaseBranch.slice(1) }), 'proof-coinbase-wrong')
  assert.equal(verify({ raw: toHex(transfer(2, 0).raw) }), 'proof-transaction-wrong')
  assert.equal(verify({ merkleBranch: good.merkleBranch.slice(1) }), 'proof-transaction-wrong')
  assert.equal(
    verify({ merkleBranch: [...good.merkleBranch, good.merkleBranch[0]] }),
    'proof-transaction-wrong',
  )
  for (const [field, values] of Object.entries({
    raw: [undefined, 7, '0x', '0x00', `${good.raw}00`],
    transactionIndex: [1, '1', '0x01', '0x100000000', '0x-1'],
    headerHex: [null, '0x', `${good.headerHex}00`],
    coinbase: ['0x', `${good.coinbase}00`],
    coinbaseBranch: [null, '0x', [1], ['0x00'], Array(34).fill(good.coinbaseBranch[0])],
    merkleBranch: [undefined, {}],
  }))
    for (const value of values)
      assert.equal(verify({ [field]: value }), 'proof-malformed', `${field}: ${value}`)
  for (const answer of [null, [], 'text', {}])
    assert.equal(verifyInclusionProof(block.id, answer), 'proof-malformed')
})

test('a header is 80 bytes and nothing else', () => {
  const { header } = blockOf(1)
  assert.deepEqual(decodeHeader(encodeHeader(header)), header)
  for (const size of [0, 79, 81]) assert.equal(decodeHeader(new Uint8Array(size)), null)
})
