import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Database } from '../../src/node/database.ts'
import { crc32c, firstDamage, readWhole } from '../../src/node/write-ahead-log.ts'
import { temporaryDirectory } from '../cleanup.ts'

/** A log that LevelDB wrote, with records of several blocks. */
async function writeLog(directory: string): Promise<Uint8Array> {
  const database = await Database.open(directory)
  for (let index = 0; index < 20; index++) {
    database.stage([{ key: `block/${index}`, value: new Uint8Array(3_000 + index * 997).fill(index + 1) }])
    await database.flush()
  }
  const name = (await readdir(directory)).find(file => file.endsWith('.log'))!
  const log = await readFile(join(directory, name))
  await database.close()
  return log
}

test('crc32c gives the values of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e)
})

test('a log that LevelDB wrote is whole, cut short anywhere or torn at its end too, and damaged when a byte before that changes', async context => {
  const directory = await temporaryDirectory(context)
  const log = await writeLog(directory)
  assert.ok(log.length > 3 * 32 * 1024)
  assert.equal(firstDamage(log), null)
  // One batch each, and the number of the layout.
  assert.equal([...readWhole(log)].length, 21)
  // A cut inside the last block is what an interrupted write leaves.
  for (let size = log.length - (log.length % (32 * 1024)); size < log.length; size += 61) {
    assert.equal(firstDamage(log.subarray(0, size)), null, `cut at ${size}`)
  }
  for (let offset = 0; offset < log.length - 32 * 1024; offset += 211) {
    const damaged = Uint8Array.from(log)
    damaged[offset]! ^= 0x10
    assert.notEqual(firstDamage(damaged), null, `byte ${offset}`)
  }
  const torn = Uint8Array.from(log)
  torn.fill(0xa5, log.length - 100)
  assert.equal(firstDamage(torn), null)
})
