// What a user sees whose disk has flipped a bit: one line of what is damaged, one of what to do, and exit code 3.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Level } from 'level'
import { MINER, quorate, reach, TestNetwork } from './network.ts'

test('a node with a damaged record says which, and what to do, and exits with 3: at the start, and when it is asked', async t => {
  const easy = { bits: '0x207fffff', halfLifeSeconds: 31_536_000, futureLimitSeconds: 7_200 }
  const network = await TestNetwork.create(t, easy, { finality: { mode: 'longest-chain', depth: 2 } })
  const data = join(network.directory, 'one')
  const chain = join(data, 'chain')
  const first = await network.start('one', [], ['--mine', MINER, '--threads', '1'])
  await reach(network.client('one'), 5)
  await first.stop()
  const id = await damage(chain, key => key.startsWith('final/') && key.endsWith('1'))
  const remedy = /^ {2}Move that folder away, and the node will fetch the chain again from its peers[.]/

  const asked = await network.start('one')
  await assert.rejects(network.client('one').call('eth_getBlockByNumber', ['0x1', false]), /internal error/)
  await asked.ended()
  assert.equal(asked.process.exitCode, 3)
  const log = (await readFile(join(data, 'node.log'), 'utf8')).trimEnd().split('\n')
  assert.equal(log.at(-2), `quorate: the database in ${chain} is damaged: record ${id} is damaged`)
  assert.match(log.at(-1)!, remedy)
  assert.ok(!log.some(line => line.includes('    at ')), 'no stack')

  await damage(chain, key => key === 'base')
  const args = ['--genesis', network.genesisPath, '--data', data]
  for (const command of [['node', '--rpc-port', '0', '--log', 'silent'], ['verify']]) {
    const { code, stdout, stderr } = await quorate([...command, ...args])
    const [cause, advice, ...more] = stderr.trimEnd().split('\n')
    assert.deepEqual([code, stdout, more], [3, '', []])
    assert.equal(cause, `quorate: the database in ${chain} is damaged: record base is damaged`)
    assert.match(advice!, remedy)
  }
})

/** Flips a bit of the first record with such a key, and returns the key. */
async function damage(directory: string, isMeant: (key: string) => boolean): Promise<string> {
  const level = new Level<string, Uint8Array>(directory, { valueEncoding: 'view' })
  const key = (await level.keys().all()).find(isMeant)!
  const value = Uint8Array.from((await level.get(key))!)
  value[0]! ^= 1
  await level.put(key, value)
  await level.close()
  return key
}
