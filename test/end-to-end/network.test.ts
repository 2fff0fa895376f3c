// Real processes on loopback, as a user starts them: transfers, double spends, two halves that meet again.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readStatus } from '../../src/cli/status.ts'
import {
  ALICE,
  accountOf,
  agree,
  BOB,
  eventually,
  MINER,
  mined,
  mining,
  quorate,
  reach,
  signed,
  statusOf,
  TestNetwork,
  writeKeyFile,
} from './network.ts'

/** 2^18 hashes for the first block: about a second of a miner that takes three tenths of a core. */
const QUICK = { bits: '0x1e3fffff' }

test('a transfer signed by the wallet through node 1 is mined by node 2 and seen on node 3', async context => {
  const network = await TestNetwork.create(context, QUICK)
  const one = await network.start('one')
  await network.start('two', ['one'], mining())
  await network.start('three', ['one', 'two'])
  const env = {
    QUORATE_HOME: join(network.directory, 'home'),
    QUORATE_PASSWORD: 'secret',
    QUORATE_RPC: one.ready.rpc,
  }
  const keyFile = await writeKeyFile(network.directory, ALICE)
  assert.equal((await quorate(['wallet', 'import', 'alice', '--key-file', keyFile], env)).code, 0)
  const sent = await quorate(
    [
      'wallet',
      'send',
      '--from',
      'alice',
      '--to',
      BOB.address,
      '--amount',
      '1.5',
      '--confirmations',
      '2',
      '--json',
    ],
    env,
  )
  assert.equal(sent.code, 0, sent.stderr)
  assert.match(sent.stderr, /pending|mined/)
  assert.match(sent.stderr, /reversed with probability/)
  const { id, status, blockHash } = JSON.parse(sent.stdout)
  assert.equal(status, 'mined')
  assert.equal(await mined(network.client('three'), id), blockHash)
  const block = (await network.client('three').call('eth_getBlockByHash', [blockHash, false])) as {
    miner: string
  }
  assert.equal(block.miner, MINER)
  for (const client of network.clients())
    assert.equal(await client.quantity('eth_getBalance', [BOB.address]), 15n * 10n ** 17n)
  await agree(network.clients())
  const history = await quorate(['wallet', 'history', 'alice', '--json'], env)
  assert.deepEqual(
    JSON.parse(history.stdout).map((entry: { direction: string }) => entry.direction),
    ['out'],
  )
})

test('of two transactions with one nonce, handed to two nodes at once, one is in the chain on every node and the other is reported as replaced', async context => {
  const network = await TestNetwork.create(context, QUICK)
  await network.start('one')
  await network.start('two', ['one'])
  await network.start('three', ['one', 'two'])
  const [one, two] = [network.client('one'), network.client('two')]
  const carol = accountOf('carol')
  const first = await signed(one, { from: ALICE, to: BOB.address, value: 7n, nonce: 0n })
  const second = await signed(one, { from: ALICE, to: carol.address, value: 8n, nonce: 0n })
  await Promise.all([
    one.call('eth_sendRawTransaction', [first.raw]),
    two.call('eth_sendRawTransaction', [second.raw]),
  ])
  const cookie = join(network.directory, 'three')
  const asked = await quorate([
    'mine',
    '--to',
    MINER,
    '--blocks',
    '3',
    '--data',
    cookie,
    '--rpc',
    network.nodes.get('three')!.ready.rpc,
  ])
  assert.equal(asked.code, 0, asked.stderr)
  const head = await agree(network.clients())
  assert.equal(head.height, 3)
  const included = await Promise.all(
    [first, second].map(async ({ id }) => (await statusOf(network.client('three'), id))?.status === 'mined'),
  )
  assert.deepEqual(included.toSorted(), [false, true])
  const [winner, loser, loserNode] = included[0] === true ? [first, second, two] : [second, first, one]
  for (const client of network.clients()) {
    assert.equal((await statusOf(client, winner.id))?.status, 'mined')
    assert.notEqual((await statusOf(client, loser.id))?.status, 'mined')
    assert.equal(await client.quantity('eth_getTransactionCount', [ALICE.address]), 1n)
  }
  assert.deepEqual(await statusOf(loserNode, loser.id), { status: 'replaced', by: winner.id })
})

test('two halves that mined apart follow the most work when they meet, and the transfers of the losing half are mined once', async context => {
  const network = await TestNetwork.create(context, QUICK)
  await network.start('one', [], mining())
  await network.start('two', ['one'])
  await network.start('three', [], mining(`0x${'3'.repeat(40)}`))
  await network.start('four', ['three'])
  // Each half has a transfer of its own; neither knows of the other.
  const left = await signed(network.client('two'), { from: ALICE, to: BOB.address, value: 5n })
  await network.client('two').call('eth_sendRawTransaction', [left.raw])
  await mined(network.client('one'), left.id)
  await reach(network.client('one'), 5)
  await reach(network.client('three'), 8)
  const apart = await Promise.all(
    ['one', 'three'].map(async name => (await readStatus(network.client(name))).head.id),
  )
  assert.notEqual(apart[0], apart[1])
  // The cut heals: a node of one half connects to the other.
  await network.nodes.get('two')!.stop()
  await network.start('two', ['one', 'three'])
  for (const name of ['one', 'three']) {
    const rpc = network.nodes.get(name)!.ready.rpc
    await reach(network.client(name), 12)
    assert.equal(
      (await quorate(['mine', '--stop', '--data', join(network.directory, name), '--rpc', rpc])).code,
      0,
    )
  }
  // Equal work on two heads can only be decided by a block more, and what was left must come back into one.
  await eventually('the transfer in a block of the chain that won', async () => {
    const { rpc, data } = network.nodes.get('two')!.ready
    const ended = await quorate(['mine', '--to', MINER, '--blocks', '1', '--data', data, '--rpc', rpc])
    assert.equal(ended.code, 0, ended.stderr)
    await agree(network.clients())
    return (await statusOf(network.client('four'), left.id))?.status === 'mined' ? true : null
  })
  await agree(network.clients())
  for (const client of network.clients()) {
    assert.equal((await statusOf(client, left.id))?.status, 'mined')
    assert.equal(await client.quantity('eth_getBalance', [BOB.address]), 5n)
    for (const tip of (await client.call('quorate_tips')) as { work: string; status: string }[]) {
      const head = (await client.call('quorate_status')) as { head: { work: string } }
      assert.ok(BigInt(tip.work) <= BigInt(head.head.work))
    }
  }
})
