// One payment and an attacker that takes it back, on real processes: under the longest chain more work is all it takes;
// under hybrid finality more work is refused; where validators make the blocks there is nothing to mine.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Address } from '../../src/chain/address.ts'
import type { Block } from '../../src/chain/block.ts'
import { recoverSender } from '../../src/chain/signature.ts'
import { readStatus } from '../../src/cli/status.ts'
import { fromHex, type Hex } from '../../src/encoding/bytes.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import { createFinality } from '../../src/finality/registry.ts'
import { Replica } from '../../src/replica/replica.ts'
import { buildTemplate, completeTemplate } from '../../src/replica/template.ts'
import type { RpcClient } from '../../src/wallet/rpc-client.ts'
import { RawPeer } from '../node/raw-peer.ts'
import {
  ALICE,
  accountOf,
  BOB,
  eventually,
  MINER,
  reach,
  signed,
  statusOf,
  TestCommittee,
  TestNetwork,
} from './network.ts'

const CAROL = accountOf('carol')
const ATTACKER: Address = `0x${'6'.repeat(40)}`
/** Work that stays as hard as it begins, so that more hashes give more of it. */
const STEADY = { halfLifeSeconds: 31_536_000 }
const slowly = ['--mine', MINER, '--threads', '1', '--throttle', '0.1']
const fast = ['--mine', ATTACKER, '--threads', '1', '--throttle', '0.8']

/** Two transfers of Alice's with one nonce: what she pays, and how she takes it back. */
async function conflict(client: RpcClient) {
  const payment = await signed(client, { from: ALICE, to: BOB.address, value: 7n, nonce: 0n })
  const theft = await signed(client, { from: ALICE, to: CAROL.address, value: 8n, nonce: 0n })
  return { payment, theft }
}

async function workOf(client: RpcClient): Promise<bigint> {
  const { head } = (await client.call('quorate_status')) as { head: { work: Hex } }
  return BigInt(head.work)
}

/** An isolated node mines a branch of its own with the theft in it until it holds more work than the honest chain. */
async function mineInSecret(network: TestNetwork, theft: Hex, honest: RpcClient): Promise<void> {
  await network.start('attacker', [], fast)
  const client = network.client('attacker')
  await client.call('eth_sendRawTransaction', [theft])
  await eventually('more work in secret', async () =>
    (await workOf(client)) > ((await workOf(honest)) * 3n) / 2n ? true : null,
  )
}

/** The attacker shows its branch. */
async function reveal(network: TestNetwork, peers: readonly string[]): Promise<void> {
  await network.nodes.get('attacker')!.stop()
  await network.start('attacker', peers, fast)
}

test('longest-chain: a hidden branch with more work takes a payment back that had three confirmations', async context => {
  const network = await TestNetwork.create(context, STEADY)
  await network.start('shop', [], slowly)
  const shop = network.client('shop')
  const { payment, theft } = await conflict(shop)
  await shop.call('eth_sendRawTransaction', [payment.raw])
  await reach(shop, 4)
  assert.equal(await shop.quantity('eth_getBalance', [BOB.address]), 7n)
  await mineInSecret(network, theft.raw, shop)
  await reveal(network, ['shop'])
  await eventually('the payment taken back', async () =>
    (await statusOf(shop, theft.id))?.status === 'mined' ? true : null,
  )
  assert.deepEqual(await statusOf(shop, payment.id), { status: 'replaced', by: theft.id })
  assert.equal(await shop.quantity('eth_getBalance', [BOB.address]), 0n)
})

test('hybrid: the same branch is refused, the log says why, and the attacker’s own node comes over to the final chain', async context => {
  const committee = await TestCommittee.create(context, {
    validators: 4,
    finality: { mode: 'hybrid', pattern: 'all-to-all', timeoutMs: 1_000, depth: 2, interval: 1 },
    work: STEADY,
  })
  committee.options.set('v1', slowly)
  await committee.start(...committee.names)
  const shop = committee.client('v2')
  const { payment, theft } = await conflict(shop)
  await shop.call('eth_sendRawTransaction', [payment.raw])
  const isFinal = async (client: RpcClient) =>
    ((await statusOf(client, payment.id)) as { final?: boolean } | null)?.final === true ? true : null
  await eventually('the payment final', () => isFinal(shop))
  await mineInSecret(committee.network, theft.raw, shop)
  await reveal(committee.network, committee.names)
  await eventually('the reason in the log', async () => {
    const logs = await Promise.all(committee.names.map(name => committee.log(name)))
    return logs.some(log => log.includes('a branch that leaves ours below the last final block'))
      ? true
      : null
  })
  await committee.resumes(committee.names)
  for (const name of committee.names) assert.ok(await isFinal(committee.client(name)), name)
  assert.equal(await shop.quantity('eth_getBalance', [BOB.address]), 7n)
  const attacker = committee.client('attacker')
  await eventually('the attacker follows what is final', () => isFinal(attacker))
})

test('pbft: a block without certificate is followed by no node, and the payment stands', async context => {
  const committee = await TestCommittee.create(context, {
    validators: 1,
    finality: {
      mode: 'pbft',
      pattern: 'all-to-all',
      timeoutMs: 1_000,
      intervalMs: 250,
      heartbeatSeconds: null,
    },
    work: { proof: 'none', futureLimitSeconds: 15 },
  })
  committee.options.set('v1', ['--log', 'debug'])
  await committee.start('v1')
  const shop = committee.client('v1')
  const { payment, theft } = await conflict(shop)
  const genesis = parseGenesis(JSON.parse(await readFile(committee.network.genesisPath, 'utf8')))
  const forged = handMade(genesis, theft.raw)
  const peer = await RawPeer.connect(context, committee.node('v1').ready.peers[0]!)
  const { status } = await peer.receive('status')
  peer.send({
    type: 'status',
    status: { ...status, headId: forged.id, height: 1, work: status.work + 1_000n },
  })
  peer.send({ type: 'block', block: forged })
  const refusals = async () => (await committee.log('v1')).split('block-uncertified').length - 1
  await eventually('the block refused', async () => ((await refusals()) > 0 ? true : null))
  assert.equal((await readStatus(shop)).head.height, 0)
  assert.equal(await shop.call('eth_getBlockByHash', [forged.id, false]), null)

  await shop.call('eth_sendRawTransaction', [payment.raw])
  await reach(shop, 1)
  const before = await refusals()
  peer.send({ type: 'block', block: forged })
  await eventually('the block refused again', async () => ((await refusals()) > before ? true : null))
  assert.equal(((await statusOf(shop, payment.id)) as { final?: boolean } | null)?.final, true)
  assert.equal(await shop.quantity('eth_getBalance', [CAROL.address]), 0n)
})

/** A valid first block with this transaction in it, and no certificate. */
function handMade(genesis: Genesis, raw: Hex): Block {
  const records = new Map<string, Uint8Array>()
  const replica = new Replica({
    genesis,
    finality: createFinality(genesis),
    store: { get: key => records.get(key) ?? null, entries: () => [] },
    recoverSender,
    salt: new Uint8Array(4),
  })
  const nowMs = Date.now()
  replica.step({ type: 'start' }, nowMs)
  replica.step({ type: 'submit', raw: fromHex(raw), token: '' }, nowMs)
  const options = {
    beneficiary: ATTACKER,
    extraNonce: new Uint8Array(8),
    nowSeconds: Math.floor(nowMs / 1000),
  }
  const template = buildTemplate(genesis, replica.tree.head, replica.pool, options)
  return completeTemplate(template, 0)
}
