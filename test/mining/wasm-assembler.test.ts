import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Code, encodeModule, instantiate, op, type } from '../../src/mining/wasm-assembler.ts'

function build(body: Code, vectorLocals = 0) {
  const source = { parameters: [type.i32], results: [type.i32], vectorLocals, body, pages: 1 }
  return instantiate<(x: number) => number>(encodeModule(source))!
}

test('constants of every encoded length arrive unchanged', () => {
  const values = [
    0,
    1,
    63,
    64,
    127,
    128,
    8191,
    8192,
    2 ** 20,
    2 ** 31 - 1,
    -1,
    -64,
    -65,
    -8192,
    -8193,
    -(2 ** 31),
  ]
  for (const value of values) assert.equal(build(op.i32Const(value)).run(0), value)
})

test('locals are reached by index beyond one byte', () => {
  const body = [
    ...op.v128Const(Array.from({ length: 16 }, () => 1)),
    ...op.localSet(300),
    ...op.localGet(300),
  ]
  assert.equal(build([...body, ...op.v128AnyTrue], 400).run(0), 1)
  assert.equal(build([...op.localGet(299), ...op.v128AnyTrue], 400).run(0), 0)
})

test('a vector is read from the address that is given', () => {
  const { run, memory } = build([...op.v128LoadAt(65520), ...op.v128AnyTrue])
  assert.equal(run(0), 0)
  new Uint8Array(memory.buffer)[65535] = 1
  assert.equal(run(0), 1)
})

test('a module that this machine cannot run gives null', () => {
  const parts = { parameters: [], results: [], vectorLocals: 0, pages: 1 }
  assert.equal(instantiate(encodeModule({ ...parts, body: [0xfd, 0xff, 0x7f] })), null)
})
