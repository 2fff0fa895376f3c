import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Clients } from '../../../src/lab/clients/clients.ts'
import { createClients, Workload } from '../../../src/lab/clients/workload.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'

test('what a node acknowledged is owed once, until the node loses its disk: then it is not, and all is submitted again', () => {
  const schedule = new Schedule()
  const submitted: string[] = []
  const node = {
    id: 'n1',
    input: ({ token }: { token: string }) => submitted.push(token),
  } as unknown as SimNode
  const clients = new Clients({
    schedule,
    workload: new Workload(createClients(2), [], 7n, new Random('workload'), null),
    nodes: [node],
    transfers: 3,
    isWatchful: false,
    random: new Random('arrivals'),
  })
  clients.start(10)
  while (clients.submitted < 3) schedule.advance()
  const first = [...submitted]
  const id = `0x${'1'.repeat(64)}` as const
  for (const token of [...first, ...first]) clients.onReply(token, { id })
  assert.equal(clients.owed.length, first.length)
  clients.forgive({ ...node, id: 'n2' } as SimNode)
  assert.equal(clients.owed.length, first.length)
  clients.forgive(node)
  assert.deepEqual(clients.owed, [])
  assert.equal(submitted.length, 2 * first.length)
  assert.equal(clients.unanswered, first.length)
})
