// Mistakes, as people and strangers make them: each gets a clear line, the documented exit code or JSON-RPC error, and
// nothing is lost.

import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { signDigest } from '../../src/chain/signature.ts'
import { encodeTransaction, signingHash, type TransactionFields } from '../../src/chain/transaction.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { ALICE, agree, BOB, type Ended, quorate, TestNetwork, writeKeyFile } from './network.ts'

const GWEI = 10n ** 9n

function signedRaw(changes: Partial<TransactionFields>): string {
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: 20_299n,
    nonce: 0n,
    maxFeePerGas: 10n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 21_000n,
    to: BOB.address,
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
    ...changes,
  }
  return toHex(encodeTransaction(fields, signDigest(signingHash(fields), ALICE.secretKey)))
}

function assertClear(ended: Ended, code: number, message: RegExp): void {
  assert.equal(ended.code, code, `${ended.stdout}${ended.stderr}`)
  assert.match(ended.stderr, message)
  assert.doesNotMatch(ended.stderr, /\n\s+at .*\.ts:\d+/, 'a stack is shown')
  assert.ok(ended.stderr.trimEnd().split('\n').length <= 3, `too many words: ${ended.stderr}`)
}

test('a node refuses bad transactions with the words that clients know, and goes on', async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one')
  const post = async (
    body: string,
  ): Promise<{ status: number; answer: { error?: { code: number; message: string }; result?: unknown } }> => {
    const response = await fetch(node.ready.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    return {
      status: response.status,
      answer: (await response.json().catch(() => ({}))) as { error?: { code: number; message: string } },
    }
  }
  const submit = (raw: string) =>
    post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] }))
  const good = signedRaw({})
  const cases: [string, string, RegExp][] = [
    ['malformed', `${good.slice(0, -2)}`, /rlp|malformed|invalid|decode/i],
    ['no hex', '0xzz', /hex|data|invalid/i],
    ['another chain', signedRaw({ chainId: 1n }), /invalid chain id for signer/],
    [
      'low fee',
      signedRaw({ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }),
      /max fee per gas less than block base fee/,
    ],
    ['overdraft', signedRaw({ value: 5000n * 10n ** 18n }), /insufficient funds for gas \* price \+ value/],
    ['low gas', signedRaw({ gasLimit: 20_999n }), /intrinsic gas too low/],
    ['far nonce', signedRaw({ nonce: 1_000_000n }), /nonce too high/],
    [
      'tip above fee',
      signedRaw({ maxPriorityFeePerGas: 11n * GWEI }),
      /max priority fee per gas higher than max fee per gas/,
    ],
  ]
  for (const [name, raw, message] of cases) {
    const { answer } = await submit(raw)
    assert.match(answer.error?.message ?? 'accepted', message, name)
  }
  const gap = await submit(signedRaw({ nonce: 3n }))
  assert.equal(gap.answer.error, undefined)
  const waiting = await post(
    JSON.stringify({ id: 1, method: 'quorate_getTransactionStatus', params: [gap.answer.result] }),
  )
  assert.deepEqual(waiting.answer.result, { status: 'pending', queued: true, waitsFor: '0x0' })
  assert.equal(
    (
      await post(`{"id":1,"method":"eth_sendRawTransaction","params":["0x${'00'.repeat(1_100_000)}"]}`).catch(
        () => ({ status: 413 }),
      )
    ).status,
    413,
  )
  assert.match((await submit(good)).answer.result as string, /^0x/)
  assert.match((await submit(good)).answer.error!.message, /already known/)
})

test('files, ports and folders that are wrong end the command with their code and a clear line', async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one')
  const broken = join(network.directory, 'broken.json')
  const genesis = JSON.parse(await readFile(network.genesisPath, 'utf8'))
  await writeFile(broken, JSON.stringify({ ...genesis, work: { ...genesis.work, bits: '0x00000000' } }))
  const text = join(network.directory, 'text.json')
  await writeFile(text, 'not json')
  const start = (...options: string[]) => quorate(['node', '--rpc-port', '0', ...options])
  const other = join(network.directory, 'other')
  const port = new URL(node.ready.rpc).port
  assertClear(await start('--genesis', broken, '--data', other), 3, /work\.bits/)
  assertClear(await start('--genesis', text, '--data', other), 3, /text\.json/)
  assertClear(
    await start('--genesis', join(network.directory, 'absent.json'), '--data', other),
    3,
    /absent\.json/,
  )
  assertClear(await start('--genesis', network.genesisPath, '--data', node.ready.data), 6, /another|in use/)
  for (const [option, address] of [
    ['--peer', '/ip4/127.0.0.1/tcp/30303/ws'],
    ['--listen', '30303'],
    ['--listen', '/ip4/127.0.0.1/udp/30303/quic-v1'],
  ] as const) {
    const ended = await start('--genesis', network.genesisPath, '--data', other, option, address)
    assertClear(ended, 2, new RegExp(`${option}: "${address}" is not an address such as /ip4/`))
  }
  assertClear(
    await quorate(['node', '--genesis', network.genesisPath, '--data', other, '--rpc-port', port]),
    6,
    /port|in use/,
  )
  assertClear(await quorate(['frobnicate']), 2, /frobnicate|did you mean/i)
  assertClear(await quorate(['status', '--rpc', 'http://127.0.0.1:65530']), 4, /no node answers/)
  assertClear(await quorate(['tx', '0x12']), 2, /not a transaction id/)
  assertClear(await quorate(['tx', `0x${'12'.repeat(32)}`, '--rpc', node.ready.rpc]), 1, /never/)
  assertClear(
    await quorate(['mine', '--to', BOB.address, '--blocks', '1', '--rpc', node.ready.rpc, '--data', other]),
    3,
    /cookie/,
  )
  await agree(network.clients())
})

test('a node whose folder was damaged says which record, ends with code 3 and changes nothing', async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one')
  const { data } = node.ready
  assert.equal(
    (await quorate(['mine', '--to', BOB.address, '--blocks', '3', '--rpc', node.ready.rpc, '--data', data]))
      .code,
    0,
  )
  await node.stop()
  const other = join(network.directory, 'other.json')
  const genesis = JSON.parse(await readFile(network.genesisPath, 'utf8'))
  await writeFile(other, JSON.stringify({ ...genesis, name: 'other' }))
  assertClear(
    await quorate(['node', '--rpc-port', '0', '--genesis', other, '--data', data]),
    3,
    /belongs to the network/,
  )
  const folder = (await readdir(data, { withFileTypes: true })).find(entry => entry.isDirectory())!.name
  for (const file of await readdir(join(data, folder))) {
    if (!/\.(ldb|log)$/.test(file)) continue
    const path = join(data, folder, file)
    const bytes = await readFile(path)
    for (let index = 40; index < bytes.length; index += 97) bytes[index]! ^= 0x55
    await writeFile(path, bytes)
  }
  assertClear(
    await quorate(['node', '--rpc-port', '0', '--genesis', network.genesisPath, '--data', data]),
    3,
    /corrupt|damaged|missing/i,
  )
})

test('a node is given a checkpoint: one that makes no sense, one that its chain does not have, and one that it has', async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one')
  const { data, rpc } = node.ready
  const mine = ['mine', '--to', BOB.address, '--blocks', '3', '--rpc', rpc, '--data', data]
  assert.equal((await quorate(mine)).code, 0)
  const block = (await network.client('one').call('eth_getBlockByNumber', ['0x2', false])) as { hash: string }
  await node.stop()
  const start = (checkpoint: string) =>
    quorate([
      'node',
      '--rpc-port',
      '0',
      '--genesis',
      network.genesisPath,
      '--data',
      data,
      '--checkpoint',
      checkpoint,
    ])
  assertClear(await start('2:0x12'), 2, /--checkpoint: expected one HEIGHT:ID, .*, got 2:0x12/)
  const other = `0x${'12'.repeat(32)}`
  assertClear(
    await start(`2:${other}`),
    3,
    new RegExp(`block 2 of the chain on disk is ${block.hash}, and the checkpoint ${other}`),
  )
  await network.start('one', [], ['--checkpoint', `2:${block.hash}`])
  const status = await quorate(['status', '--rpc', network.nodes.get('one')!.ready.rpc])
  assert.match(status.stdout, new RegExp(`^checkpoint +height 2, ${block.hash}$`, 'm'))
})

test('a wrong password opens nothing and ends with code 5', async context => {
  const network = await TestNetwork.create(context)
  const node = await network.start('one')
  const home = join(network.directory, 'home')
  await mkdir(home)
  const env = { QUORATE_HOME: home, QUORATE_PASSWORD: 'right', QUORATE_RPC: node.ready.rpc }
  const keyFile = await writeKeyFile(network.directory, ALICE)
  assert.equal((await quorate(['wallet', 'import', 'alice', '--key-file', keyFile], env)).code, 0)
  const send = ['wallet', 'send', '--from', 'alice', '--to', BOB.address, '--amount', '1']
  assertClear(await quorate(send, { ...env, QUORATE_PASSWORD: 'wrong' }), 5, /password/)
  assertClear(await quorate(send, { ...env, QUORATE_PASSWORD: '' }), 5, /password/)
  assertClear(await quorate([...send.slice(0, -1), '1.5.5'], env), 2, /not an amount/)
  assertClear(await quorate(['wallet', 'balance', 'carol'], env), 3, /carol/)
  assertClear(await quorate(['wallet', 'new', 'alice'], env), 3, /alice/)
  assertClear(await quorate(['wallet', 'new', '../alice'], env), 2, /name/)
})
