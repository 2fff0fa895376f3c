import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainHeader } from '../../../src/chain/header-chain.ts'
import { secretFork } from '../../../src/lab/adversary/secret-fork.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { BlockTree } from '../../../src/replica/block-tree.ts'
import { ChainBuilder } from '../../replica/small-chain.ts'

const builder = new ChainBuilder()
const main = builder.extend(builder.root, 3)

function nodeWith(entries: typeof main): SimNode {
  const tree = new BlockTree(builder.root)
  for (const entry of entries) tree.add(entry)
  if (entries.length > 0) tree.moveHead(entries.at(-1)!)
  return { replica: { tree } } as unknown as SimNode
}

test('a secret fork is a sibling of the first block above the last final one, and holds its work', () => {
  const fork = secretFork(nodeWith(main))!
  const { header } = main[0]!.block
  assert.notEqual(fork.id, main[0]!.block.id)
  assert.deepEqual({ ...fork.header, nonce: header.nonce }, header)
  const { genesis } = builder
  const chained = chainHeader(genesis.work, genesis.header, fork.header, Number.POSITIVE_INFINITY)
  assert.ok(typeof chained !== 'string', String(chained))
})

test('no secret fork is made where there is a side branch already, or nothing to copy', () => {
  const side = builder.mine(builder.root, { extra: 1 })
  assert.equal(secretFork(nodeWith([side, ...main])), null)
  assert.equal(secretFork(nodeWith([])), null)
  assert.equal(secretFork({ replica: null } as SimNode), null)
})
