import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { Level } from 'level'
import {
  DATABASE_VERSION,
  Database,
  DatabaseCorrupt,
  DatabaseLocked,
  DatabaseUnusable,
  DatabaseVersionUnknown,
} from '../../src/node/database.ts'
import { temporaryDirectory } from '../cleanup.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const put = (key: string, ...values: number[]) => ({ key, value: bytes(...values) })
const remove = (key: string) => ({ key, value: null })

test('a read sees what was staged, what is being written and what is durable', async t => {
  const database = await Database.open(await temporaryDirectory(t))
  assert.equal(database.get('a'), null)
  database.stage([put('a', 1), put('b', 1)])
  assert.deepEqual(database.get('a'), bytes(1))
  const flushed = database.flush()
  assert.deepEqual(database.get('a'), bytes(1))
  database.stage([put('a', 2), remove('b')])
  assert.deepEqual(database.get('a'), bytes(2))
  assert.equal(database.get('b'), null)
  await flushed
  assert.deepEqual(database.get('a'), bytes(2))
  assert.equal(database.get('b'), null)
  await database.flush()
  assert.deepEqual(database.get('a'), bytes(2))
  assert.equal(database.get('b'), null)
  await database.close()
})

test('a removal hides a record before and after it is durable', async t => {
  const database = await Database.open(await temporaryDirectory(t))
  database.stage([put('a', 1)])
  await database.flush()
  database.stage([remove('a')])
  assert.equal(database.get('a'), null)
  const flushed = database.flush()
  assert.equal(database.get('a'), null)
  await flushed
  assert.equal(database.get('a'), null)
  await database.close()
})

test('a value is plain bytes, whose slice is a copy', async t => {
  const database = await Database.open(await temporaryDirectory(t))
  database.stage([put('a', 1, 2)])
  await database.flush()
  const value = database.get('a')!
  assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype)
  await database.close()
})

test('what was flushed is there when the database is opened again, what was only staged is not', async t => {
  const directory = await temporaryDirectory(t)
  const database = await Database.open(directory)
  database.stage([put('a', 1)])
  await database.flush()
  database.stage([put('b', 1)])
  await database.close()
  const again = await Database.open(directory)
  assert.deepEqual(again.get('a'), bytes(1))
  assert.equal(again.get('b'), null)
  await again.close()
})

test('entries are in the order of their keys and see what was staged', async t => {
  const database = await Database.open(await temporaryDirectory(t))
  database.stage([put('p/1', 1), put('p/3', 3), put('p/5', 5), put('o/9', 9), put('p0', 9)])
  await database.flush()
  await database.preload(['p/', 'q/'])
  assert.deepEqual(
    [...database.entries('p/')].map(([key]) => key),
    ['p/1', 'p/3', 'p/5'],
  )
  assert.deepEqual([...database.entries('q/')], [])
  database.stage([put('p/4', 4), remove('p/1'), put('p/5', 6), put('o/0', 0)])
  assert.deepEqual(
    [...database.entries('p/')],
    [
      ['p/3', bytes(3)],
      ['p/4', bytes(4)],
      ['p/5', bytes(6)],
    ],
  )
  database.forget()
  assert.throws(() => database.entries('p/'), /not preloaded/)
  await database.close()
})

test('a second open in the same process is refused, and the lock of the first survives it', async t => {
  const directory = await temporaryDirectory(t)
  const database = await Database.open(directory)
  await assert.rejects(Database.open(directory), DatabaseLocked)
  assert.match(openElsewhere(directory), /^DatabaseLocked: another quorate node is using /)
  await database.close()
  assert.equal(openElsewhere(directory), 'opened')
})

test('of two processes only one opens a database', async t => {
  const directory = await temporaryDirectory(t)
  assert.equal(openElsewhere(directory), 'opened')
  const database = await Database.open(directory)
  assert.match(openElsewhere(directory), /^DatabaseLocked: another quorate node is using /)
  await database.close()
})

test('a damaged database is called damaged', async t => {
  const directory = await temporaryDirectory(t)
  await (await Database.open(directory)).close()
  const current = await readFile(join(directory, 'CURRENT'))
  for (const content of ['MANIFEST-999999\n', 'nonsense']) {
    await writeFile(join(directory, 'CURRENT'), content)
    await assert.rejects(Database.open(directory), DatabaseCorrupt)
  }
  await writeFile(join(directory, 'CURRENT'), current)
  const manifest = (await readdir(directory)).find(name => name.startsWith('MANIFEST'))!
  const content = await readFile(join(directory, manifest))
  await writeFile(join(directory, manifest), content.fill(0x55, 8, 30))
  await assert.rejects(Database.open(directory), DatabaseCorrupt)
})

test('a directory that cannot be made is unusable', async t => {
  const directory = await temporaryDirectory(t)
  await writeFile(join(directory, 'file'), '')
  await assert.rejects(Database.open(join(directory, 'file')), DatabaseUnusable)
  await assert.rejects(Database.open(join(directory, 'file', 'below')), DatabaseUnusable)
})

test('a database of another layout, or of something else, is refused and can be opened by its owner', async t => {
  const directory = await temporaryDirectory(t)
  const write = async (key: string, value: string) => {
    const level = new Level<string, string>(directory)
    await level.put(key, value)
    await level.close()
  }
  await (await Database.open(directory)).close()
  await write('version', `${Number(DATABASE_VERSION) + 1}`)
  await assert.rejects(Database.open(directory), DatabaseVersionUnknown)
  await assert.rejects(Database.open(directory), /use the quorate that wrote it/)
  await write('version', DATABASE_VERSION)
  await (await Database.open(directory)).close()
  const foreign = join(directory, 'foreign')
  await mkdir(foreign)
  const level = new Level<string, string>(foreign)
  await level.put('some', 'thing')
  await level.close()
  await assert.rejects(Database.open(foreign), DatabaseCorrupt)
})

/** What a second process says when it opens the database: `opened`, or its error. */
function openElsewhere(directory: string): string {
  const module = new URL('../../src/node/database.ts', import.meta.url)
  const code = `
    const { Database } = await import(${JSON.stringify(module.href)})
    try {
      await (await Database.open(${JSON.stringify(directory)})).close()
      console.log('opened')
    } catch (error) {
      console.log(error.name + ': ' + error.message)
    }`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' })
  return child.stdout.trim() || child.stderr
}
