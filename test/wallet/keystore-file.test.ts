import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { decryptSecretKey, encryptSecretKey, WrongPassword } from '../../src/wallet/key-cipher.ts'
import { checkWeakness, SCRYPT_LIGHT, SCRYPT_STANDARD } from '../../src/wallet/key-derivation.ts'
import { formatKeystoreFile, InvalidKeystore, parseKeystoreFile } from '../../src/wallet/keystore-file.ts'

// The vectors of ethereum.org, developers/docs/data-structures-and-encoding/web3-secret-storage.
const SECRET = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const ADDRESS = '0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b'
const PASSWORD = Buffer.from('testpassword')
const ID = '3198bc9c-6672-5ab3-d995-4942343ae5b6'

const pbkdf2Vector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: ID,
  version: 3,
}

const scryptSalt = '25710c2ccd7c610b24d068af83b959b7a0e5f40641f0c82daeb1345766191034'
const scryptVector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '740770fce12ce862af21264dab25f1da' },
    ciphertext: 'dd8a1132cf57db67c038c6763afe2cbe6ea1949a86abc5843f8ca656ebbb1ea2',
    kdf: 'scrypt',
    kdfparams: { dklen: 32, n: 262144, p: 1, r: 8, salt: scryptSalt },
    mac: '337aeb86505d2d0bb620effe57f18381377d67d76dac1090626aa5cd20886a7c',
  },
  id: ID,
  version: 3,
}

// The scrypt vector that stood there until 2023, and still stands in many test suites.
const oldScryptVector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: ID,
  version: 3,
}

const parse = (file: unknown) => parseKeystoreFile(JSON.stringify(file), 'key.json')
const open = async (file: unknown, password = PASSWORD) =>
  toHex(await decryptSecretKey(parse(file), password, 'key.json'))

test("the definition's PBKDF2 vector opens to its key", async () => {
  assert.equal(await open(pbkdf2Vector), SECRET)
})

test("the definition's scrypt vector opens to its key once its salt is read as its author did: as text", async () => {
  const salt = Buffer.from(scryptSalt, 'ascii').toString('hex')
  const kdfparams = { ...scryptVector.crypto.kdfparams, salt }
  assert.equal(await open({ ...scryptVector, crypto: { ...scryptVector.crypto, kdfparams } }), SECRET)
})

test("the definition's scrypt vector as printed does not open, since its MAC belongs to another salt", async () => {
  await assert.rejects(open(scryptVector), WrongPassword)
})

test("the definition's old scrypt vector opens, although it breaks a rule of scrypt's that OpenSSL holds to", async () => {
  assert.equal(await open(oldScryptVector), SECRET)
})

// go-ethereum, accounts/keystore/testdata/v3_test_vector.json.
const shortVectors = [
  {
    bytes: 31,
    secret: '0x00fa7b3db73dc7dfdf8c5fbdb796d741e4488628c41fc4febd9160a866ba0f35',
    ciphertext: '9517cd5bdbe69076f9bf5057248c6c050141e970efa36ce53692d5d59a3984',
    iv: 'e0c41130a323adc1446fc82f724bca2f',
    salt: '711f816911c92d649fb4c84b047915679933555030b3552c1212609b38208c63',
    mac: 'd5e116151c6aa71470e67a7d42c9620c75c4d23229847dcc127794f0732b0db5',
  },
  {
    bytes: 30,
    secret: '0x000081c29e8142bb6a81bef5a92bda7a8328a5c85bb2f9542e76f9b0f94fc018',
    ciphertext: '108b7d34f3442fc26ab1ab90ca91476ba6bfa8c00975a49ef9051dc675aa',
    iv: '3ca92af36ad7c2cd92454c59cea5ef00',
    salt: 'd0769e608fb86cda848065642a9c6fa046845c928175662b8e356c77f914cd3b',
    mac: '75d0e6759f7b3cefa319c3be41680ab6beea7d8328653474bd06706d4cc67420',
  },
] as const

for (const { bytes, secret, ciphertext, iv, salt, mac } of shortVectors) {
  test(`a key of ${bytes} bytes under a weak n opens to its 32, as it does in geth`, async () => {
    const crypto = {
      cipher: 'aes-128-ctr',
      cipherparams: { iv },
      ciphertext,
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n: 2, r: 8, p: 1, salt },
      mac,
    }
    assert.equal(await open({ crypto, version: 3 }, Buffer.from('foo')), secret)
  })
}

test('what is guessed fast is said, and only that', () => {
  const weakness = (file: unknown) => checkWeakness(parse(file).derivation)
  assert.match(weakness(withScrypt({ n: 2 ** 11 })) ?? '', /n = 2048, less than 4096/)
  assert.match(weakness(withPbkdf2({ c: 999 })) ?? '', /c = 999, less than 1000/)
  for (const file of [withScrypt({ n: 2 ** 12 }), withPbkdf2({ c: 1_000 })])
    assert.equal(weakness(file), null)
})

test('a file that says nothing of its address, or begins with a byte order mark, is read', () => {
  for (const address of ['', null]) assert.equal(parse({ ...pbkdf2Vector, address }).address, null)
  assert.equal(parseKeystoreFile(`\uFEFF${JSON.stringify(pbkdf2Vector)}`, 'key.json').address, null)
})

test('a wrong password is told apart from a damaged file', async () => {
  await assert.rejects(open(pbkdf2Vector, Buffer.from('testpassworD')), WrongPassword)
})

test('a changed ciphertext or MAC opens nothing', async () => {
  const { crypto } = pbkdf2Vector
  const ciphertext = crypto.ciphertext.replace(/^5/, '6')
  await assert.rejects(open({ ...pbkdf2Vector, crypto: { ...crypto, ciphertext } }), WrongPassword)
  await assert.rejects(
    open({ ...pbkdf2Vector, crypto: { ...crypto, mac: crypto.mac.replace(/2$/, '3') } }),
    WrongPassword,
  )
})

test('a file whose address is not that of its key is refused', async () => {
  assert.equal(await open({ ...pbkdf2Vector, address: ADDRESS.slice(2) }), SECRET)
  await assert.rejects(open({ ...pbkdf2Vector, address: '11'.repeat(20) }), InvalidKeystore)
})

test('an iv that was changed, which the MAC does not cover, is found by the address', async () => {
  const crypto = { ...pbkdf2Vector.crypto, cipherparams: { iv: '00'.repeat(16) } }
  await assert.rejects(open({ ...pbkdf2Vector, crypto, address: ADDRESS }), InvalidKeystore)
})

test('a new file has the standard costs, a new salt and iv, and opens again', async () => {
  const secretKey = Buffer.from(SECRET.slice(2), 'hex')
  const text = formatKeystoreFile(ID, await encryptSecretKey(secretKey, PASSWORD, SCRYPT_STANDARD))
  const file = JSON.parse(text)
  assert.deepEqual([file.version, file.id, file.address], [3, ID, ADDRESS.slice(2)])
  const { dklen, n, r, p, salt } = file.crypto.kdfparams
  assert.deepEqual([file.crypto.kdf, file.crypto.cipher], ['scrypt', 'aes-128-ctr'])
  assert.deepEqual([dklen, n, r, p, salt.length], [32, 262144, 8, 1, 64])
  assert.equal(await open(file), SECRET)
})

test('two files of one key have nothing in common', async () => {
  const secretKey = Buffer.from(SECRET.slice(2), 'hex')
  const [a, b] = [
    await encryptSecretKey(secretKey, PASSWORD, SCRYPT_LIGHT),
    await encryptSecretKey(secretKey, PASSWORD, SCRYPT_LIGHT),
  ]
  assert.notDeepEqual(a.derivation.salt, b.derivation.salt)
  assert.notDeepEqual(a.iv, b.iv)
  assert.notDeepEqual(a.ciphertext, b.ciphertext)
  assert.equal(a.address, addressOfSecretKey(secretKey))
})

test('the event loop turns while a key is derived', async () => {
  let turns = 0
  let isDone = false
  const turn = () => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  await encryptSecretKey(Buffer.from(SECRET.slice(2), 'hex'), PASSWORD, SCRYPT_LIGHT)
  isDone = true
  assert.ok(turns > 1, `${turns} turns`)
})

const withScrypt = (params: object) => ({
  ...scryptVector,
  crypto: { ...scryptVector.crypto, kdfparams: { ...scryptVector.crypto.kdfparams, ...params } },
})
const withPbkdf2 = (params: object) => ({
  ...pbkdf2Vector,
  crypto: { ...pbkdf2Vector.crypto, kdfparams: { ...pbkdf2Vector.crypto.kdfparams, ...params } },
})
const withCrypto = (fields: object) => ({ ...scryptVector, crypto: { ...scryptVector.crypto, ...fields } })

const refused: readonly [what: string, file: unknown, field: RegExp][] = [
  ['n of 1', withScrypt({ n: 1 }), /kdfparams\.n/],
  ['more work than 2^26', withScrypt({ n: 2 ** 18, r: 8, p: 33 }), /kdfparams\.n: .*at most/],
  ['more than 512 MiB for p', withScrypt({ n: 2, r: 1, p: 2 ** 23 }), /512 MiB/],
  ['n that is no power of two', withScrypt({ n: 262143 }), /kdfparams\.n/],
  ['n as text', withScrypt({ n: '262144' }), /kdfparams\.n/],
  ['n beyond all bounds', withScrypt({ n: 1e300 }), /kdfparams\.n/],
  ['r of 0', withScrypt({ r: 0 }), /kdfparams\.r/],
  ['r that is not whole', withScrypt({ r: 7.5 }), /kdfparams\.r/],
  ['p of 0', withScrypt({ p: 0 }), /kdfparams\.p/],
  ['more than 512 MiB', withScrypt({ n: 2 ** 19, r: 9 }), /512 MiB/],
  ['a key of 64 bytes', withScrypt({ dklen: 64 }), /dklen/],
  ['no salt', withScrypt({ salt: '' }), /kdfparams\.salt/],
  ['a salt of odd length', withScrypt({ salt: 'abc' }), /kdfparams\.salt/],
  ['5,000,001 iterations', withPbkdf2({ c: 5_000_001 }), /kdfparams\.c/],
  ['no iterations', withPbkdf2({ c: 0 }), /kdfparams\.c/],
  ['another hash', withPbkdf2({ prf: 'hmac-sha1' }), /prf/],
  ['another derivation', withCrypto({ kdf: 'argon2' }), /kdf/],
  ['another cipher', withCrypto({ cipher: 'aes-128-cbc' }), /cipher/],
  ['a ciphertext of 33 bytes', withCrypto({ ciphertext: '00'.repeat(33) }), /ciphertext/],
  ['an iv of 15 bytes', withCrypto({ cipherparams: { iv: '00'.repeat(15) } }), /iv/],
  ['a short mac', withCrypto({ mac: '00'.repeat(31) }), /mac/],
  ['version 1', { ...scryptVector, version: '1' }, /version/],
  ['an address that is none', { ...scryptVector, address: '1234' }, /address/],
  ['no crypto', { version: 3 }, /crypto: missing/],
  ['a list', [scryptVector], /object/],
  ['null', null, /object/],
]

for (const [what, file, field] of refused) {
  test(`a file is refused before any work for having ${what}`, () => {
    assert.throws(
      () => parse(file),
      error =>
        error instanceof InvalidKeystore && field.test(error.message) && /^key\.json /.test(error.message),
    )
  })
}

test('the bounds themselves are allowed', () => {
  const cases = [
    withScrypt({ n: 2 ** 20, r: 4 }),
    withScrypt({ n: 2 ** 18, r: 16, p: 16 }),
    withScrypt({ n: 2 ** 21, r: 1, p: 32 }),
    withScrypt({ n: 2, r: 17, p: 17 }),
    withPbkdf2({ c: 5_000_000 }),
  ]
  for (const file of cases) assert.equal(parse(file).ciphertext.length, 32)
})

test('the spellings of other programs are read: Crypto, 0x, capitals, fields of their own', () => {
  const { crypto, ...rest } = pbkdf2Vector
  const spelled = {
    ...rest,
    address: ADDRESS,
    Crypto: { ...crypto, mac: `0x${crypto.mac.toUpperCase()}` },
    'x-ethers': { client: 'ethers/6.0.0', mnemonicCiphertext: '00' },
  }
  const { address, mac } = parse(spelled)
  assert.equal(address, ADDRESS)
  assert.equal(toHex(mac).slice(2), crypto.mac)
})

test('fields that would reach into prototypes are refused at every depth', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const text = JSON.stringify(pbkdf2Vector).replace('"dklen"', `"${name}":{"c":1},"dklen"`)
    assert.throws(() => parseKeystoreFile(text, 'key.json'), InvalidKeystore)
  }
})

test('a bare key that was given for a file is not repeated in the error', () => {
  for (const text of [SECRET, SECRET.slice(2), `a${SECRET.slice(2)}`, `"${SECRET}"`, `{ ${SECRET} }`]) {
    assert.throws(
      () => parseKeystoreFile(text, 'key.json'),
      error => error instanceof InvalidKeystore && !error.message.includes(SECRET.slice(2, 8)),
    )
  }
})

test('a nest of brackets is refused like any other text', () => {
  assert.throws(() => parseKeystoreFile('['.repeat(16_000), 'key.json'), InvalidKeystore)
  const deep = `${'['.repeat(8_000)}${']'.repeat(8_000)}`
  assert.throws(() => parseKeystoreFile(`{"version":3,"x":${deep}}`, 'key.json'), InvalidKeystore)
})
