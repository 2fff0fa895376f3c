import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkDelays } from '../../../src/lab/links/link-delays.ts'
import { Random } from '../../../src/lab/virtual/random.ts'

/** Chance that comes out as a test says: these numbers first, then ones by which nothing is lost. */
function scripted(...numbers: readonly number[]): () => number {
  const left = [...numbers]
  return () => left.shift() ?? 0.999
}

test('a third of the latency is sure, and on average it is the latency', () => {
  const random = new Random('link delays')
  const link = new LinkDelays({ latencyMs: 90, lossRate: 0 }, () => random.next())
  // So far apart that none waits for the one before.
  const delays = Array.from({ length: 20_000 }, (_, index) => {
    const nowMs = index * 1e6
    return link.arrivalMs(100, nowMs) - nowMs
  })
  assert.ok(Math.min(...delays) >= 30)
  const meanMs = delays.reduce((sum, ms) => sum + ms, 0) / delays.length
  assert.ok(Math.abs(meanMs - 90) < 2, `on average ${meanMs} ms`)
})

test('nothing arrives before what was sent earlier', () => {
  const link = new LinkDelays({ latencyMs: 90, lossRate: 0.1 }, scripted(0.9, 0.5, 0))
  const firstMs = link.arrivalMs(1, 0)
  assert.ok(firstMs > 31)
  assert.equal(link.arrivalMs(1, 1), firstMs)
})

// By RFC 6298 with the margin of Linux: a round trip and 200 ms, and twice as much for the second time.
for (const [losses, lateMs] of [
  [0, 0],
  [1, 400],
  [2, 1_200],
  [3, 2_800],
] as const) {
  test(`a segment that is lost ${losses} times is ${lateMs} ms late`, () => {
    const link = new LinkDelays({ latencyMs: 100, lossRate: 0.5 }, scripted(0, ...Array(losses).fill(0.4)))
    assert.ok(Math.abs(link.arrivalMs(1_460, 0) - 100 / 3 - lateMs) < 1e-6)
  })
}

test('bytes of several segments wait for the one that is lost most often', () => {
  const link = new LinkDelays({ latencyMs: 100, lossRate: 0.5 }, scripted(0, 0.9, 0.4, 0.4, 0.9, 0.4, 0.9))
  assert.ok(Math.abs(link.arrivalMs(3 * 1_460, 0) - 100 / 3 - 1_200) < 1e-6)
})

test('a link on which everything is lost delivers some time', () => {
  assert.ok(Number.isFinite(new LinkDelays({ latencyMs: 0, lossRate: 1 }, () => 0).arrivalMs(1, 0)))
})

test('a link without latency and loss adds nothing', () => {
  assert.equal(new LinkDelays({ latencyMs: 0, lossRate: 0 }, () => 0.5).arrivalMs(10_000, 7), 7)
})
