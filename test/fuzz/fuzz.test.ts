// Every decoder and every reader of files is given valid input that was damaged, and chance: it refuses it in its own way
// or decodes it, and what has one form only is encoded as it came. The inputs follow from FUZZ_SEED; FUZZ_SECONDS says how
// long all decoders together are tried. A failure names the decoder, the seed and the number of the input.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Random } from '../../src/lab/virtual/random.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { CHAIN_TARGETS } from './chain-targets.ts'
import { EXEMPT } from './exempt.ts'
import { fileTargets } from './file-targets.ts'
import { FINALITY_TARGETS } from './finality-targets.ts'
import { nextInput } from './mutate.ts'
import { judge, type Target } from './target.ts'
import { TEXT_TARGETS } from './text-targets.ts'

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 15)
const SEED = process.env.FUZZ_SEED ?? '1'
/** Inputs that each decoder is given at least, however slow the machine is; and those that cost a file. */
const LEAST = 200
const LEAST_SLOW = 20
/** Inputs between two looks at the clock. */
const BATCH = 20

const MEMORY = [...CHAIN_TARGETS, ...FINALITY_TARGETS, ...TEXT_TARGETS]
const COUNT = MEMORY.length + fileTargets('').length

/** Tries inputs until its share of the time is over. */
async function fuzz(target: Target): Promise<void> {
  const name = target.covers[0]!
  const random = new Random(`fuzz/${SEED}/${name}`)
  const endMs = performance.now() + (SECONDS * 1_000) / COUNT
  const least = target.isSlow === true ? LEAST_SLOW : LEAST
  let inputs = 0
  while (inputs < least || performance.now() < endMs) {
    for (let left = BATCH; left > 0; left--) {
      const bytes = nextInput(target.samples, random)
      inputs += 1
      const wrong = await judge(target, bytes)
      if (wrong === null) continue
      const input = Buffer.from(bytes).toString('hex')
      assert.fail(`FUZZ_SEED=${SEED}, input ${inputs} of ${name}: ${wrong}\ninput (hex): ${input}`)
    }
  }
  if (process.env.FUZZ_SECONDS !== undefined) console.log(`${name}: ${inputs} inputs`)
}

for (const target of MEMORY) test(`${target.covers.join(', ')}: fuzzed`, () => fuzz(target))

test('readers of files: fuzzed', async t => {
  for (const target of fileTargets(await temporaryDirectory(t))) await fuzz(target)
})

test('every decoder takes its samples', async t => {
  for (const target of [...MEMORY, ...fileTargets(await temporaryDirectory(t))])
    for (const sample of target.samples) assert.equal(await judge(target, sample), null, target.covers[0])
})

test('an input follows from its seed and its number', () => {
  const inputs = (seed: string): string[] => {
    const random = new Random(seed)
    return Array.from({ length: 50 }, () =>
      Buffer.from(nextInput(MEMORY[0]!.samples, random)).toString('hex'),
    )
  }
  assert.deepEqual(inputs('a'), inputs('a'))
  assert.notDeepEqual(inputs('a'), inputs('b'))
})

test('a decoder that throws what it should not, or reads what is not written so, is found', async () => {
  const found = (take: Target['take'], refusals: readonly string[] = []) =>
    judge({ covers: ['a'], samples: [], take, refusals }, Uint8Array.of(1))
  const fail = (): never => {
    throw new RangeError('x')
  }
  assert.match((await found(fail)) ?? '', /^throws RangeError/)
  assert.equal(await found(fail, ['RangeError']), null)
  assert.match((await found(() => Uint8Array.of(2))) ?? '', /is read as what is written 02/)
  assert.equal(await found(bytes => bytes), null)
  assert.match((await found(bytes => bytes.fill(0))) ?? '', /writes into what it reads/)
})

test('every exported function that decodes, reads, parses or loads is fuzzed, or it is said why not', () => {
  const src = join(import.meta.dirname, '..', '..', 'src')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.ts'))
  const pattern = /^export (?:async )?function ((?:decode|read|parse|load|open|unpack|peek)[A-Z]\w*)/gm
  const exported = files.flatMap(path =>
    [...readFileSync(join(src, path), 'utf8').matchAll(pattern)].map(([, name]) => `${path} ${name}`),
  )
  const covered = new Set([...MEMORY, ...fileTargets('')].flatMap(({ covers }) => covers))
  const missing = exported.filter(name => !covered.has(name) && !EXEMPT.has(name))
  assert.deepEqual(missing, [], 'to a table of targets, or with a reason to exempt.ts')
  // A reason for what is not there, or is fuzzed after all, misleads.
  const stale = [...EXEMPT.keys()].filter(name => !exported.includes(name) || covered.has(name))
  assert.deepEqual(stale, [])
})
