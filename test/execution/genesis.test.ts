import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatAmount } from '../../src/chain/amount.ts'
import { decodeBlock } from '../../src/chain/block.ts'
import { NO_BLOCK } from '../../src/chain/header.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { InvalidField, type Json } from '../../src/encoding/fields.ts'
import { parseGenesis } from '../../src/execution/genesis.ts'
import { accepted, COIN, GWEI } from '../chain/examples.ts'

const ALICE = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const BOB = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'

type File = { [key: string]: Json | File }

function exampleFile(): File {
  return {
    name: 'example',
    chainId: 7,
    time: 1_700_000_000,
    work: {
      bits: '0x1e03ffff',
      easiestBits: '0x1f00ffff',
      blockTimeSeconds: 2,
      halfLifeSeconds: 60,
      futureLimitSeconds: 15,
    },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000 },
    finality: { mode: 'longest-chain', depth: 256 },
    accounts: { [ALICE]: '1000', [BOB]: '0.5' },
  }
}

/** The example with the field at this path, such as `work.bits`, set to a value; undefined takes it out. */
function withField(path: string, value: Json | undefined): File {
  const file = structuredClone(exampleFile())
  const names = path.split('.')
  let object = file
  for (const name of names.slice(0, -1)) object = object[name] as File
  const last = names.at(-1)!
  if (value === undefined) delete object[last]
  else object[last] = value
  return file
}

const idOf = (file: unknown): string => parseGenesis(file).block.id

test('genesis/local.json is a network', () => {
  const path = join(import.meta.dirname, '../../genesis/local.json')
  const genesis = parseGenesis(JSON.parse(readFileSync(path, 'utf8')))
  assert.equal(genesis.name, 'local')
  assert.equal(genesis.blocks.chainId, 20261n)
  assert.ok(genesis.supply > 0n)
})

test('a file becomes rules, a block and a state', () => {
  const genesis = parseGenesis(exampleFile())
  assert.equal(genesis.name, 'example')
  assert.equal(genesis.forTests, false)
  assert.deepEqual(genesis.work, {
    isProved: true,
    firstTarget: 0x03ffffn << 216n,
    targetMax: 0xffffn << 224n,
    blockTimeSeconds: 2,
    halfLifeSeconds: 60,
    futureLimitSeconds: 15,
  })
  assert.deepEqual(genesis.blocks, {
    chainId: 7n,
    gasLimit: 30_000_000n,
    blockBytesMax: 1_048_576,
    reward: { amount: 2n * COIN, halvingBlocks: 1_000 },
  })
  assert.deepEqual(genesis.finality, { mode: 'longest-chain', depth: 256 })
  assert.deepEqual(genesis.state.get(`0x${ALICE.slice(2).toLowerCase()}`), {
    nonce: 0n,
    balance: 1000n * COIN,
  })
  assert.deepEqual(genesis.state.get(BOB), { nonce: 0n, balance: COIN / 2n })
  assert.equal(genesis.supply, 1000n * COIN + COIN / 2n)
})

test('the genesis block has no parent, no transactions and no work, and commits to rules, state and itself', () => {
  const { block, header, state } = parseGenesis(exampleFile())
  assert.equal(block.header.previous, NO_BLOCK)
  assert.equal(block.header.time, 1_700_000_000)
  assert.equal(block.header.bits, 0x1e03ffff)
  assert.deepEqual(block.transactions, [])
  assert.equal(block.coinbase.height, 0)
  assert.equal(block.coinbase.chainId, 7n)
  assert.equal(block.coinbase.stateRoot, state.root())
  assert.equal(block.coinbase.baseFee, GWEI)
  assert.equal(block.coinbase.gasUsed, 0n)
  assert.equal(block.coinbase.extraNonce.length, 32)
  assert.equal(header.id, block.id)
  assert.equal(header.height, 0)
  assert.equal(header.work, 0n)
  assert.equal(toHex(accepted(decodeBlock(block.raw)).raw), toHex(block.raw))
  assert.equal(accepted(decodeBlock(block.raw)).id, block.id)
})

test('the id does not change when the code does', () => {
  assert.equal(idOf(exampleFile()), '0x9760d5eb2b870ca6b0f5066bc3bee19d3c26ece8e81ad41846d12da05875b411')
})

test('order of fields and white space do not change the id', () => {
  const id = idOf(exampleFile())
  const reversedText = JSON.stringify(
    Object.fromEntries(
      Object.entries(exampleFile())
        .reverse()
        .map(([name, value]) =>
          typeof value === 'object' && value !== null
            ? [name, Object.fromEntries(Object.entries(value).reverse())]
            : [name, value],
        ),
    ),
    null,
    4,
  )
  assert.equal(idOf(JSON.parse(reversedText)), id)
  assert.equal(idOf(JSON.parse(JSON.stringify(exampleFile()))), id)
})

const CHANGES: readonly [path: string, value: Json | undefined][] = [
  ['name', 'another'],
  ['chainId', 8],
  ['time', 1_700_000_001],
  ['work.bits', '0x1e03fffe'],
  ['work.easiestBits', '0x1f00fffe'],
  ['work.blockTimeSeconds', 3],
  ['work.halfLifeSeconds', 61],
  ['work.futureLimitSeconds', 16],
  ['blocks.gasLimit', 30_000_001],
  ['blocks.bytesMax', 1_048_577],
  ['blocks.baseFee', '2gwei'],
  ['reward.amount', '3'],
  ['reward.halvingBlocks', 1_001],
  ['finality.mode', 'pbft'],
  ['finality.depth', 257],
  ['finality.depth', undefined],
  ['finality.more', [{ nested: true }]],
  [`accounts.${ALICE}`, '1001'],
  [`accounts.${ALICE}`, undefined],
  [`accounts.0x${'11'.repeat(20)}`, '1'],
  [`accounts.0x${'11'.repeat(20)}`, '0'],
]
test('every change of a value changes the id', () => {
  const ids = [exampleFile(), ...CHANGES.map(([path, value]) => withField(path, value))].map(idOf)
  assert.equal(new Set(ids).size, ids.length)
})

const FAULTS: readonly [path: string, value: Json | undefined, says: string][] = [
  ['name', undefined, 'missing'],
  ['name', '', 'expected a text'],
  ['name', 'x'.repeat(101), 'expected a text'],
  ['name', 5, 'expected a text'],
  ['chainId', undefined, 'missing'],
  ['chainId', 0, 'expected a whole number'],
  ['chainId', -1, 'expected a whole number'],
  ['chainId', 1.5, 'expected a whole number'],
  ['chainId', '7', 'expected a whole number'],
  ['chainId', 2 ** 53, 'expected a whole number'],
  ['time', undefined, 'missing'],
  ['time', -1, 'expected a whole number'],
  ['time', 2 ** 32, 'expected a whole number'],
  ['work', undefined, 'missing'],
  ['work', [], 'expected an object'],
  ['work.bits', undefined, 'missing'],
  ['work.bits', '0x1E03FFFF', 'expected a compact target'],
  ['work.bits', '1e03ffff', 'expected a compact target'],
  ['work.bits', 0x1e03ffff, 'expected a compact target'],
  ['work.bits', '0x00000000', 'expected a compact target'],
  ['work.bits', '0x1e83ffff', 'expected a compact target'],
  ['work.bits', '0x1f0000ff', 'expected a compact target'],
  ['work.bits', '0xff03ffff', 'expected a compact target'],
  ['work.bits', '0x1f010000', 'easier than work.easiestBits'],
  ['work.easiestBits', undefined, 'missing'],
  ['work.easiestBits', '0x', 'expected a compact target'],
  ['work.blockTimeSeconds', undefined, 'missing'],
  ['work.blockTimeSeconds', 0, 'expected a whole number'],
  ['work.blockTimeSeconds', 86_401, 'expected a whole number'],
  ['work.halfLifeSeconds', undefined, 'missing'],
  ['work.halfLifeSeconds', 0, 'expected a whole number'],
  ['work.futureLimitSeconds', undefined, 'missing'],
  ['work.futureLimitSeconds', 7_201, 'expected a whole number'],
  ['work.more', 1, 'unknown field'],
  ['blocks', undefined, 'missing'],
  ['blocks.gasLimit', undefined, 'missing'],
  ['blocks.gasLimit', 20_999, 'expected a whole number'],
  ['blocks.gasLimit', 1_000_000_001, 'expected a whole number'],
  ['blocks.bytesMax', undefined, 'missing'],
  ['blocks.bytesMax', 999, 'expected a whole number'],
  ['blocks.bytesMax', 8 * 1024 * 1024 + 1, 'expected a whole number'],
  ['blocks.baseFee', undefined, 'missing'],
  ['blocks.baseFee', 1, 'expected an amount'],
  ['blocks.baseFee', '-1', 'expected an amount'],
  ['blocks.baseFee', '1eth', 'expected an amount'],
  ['blocks.more', 1, 'unknown field'],
  ['reward', undefined, 'missing'],
  ['reward.amount', undefined, 'missing'],
  ['reward.amount', '9'.repeat(60), 'expected an amount'],
  ['reward.halvingBlocks', undefined, 'missing'],
  ['reward.halvingBlocks', 0, 'expected a whole number'],
  ['reward.more', 1, 'unknown field'],
  ['finality', undefined, 'missing'],
  ['finality', 'pbft', 'expected an object with a mode'],
  ['finality', ['pbft'], 'expected an object with a mode'],
  ['finality', null, 'expected an object with a mode'],
  ['accounts', undefined, 'missing'],
  ['accounts', [], 'expected an object'],
  ['accounts.0x1234', '1', 'not an address'],
  ['accounts.alice', '1', 'not an address'],
  [`accounts.${ALICE.replace('F', 'f')}`, '1', 'not an address, or its checksum is wrong'],
  [`accounts.${ALICE.toLowerCase()}`, '1', 'given twice'],
  [`accounts.${ALICE}`, 5, 'expected an amount'],
  [`accounts.${ALICE}`, '', 'expected an amount'],
  [`accounts.${ALICE}`, String(2n ** 255n / COIN + 1n), 'expected an amount'],
  ['more', 1, 'unknown field'],
  ['__proto__x', {}, 'unknown field'],
]
for (const [path, value, says] of FAULTS) {
  test(`${path} ${value === undefined ? 'taken out' : `set to ${JSON.stringify(value).slice(0, 30)}`}: ${says}`, () => {
    assert.throws(
      () => parseGenesis(withField(path, value)),
      (error: unknown) => {
        assert.ok(error instanceof InvalidField, String(error))
        const named = says === 'given twice' ? error.field.toLowerCase() : error.field
        assert.equal(named, path)
        assert.ok(error.message.startsWith(`${error.field}: `) && error.message.includes(says), error.message)
        return true
      },
    )
  })
}

test('money that would pass 2^256 together with all rewards is refused, and not a wei less', () => {
  const third = `0x${'33'.repeat(20)}`
  const almost = 2n ** 255n - 1n
  const file = withField('reward.amount', '1wei')
  file.accounts = { [ALICE]: formatAmount(almost), [BOB]: formatAmount(almost) }
  // 2^256 - 2 in accounts, 1,000 wei in rewards.
  assert.throws(() => parseGenesis(file), /^InvalidField: accounts: the supply together with all rewards/)
  file.accounts = { [ALICE]: formatAmount(almost), [BOB]: formatAmount(almost - 999n) }
  assert.equal(parseGenesis(file).supply, 2n ** 256n - 1_001n)
  file.accounts = { [ALICE]: formatAmount(almost), [BOB]: formatAmount(almost - 999n), [third]: '1wei' }
  assert.throws(() => parseGenesis(file), InvalidField)
})

test('an account without money does not exist', () => {
  const genesis = parseGenesis(withField(`accounts.${BOB}`, '0'))
  assert.deepEqual([...genesis.state.accounts()].length, 1)
})

for (const text of ['{"__proto__": {"name": "x"}}', '[]', '"x"', 'null', '5']) {
  test(`${text} is no genesis file`, () => assert.throws(() => parseGenesis(JSON.parse(text)), InvalidField))
}

test('__proto__ keys are refused where fields are known, and are part of the id where they are not', () => {
  const text = JSON.stringify(exampleFile())
  const atTop = JSON.parse(text.replace('{', '{"__proto__": {"name": "x"}, '))
  assert.throws(() => parseGenesis(atTop), /__proto__: unknown field/)
  const inWork = JSON.parse(text.replace('"work":{', '"work":{"__proto__":{},'))
  assert.throws(() => parseGenesis(inWork), /work\.__proto__: unknown field/)
  const inAccounts = JSON.parse(text.replace('"accounts":{', '"accounts":{"__proto__":"1",'))
  assert.throws(() => parseGenesis(inAccounts), /accounts\.__proto__: not an address/)
  const inFinality = JSON.parse(text.replace('"finality":{', '"finality":{"__proto__":{"x":1},'))
  assert.notEqual(idOf(inFinality), idOf(exampleFile()))
  assert.equal(({} as { x?: number }).x, undefined)
})

test('more than 100,000 accounts are refused', () => {
  const file = exampleFile()
  file.accounts = Object.fromEntries(
    Array.from({ length: 100_001 }, (_, index) => [`0x${index.toString(16).padStart(40, '0')}`, '1']),
  )
  assert.throws(() => parseGenesis(file), /accounts: more than 100000/)
})

// ---- networks without work, and networks for tests

const NO_WORK: File = { proof: 'none', futureLimitSeconds: 15 }

test('a network may do without work: its headers are valid with any nonce', () => {
  const genesis = parseGenesis(withField('work', NO_WORK as never))
  assert.equal(genesis.work.isProved, false)
  assert.equal(genesis.work.futureLimitSeconds, 15)
  assert.equal(genesis.header.header.bits, 0x207fffff)
  assert.notEqual(genesis.block.id, idOf(exampleFile()))
})

const WORKLESS_FAULTS: readonly { work: File; message: RegExp }[] = [
  { work: { ...NO_WORK, proof: 'some' }, message: /^work\.proof: expected "none", got "some"$/ },
  { work: { ...NO_WORK, proof: null }, message: /^work\.proof: expected "none", got null$/ },
  { work: { proof: 'none' }, message: /^work\.futureLimitSeconds: missing$/ },
  { work: { ...NO_WORK, futureLimitSeconds: 0 }, message: /^work\.futureLimitSeconds: expected/ },
  { work: { ...NO_WORK, bits: '0x1e03ffff' }, message: /^work\.bits: unknown field$/ },
]

for (const { work, message } of WORKLESS_FAULTS) {
  test(`work of ${JSON.stringify(work)} is refused, and the message names the field`, () => {
    assert.throws(() => parseGenesis(withField('work', work as never)), { name: 'InvalidField', message })
  })
}

test('a network says whether it is for tests, and its id says so too', () => {
  assert.equal(parseGenesis(withField('forTests', true)).forTests, true)
  assert.equal(parseGenesis(withField('forTests', false)).forTests, false)
  assert.notEqual(idOf(withField('forTests', true)), idOf(exampleFile()))
  for (const wrong of ['true', 1, null])
    assert.throws(() => parseGenesis(withField('forTests', wrong)), {
      name: 'InvalidField',
      message: /^forTests: expected true or false/,
    })
})

for (const [name, isProved] of [
  ['local', true],
  ['deep', true],
  ['simulated', true],
  ['hybrid', true],
  ['pbft', false],
] as const) {
  test(`genesis/${name}.json is a network ${isProved ? 'with' : 'without'} work`, () => {
    const path = join(import.meta.dirname, `../../genesis/${name}.json`)
    assert.equal(parseGenesis(JSON.parse(readFileSync(path, 'utf8'))).work.isProved, isProved)
  })
}
