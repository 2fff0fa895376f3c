// How far a validator has voted stands beside its key: a folder that was emptied or put back does not make it vote again,
// and one that is as it was does not keep it from voting.

import assert from 'node:assert/strict'
import { cp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { COMMITTEE_KEYS } from '../../src/finality/committee-records.ts'
import { encodeMark, NO_VOTES, type VoteMark } from '../../src/finality/vote-mark.ts'
import { MarkedStore } from '../../src/node/marked-store.ts'
import type { Node } from '../../src/node/node.ts'
import { Performer } from '../../src/node/performer.ts'
import { VoteMarkFile, VoteMarkUnusable } from '../../src/node/vote-mark-file.ts'
import { KEYS } from '../../src/replica/records.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { keyOf } from '../finality/test-validators.ts'
import { easyGenesis, nodesOf, transfer, until } from './nodes.ts'

const secretKey = keyOf('one')
const address = addressOfSecretKey(secretKey)
const genesis = easyGenesis({
  work: { proof: 'none', futureLimitSeconds: 15 },
  finality: {
    mode: 'pbft',
    pattern: 'all-to-all',
    timeoutMs: 500,
    intervalMs: 200,
    heartbeatSeconds: null,
    validators: [{ name: 'v1', address }],
  },
})
const owner = { address, genesisId: genesis.block.id }
const MARK_KEY = `${KEYS.finality}${COMMITTEE_KEYS.mark}`
const markAt = (sequence: number): VoteMark => ({ ...NO_VOTES, sequence })

/** The only validator of a network, whose key is not in its data folder. */
async function validator(t: TestContext) {
  const folder = await temporaryDirectory(t)
  const dataDirectory = join(folder, 'data')
  const openNode = nodesOf(t)
  const open = (mayForgetVotes = false): Promise<Node> =>
    openNode({
      genesis,
      dataDirectory,
      validator: { secretKey, mayForgetVotes, keyPath: join(folder, 'one.key') },
    })
  const decide = async (node: Node, nonce: number): Promise<void> => {
    assert.ok('id' in (await node.submit(transfer(0, nonce))))
    await until('a decision', () => node.replica.tree.base.chained.height === nonce + 1)
  }
  return { folder, dataDirectory, open, decide }
}

const mutedOf = (node: Node): string | null => node.finalityReport()!.muted

test('a validator whose folder is as it was votes at once, however often it is opened', async t => {
  const { folder, open, decide } = await validator(t)
  for (const nonce of [0, 1, 2]) {
    const node = await open()
    assert.equal(mutedOf(node), null)
    await decide(node, nonce)
    await node.close()
  }
  const [name] = (await readdir(folder)).filter(file => file.endsWith('.votes'))
  assert.equal(name, `one.key.${address.slice(2, 10)}-${genesis.block.id.slice(-8)}.votes`)
  const file = await VoteMarkFile.open([join(folder, name!)], owner)
  assert.deepEqual(file.found, { ...markAt(3), hasCommitted: true })
  await file.close()
})

test('a validator whose folder was emptied does not vote, and says why, until it is told to', async t => {
  const { dataDirectory, open, decide } = await validator(t)
  const first = await open()
  await decide(first, 0)
  await first.close()
  await rm(dataDirectory, { recursive: true })
  for (let time = 0; time < 2; time++) {
    const node = await open()
    assert.match(mutedOf(node) ?? '', /signed votes up to decision 1, of which this folder holds no record/)
    if (time === 0) assert.ok('id' in (await node.submit(transfer(0, 0))))
    assert.equal(node.replica.tree.base.chained.height, 0)
    await node.close()
  }
  // What waits for a block is on disk.
  const told = await open(true)
  assert.equal(mutedOf(told), null)
  await until('a decision', () => told.replica.tree.base.chained.height === 1)
  await told.close()
  const node = await open()
  assert.equal(mutedOf(node), null)
})

test('a validator whose folder is an older copy does not vote for what it may have voted for since', async t => {
  const { dataDirectory, open, decide } = await validator(t)
  const first = await open()
  await decide(first, 0)
  await first.close()
  const copy = `${dataDirectory}-copy`
  await cp(dataDirectory, copy, { recursive: true })
  const second = await open()
  await decide(second, 1)
  await second.close()
  const newest = `${dataDirectory}-newest`
  await cp(dataDirectory, newest, { recursive: true })
  await rm(dataDirectory, { recursive: true })
  await cp(copy, dataDirectory, { recursive: true })
  const old = await open()
  assert.match(mutedOf(old) ?? '', /signed votes up to decision 2/)
  await old.close()
  await rm(dataDirectory, { recursive: true })
  await cp(newest, dataDirectory, { recursive: true })
  assert.equal(mutedOf(await open()), null)
})

test('a validator that was killed after its votes were written, and before the mark was, votes', async t => {
  const { folder, open, decide } = await validator(t)
  const first = await open()
  await decide(first, 0)
  await first.close()
  const name = (await readdir(folder)).find(file => file.endsWith('.votes'))!
  const mark = await readFile(join(folder, name))
  const second = await open()
  await decide(second, 1)
  await second.close()
  await writeFile(join(folder, name), mark)
  const third = await open()
  assert.equal(mutedOf(third), null)
  await decide(third, 2)
})

test('where the mark would be lost with the data folder the log says so', async t => {
  const { folder, dataDirectory } = await validator(t)
  const openNode = nodesOf(t)
  const warned = async (keyPath?: string): Promise<boolean> => {
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line).msg) })
    const key = keyPath === undefined ? {} : { keyPath }
    const options = { secretKey, mayForgetVotes: false, ...key }
    await (await openNode({ genesis, dataDirectory, log, validator: options })).close()
    return lines.some(line => line.includes('is lost with it'))
  }
  assert.equal(await warned(), true)
  assert.equal(await warned(join(dataDirectory, 'one.key')), true)
  assert.equal(await warned(join(folder, 'missing', 'one.key')), true)
  assert.equal(await warned(`${dataDirectory}.key`), false)
  assert.equal(await warned(join(folder, 'one.key')), false)
})

// ---- the order

/** A database and a mark file that write down what is done to them, in order. */
function recorded(fails: { database?: boolean; file?: boolean } = {}) {
  const log: string[] = []
  const database = {
    get: () => null,
    entries: () => [],
    stage: () => {},
    flush: async () => {
      await Promise.resolve()
      if (fails.database) throw new Error('the disk is full')
      log.push('votes')
    },
    close: async () => {},
  }
  const file = {
    found: null,
    write: async ({ sequence }: VoteMark) => {
      await Promise.resolve()
      if (fails.file) throw new Error('the disk is full')
      log.push(`mark ${sequence}`)
    },
    close: async () => {},
  }
  const store = new MarkedStore(database, file)
  const performer = new Performer({
    store,
    timers: { set: () => {}, clear: () => {} },
    perform: ({ type }) => void log.push(type),
    onFault: () => void log.push('fault'),
  })
  const vote = (sequence: number) =>
    performer.perform([
      { type: 'persist', writes: [{ key: MARK_KEY, value: encodeMark(markAt(sequence)) }] },
      { type: 'alarm', text: 'the vote leaves' },
    ])
  return { log, vote }
}

test('a vote leaves after the mark is written, which is written after the records of the vote', async () => {
  const { log, vote } = recorded()
  await Promise.all([vote(1), vote(2)])
  assert.deepEqual(log, ['votes', 'mark 1', 'alarm', 'votes', 'mark 2', 'alarm'])
})

test('a vote whose mark can not be written does not leave, nor a mark whose records can not be written', async () => {
  const [one, other] = [recorded({ file: true }), recorded({ database: true })]
  await Promise.all([one.vote(1), other.vote(1)])
  assert.deepEqual(one.log, ['votes', 'fault'])
  assert.deepEqual(other.log, ['fault'])
})

// ---- the file

test('a mark that a crash has torn leaves the one before it, wherever it was torn', async t => {
  const path = join(await temporaryDirectory(t), 'votes')
  const write = async (...sequences: number[]): Promise<Buffer> => {
    const file = await VoteMarkFile.open([path], owner)
    for (const sequence of sequences) await file.write(markAt(sequence))
    await file.close()
    return await readFile(path)
  }
  const before = await write(7)
  const after = await write(8)
  const begin = before.findIndex((byte, index) => byte !== after[index])
  for (let size = begin; size <= before.length; size += 41) {
    const torn = Buffer.concat([after.subarray(0, size), before.subarray(size)])
    await writeFile(path, torn)
    const file = await VoteMarkFile.open([path], owner)
    assert.ok([7, 8].includes(file.found!.sequence), `torn at ${size}`)
    await file.close()
  }
})

test('a mark whose file was replaced or removed is not written, so that its vote does not leave', async t => {
  const folder = await temporaryDirectory(t)
  const path = join(folder, 'votes')
  const copy = join(folder, 'copy')
  const ways: readonly (() => Promise<unknown>)[] = [
    () => rm(path),
    () => rename(copy, path),
    () => rm(path).then(() => symlink(copy, path)),
    () => rename(path, copy),
    // Another node with the same key, and another data folder.
    async () => (await VoteMarkFile.open([path, join(folder, 'inside')], owner)).close(),
  ]
  for (const [index, change] of ways.entries()) {
    const file = await VoteMarkFile.open([path], owner)
    await file.write(markAt(1))
    await writeFile(copy, await readFile(path))
    await change()
    await assert.rejects(file.write(markAt(2)), VoteMarkUnusable, `way ${index}`)
    await assert.rejects(file.write(markAt(3)), VoteMarkUnusable, `way ${index}`)
    await file.close()
    await rm(path, { force: true })
  }
})

/** More than fit in the time that it takes to open the file. */
const WRITES_MAX = 2_000

test('a second node with the same key knows of all that the first one voted for', async t => {
  const path = join(await temporaryDirectory(t), 'votes')
  let first = await VoteMarkFile.open([path], owner)
  let written = 0
  for (let round = 0; round < 10; round++) {
    const opening = VoteMarkFile.open([path], owner)
    let isOurs = true
    for (let writes = 0; isOurs && writes < WRITES_MAX; writes++) {
      const sequence: number = written + 1
      isOurs = await first.write(markAt(sequence)).then(
        () => true,
        () => false,
      )
      if (isOurs) written = sequence
    }
    const second = await opening
    assert.equal(isOurs, false)
    assert.ok((second.found?.sequence ?? 0) >= written, `${second.found?.sequence} of ${written}`)
    await first.close()
    first = second
  }
  await first.close()
  const last = await VoteMarkFile.open([path], owner)
  assert.ok(last.found!.sequence >= written)
  await last.close()
})

test('where the system does not give the file, its reason is told, and no message says to remove the file', async t => {
  const folder = await temporaryDirectory(t)
  // Too long to be read, and too long for the name of a temporary file beside it.
  for (const length of [300, 240])
    await assert.rejects(VoteMarkFile.open([join(folder, 'v'.repeat(length))], owner), (error: Error) => {
      assert.ok(error instanceof VoteMarkUnusable)
      assert.match(error.message, /\(ENAMETOOLONG: .*\)$/)
      return true
    })
  await writeFile(join(folder, 'votes'), 'nonsense')
  await assert.rejects(VoteMarkFile.open([join(folder, 'votes')], owner), /remove the file/)
})

test('a mark of another key or network, or of none, keeps the node from starting', async t => {
  const folder = await temporaryDirectory(t)
  const path = join(folder, 'votes')
  const file = await VoteMarkFile.open([path], owner)
  await file.write(markAt(7))
  await file.close()
  const text = await readFile(path, 'utf8')
  const open = (of = owner) => VoteMarkFile.open([path], of)
  await assert.rejects(open({ ...owner, genesisId: `0x${'0'.repeat(64)}` }), VoteMarkUnusable)
  await assert.rejects(open({ ...owner, address: addressOfSecretKey(keyOf('two')) }), VoteMarkUnusable)
  for (const damaged of [text.replaceAll('"sequence":7', '"sequence":6'), 'nonsense', `${text} `]) {
    await writeFile(path, damaged)
    await assert.rejects(open(), VoteMarkUnusable)
    assert.equal(await readFile(path, 'utf8'), damaged)
  }
})

test('where nothing can be written beside the key the mark is in the data folder, and moves when that changes', async t => {
  const folder = await temporaryDirectory(t)
  const [beside, inside] = [join(folder, 'mounted', 'votes'), join(folder, 'votes')]
  const first = await VoteMarkFile.open([beside, inside], owner)
  assert.equal(first.path, inside)
  await first.write(markAt(7))
  await first.close()
  const second = await VoteMarkFile.open([join(folder, 'other'), inside], owner)
  assert.equal(second.path, join(folder, 'other'))
  assert.equal(second.found?.sequence, 7)
  await second.close()
  assert.deepEqual(await readdir(folder), ['other'])
})
