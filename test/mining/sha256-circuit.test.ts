import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { compileLanes } from '../../src/mining/lane-code.ts'
import { compress, INITIAL_HASH } from '../../src/mining/sha256-circuit.ts'
import { Circuit, fixed, type Word } from '../../src/mining/staged-words.ts'

const ABC = [0x61626380, ...Array.from({ length: 14 }, () => 0), 24]
const ABC_DIGEST = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

function wordsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(4 * index))
}

function hexOf(words: Iterable<number>): string {
  return Array.from(words, word => word.toString(16).padStart(8, '0')).join('')
}

test('with fixed words the digest of "abc" is known while generating', () => {
  const digest = compress(new Circuit(0), INITIAL_HASH, ABC.map(fixed))
  assert.equal(hexOf(digest.map(word => (word.stage === 'fixed' ? word.value : Number.NaN))), ABC_DIGEST)
})

test('with job words the digest of any block pair is known on the host, and no lane computes', () => {
  const circuit = new Circuit(32)
  const inputs = circuit.inputs()
  const middle = compress(circuit, INITIAL_HASH, inputs.slice(0, 16))
  const digest = compress(circuit, middle, inputs.slice(16))
  assert.equal(circuit.laneWords().length, 0)
  for (let run = 0; run < 20; run++) {
    // A message of 119 bytes: its padding (0x80 and a length of 952 bits) fills the second block exactly.
    const message = randomBytes(119)
    const padded = Buffer.concat([message, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0x03, 0xb8])])
    const slots = circuit.runJob(wordsOf(padded))
    const words = digest.map(word => (word.stage === 'job' ? slots[word.slot]! : Number.NaN))
    assert.equal(hexOf(words), createHash('sha256').update(message).digest('hex'))
  }
})

test('what is known earlier is added earlier, and adding zero costs nothing', () => {
  const circuit = new Circuit(2)
  const [x, y] = circuit.inputs() as [Word, Word]
  const lane = circuit.laneInput([])
  assert.equal(circuit.add(fixed(5), lane, fixed(2 ** 32 - 5)), lane)
  assert.deepEqual(circuit.add(fixed(0xffffffff), fixed(2)), fixed(1))
  const before = circuit.laneWords().length
  circuit.add(lane, x, fixed(1), y, fixed(2))
  assert.equal(circuit.laneWords().length, before + 1)
})

test('only words that the result needs become code', () => {
  const circuit = new Circuit(0)
  const lane = circuit.laneInput([1])
  const needed = circuit.xor(lane, fixed(7))
  circuit.and(lane, fixed(9))
  assert.ok(needed.stage === 'lanes')
  const { localCount, addresses } = compileLanes(circuit, needed, 0, 16)
  assert.equal(localCount, 0)
  assert.deepEqual([...addresses], [[7, 16]])
})
