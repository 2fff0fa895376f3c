// What a fuzzer gives to a decoder: valid encodings with structured damage, and bytes of chance. All of it follows from
// the stream of random numbers, so that the seed and the number of an input name it.

import { concatBytes } from '../../src/encoding/bytes.ts'
import type { Random } from '../../src/lab/virtual/random.ts'

/** Bytes that lie at the edges of lengths, counts and tags. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xbf, 0xc0, 0xf7, 0xf8, 0xfc, 0xfd, 0xfe, 0xff]
/** Text that is valid where text is, and means something else. */
const WORDS = [
  'null',
  '-1',
  '1e400',
  '"0x"',
  '{}',
  '[]',
  '__proto__',
  '\u0000',
  '\ud800',
  '/',
  ' ',
  '0x',
  '\r\n',
]
const RANDOM_BYTES_MAX = 300
const INPUT_BYTES_MAX = 64 * 1024
const MUTATIONS_MAX = 4
/** Values that stand where another kind of value is expected, and share of the JSON that stays JSON. */
const VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  '0x',
  '0x0',
  'a'.repeat(200),
  [],
  {},
  [null],
  { a: 1 },
]
const JSON_RATE = 0.6

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array

const place = (bytes: Uint8Array, random: Random): number => random.integer(0, bytes.length)
const splice = (bytes: Uint8Array, at: number, removed: number, put: Uint8Array): Uint8Array =>
  concatBytes(bytes.subarray(0, at), put, bytes.subarray(Math.min(bytes.length, at + removed)))
const randomBytes = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.integer(0, 255))
const part = (bytes: Uint8Array, random: Random): Uint8Array => {
  const at = place(bytes, random)
  return bytes.slice(at, at + random.integer(0, 64))
}

const MUTATIONS: readonly Mutation[] = [
  // A bit, a byte, a byte at an edge.
  (bytes, random) => overwrite(bytes, random, byte => byte ^ (1 << random.integer(0, 7))),
  (bytes, random) => overwrite(bytes, random, () => random.integer(0, 255)),
  (bytes, random) => overwrite(bytes, random, () => random.pick(EDGES)),
  // Cut off, grown, with a hole, with a part twice.
  (bytes, random) => bytes.slice(0, place(bytes, random)),
  (bytes, random) => splice(bytes, bytes.length, 0, randomBytes(random, random.integer(1, 8))),
  (bytes, random) => splice(bytes, place(bytes, random), random.integer(1, 16), new Uint8Array()),
  (bytes, random) => splice(bytes, place(bytes, random), 0, part(bytes, random)),
  // A length or a number at its extreme.
  (bytes, random) =>
    splice(
      bytes,
      place(bytes, random),
      random.integer(0, 9),
      new Uint8Array(random.integer(1, 9)).fill(random.pick(EDGES)),
    ),
  // The beginning of one and the end of another.
  (bytes, random, others) => {
    const other = random.pick(others)
    return concatBytes(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random)))
  },
  (bytes, random) =>
    splice(bytes, place(bytes, random), random.integer(0, 6), new TextEncoder().encode(random.pick(WORDS))),
]

/** The next input: sometimes a sample as it is, mostly one that was damaged in one to four ways, else chance alone. */
export function nextInput(samples: readonly Uint8Array[], random: Random): Uint8Array {
  const kind = random.next()
  if (kind < 0.02) return random.pick(samples)
  if (kind < 0.12) return randomBytes(random, random.integer(0, RANDOM_BYTES_MAX))
  let bytes = random.pick(samples)
  if (isJson(bytes) && random.chance(JSON_RATE)) return reshape(bytes, random)
  for (let left = random.integer(1, MUTATIONS_MAX); left > 0; left--)
    bytes = random.pick(MUTATIONS)(bytes, random, samples).subarray(0, INPUT_BYTES_MAX)
  return bytes
}

function isJson(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b || bytes[0] === 0x5b
}

/** JSON of which some values are others, are gone, or stand under another name. */
function reshape(bytes: Uint8Array, random: Random): Uint8Array {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
  for (let left = random.integer(1, MUTATIONS_MAX); left > 0; left--) reshapeOne(value, random)
  return new TextEncoder().encode(JSON.stringify(value))
}

function reshapeOne(value: unknown, random: Random): void {
  if (typeof value !== 'object' || value === null) return
  const fields = value as Record<string, unknown>
  const names = Object.keys(fields)
  if (names.length === 0) return
  const name = random.pick(names)
  // Down to any depth, each as likely as the one above.
  if (typeof fields[name] === 'object' && random.chance(0.7)) return reshapeOne(fields[name], random)
  const kind = random.next()
  if (kind < 0.15) delete fields[name]
  else if (kind < 0.25) fields[`${name}${random.pick(['', 'x', '_'])}x`] = fields[name]
  else if (kind < 0.4) fields[name] = fields[random.pick(names)]
  else fields[name] = structuredClone(random.pick(VALUES))
}

function overwrite(bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  if (bytes.length === 0) return bytes
  const changed = bytes.slice()
  const at = random.integer(0, bytes.length - 1)
  changed[at] = change(changed[at]!)
  return changed
}
