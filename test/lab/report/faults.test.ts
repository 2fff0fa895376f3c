// What each fault does to a network, and how pbft bears those that it is made to bear.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureAvailability } from '../../../src/lab/report/availability.ts'
import { FAULTS, type FaultName } from '../../../src/lab/report/faults.ts'
import type { Stage } from '../../../src/lab/stage/stage.ts'
import { VARIANTS } from '../../../src/lab/stage/variant.ts'

/** Four nodes, of which the third leads, that note what is done to them. */
class NotedStage implements Partial<Stage> {
  readonly did: string[] = []
  readonly nodes = () => [0, 1, 2, 3]
  readonly leader = async () => 2
  readonly kill = async (node: number) => void this.did.push(`kill ${node}`)
  readonly restart = async (node: number) => void this.did.push(`restart ${node}`)
  readonly freeze = async (node: number) => void this.did.push(`freeze ${node}`)
  readonly thaw = async (node: number) => void this.did.push(`thaw ${node}`)
  readonly cut = async (halves: readonly (readonly number[])[]) =>
    void this.did.push(`cut ${halves.map(half => half.join(' ')).join(' | ')}`)
  readonly heal = async () => void this.did.push('heal')
}

const all = [0, 1, 2, 3]
const TABLE: readonly {
  readonly fault: FaultName
  readonly begins: readonly string[]
  readonly ends: readonly string[]
  readonly desks: readonly number[]
  readonly isCut?: boolean
}[] = [
  { fault: 'none', begins: [], ends: [], desks: all },
  { fault: 'follower-killed', begins: ['kill 0'], ends: ['restart 0'], desks: all },
  { fault: 'leader-killed', begins: ['kill 2'], ends: ['restart 2'], desks: all },
  { fault: 'leader-frozen', begins: ['freeze 2'], ends: ['thaw 2'], desks: [0, 1, 3] },
  { fault: 'quorum-killed', begins: ['kill 2', 'kill 3'], ends: ['restart 2', 'restart 3'], desks: all },
  { fault: 'one-cut-off', begins: ['cut 0 1 2 | 3'], ends: ['heal'], desks: all, isCut: true },
  { fault: 'cut-in-half', begins: ['cut 0 1 | 2 3'], ends: ['heal'], desks: all, isCut: true },
  { fault: 'loss-10', begins: [], ends: [], desks: all },
  { fault: 'loss-30', begins: [], ends: [], desks: all },
]

test('each fault breaks what it says, and its end makes that whole again', async () => {
  assert.deepEqual(
    FAULTS.map(({ name }) => name),
    TABLE.map(({ fault }) => fault),
  )
  for (const { fault, begins, ends, desks, isCut } of TABLE) {
    const stage = new NotedStage()
    const broken = await FAULTS.find(({ name }) => name === fault)!.begin(stage as unknown as Stage)
    assert.deepEqual(stage.did.splice(0), begins, fault)
    assert.deepEqual(broken.desks, desks, fault)
    assert.equal(broken.sides !== null, isCut === true, fault)
    await broken.end()
    assert.deepEqual(stage.did, ends, fault)
  }
})

function measurePbft(faults: readonly FaultName[]): ReturnType<typeof measureAvailability> {
  const variants = VARIANTS.filter(({ name }) => name === 'pbft')
  return measureAvailability({ variants, seed: 1, repeat: 1, faults, onProgress: () => {} })
}

test('pbft bears any one node that is killed or frozen, and goes on without one that is cut off', async () => {
  const faults = ['follower-killed', 'leader-killed', 'leader-frozen', 'one-cut-off'] as const
  const measured = await measurePbft(faults)
  for (const { fault, available, finalPauseMs, reversed } of measured.cells) {
    // Of the clients that submit to the node that is cut off, a quarter of all, none is served.
    assert.equal(available.mean, fault === 'one-cut-off' ? 0.75 : 1)
    assert.equal(reversed, 0)
    // Its turn comes again and again; each time it is waited for as long as the genesis file says.
    assert.ok(finalPauseMs.mean >= 1_000)
  }
})

test('loss lasts for the whole run, so there is no recovery from it', async () => {
  const measured = await measurePbft(['loss-10'])
  const { recoveredMs, reversed } = measured.cells[0]!
  assert.deepEqual([recoveredMs, reversed], [null, 0])
})
