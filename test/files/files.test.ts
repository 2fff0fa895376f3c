// What lies where a node writes its files, or where it reads them, may have been put there by another user.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFileOrNull } from '../../src/files/read-file.ts'
import { writeFileAtomically } from '../../src/files/write-file.ts'
import { DataFolderUnusable, openDataFolder, whyUnsafe } from '../../src/node/data-folder.ts'
import { loadIdentity } from '../../src/node/identity.ts'
import { writeCookie } from '../../src/rpc/cookie.ts'
import { temporaryDirectory } from '../cleanup.ts'

const LEFT = 'a.01234567-89ab-cdef-0123-456789abcdef.tmp'

/** Each file that a node writes, by the name that it has in the end. */
const WRITERS: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  'identity.key': folder => loadIdentity(join(folder, 'identity.key')),
  'rpc.cookie': folder => writeCookie(folder, 'secret'),
  'peers.json': folder => writeFileAtomically(join(folder, 'peers.json'), 'text'),
}

for (const [name, write] of Object.entries(WRITERS))
  test(`a link that lies where ${name} is written first is not followed, and nothing of it stays`, async t => {
    const folder = await temporaryDirectory(t)
    const victim = join(folder, 'victim')
    await writeFile(victim, 'precious', { mode: 0o644 })
    const links = ['tmp', 'new'].map(ending => `${name}.${ending}`)
    for (const link of links) await symlink(victim, join(folder, link))
    await write(folder)
    assert.equal(await readFile(victim, 'utf8'), 'precious')
    const stats = await lstat(join(folder, name))
    assert.ok(stats.isFile())
    assert.equal(stats.mode & 0o777, 0o600)
    assert.deepEqual((await readdir(folder)).sort(), [name, 'victim', ...links].sort())
  })

test('a link that has the name of a file is replaced by the file, and what it led to stays', async t => {
  const folder = await temporaryDirectory(t)
  await writeFile(join(folder, 'victim'), 'precious')
  await symlink(join(folder, 'victim'), join(folder, 'a'))
  await writeFileAtomically(join(folder, 'a'), 'text')
  assert.ok((await lstat(join(folder, 'a'))).isFile())
  assert.equal(await readFile(join(folder, 'victim'), 'utf8'), 'precious')
})

test('what a killed writer left is removed when the file is written again, and nothing that only looks like it', async t => {
  const folder = await temporaryDirectory(t)
  const others = ['a.tmp', 'a.new.tmp', 'b.01234567-89ab-cdef-0123-456789abcdef.tmp']
  for (const name of [LEFT, ...others]) {
    await writeFile(join(folder, name), '')
    await utimes(join(folder, name), 1, 1)
  }
  const fresh = LEFT.replace('0', '1')
  await writeFile(join(folder, fresh), '')
  await writeFileAtomically(join(folder, 'a'), 'text')
  assert.deepEqual((await readdir(folder)).sort(), ['a', fresh, ...others].sort())
})

test('a write that fails leaves what was there, and nothing besides', async t => {
  const folder = await temporaryDirectory(t)
  await mkdir(join(folder, 'a'))
  await assert.rejects(writeFileAtomically(join(folder, 'a'), 'text'))
  assert.deepEqual(await readdir(folder), ['a'])
})

test('a file without end, and a pipe without a writer, are refused and not waited for', async t => {
  const folder = await temporaryDirectory(t)
  execFileSync('mkfifo', [join(folder, 'pipe')])
  await assert.rejects(readFileOrNull(join(folder, 'pipe'), 10), /is not a file/)
  await assert.rejects(readFileOrNull('/dev/zero', 10), /is not a file/)
  // It says that it has no bytes, and has many.
  await assert.rejects(readFileOrNull('/proc/self/smaps', 10), /more than 10 bytes/)
  await writeFile(join(folder, 'a'), '0123456789')
  assert.equal(await readFileOrNull(join(folder, 'a'), 10), '0123456789')
  await assert.rejects(readFileOrNull(join(folder, 'a'), 9), /more than 9 bytes/)
})

test("a data folder is its user's alone, though others may read it; root may use one of anybody", () => {
  const rows: [{ uid: number; mode: number }, number | null, string | null][] = [
    [{ uid: 1000, mode: 0o700 }, 1000, null],
    [{ uid: 1000, mode: 0o755 }, 1000, null],
    [{ uid: 1000, mode: 0o775 }, 1000, 'mode'],
    [{ uid: 1000, mode: 0o1777 }, 1000, 'mode'],
    [{ uid: 0, mode: 0o755 }, 1000, 'owner'],
    [{ uid: 1001, mode: 0o700 }, 1000, 'owner'],
    [{ uid: 1001, mode: 0o700 }, 0, null],
    [{ uid: 1001, mode: 0o777 }, 0, 'mode'],
    [{ uid: 0, mode: 0o777 }, null, null],
  ]
  for (const [folder, user, reason] of rows) assert.equal(whyUnsafe(folder, user), reason)
})

test('a data folder that others may write to, or of a process, is refused before anything is made in it', async t => {
  const folder = join(await temporaryDirectory(t), 'open')
  await mkdir(folder)
  execFileSync('chmod', ['777', folder])
  await assert.rejects(openDataFolder(folder), DataFolderUnusable)
  assert.deepEqual(await readdir(folder), [])
  await assert.rejects(openDataFolder('/proc/self'), /can't hold data/)
  const made = join(await temporaryDirectory(t), 'a', 'b')
  await openDataFolder(made)
  assert.equal((await lstat(made)).mode & 0o777, 0o700)
})
