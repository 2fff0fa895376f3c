import assert from 'node:assert/strict'
import { test } from 'node:test'
import { raceNetworks } from '../../../src/lab/attack/double-spend-network.ts'
import { variantNamed } from '../../../src/lab/stage/variant.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'

const backend = await chooseBackend()
const race = (mode: string, share: number) =>
  raceNetworks({ variant: variantNamed(mode), share, confirmations: 2, races: 3, seed: 1, backend })

test('a majority takes its money back from the longest chain every time', () => {
  const { delivered, shown, reversed } = race('longest-chain', 0.65)
  assert.deepEqual([delivered, shown, reversed], [3, 3, 3])
})

test('under hybrid even a majority is refused once the payment is final', () => {
  const { delivered, shown, refused, reversed } = race('hybrid', 0.65)
  assert.deepEqual([delivered, shown, refused, reversed], [3, 3, 3, 0])
})

test('under pbft there is no race: a block without signatures is refused', () => {
  const { delivered, shown, refused, reversed } = race('pbft', 0.65)
  assert.deepEqual([delivered, shown, refused, reversed], [3, 3, 3, 0])
})
