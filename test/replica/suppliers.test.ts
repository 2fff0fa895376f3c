import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BodiesRequest, OVERDUE_MAX, Suppliers } from '../../src/replica/suppliers.ts'

function requestOf(id: number, count: number): BodiesRequest {
  const ids = Array.from({ length: count }, (_, index) => `0x${index}` as const)
  return { id, ids, lateAt: 1, deadline: 8, wanted: null }
}

function suppliersOf(...peers: readonly string[]): Suppliers {
  const suppliers = new Suppliers(16)
  for (const peer of peers) suppliers.add(peer)
  return suppliers
}

test('what is asked at once is halved down to one, remembered over a new connection, and grows by one up to the bound', () => {
  const suppliers = suppliersOf('p', 'q')
  const groups: number[] = []
  for (let id = 0; id < 6; id++) {
    suppliers.onLate('p', requestOf(id, suppliers.groupOf('p')), 0)
    groups.push(suppliers.groupOf('p'))
  }
  assert.deepEqual(groups, [8, 4, 2, 1, 1, 1])
  suppliers.remove('p')
  suppliers.add('p')
  assert.equal(suppliers.groupOf('p'), 1)
  for (let round = 0; round < 20; round++) suppliers.onGood('p', { isLate: false })
  assert.equal(suppliers.groupOf('p'), 16)
  assert.equal(suppliers.groupOf('q'), 16)
})

test('a late peer is left alone for some ticks, doubled each time; another download or a late answer ends that', () => {
  const suppliers = suppliersOf('p')
  const delayAt = (tick: number): number => {
    let end = tick
    while (suppliers.isSlow('p', end)) end += 1
    return end - tick
  }
  const delays = [10, 20, 30].map(tick => {
    suppliers.onLate('p', requestOf(tick, 1), tick)
    return delayAt(tick)
  })
  assert.deepEqual(delays, [2, 4, 8])
  suppliers.onGood('p', { isLate: true })
  assert.equal(suppliers.isSlow('p', 30), false)
  suppliers.onLate('p', requestOf(31, 1), 31)
  assert.equal(delayAt(31), 16, 'it is still behind a narrow line')
  suppliers.restart()
  assert.equal(suppliers.isSlow('p', 31), false)
  assert.equal(suppliers.hasFailed('p'), false)
})

test('a peer that gives less than it was asked for is out after three such answers, until another download begins', () => {
  const suppliers = suppliersOf('p')
  for (let round = 1; round <= 3; round++) {
    assert.equal(suppliers.isOut('p'), false)
    suppliers.onShort('p', 0)
  }
  assert.ok(suppliers.isOut('p') && suppliers.isSlow('p', 1_000))
  suppliers.restart()
  assert.equal(suppliers.isOut('p'), false)
})

test('few late requests of one peer are remembered, and none once they are answered or the peer is gone', () => {
  const suppliers = suppliersOf('p')
  for (let id = 1; id <= OVERDUE_MAX + 1; id++) suppliers.onLate('p', requestOf(id, 1), 0)
  assert.equal(suppliers.overdueSize, OVERDUE_MAX)
  assert.equal(suppliers.overdue('p', 1), null)
  assert.equal(suppliers.overdue('p', 2)?.id, 2)
  suppliers.forgetOverdue('p', 2)
  assert.equal(suppliers.overdue('p', 2), null)
  suppliers.remove('p')
  suppliers.add('p')
  assert.equal(suppliers.overdueSize, 0)
})
