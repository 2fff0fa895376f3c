import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressBytes, addressOfPublicKey, checksumAddress, parseAddress } from '../../src/chain/address.ts'
import { fromHex, type Hex, toHex } from '../../src/encoding/bytes.ts'

// https://eips.ethereum.org/EIPS/eip-55, "Test Cases".
const CHECKSUMMED: readonly Hex[] = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

for (const text of CHECKSUMMED) {
  test(`EIP-55 writes and reads ${text}`, () => {
    const address = text.toLowerCase() as Hex
    assert.equal(checksumAddress(address), text)
    assert.equal(parseAddress(text), address)
  })
}

test('an address in one case needs no checksum', () => {
  const digits = '5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'
  assert.equal(parseAddress(`0x${digits}`), `0x${digits}`)
  assert.equal(parseAddress(`0x${digits.toUpperCase()}`), `0x${digits}`)
})

test('one letter in the wrong case breaks the checksum', () => {
  const text = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
  for (let index = 2; index < text.length; index++) {
    const digit = text[index]!
    const other = digit === digit.toUpperCase() ? digit.toLowerCase() : digit.toUpperCase()
    if (other === digit) continue
    assert.equal(parseAddress(text.slice(0, index) + other + text.slice(index + 1)), null, `digit ${index}`)
  }
})

test('one wrong digit breaks the checksum', () => {
  const text = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
  for (let index = 2; index < text.length; index++) {
    if (!/\d/.test(text[index]!)) continue
    const other = (Number(text[index]) + 1) % 10
    assert.equal(parseAddress(text.slice(0, index) + other + text.slice(index + 1)), null, `digit ${index}`)
  }
})

const FORTY = '1234567890123456789012345678901234567890'
const NO_ADDRESSES: readonly [what: string, text: string][] = [
  ['nothing', ''],
  ['a prefix alone', '0x'],
  ['no prefix', FORTY],
  ['39 digits', `0x${FORTY.slice(1)}`],
  ['41 digits', `0x${FORTY}0`],
  ['an upper-case prefix', `0X${FORTY}`],
  ['a digit that is none', `0x${FORTY.slice(1)}g`],
  ['a line break at the end', `0x${FORTY}\n`],
  ['a space before it', ` 0x${FORTY}`],
  ['digits of another script', `0x${FORTY.slice(1)}٠`],
]
for (const [what, text] of NO_ADDRESSES) {
  test(`${what} is no address`, () => assert.equal(parseAddress(text), null))
}

test('the address of a public key is the end of its Keccak-256 (the key of EIP-155)', () => {
  const publicKey =
    '0x044bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382' +
    'ce28cab79ad7119ee1ad3ebcdb98a16805211530ecc6cfefa1b88e6dff99232a'
  assert.equal(addressOfPublicKey(fromHex(publicKey)), '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
})

test('the bytes of an address are its digits', () => {
  assert.equal(toHex(addressBytes(`0x${FORTY}`)), `0x${FORTY}`)
  assert.equal(addressBytes(`0x${FORTY}`).length, 20)
})
