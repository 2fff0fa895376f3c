// Ethereum's own clients, unmodified, against a running node: cast (its platform package's binary) and viem.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { createPublicClient, createWalletClient, defineChain, http, parseEther } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { toHex } from '../../src/encoding/bytes.ts'
import { ALICE, BOB, mining, run, TestNetwork } from './network.ts'

const cast = findCast()

test('cast reads balance, nonce and block, sends, and gets the receipt', {
  skip: cast === null && 'cast has no binary for this platform',
}, async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one', [], mining())
  const ask = async (...args: string[]): Promise<string> => {
    const ended = await run(cast!, [...args, '--rpc-url', node.ready.rpc])
    assert.equal(ended.code, 0, `cast ${args[0]}: ${ended.stderr}`)
    return ended.stdout.trim()
  }
  assert.equal(await ask('chain-id'), '20299')
  assert.equal(await ask('balance', ALICE.address), String(1000n * 10n ** 18n))
  assert.equal(await ask('nonce', ALICE.address), '0')
  const key = ['--private-key', toHex(ALICE.secretKey)]
  const receipt = JSON.parse(await ask('send', BOB.address, '--value', '1ether', ...key, '--json'))
  assert.equal(receipt.status, '0x1')
  assert.equal(receipt.gasUsed, '0x5208')
  const legacy = JSON.parse(await ask('send', BOB.address, '--value', '2ether', '--legacy', ...key, '--json'))
  assert.equal(legacy.status, '0x1')
  assert.equal(legacy.type, '0x0')
  assert.equal(await ask('balance', BOB.address, '--ether'), '3.000000000000000000')
  assert.equal(await ask('nonce', ALICE.address), '2')
  assert.equal(
    JSON.parse(await ask('receipt', receipt.transactionHash, '--json')).blockHash,
    receipt.blockHash,
  )
  const block = JSON.parse(await ask('block', String(Number(receipt.blockNumber)), '--json'))
  assert.equal(block.hash, receipt.blockHash)
  assert.ok(block.transactions.includes(receipt.transactionHash))
  assert.ok(Number(await ask('block-number')) >= Number(receipt.blockNumber))
})

test('viem reads balance, nonce and block, sends, and waits for the receipt', async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one', [], mining())
  const chain = defineChain({
    id: 20_299,
    name: 'test',
    nativeCurrency: { name: 'coin', symbol: 'COIN', decimals: 18 },
    rpcUrls: { default: { http: [node.ready.rpc] } },
  })
  const reader = createPublicClient({ chain, transport: http(), pollingInterval: 200 })
  const account = privateKeyToAccount(toHex(ALICE.secretKey))
  const writer = createWalletClient({ account, chain, transport: http() })
  assert.equal(await reader.getBalance({ address: account.address }), parseEther('1000'))
  const hash = await writer.sendTransaction({ to: BOB.address, value: parseEther('1.5') })
  const receipt = await reader.waitForTransactionReceipt({ hash, timeout: 60_000 })
  assert.equal(receipt.status, 'success')
  assert.equal(receipt.from, ALICE.address)
  assert.equal(await reader.getBalance({ address: BOB.address }), parseEther('1.5'))
  assert.equal(await reader.getTransactionCount({ address: account.address }), 1)
  const block = await reader.getBlock({ blockHash: receipt.blockHash, includeTransactions: true })
  assert.equal(block.transactions[0]!.hash, hash)
  assert.equal(block.transactions[0]!.from, ALICE.address)
  await assert.rejects(
    writer.sendTransaction({ to: BOB.address, value: parseEther('1'), nonce: 0 }),
    /nonce/i,
  )
  await assert.rejects(
    writer.sendTransaction({ to: BOB.address, value: parseEther('5000') }),
    /insufficient funds|exceeds the balance/i,
  )
})

function findCast(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve(`@foundry-rs/cast-linux-amd64/package.json`)
    const binary = join(dirname(manifest), 'bin', 'cast')
    return existsSync(binary) ? binary : null
  } catch {
    return null
  }
}
