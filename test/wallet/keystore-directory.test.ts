import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checksumAddress } from '../../src/chain/address.ts'
import { addressOfSecretKey, isSecretKey } from '../../src/chain/signature.ts'
import { fromHex, toHex } from '../../src/encoding/bytes.ts'
import { AccountExists, InvalidAccountName, MissingAccount } from '../../src/wallet/account.ts'
import { WrongPassword } from '../../src/wallet/key-cipher.ts'
import { SCRYPT_LIGHT } from '../../src/wallet/key-derivation.ts'
import { InvalidKeystoreDirectory, Keystore } from '../../src/wallet/keystore-directory.ts'
import { InvalidKeystore } from '../../src/wallet/keystore-file.ts'
import { InvalidSecretKey, parseSecretKey, randomSecretKey } from '../../src/wallet/secret-key.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'

const SECRET = fromHex(`0x${'00'.repeat(31)}01`)
const PASSWORD = Buffer.from('correct horse')

async function newKeystore(context: TestContext): Promise<Keystore> {
  return new Keystore(join(await temporaryDirectory(context), 'a', 'keys'), SCRYPT_LIGHT)
}

const permissions = async (path: string) => (await stat(path)).mode & 0o777

test('an account that was created can be listed, found by name and address, and opened', async context => {
  const keystore = await newKeystore(context)
  assert.deepEqual(await keystore.list(), [])
  const account = await keystore.create('alice', PASSWORD)
  assert.deepEqual(await keystore.list(), [account])
  for (const given of ['alice', account.address, checksumAddress(account.address)]) {
    assert.deepEqual(await keystore.find(given), account)
    assert.equal(addressOfSecretKey(await keystore.open(given, PASSWORD)), account.address)
  }
})

test('a key that was imported comes out again, and never under another password', async context => {
  const keystore = await newKeystore(context)
  const { address } = await keystore.importKey('one', SECRET, PASSWORD)
  assert.equal(address, '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf')
  assert.equal(toHex(await keystore.open('one', PASSWORD)), toHex(SECRET))
  await assert.rejects(keystore.open('one', Buffer.from('correct hors')), WrongPassword)
  await assert.rejects(keystore.open('one', Buffer.alloc(0)), WrongPassword)
})

test('accounts are listed by name', async context => {
  const keystore = await newKeystore(context)
  for (const name of ['b', 'a-1', 'C', '_']) await keystore.create(name, PASSWORD)
  assert.deepEqual(
    (await keystore.list()).map(({ name }) => name),
    ['C', '_', 'a-1', 'b'],
  )
})

test('the directory and the files belong to their owner alone, whatever the umask, and nothing else is left', async context => {
  const before = process.umask(0)
  cleanUp(context, () => process.umask(before))
  const keystore = await newKeystore(context)
  const { path } = await keystore.create('alice', PASSWORD)
  assert.equal(await permissions(keystore.directory), 0o700)
  assert.equal(await permissions(path), 0o600)
  assert.deepEqual(await readdir(keystore.directory), ['alice.json'])
})

test('an account is never written over', async context => {
  const keystore = await newKeystore(context)
  const { path } = await keystore.create('alice', PASSWORD)
  const before = await readFile(path, 'utf8')
  await assert.rejects(keystore.create('alice', PASSWORD), AccountExists)
  await assert.rejects(keystore.importKey('alice', SECRET, PASSWORD), AccountExists)
  assert.equal(await readFile(path, 'utf8'), before)
})

test('of many who create one name at the same time, one does', async context => {
  const keystore = await newKeystore(context)
  const attempts = Array.from({ length: 5 }, () => keystore.create('alice', PASSWORD))
  const outcomes = await Promise.allSettled(attempts)
  const made = outcomes.filter(outcome => outcome.status === 'fulfilled')
  assert.equal(made.length, 1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof AccountExists, outcome.reason)
  }
  assert.deepEqual(await keystore.list(), [made[0]?.value])
  assert.deepEqual(await readdir(keystore.directory), ['alice.json'])
})

test('one key does not become two accounts', async context => {
  const keystore = await newKeystore(context)
  await keystore.importKey('one', SECRET, PASSWORD)
  await assert.rejects(keystore.importKey('two', SECRET, PASSWORD), /as the account one, exists already/)
})

for (const name of ['', '.', '..', '../x', 'a/b', 'a.json', 'a\0', 'ä', 'a b', 'x'.repeat(65)]) {
  test(`${JSON.stringify(name.slice(0, 10))} is no account name and reaches no file`, async context => {
    const keystore = await newKeystore(context)
    await assert.rejects(keystore.create(name, PASSWORD), InvalidAccountName)
    await assert.rejects(keystore.open(name, PASSWORD), InvalidAccountName)
    await assert.rejects(keystore.importFile(name, '/dev/null', PASSWORD), InvalidAccountName)
    assert.ok(!existsSync(keystore.directory))
  })
}

test('an account can not be named like an address', async context => {
  const keystore = await newKeystore(context)
  await assert.rejects(keystore.create(`0x${'ab'.repeat(20)}`, PASSWORD), /it is an address/)
  await assert.rejects(keystore.find(`0x${'aB'.repeat(20)}`), /wrong capital letters \(EIP-55\)/)
})

test('an account that is missing is answered with those that exist', async context => {
  const keystore = await newKeystore(context)
  await assert.rejects(keystore.open('bob', PASSWORD), /it holds none: create or import one/)
  const alice = await keystore.create('alice', PASSWORD)
  for (const given of ['bob', `0x${'11'.repeat(20)}`]) {
    await assert.rejects(keystore.open(given, PASSWORD), error => {
      assert.ok(error instanceof MissingAccount)
      assert.deepEqual(error.existing, [alice])
      assert.match(error.message, /it holds alice/)
      return true
    })
  }
})

test('damaged files do not hide the others, and are told with their faults', async context => {
  const keystore = await newKeystore(context)
  const alice = await keystore.create('alice', PASSWORD)
  const file = JSON.parse(await readFile(alice.path, 'utf8'))
  await writeFile(join(keystore.directory, 'empty.json'), '')
  await writeFile(join(keystore.directory, 'huge.json'), ' '.repeat(20_000))
  await writeFile(join(keystore.directory, 'nobody.json'), JSON.stringify({ ...file, address: undefined }))
  await writeFile(join(keystore.directory, 'notes.txt'), 'not an account')
  await mkdir(join(keystore.directory, 'folder.json'))
  await symlink(alice.path, join(keystore.directory, 'link.json'))
  assert.deepEqual(await keystore.list(), [alice])
  const problems = (await keystore.damaged()).map(({ message }) => message)
  assert.equal(problems.length, 5)
  const expected = [
    /empty/,
    /folder.*not a regular file/,
    /huge.*16384 bytes/,
    /link.*not a regular file/,
    /address: missing/,
  ]
  for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern)
  await assert.rejects(keystore.open('empty', PASSWORD), InvalidKeystore)
  await assert.rejects(keystore.open('link', PASSWORD), InvalidKeystore)
})

test('a pipe in the place of a key file does not hold up the reader', async context => {
  const keystore = await newKeystore(context)
  await keystore.create('alice', PASSWORD)
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(keystore.directory, 'pipe.json')])
  await assert.rejects(keystore.open('pipe', PASSWORD), InvalidKeystore)
})

test('a link in the place of a new file leads nowhere', async context => {
  const keystore = await newKeystore(context)
  await keystore.create('alice', PASSWORD)
  const target = join(keystore.directory, '..', 'target')
  await symlink(target, join(keystore.directory, 'bob.json'))
  await assert.rejects(keystore.create('bob', PASSWORD), AccountExists)
  assert.ok(!existsSync(target))
})

test('a link or a file in the place of the directory is refused', async context => {
  const parent = await temporaryDirectory(context)
  await mkdir(join(parent, 'real'))
  await symlink(join(parent, 'real'), join(parent, 'link'))
  await writeFile(join(parent, 'file'), '')
  for (const name of ['link', 'link/', 'file']) {
    const keystore = new Keystore(join(parent, name), SCRYPT_LIGHT)
    await assert.rejects(keystore.create('alice', PASSWORD), InvalidKeystoreDirectory)
  }
  assert.deepEqual(await readdir(join(parent, 'real')), [])
})

test('bytes that are no secret key are refused and not repeated', async context => {
  const keystore = await newKeystore(context)
  const order = fromHex('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
  for (const bytes of [
    new Uint8Array(32),
    order,
    new Uint8Array(31).fill(0xab),
    new Uint8Array(33).fill(0xab),
  ]) {
    await assert.rejects(keystore.importKey('x', bytes, PASSWORD), error => {
      assert.ok(error instanceof InvalidSecretKey)
      assert.ok(!error.message.includes('abab'))
      return true
    })
  }
})

test('the file of another program is taken over with new costs and a new password', async context => {
  const keystore = await newKeystore(context)
  const file = join(await temporaryDirectory(context), 'UTC--2016-03-22T12-57-55.920751759Z--7ef5')
  // The PBKDF2 vector of the Web3 Secret Storage definition.
  await writeFile(
    file,
    `{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
      "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
      "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
      "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
      "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"version":3}`,
  )
  await assert.rejects(keystore.importFile('old', file, PASSWORD), WrongPassword)
  const account = await keystore.importFile('old', file, Buffer.from('testpassword'), PASSWORD)
  assert.equal(account.address, '0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b')
  assert.equal(JSON.parse(await readFile(account.path, 'utf8')).crypto.kdf, 'scrypt')
  assert.equal(addressOfSecretKey(await keystore.open('old', PASSWORD)), account.address)
})

const CAST = new URL('../../node_modules/@foundry-rs/cast-linux-amd64/bin/cast', import.meta.url).pathname
const withoutCast = existsSync(CAST) ? false : 'cast is not installed for this system'

test('cast opens our files, and we open those of cast', { skip: withoutCast }, async context => {
  const keystore = await newKeystore(context)
  const ours = await keystore.importKey('one', SECRET, PASSWORD)
  const password = ['--unsafe-password', PASSWORD.toString()]
  const shown = execFileSync(CAST, [
    'wallet',
    'decrypt-keystore',
    'one.json',
    '-k',
    keystore.directory,
    ...password,
  ])
  const directory = await temporaryDirectory(context)
  const key = ['--private-key', `0x${'00'.repeat(31)}02`]
  execFileSync(CAST, ['wallet', 'import', 'two', '-k', directory, ...key, ...password])
  const theirs = await keystore.importFile('two', join(directory, 'two'), PASSWORD)
  assert.equal(theirs.address, '0x2b5ad5c4795c026514f8317c7a215e218dccd6cf')
  assert.ok(shown.toString().includes(toHex(SECRET)), shown.toString())
  assert.equal(ours.address, '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf')
})

test('a random secret key is one, and no two are the same', () => {
  const keys = Array.from({ length: 100 }, randomSecretKey)
  assert.ok(keys.every(isSecretKey))
  assert.equal(new Set(keys.map(toHex)).size, 100)
})

test('a secret key is read from 64 hex digits and from nothing else', () => {
  const digits = `${'00'.repeat(31)}01`
  for (const text of [digits, `0x${digits}`, ` 0x${digits}\n`, digits.toUpperCase()]) {
    assert.deepEqual(Uint8Array.from(parseSecretKey(text) ?? []), SECRET)
  }
  for (const text of [
    '',
    '0x',
    digits.slice(1),
    `${digits}0`,
    '00'.repeat(32),
    'ff'.repeat(32),
    `0x0x${digits}`,
  ]) {
    assert.equal(parseSecretKey(text), null, text)
  }
})
