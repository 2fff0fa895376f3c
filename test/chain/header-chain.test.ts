import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asertTarget } from '../../src/chain/asert.ts'
import { decodeCompact, encodeCompact, HASH_MAX, workOfTarget } from '../../src/chain/compact.ts'
import { type BlockHeader, blockId, meetsTarget, NO_BLOCK } from '../../src/chain/header.ts'
import {
  type ChainedHeader,
  chainHeader,
  firstHeader,
  requiredBits,
  type WorkRules,
} from '../../src/chain/header-chain.ts'
import { medianTimePast } from '../../src/chain/median-time-past.ts'
import { bitcoinBlocksMissing, readBitcoinBlocks } from './bitcoin-blocks.ts'
import { accepted } from './examples.ts'

const GENESIS_TIME = 1_700_000_000
const EASIEST = 0x207fffff

/** Every second hash has the work, so that headers are mined in no time; a half-life so long that it stays so. */
const EASY: WorkRules = {
  isProved: true,
  firstTarget: decodeCompact(EASIEST)!,
  targetMax: decodeCompact(EASIEST)!,
  blockTimeSeconds: 10,
  halfLifeSeconds: 100_000_000,
  futureLimitSeconds: 15,
}

function genesis(time = GENESIS_TIME): ChainedHeader {
  const merkleRoot = `0x${'00'.repeat(32)}` as const
  return firstHeader({ version: 1, previous: NO_BLOCK, merkleRoot, time, bits: EASIEST, nonce: 0 })
}

/** A child with the work that its bits claim, or without it when `hasWork` is false. */
function mine(rules: WorkRules, parent: ChainedHeader, time: number, hasWork = true): BlockHeader {
  const bits = requiredBits(rules, parent)
  const target = decodeCompact(bits)!
  for (let nonce = 0; ; nonce++) {
    const header = { version: 1, previous: parent.id, merkleRoot: parent.id, time, bits, nonce }
    if (meetsTarget(blockId(header), target) === hasWork) return header
  }
}

/** The chain of children with these times on a genesis, each with the clock at its own time. */
function chainOf(rules: WorkRules, times: readonly number[], start = genesis()): ChainedHeader {
  return times.reduce(
    (parent, time) => accepted(chainHeader(rules, parent, mine(rules, parent, time), time)),
    start,
  )
}

// ---- Without work ----

const UNPROVED: WorkRules = { ...EASY, isProved: false }

test('where headers hold no work any hash will do, and every other rule stays', () => {
  const parent = genesis()
  const header = mine(UNPROVED, parent, GENESIS_TIME + 1, false)
  const child = accepted(chainHeader(UNPROVED, parent, header, GENESIS_TIME + 1))
  assert.equal(child.height, 1)
  assert.equal(chainHeader(EASY, parent, header, GENESIS_TIME + 1), 'header-work-insufficient')
  const refused = (changes: Partial<BlockHeader>, now = GENESIS_TIME + 1) =>
    chainHeader(UNPROVED, parent, { ...header, ...changes }, now)
  assert.equal(refused({ bits: EASIEST - 1 }), 'header-bits-wrong')
  assert.equal(refused({ time: GENESIS_TIME }), 'header-time-too-old')
  assert.equal(refused({}, GENESIS_TIME - 15), 'header-time-too-new')
})

test('without work the bits never change, however fast blocks come', () => {
  const fast = { ...UNPROVED, halfLifeSeconds: 1, blockTimeSeconds: 1_000 }
  let tip = genesis()
  for (let time = GENESIS_TIME + 1; time <= GENESIS_TIME + 40; time++)
    tip = accepted(chainHeader(fast, tip, mine(fast, tip, time, false), time))
  assert.equal(requiredBits(fast, tip), EASIEST)
  assert.notEqual(requiredBits({ ...fast, isProved: true }, tip), EASIEST)
})

// ---- With work ----

test('a child is one higher, adds its work and carries its time on', () => {
  const parent = genesis()
  const header = mine(EASY, parent, GENESIS_TIME + 100)
  const child = accepted(chainHeader(EASY, parent, header, GENESIS_TIME + 100))
  assert.deepEqual(child, {
    id: blockId(header),
    header,
    height: 1,
    work: 2n,
    recentTimes: [GENESIS_TIME, GENESIS_TIME + 100],
    scheduleStart: GENESIS_TIME + 90,
  })
  const next = accepted(chainHeader(EASY, child, mine(EASY, child, GENESIS_TIME + 105), GENESIS_TIME + 105))
  assert.deepEqual([next.height, next.work, next.scheduleStart], [2, 4n, GENESIS_TIME + 90])
})

test('genesis has height 0 and no work', () => {
  const { height, work, recentTimes } = genesis()
  assert.deepEqual([height, work, recentTimes], [0, 0n, [GENESIS_TIME]])
})

// ---- Bits and work ----

test('bits other than those required are wrong, easier or harder, whatever work they have', () => {
  const rules: WorkRules = { ...EASY, firstTarget: decodeCompact(0x203fffff)! }
  const parent = genesis()
  const good = mine(rules, parent, GENESIS_TIME + 1)
  assert.equal(good.bits, 0x203fffff)
  for (const bits of [0x203ffffe, 0x20400000, EASIEST, 0x2100ffff, 0x1d00ffff, 0, 0xffffffff]) {
    assert.equal(chainHeader(rules, parent, { ...good, bits }, GENESIS_TIME + 1), 'header-bits-wrong')
  }
})

test('a header follows the parent that it names and no other, whatever its work', () => {
  const parent = genesis()
  const other = chainOf(EASY, [GENESIS_TIME + 1])
  const header = mine(EASY, parent, GENESIS_TIME + 2)
  accepted(chainHeader(EASY, parent, header, GENESIS_TIME + 2))
  assert.equal(chainHeader(EASY, other, header, GENESIS_TIME + 2), 'header-parent-wrong')
  assert.equal(chainHeader(UNPROVED, other, header, GENESIS_TIME + 2), 'header-parent-wrong')
})

test('the bits required are those for the very parent, not for another one of its height', () => {
  const rules: WorkRules = { ...EASY, halfLifeSeconds: 100, firstTarget: decodeCompact(0x2000ffff)! }
  const early = chainOf(rules, [GENESIS_TIME + 10, GENESIS_TIME + 11])
  const late = chainOf(rules, [GENESIS_TIME + 10, GENESIS_TIME + 60])
  assert.ok(decodeCompact(requiredBits(rules, early))! < decodeCompact(requiredBits(rules, late))!)
  const header = mine(rules, late, GENESIS_TIME + 70)
  accepted(chainHeader(rules, late, header, GENESIS_TIME + 70))
  const moved = { ...header, previous: early.id }
  assert.equal(chainHeader(rules, early, moved, GENESIS_TIME + 70), 'header-bits-wrong')
})

test('a header whose hash is above its target has too little work', () => {
  const parent = genesis()
  const header = mine(EASY, parent, GENESIS_TIME + 1, false)
  assert.equal(chainHeader(EASY, parent, header, GENESIS_TIME + 1), 'header-work-insufficient')
})

test('blocks 1 and 2 have the first target; from then on the schedule of block 1 rules', () => {
  const rules: WorkRules = { ...EASY, halfLifeSeconds: 100, firstTarget: decodeCompact(0x2000ffff)! }
  // Long after genesis: that does not make block 1, or what follows, any easier.
  const one = chainOf(rules, [GENESIS_TIME + 1_000_000])
  assert.equal(requiredBits(rules, genesis()), 0x2000ffff)
  assert.equal(requiredBits(rules, one), 0x2000ffff)
  const onTime = chainOf(rules, [GENESIS_TIME + 1_000_010], one)
  assert.equal(requiredBits(rules, onTime), 0x2000ffff)
  const late = chainOf(rules, [GENESIS_TIME + 1_000_110], one)
  assert.equal(requiredBits(rules, late), 0x2001fffe)
})

test('every header on the way has the bits of ASERT counted from block 1', () => {
  const rules: WorkRules = { ...EASY, halfLifeSeconds: 60, firstTarget: 2n ** 250n }
  let parent = genesis()
  let firstTime = 0
  const gaps = [5, 1, 1, 1, 40, 2, 100, 1, 1, 1, 1, 1, 7]
  for (const [index, gap] of gaps.entries()) {
    const time = parent.header.time + gap
    if (index === 0) firstTime = time
    const child = accepted(chainHeader(rules, parent, mine(rules, parent, time), time))
    const anchor = { target: 2n ** 250n, parentTime: firstTime - 10, height: 1 }
    const expected = encodeCompact(asertTarget(rules, anchor, { height: index + 1, time }))
    assert.equal(requiredBits(rules, child), expected)
    parent = child
  }
})

test('work counts, not length: one hard block outweighs many easy ones', () => {
  const hard: WorkRules = { ...EASY, firstTarget: 2n ** 251n }
  const short = chainOf(hard, [GENESIS_TIME + 10])
  const long = chainOf(
    EASY,
    Array.from({ length: 14 }, (_, index) => GENESIS_TIME + 10 * (index + 1)),
  )
  assert.ok(long.height > short.height)
  assert.ok(short.work > long.work)
})

test('work is the sum of 2^256 / (target + 1) over all headers but genesis', () => {
  const rules: WorkRules = { ...EASY, halfLifeSeconds: 20, firstTarget: 2n ** 252n }
  let expected = 0n
  let parent = genesis()
  for (let time = GENESIS_TIME + 1; time < GENESIS_TIME + 12; time++) {
    const header = mine(rules, parent, time)
    parent = accepted(chainHeader(rules, parent, header, time))
    expected += workOfTarget(decodeCompact(header.bits)!)
  }
  assert.equal(parent.work, expected)
})

// ---- Times ----

/** Bitcoin's `GetMedianTimePast`, over all times of a chain. */
function plainMedian(times: readonly number[]): number {
  const last = times.slice(-11).sort((a, b) => a - b)
  return last[Math.floor(last.length / 2)]!
}

/** Times out of order, as far as the rule lets them be. */
function crookedTimes(count: number): number[] {
  const times = [GENESIS_TIME]
  while (times.length < count) times.push(plainMedian(times) + (times.length % 3 === 0 ? 1 : 40))
  return times
}

for (let count = 1; count <= 12; count++) {
  test(`with ${count} headers before it, a time must be above the median of the last eleven`, () => {
    const times = crookedTimes(count)
    const parent = chainOf(EASY, times.slice(1))
    const median = plainMedian(times)
    assert.equal(medianTimePast(parent), median)
    assert.equal(parent.recentTimes.length, Math.min(count, 11))
    const now = GENESIS_TIME + 1_000
    const at = (time: number) => chainHeader(EASY, parent, mine(EASY, parent, time), now)
    assert.equal(at(median - 1), 'header-time-too-old')
    assert.equal(at(median), 'header-time-too-old')
    accepted(at(median + 1))
  })
}

test('of an even number of times, the median is the later of the two in the middle', () => {
  assert.equal(medianTimePast({ recentTimes: [1, 9] }), 9)
  assert.equal(medianTimePast({ recentTimes: [4, 1, 3, 2] }), 3)
})

test('the median leaves the times as they were', () => {
  const recentTimes = [3, 1, 2]
  medianTimePast({ recentTimes })
  assert.deepEqual(recentTimes, [3, 1, 2])
})

test('the median is that of sorted numbers, not of their digits', () => {
  assert.equal(medianTimePast({ recentTimes: [9, 10, 100] }), 10)
  assert.equal(medianTimePast({ recentTimes: [1_000_000_000, 999_999_999, 1_000_000_001] }), 1_000_000_000)
})

test('a time may be ahead of the clock by the limit, and not by a second more', () => {
  const parent = genesis()
  const now = GENESIS_TIME + 50
  const at = (time: number) => chainHeader(EASY, parent, mine(EASY, parent, time), now)
  accepted(at(now + 15))
  assert.equal(at(now + 16), 'header-time-too-new')
  assert.equal(at(2 ** 32 - 1), 'header-time-too-new')
  // The only reason that may pass with time.
  const early = mine(EASY, parent, now + 16)
  accepted(chainHeader(EASY, parent, early, now + 1))
})

test('a header with several faults is refused for the one that never passes', () => {
  const parent = genesis()
  const tooNew = mine(EASY, parent, GENESIS_TIME + 1_000, false)
  assert.equal(chainHeader(EASY, parent, tooNew, GENESIS_TIME), 'header-work-insufficient')
})

test('every Bitcoin header is above the median of those before it', { skip: bitcoinBlocksMissing }, () => {
  const times = [1231006505]
  for (const { header } of readBitcoinBlocks()) {
    const recentTimes = times.slice(-11)
    assert.ok(header.time > medianTimePast({ recentTimes }))
    assert.equal(medianTimePast({ recentTimes }), plainMedian(times))
    times.push(header.time)
  }
})

// ---- Time-warping ----

const NORMAL: WorkRules = {
  isProved: true,
  firstTarget: 2n ** 230n,
  targetMax: 2n ** 255n,
  blockTimeSeconds: 10,
  halfLifeSeconds: 300,
  futureLimitSeconds: 15,
}

/** How a miner that makes every block chooses its time: from the earliest allowed, 0, to the latest, 1. */
type TimeChoice = (height: number) => number

/**
 * The height that a miner of `power` times the first difficulty's hash rate reaches in so many seconds. Finding a
 * block takes the seconds that it takes on average, and its time is anything the rules allow.
 */
function heightReached(power: number, seconds: number, choose: TimeChoice): number {
  const start = GENESIS_TIME + 1_000
  const firstWork = Number(workOfTarget(NORMAL.firstTarget))
  let now = start
  let tip: ChainedHeader = {
    ...genesis(),
    height: 1,
    recentTimes: [GENESIS_TIME, start],
    scheduleStart: start - NORMAL.blockTimeSeconds,
    header: { ...genesis().header, time: start },
  }
  for (;;) {
    const work = Number(workOfTarget(decodeCompact(requiredBits(NORMAL, tip))!))
    now += (NORMAL.blockTimeSeconds * work) / (firstWork * power)
    if (now > start + seconds) return tip.height
    const earliest = medianTimePast(tip) + 1
    const latest = Math.max(earliest, Math.floor(now) + NORMAL.futureLimitSeconds)
    const time = earliest + Math.floor((latest - earliest) * choose(tip.height))
    const header = { ...tip.header, time }
    const recentTimes = [...tip.recentTimes, time].slice(-11)
    tip = { ...tip, header, height: tip.height + 1, recentTimes }
  }
}

/**
 * With a time t the target is firstTarget · 2^((t - start - 10 · height) / halfLife). As t is at most the limit ahead of
 * the clock, a chain that is ahead of the schedule by log2(power) half-lives and that limit takes longer than the
 * block time for each block more.
 */
function heightBound(power: number, seconds: number): number {
  const ahead = NORMAL.futureLimitSeconds + Math.log2(power) * NORMAL.halfLifeSeconds
  return (seconds + ahead) / NORMAL.blockTimeSeconds + 3
}

const STRATEGIES: readonly [says: string, choose: TimeChoice][] = [
  ['always the latest', () => 1],
  ['always the earliest', () => 0],
  ['the earliest but for every sixth', height => (height % 6 === 0 ? 1 : 0)],
  ['the latest but for every sixth', height => (height % 6 === 0 ? 0 : 1)],
  ['the earliest five times, the latest six times', height => (height % 11 < 5 ? 0 : 1)],
  ['the earliest for long, then the latest', height => (height % 200 < 150 ? 0 : 1)],
]
for (const [says, choose] of STRATEGIES) {
  test(`a miner of all blocks gains no more than the limit on the future by choosing times: ${says}`, () => {
    for (const power of [1, 4, 64]) {
      for (const seconds of [100, 3_000, 20_000]) {
        const height = heightReached(power, seconds, choose)
        assert.ok(height <= heightBound(power, seconds), `${height} blocks, power ${power}, ${seconds} s`)
      }
    }
  })
}

test('honest times keep the schedule', () => {
  // The honest time is now, which lies before the latest by the limit.
  for (const power of [1, 4]) {
    const height = heightReached(power, 20_000, () => 1)
    assert.ok(height >= 20_000 / NORMAL.blockTimeSeconds, `${height} blocks`)
  }
})

test('no choice of times at all gains more than the limit on the future', () => {
  const choices = fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(choices, fc.constantFrom(1, 8), (list, power) => {
      const height = heightReached(power, 3_000, at => list[at % list.length]!)
      assert.ok(height <= heightBound(power, 3_000))
    }),
    { numRuns: 40 },
  )
})

test('the schedule begins where the maker of block 1 says, but never before genesis', () => {
  const earliest = chainOf(NORMAL_BUT_EASY, [GENESIS_TIME + 1])
  assert.equal(earliest.scheduleStart, GENESIS_TIME + 1 - NORMAL_BUT_EASY.blockTimeSeconds)
  const parent = genesis()
  const before = mine(NORMAL_BUT_EASY, parent, GENESIS_TIME)
  assert.equal(chainHeader(NORMAL_BUT_EASY, parent, before, GENESIS_TIME), 'header-time-too-old')
})

const NORMAL_BUT_EASY: WorkRules = { ...NORMAL, firstTarget: HASH_MAX / 2n, targetMax: HASH_MAX / 2n }
