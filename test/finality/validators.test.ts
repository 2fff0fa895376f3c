import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { checksumAddress } from '../../src/chain/address.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { faultsTolerated, quorumOf } from '../../src/consensus/quorum.ts'
import { Fields } from '../../src/encoding/fields.ts'
import { readValidators, ValidatorSet } from '../../src/finality/validators.ts'
import { keyOf } from './test-validators.ts'

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `v${index}`,
    address: addressOfSecretKey(keyOf(`${index}`)),
  }))
const read = (validators: unknown): ValidatorSet => readValidators(new Fields('finality', { validators }))
const [first, second] = many(2) as [{ name: string; address: string }, { name: string; address: string }]

const FAULTS: readonly [says: string, validators: unknown, message: RegExp][] = [
  ['no list', undefined, /^finality\.validators: missing$/],
  ['an object', {}, /^finality\.validators: expected a list of 1 to 100 validators, got \{\}$/],
  ['an empty list', [], /^finality\.validators: expected a list of 1 to 100/],
  ['101 validators', many(101), /^finality\.validators: expected a list of 1 to 100/],
  ['an address alone', [first.address], /^finality\.validators\[0\]: expected an object/],
  ['no name', [first, { address: second.address }], /^finality\.validators\[1\]\.name: missing$/],
  ['an empty name', [{ ...first, name: '' }], /^finality\.validators\[0\]\.name: expected a name/],
  ['a name with a space', [{ ...first, name: 'a b' }], /\.name: expected a name/],
  ['a name that ends in a new line', [{ ...first, name: 'a\n' }], /\.name: expected a name/],
  ['a name of 33 letters', [{ ...first, name: 'a'.repeat(33) }], /\.name: expected a name/],
  [
    'a name twice',
    [first, { ...second, name: first.name }],
    /^finality\.validators\[1\]\.name: given twice$/,
  ],
  ['a short address', [{ ...first, address: '0x00' }], /\[0\]\.address: expected an address/],
  ['a number for an address', [{ ...first, address: 7 }], /\[0\]\.address: expected an address/],
  [
    'an address twice, in two ways of writing',
    [first, { ...second, address: checksumAddress(first.address as `0x${string}`) }],
    /^finality\.validators\[1\]\.address: given twice$/,
  ],
  ['an unknown field', [{ ...first, weight: 2 }], /^finality\.validators\[0\]\.weight: unknown field$/],
]
for (const [says, validators, message] of FAULTS) {
  test(`${says}: refused, and the message names the field`, () => {
    assert.throws(() => read(validators), { name: 'InvalidField', message })
  })
}

test('validators keep the order of the file, and every address has its place', () => {
  const set = read([second, { ...first, address: checksumAddress(first.address as `0x${string}`) }])
  assert.deepEqual(set.validators, [second, first])
  assert.equal(set.indexOf(second.address as `0x${string}`), 0)
  assert.equal(set.indexOf(first.address as `0x${string}`), 1)
  assert.equal(set.indexOf(addressOfSecretKey(keyOf('a stranger'))), null)
})

test('the validators of a file are the only field that is taken', () => {
  const fields = new Fields('finality', { mode: 'pbft', validators: [first] })
  readValidators(fields)
  assert.deepEqual(fields.names(), ['mode'])
})

test('the quorum is n − f for every n, as the table of the protocols has it', () => {
  const table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(n => {
    const set = read(many(n))
    return [set.size, faultsTolerated(set.size), quorumOf(set.size)]
  })
  assert.deepEqual(table, [
    [1, 0, 1],
    [2, 0, 2],
    [3, 0, 3],
    [4, 1, 3],
    [5, 1, 4],
    [6, 1, 5],
    [7, 2, 5],
    [8, 2, 6],
    [9, 2, 7],
    [10, 3, 7],
  ])
})

test('the id commits to the addresses and their order, not to the names', () => {
  const { id } = read([first, second])
  assert.equal(read([{ ...first, name: 'other' }, second]).id, id)
  const others = [read([second, first]), read([first]), read(many(3))].map(set => set.id)
  assert.equal(new Set([id, ...others]).size, 4)
})

test('the id is the SHA-256 of the sized tag, the count and the addresses', () => {
  const expected = createHash('sha256')
    .update(Buffer.from([23]))
    .update('quorate/validator-set/1')
    .update(Buffer.from([2, 0, 0, 0]))
    .update(Buffer.from(first.address.slice(2) + second.address.slice(2), 'hex'))
    .digest('hex')
  assert.equal(read([first, second]).id, `0x${expected}`)
})

test('a set of no validator, or of more than a hundred, is a bug', () => {
  assert.throws(() => new ValidatorSet([]), RangeError)
  assert.throws(() => new ValidatorSet(many(101)), RangeError)
  assert.equal(quorumOf(new ValidatorSet(many(100)).size), 67)
})
