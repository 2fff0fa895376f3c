import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stage } from '../../../src/lab/stage/stage.ts'
import { submitAll } from '../../../src/lab/stage/submit-all.ts'
import { VirtualTime } from '../../../src/lab/stage/virtual-time.ts'
import type { SignedTransfer } from '../../../src/wallet/transfer.ts'

/** Nodes that answer as told, null for one that is dead, and what each was sent and when. */
function deskOf(...answers: (boolean | null)[]) {
  const time = new VirtualTime()
  const handed = answers.map((): string[] => [])
  const desk: Pick<Stage, 'nowMs' | 'sleep' | 'submit'> = {
    nowMs: () => time.nowMs,
    sleep: ms => time.sleep(ms),
    submit: async (node: number, transfers: readonly SignedTransfer[]) => {
      const answer = answers[node]!
      if (answer === null) return null
      handed[node]!.push(...transfers.map(({ id }) => `${id} at ${time.nowMs}`))
      return transfers.map(() => answer)
    },
  }
  return { time, desk, handed }
}

const transfers = [0, 1, 2, 3].map(sender => ({ sender, id: `0xa${sender}`, raw: `0xb${sender}` }) as const)
const shown = (handed: Awaited<ReturnType<typeof submitAll>>): string[] =>
  handed
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ node, isAcknowledged }) => `${node}${isAcknowledged ? '' : ' refused'}`)

test('the transfers of one sender go through one node, all of them once, at the rate', async () => {
  const { time, desk, handed } = deskOf(true, true)
  const outcome = await time.run(submitAll(desk, transfers, { nodes: [0, 1], rate: 20 }))
  assert.deepEqual(shown(outcome), ['0', '1', '0', '1'])
  assert.deepEqual(handed, [
    ['0xa0 at 0', '0xa2 at 100'],
    ['0xa1 at 60', '0xa3 at 160'],
  ])
  assert.deepEqual(
    outcome.map(({ submittedMs }) => submittedMs),
    [0, 60, 100, 160],
  )
})

test('at the rate max all are submitted at once, at most a hundred together', async () => {
  const { time, desk } = deskOf(true, true)
  const sizes: number[] = []
  const counting = {
    ...desk,
    submit: (node: number, batch: readonly SignedTransfer[]) => {
      sizes.push(batch.length)
      return desk.submit(node, batch)
    },
  }
  const many = Array.from({ length: 250 }, (_, index) => ({ ...transfers[0]!, sender: index === 0 ? 1 : 0 }))
  const outcome = await time.run(submitAll(counting, many, { nodes: [0, 1], rate: 'max' }))
  assert.equal(outcome.length, 250)
  assert.ok(outcome.every(({ submittedMs, isAcknowledged }) => submittedMs === 0 && isAcknowledged))
  assert.deepEqual(sizes, [100, 100, 49, 1])
})

test('a node that does not answer is skipped, and where none does nothing is acknowledged', async () => {
  const one = deskOf(null, true)
  assert.deepEqual(
    shown(await one.time.run(submitAll(one.desk, transfers, { nodes: [0, 1], rate: 1_000 }))),
    ['1', '1', '1', '1'],
  )
  const none = deskOf(null, null)
  const outcome = await none.time.run(
    submitAll(none.desk, transfers.slice(0, 1), { nodes: [0, 1], rate: 1_000 }),
  )
  assert.deepEqual(shown(outcome), ['0 refused'])
})

test('a transfer that a node refuses is not submitted to another one', async () => {
  const { time, desk, handed } = deskOf(true, false, true)
  const outcome = await time.run(submitAll(desk, transfers, { nodes: [1, 2], rate: 1_000 }))
  assert.deepEqual(shown(outcome), ['1 refused', '2', '1 refused', '2'])
  assert.deepEqual(handed[0], [])
})
