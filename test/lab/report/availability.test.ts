// Availability under faults, in virtual time. Asserted is what theory says of every run, not what chance decided in this
// one: which side of a cut wins, how long a pause is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Availability,
  type AvailabilityCell,
  countAvailabilityRuns,
  measureAvailability,
} from '../../../src/lab/report/availability.ts'
import type { FaultName } from '../../../src/lab/report/faults.ts'
import { VARIANTS } from '../../../src/lab/stage/variant.ts'

function measure(names: readonly string[], faults: readonly FaultName[], seed = 1): Promise<Availability> {
  const variants = VARIANTS.filter(({ name }) => names.includes(name))
  return measureAvailability({ variants, seed, repeat: 1, faults, onProgress: () => {} })
}

const THREE = ['longest-chain', 'hybrid', 'pbft']
const three = await measure(THREE, ['none', 'quorum-killed', 'cut-in-half'])
const cell = (variant: string, fault: FaultName): AvailabilityCell =>
  three.cells.find(cell => cell.variant === variant && cell.fault === fault)!

test('with nothing broken everything is available, and nothing reversed', () => {
  for (const name of THREE) {
    const { submitted, available, reversed, takenBack, recoveredMs } = cell(name, 'none')
    assert.deepEqual([submitted, available.mean, reversed, takenBack], [200, 1, 0, 0])
    assert.ok(recoveredMs!.mean > 0 && recoveredMs!.mean < three.withinMs)
  }
})

test('with f + 1 killed what needs n − f is not available, and reverses nothing', () => {
  for (const name of ['hybrid', 'pbft']) {
    const { available, finalPauseMs, reversed, takenBack } = cell(name, 'quorum-killed')
    assert.deepEqual([available.mean, reversed, takenBack], [0, 0, 0])
    assert.ok(finalPauseMs.mean > three.faultMs - 1_000)
  }
})

test('the longest chain goes on with half of its miners', () => {
  const { available, reversed } = cell('longest-chain', 'quorum-killed')
  assert.ok(available.mean > 0.5)
  assert.equal(reversed, 0)
})

test('cut in half the longest chain reverses what it called final; what needs n − f stops instead', () => {
  const longest = cell('longest-chain', 'cut-in-half')
  assert.ok(longest.reversed > 0)
  // What was taken back is more than that: a payer that spent once has its transfer in another block in the end.
  assert.ok(longest.takenBack > longest.reversed)
  // One side loses all that it called final: half of the transfers.
  assert.ok(longest.available.mean > 0 && longest.available.mean <= 0.5)
  for (const name of ['hybrid', 'pbft']) {
    const { available, reversed, takenBack } = cell(name, 'cut-in-half')
    assert.deepEqual([available.mean, reversed, takenBack], [0, 0, 0])
  }
})

test('all recover when the fault is over', () => {
  for (const { variant, fault, recoveredMs } of three.cells)
    assert.ok(recoveredMs !== null && recoveredMs.mean > 0, `${variant}, ${fault}`)
})

test('each run is announced, and all seeds are counted together', async () => {
  const words: string[] = []
  const variants = VARIANTS.filter(({ name }) => name === 'pbft')
  const faults = ['quorum-killed'] as const
  const options = { variants, seed: 4, repeat: 2, faults, onProgress: (word: string) => words.push(word) }
  const { seeds, cells } = await measureAvailability(options)
  assert.deepEqual(words, ['pbft, seed 4: f + 1 nodes killed', 'pbft, seed 5: f + 1 nodes killed'])
  assert.equal(countAvailabilityRuns(options), words.length)
  assert.deepEqual(seeds, [4, 5])
  assert.deepEqual([cells[0]!.submitted, cells[0]!.available.runs], [400, 2])
})

test('the cells come in the order of variants and faults, and survive being written down', () => {
  const { variants, faults, cells } = three
  assert.deepEqual(variants, THREE)
  assert.deepEqual(
    cells.map(({ variant, fault }) => [variant, fault]),
    variants.flatMap(variant => faults.map(({ name }) => [variant, name])),
  )
  assert.deepEqual(JSON.parse(JSON.stringify(three)), three)
})

test('the same seed gives the same figures to the byte, another seed others', async () => {
  const run = async (seed: number): Promise<string> =>
    JSON.stringify((await measure(['longest-chain'], ['cut-in-half'], seed)).cells)
  const first = await run(1)
  assert.equal(first, JSON.stringify([cell('longest-chain', 'cut-in-half')]))
  assert.notEqual(await run(2), first)
})
