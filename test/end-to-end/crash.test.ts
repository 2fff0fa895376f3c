// Killed without a word: what a node acknowledged is on its disk, and it comes back by itself.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readStatus } from '../../src/cli/status.ts'
import type { Hex } from '../../src/encoding/bytes.ts'
import {
  ALICE,
  agree,
  BOB,
  eventually,
  mined,
  mining,
  quorate,
  reach,
  signed,
  statusOf,
  TestNetwork,
} from './network.ts'

const KILLS = 10

test('a node killed ten times at random moments, mining and taking transfers, comes back each time and has the state of a replay from genesis', async context => {
  const network = await TestNetwork.create(context)
  await network.start('one', [], mining())
  await network.start('two', ['one'], mining(`0x${'2'.repeat(40)}`))
  const acknowledged: Hex[] = []
  let nonce = 0n
  for (let kill = 0; kill < KILLS; kill++) {
    const client = network.client('two')
    const before = (await readStatus(client)).head.height
    const pause = sleep(Math.random() * 1_500)
    for (let count = 0; count < 3; count++) {
      const { id, raw } = await signed(client, { from: ALICE, to: BOB.address, value: 1n, nonce })
      await client.call('eth_sendRawTransaction', [raw])
      acknowledged.push(id)
      nonce += 1n
    }
    await pause
    await network.nodes.get('two')!.kill()
    await network.start('two', ['one'], mining(`0x${'2'.repeat(40)}`))
    await reach(network.client('two'), before)
  }
  for (const id of acknowledged) await mined(network.client('two'), id)
  await eventually('every transfer on the other node', async () => {
    const states = await Promise.all(acknowledged.map(id => statusOf(network.client('one'), id)))
    return states.every(state => state?.status === 'mined') ? true : null
  })
  assert.equal(await network.client('one').quantity('eth_getBalance', [BOB.address]), BigInt(3 * KILLS))
  await Promise.all(['one', 'two'].map(name => network.nodes.get(name)!.stop()))
  for (const name of ['one', 'two']) {
    const verified = await quorate([
      'verify',
      '--genesis',
      network.genesisPath,
      '--data',
      join(network.directory, name),
      '--json',
    ])
    assert.equal(verified.code, 0, verified.stderr)
    assert.equal(JSON.parse(verified.stdout).verdict, 'PASS')
  }
})

test('a late joiner catches up 2,000 blocks from two peers, one of which falls silent half way', async context => {
  // Work so easy, and a schedule so slow to react, that 2,000 blocks are mined in seconds.
  const network = await TestNetwork.create(context, {
    bits: '0x207fffff',
    halfLifeSeconds: 31_536_000,
    futureLimitSeconds: 7_200,
  })
  const one = await network.start('one')
  await network.start('two', ['one'])
  const asked = await quorate([
    'mine',
    '--to',
    BOB.address,
    '--blocks',
    '2000',
    '--data',
    one.ready.data,
    '--rpc',
    one.ready.rpc,
  ])
  assert.equal(asked.code, 0, asked.stderr)
  await reach(network.client('two'), 2_000)
  await network.start('late', ['one', 'two'])
  const half = eventually('half of the blocks', async () =>
    (await readStatus(network.client('late'))).head.height >= 300 ? true : null,
  )
  await half
  const silent = network.nodes.get('two')!
  silent.process.kill('SIGSTOP')
  await reach(network.client('late'), 2_000)
  silent.process.kill('SIGCONT')
  const head = await agree(network.clients())
  assert.equal(head.height, 2_000)
})
