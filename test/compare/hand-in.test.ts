import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/chain/fields.ts'
import { handIn } from '../../src/compare/hand-in.ts'
import { NodeUnreachable, type RpcCall, RpcError } from '../../src/wallet/rpc-client.ts'

/** A node that answers each transfer in the same way, and notes what it was handed. */
function nodeThatSays(answer: (raw: Json) => unknown) {
  const handed: Json[] = []
  const batch = async (calls: readonly RpcCall[]): Promise<unknown[]> =>
    calls.map(({ params: [raw] }) => {
      handed.push(raw!)
      return answer(raw!)
    })
  return { batch, handed }
}

const refusal = (text: string) => () => new RpcError('eth_sendRawTransaction', -32000, text)
const dead = {
  batch: async () => {
    throw new NodeUnreachable('http://127.0.0.1:1', 'no-connection')
  },
}
const transfers = [0, 1, 2, 3].map(sender => ({ sender, id: `0xa${sender}`, raw: `0xb${sender}` }) as const)
const shown = (handed: Awaited<ReturnType<typeof handIn>>) =>
  handed
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ node, isAcknowledged }) => `${node}${isAcknowledged ? '' : ' refused'}`)

test('the transfers of one sender go through one node, all of them once', async () => {
  const nodes = [nodeThatSays(raw => raw), nodeThatSays(raw => raw)]
  assert.deepEqual(shown(await handIn(transfers, { clients: nodes, rate: 1_000 })), ['0', '1', '0', '1'])
  assert.deepEqual(nodes[0]!.handed, ['0xb0', '0xb2'])
  assert.deepEqual(nodes[1]!.handed, ['0xb1', '0xb3'])
})

test('a node that does not answer is stepped over, and where none does nothing is acknowledged', async () => {
  const clients = [dead, nodeThatSays(raw => raw)]
  assert.deepEqual(shown(await handIn(transfers, { clients, rate: 1_000 })), ['1', '1', '1', '1'])
  const outcome = shown(await handIn(transfers.slice(0, 1), { clients: [dead, dead], rate: 1_000 }))
  assert.deepEqual(outcome, ['0 refused'])
})

test('a transfer that the node has already counts as taken, one that it refuses does not', async () => {
  const clients = [nodeThatSays(refusal('already known')), nodeThatSays(refusal('nonce too low'))]
  const outcome = shown(await handIn(transfers, { clients, rate: 1_000 }))
  assert.deepEqual(outcome, ['0', '1 refused', '0', '1 refused'])
})
