// When a validator finds that it was away, and what that costs. What it does about it is tested with its committee.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogState } from '../../src/consensus/log.ts'
import { MULTI_PAXOS } from '../../src/consensus/multi-paxos/kit.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import { CommitteeContext } from '../../src/finality/committee-context.ts'
import { readCommitteeRecords } from '../../src/finality/committee-records.ts'
import { VoteMemory } from '../../src/finality/vote-memory.ts'
import { FakeChain, recoverOnce, TIMEOUT_MS } from './committees.ts'
import { sign, TestValidators } from './test-validators.ts'

const four = new TestValidators(4)

function memoryOf(kit: typeof PBFT | typeof MULTI_PAXOS) {
  const chain = new FakeChain()
  const context = new CommitteeContext({
    validators: four.validators,
    kit,
    pattern: kit.name,
    timeoutMs: TIMEOUT_MS,
    isMined: true,
    chainId: four.genesis.blocks.chainId,
    genesisId: four.genesis.block.id,
    futureLimitSeconds: 15,
    identity: {
      peer: 'p0',
      secretKey: four.keys[0]!,
      recover: recoverOnce,
      sign,
      life: 1,
      mayForgetVotes: false,
    },
  })
  context.chain = chain
  const votes = new VoteMemory(context)
  votes.start(readCommitteeRecords(new Map(), kit), { isFresh: true, decided: 0 })
  return { chain, votes }
}

/** A protocol that counts how often its state was read. */
function counting(timeoutMs: number) {
  const read = { count: 0 }
  const protocol = {
    get state(): LogState {
      read.count += 1
      return { timeoutMs, isRecalling: false } as LogState
    },
  }
  return { read, protocol }
}

test('the state of the protocol is read only for an input after a long silence, not for every one', () => {
  const { chain, votes } = memoryOf(PBFT)
  const { read, protocol } = counting(TIMEOUT_MS)
  for (let input = 0; input < 100; input++) {
    chain.nowMs += 10_000
    assert.ok(!votes.isAway(votes.noteInput(), protocol))
  }
  assert.equal(read.count, 0)
  chain.nowMs += 10_001
  assert.ok(votes.isAway(votes.noteInput(), protocol))
  assert.equal(read.count, 1)
})

test('a validator was away after ten seconds and four timeouts, and a clock that went back counts for nothing', () => {
  for (const [timeoutMs, silenceMs, isAway] of [
    [1_000, 10_000, false],
    [1_000, 10_001, true],
    [5_000, 20_000, false],
    [5_000, 20_001, true],
    [1_000, -3_600_000, false],
  ] as const) {
    const { chain, votes } = memoryOf(PBFT)
    chain.nowMs += silenceMs
    assert.equal(votes.isAway(votes.noteInput(), counting(timeoutMs).protocol), isAway, `${silenceMs}`)
  }
})

test('where nothing is signed no votes are asked for', () => {
  const { chain, votes } = memoryOf(MULTI_PAXOS)
  chain.nowMs += 3_600_000
  assert.ok(!votes.isAway(votes.noteInput(), counting(TIMEOUT_MS).protocol))
  assert.equal(votes.nextChallenge(), null)
})
