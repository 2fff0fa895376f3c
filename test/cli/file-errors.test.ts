// What the operating system says of a file is the user's to mend, code 3, whatever command meets it; what it says of an
// address or a process is not of a file. And what is long in coming is said where there is no terminal.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeFileError, messageOf } from '../../src/cli/file-errors.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { writeNewFile } from '../../src/files/write-file.ts'
import { temporaryDirectory } from '../cleanup.ts'

const errorOf = (code: string, syscall: string, path?: string): Error =>
  Object.assign(new Error(`${code}: said by Node`), {
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
  })

for (const code of ['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'ENOTDIR', 'EISDIR', 'ENOENT'])
  test(`${code} is said in words, with the path where it is known`, () => {
    const words = describeFileError(errorOf(code, 'write'))
    assert.ok(words !== null && !words.cause.includes(code), words?.cause)
    assert.equal(describeFileError(errorOf(code, 'open', '/a/b'))?.cause, `/a/b: ${words.cause}`)
    assert.equal(messageOf(errorOf(code, 'open', '/a/b')), words.cause)
  })

test('what can be mended has a remedy', () => {
  for (const code of ['EROFS', 'EACCES', 'ENOSPC'])
    assert.notEqual(describeFileError(errorOf(code, 'mkdir', '/a'))?.remedy ?? null, null, code)
})

test('an error of an address, of a process or without a code is no error of a file', () => {
  for (const syscall of ['listen', 'bind', 'connect', 'spawn quorate', 'kill'])
    assert.equal(describeFileError(errorOf('EACCES', syscall, '/a')), null, syscall)
  assert.equal(describeFileError(new Error('ENOENT')), null)
  assert.equal(messageOf(new Error('one line\nand another')), 'one line')
})

test('a file that can not be written whole leaves nothing behind', async context => {
  const folder = await temporaryDirectory(context)
  // What Node writes piece by piece, the last of which fails as a full disk would.
  const pieces = {
    async *[Symbol.asyncIterator]() {
      yield 'half'
      throw errorOf('ENOSPC', 'write')
    },
  }
  await assert.rejects(writeNewFile(join(folder, 'a'), pieces as unknown as string), /ENOSPC/)
  assert.deepEqual(readdirSync(folder), [])
})

test('long work says a line every ten seconds where there is no terminal, and a bar where there is one', () => {
  let nowMs = 0
  const lines: string[] = []
  const place = { now: () => nowMs, say: (line: string) => void lines.push(line), draw: assert.fail }
  const progress = createProgress('mining', 9, { ...place, isTerminal: false })
  for (; nowMs <= 25_000; nowMs += 1_000) progress.update(Math.floor(nowMs / 5_000), 'blocks')
  progress.end()
  assert.deepEqual(lines, ['mining: 2 of 9 blocks', 'mining: 4 of 9 blocks'])
  const drawn: string[] = []
  const draw = (text: string) => void drawn.push(text)
  createProgress('mining', 9, { ...place, say: assert.fail, draw, isTerminal: true }).update(3)
  assert.match(drawn.join(''), /mining █+░+ 3\/9/)
})
