// A node whose clock is wrong, as its owner sees it: `status` shows it, and `doctor` names the difference and the remedy.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quorate } from '../end-to-end/network.ts'
import { serve, TestNode } from '../rpc/harness.ts'

test('status and doctor say that the clock of a node is behind, by how much, and what to do', async t => {
  const miner = new TestNode()
  miner.wait(3_600_000)
  const block = miner.mine()
  const node = new TestNode()
  node.step({ type: 'peer-connected', peer: 'peer', origin: { isOutbound: true, group: 'peer' } })
  node.receive(block)
  const doubt = node.replica.clockDoubt
  assert.ok(doubt !== null && doubt.behindSeconds > 3_000)
  const { url } = await serve(t, node)
  const [status, doctor] = await Promise.all(['status', 'doctor'].map(name => quorate([name, '--rpc', url])))
  const difference = `${doubt.behindSeconds} s behind at least: one peer follows blocks that are too new for it`
  assert.match(status!.stdout, new RegExp(`CLOCK LOOKS WRONG +${difference}`))
  assert.equal(status!.code, 0)
  assert.ok(
    doctor!.stdout.startsWith(`The clock of this node looks wrong, ${difference}. Set it`),
    doctor!.stdout,
  )
  assert.equal(doctor!.code, 1)
})

test('doctor has nothing to say of a clock that nothing speaks against', async t => {
  const node = new TestNode()
  node.mine(2)
  const { url } = await serve(t, node)
  const doctor = await quorate(['doctor', '--rpc', url])
  assert.deepEqual([doctor.code, doctor.stdout.includes('clock')], [0, false])
})
