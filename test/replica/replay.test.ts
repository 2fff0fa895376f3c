import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replayChain } from '../../src/replica/replay.ts'
import { blocksOf, ChainBuilder, namedSender, tipOf, transfer } from './small-chain.ts'

const builder = new ChainBuilder()
const run = builder.extend(builder.root, 5, step => ({ transactions: [transfer(1, step - 1)] }))

test('a replay from the genesis block comes to the same head and state', () => {
  const heights: number[] = []
  const replayed = replayChain(builder.genesis, blocksOf(run), namedSender, height => heights.push(height))
  assert.deepEqual(replayed.head, tipOf(run).chained)
  assert.equal(replayed.state.root(), tipOf(run).execution.state.root())
  assert.equal(replayed.transactions, 5)
  assert.deepEqual(heights, [1, 2, 3, 4, 5])
})

test('a replay of nothing is the genesis block', () => {
  const { head, state } = replayChain(builder.genesis, [], namedSender)
  assert.equal(head.id, builder.genesis.block.id)
  assert.equal(state.root(), builder.genesis.state.root())
})

test('the first block that is wrong is named with the reason', () => {
  const replay = (blocks: typeof run) => () => replayChain(builder.genesis, blocksOf(blocks), namedSender)
  assert.throws(replay([run[0]!, run[2]!]), /at height 2 is wrong: it does not follow the block before it/)
  const spoilt = builder.mine(run[1]!, {
    spoil: coinbase => ({ ...coinbase, stateRoot: `0x${'00'.repeat(32)}` }),
  })
  assert.throws(replay([...run.slice(0, 2), spoilt]), /at height 3 is wrong: block-state-root-wrong/)
  const early = builder.mine(run[1]!, { time: 1 })
  assert.throws(replay([...run.slice(0, 2), early]), /at height 3 is wrong: header-time-too-old/)
})
