// A folder of which a file is lost: it is not opened, and nothing else of it is harmed; or nothing was lost with the file.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Database, DatabaseCorrupt } from '../../src/node/database.ts'
import { findDamage, findLasting } from '../../src/node/database-files.ts'
import { readManifest } from '../../src/node/manifest.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'

const RECORDS = 40
/** Times that a folder is looked at until LevelDB rests: half a minute. */
const LOOKS_MAX = 1_500
/** More than LevelDB keeps in memory, so that some of it goes to tables. */
const RECORD_BYTES = 500_000
const MODULE = new URL('../../src/node/database.ts', import.meta.url).href

/** Files without which nothing is lost: the lock and LevelDB's own log for people. */
const SPARE = new Set(['LOCK', 'LOG', 'LOG.old'])

const nameOf = (index: number): string => `record/${String(index).padStart(3, '0')}`

async function writeRecords(directory: string): Promise<void> {
  for (const part of [0, 1]) {
    const database = await Database.open(directory)
    for (let index = part; index < RECORDS; index += 2) {
      database.stage([{ key: nameOf(index), value: new Uint8Array(RECORD_BYTES).fill(index) }])
      await database.flush()
    }
    await database.close()
  }
}

/** The same by a process that is killed while it has the folder open. */
async function killWriter(context: TestContext, directory: string): Promise<void> {
  const code = `
    const { Database } = await import(${JSON.stringify(MODULE)})
    const database = await Database.open(${JSON.stringify(directory)})
    for (let index = 0; index < ${RECORDS}; index++) {
      const key = 'record/' + String(index).padStart(3, '0')
      database.stage([{ key, value: new Uint8Array(${RECORD_BYTES}).fill(index) }])
      await database.flush()
    }
    console.log('written')
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(context, () => void child.kill('SIGKILL'))
  await once(createInterface(child.stdout), 'line')
  // While LevelDB moves a full log into tables there are two, and it does not say of the newer one that it must be there.
  for (let look = 0; look < LOOKS_MAX && (await logsIn(directory)) > 1; look++) await sleep(20)
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function logsIn(directory: string): Promise<number> {
  return (await readdir(directory)).filter(name => name.endsWith('.log')).length
}

async function assertWhole(directory: string): Promise<void> {
  const database = await Database.open(directory)
  for (let index = 0; index < RECORDS; index++)
    assert.deepEqual(database.get(nameOf(index)), new Uint8Array(RECORD_BYTES).fill(index), nameOf(index))
  await database.close()
}

async function contents(directory: string): Promise<Map<string, Buffer>> {
  const names = await readdir(directory)
  return new Map(
    await Promise.all(names.map(async name => [name, await readFile(join(directory, name))] as const)),
  )
}

/** Opens copies of a folder, each without one of its files. */
async function assertEachFile(context: TestContext, folder: string): Promise<string[]> {
  const refused: string[] = []
  const copy = join(await temporaryDirectory(context), 'copy')
  for (const lost of await readdir(folder)) {
    await rm(copy, { recursive: true, force: true })
    await cp(folder, copy, { recursive: true })
    await rm(join(copy, lost))
    if (SPARE.has(lost)) {
      await assertWhole(copy)
      continue
    }
    const before = await contents(copy)
    await assert.rejects(
      Database.open(copy),
      (error: Error) => error instanceof DatabaseCorrupt && error.message.includes(`${lost} is missing`),
      lost,
    )
    assert.deepEqual(await contents(copy), before, lost)
    refused.push(lost)
  }
  return refused
}

for (const [how, write] of [
  ['stopped', (_: TestContext, folder: string) => writeRecords(folder)],
  ['killed', killWriter],
] as const)
  test(`a folder of a node that was ${how} is refused without any file that it relies on, and is not touched`, async context => {
    const folder = await temporaryDirectory(context)
    await write(context, folder)
    const refused = await assertEachFile(context, folder)
    for (const kind of [/^CURRENT$/, /^MANIFEST-/, /\.ldb$/, /\.log$/])
      assert.ok(
        refused.some(name => kind.test(name)),
        `${kind} among ${refused}`,
      )
    await assertWhole(folder)
  })

test('a table that is cut short, and a CURRENT that names nothing, are refused before anything is opened', async context => {
  const folder = await temporaryDirectory(context)
  await writeRecords(folder)
  const table = (await readdir(folder)).find(name => name.endsWith('.ldb'))!
  const whole = await readFile(join(folder, table))
  await truncate(join(folder, table), whole.length - 1)
  await assert.rejects(Database.open(folder), new RegExp(`${table} has ${whole.length - 1} bytes instead of`))
  await writeFile(join(folder, table), whole)
  const current = await readFile(join(folder, 'CURRENT'))
  for (const text of ['', 'MANIFEST-000001', '../MANIFEST-000001\n']) {
    await writeFile(join(folder, 'CURRENT'), text)
    await assert.rejects(Database.open(folder), /CURRENT names no manifest/)
  }
  await writeFile(join(folder, 'CURRENT'), current)
  await assertWhole(folder)
})

test('a folder that a node is writing to is looked at until it stays as it is, and what is damaged then is told', async () => {
  const finding = (found: readonly (string | null)[], states: readonly string[]) => {
    const [finds, seen] = [found[Symbol.iterator](), states[Symbol.iterator]()]
    return findLasting(
      async () => finds.next().value ?? null,
      async () => seen.next().value ?? 'still',
    )
  }
  assert.equal(await finding([null], []), null)
  // The manifest grows while tables are made and removed.
  assert.equal(await finding(['a', 'a', 'a', null], ['1', '2', '3', '4']), null)
  // A log is removed after the manifest was written.
  assert.equal(await finding(['a', null], []), null)
  assert.equal(await finding(['a', 'b', 'c', null], []), null)
  assert.equal(await finding(['a', 'b', 'b', 'no more'], []), 'b')
  assert.equal(await finding(['a', 'a', 'a', 'no more'], ['1', '2']), 'a')
  // Never for ever.
  let state = 0
  const endless = findLasting(
    async () => 'a',
    async () => String(state++),
  )
  assert.equal(await endless, 'a')
})

test('a folder that a crash left before its database was made is as good as a new one', async context => {
  const folder = await temporaryDirectory(context)
  await writeFile(join(folder, 'MANIFEST-000001'), '')
  await writeFile(join(folder, '000001.dbtmp'), 'MANIFEST-000001\n')
  assert.equal(await findDamage(folder), null)
  await (await Database.open(folder)).close()
})

test('a manifest of any bytes is read to the end or refused', async context => {
  const folder = await temporaryDirectory(context)
  await writeRecords(folder)
  const name = (await readFile(join(folder, 'CURRENT'), 'utf8')).trim()
  const manifest = await readFile(join(folder, name))
  assert.ok(readManifest(manifest)!.tables.size > 0)
  for (let offset = 0; offset < manifest.length; offset++) {
    const changed = Uint8Array.from(manifest)
    changed[offset]! ^= 0x41
    readManifest(changed)
    readManifest(manifest.subarray(0, offset))
  }
})
