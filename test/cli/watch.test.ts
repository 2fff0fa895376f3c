// Waiting for a transaction, as the commands of the wallet show it.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CommandError, EXIT } from '../../src/cli/exit-codes.ts'
import type { Output } from '../../src/cli/output.ts'
import { type WatchArgs, watch } from '../../src/cli/watch.ts'
import { RpcClient } from '../../src/wallet/rpc-client.ts'
import { startFakeNode } from '../wallet/fake-node.ts'

const ID = `0x${'1d'.repeat(32)}` as const
const ARGS: WatchArgs = { final: false, attacker: '0.1', timeout: 30 }

const mined = (confirmations: number, final = false) => ({
  status: 'mined',
  blockHash: `0x${'b1'.repeat(32)}`,
  blockNumber: '0x10',
  confirmations: `0x${confirmations.toString(16)}`,
  final,
})

/** What was said on the way and at the end by a wait that a node answers like this. */
async function wait(context: TestContext, args: Partial<WatchArgs>, answers: readonly unknown[]) {
  let asked = 0
  const node = await startFakeNode(context, {
    quorate_getTransactionStatus: () => answers[Math.min(asked++, answers.length - 1)],
  })
  const notes: string[] = []
  const said: { data: unknown; text: string }[] = []
  const output: Output = {
    isJson: true,
    data: (data, text) => void said.push({ data, text: text() }),
    note: text => void notes.push(text),
  }
  const code = await watch(new RpcClient(node.url), ID, { ...ARGS, ...args }, output)
  return { code, notes, data: said[0]!.data as Record<string, unknown>, text: said[0]!.text }
}

test('a wait for a risk says how many confirmations it takes and counts them', async context => {
  const { code, notes, data, text } = await wait(context, { risk: '0.1%' }, [
    { status: 'pending' },
    mined(1),
    mined(5),
    mined(6),
  ])
  assert.equal(code, EXIT.done)
  assert.match(notes[0]!, /below 0\.1% against 10% of all hashes takes 6 confirmations .*\(5 by Nakamoto's\)/)
  assert.match(notes[1]!, /^pending/)
  assert.match(notes[2]!, /1 of 6 confirmations, reversed with probability 20%.*Nakamoto's formula: 20\.5%/)
  assert.match(
    notes[3]!,
    /5 of 6 confirmations, reversed with probability 0\.178%.*Nakamoto's formula: 0\.0914%/,
  )
  assert.match(text, /6 of 6 confirmations, reversed with probability 0\.0591%/)
  assert.deepEqual(
    [data.status, data.confirmations, data.risk, data.confirmationsNeeded],
    ['mined', 6n, 0.001, { exact: 6, nakamoto: 5 }],
  )
})

test('a wait for finality goes on where work alone would do', async context => {
  const { code, data } = await wait(context, { final: true }, [mined(50), mined(51, true)])
  assert.equal(code, EXIT.done)
  assert.equal(data.status, 'final')
})

test('by default one confirmation is enough', async context => {
  const { data, text } = await wait(context, {}, [mined(1)])
  assert.equal(data.status, 'mined')
  assert.match(text, /1 confirmation, reversed/)
})

const nonsense: readonly (readonly [args: Partial<WatchArgs>, says: RegExp])[] = [
  [{ risk: '0' }, /above 0 and below 1/],
  [{ risk: '100%' }, /above 0 and below 1/],
  [{ risk: 'low' }, /--risk: expected a share/],
  [{ risk: '-0.1' }, /--risk: expected a share/],
  [{ risk: '0.1%', attacker: '2' }, /--attacker: expected a share/],
  [{ risk: '0.1%', attacker: '0.5' }, /no number of confirmations/],
  [{ risk: '0.1%', attacker: '49.99%' }, /no number of confirmations/],
  [{ risk: '0.1%', final: true }, /--risk and --final: give one/],
  [{ risk: '0.1%', confirmations: 3 }, /--confirmations and --risk: give one/],
  [{ confirmations: 0 }, /--confirmations: expected a whole number/],
]
for (const [args, says] of nonsense) {
  test(`a wait for ${JSON.stringify(args)} is refused before anybody is asked`, async context => {
    await assert.rejects(wait(context, args, [mined(1)]), (error: unknown) => {
      assert.ok(error instanceof CommandError)
      assert.equal(error.code, EXIT.usage)
      assert.match(error.message, says)
      return true
    })
  })
}
