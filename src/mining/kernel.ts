/**
 * The fast nonce search: SHA-256d of an 80-byte header for four nonces at a time in WebAssembly SIMD128, by a module
 * that is generated when the kernel is created. The computation is recorded over staged words (staged-words.ts), so
 * everything that does not depend on the nonce is done on the host once a search; what depends on it and leads to the
 * tested word becomes code. That word is digest word 7, the most significant one of the little-endian number: the
 * last rounds of the second hash, which it does not need, vanish. Every nonce whose top word is low enough is
 * checked again exactly.
 *
 * Sources: FIPS 180-4, section 6.2; WebAssembly Core Specification 2.0 (SIMD128).
 */
import { compileLanes, type LaneCode } from './lane-code.ts'
import { assertNonceSearch, type NonceSearch, nonceMeetsTarget, searchSlowly } from './nonce-search.ts'
import { compress, INITIAL_HASH } from './sha256-circuit.ts'
import { Circuit, fixed, type LaneWord, type Word } from './staged-words.ts'
import { encodeModule, instantiate, op, type } from './wasm-assembler.ts'

/** A nonce search; one search runs at a time. */
export interface Kernel {
  /** `simd` for the WebAssembly kernel, `scalar` for the slow search where a machine has no SIMD128. */
  readonly kind: 'simd' | 'scalar'
  /** The lowest nonce in the range that meets the target, or null. Throws a RangeError for a malformed search. */
  search(search: NonceSearch): number | null
}

const LANES = 4
// V8 replaces its first, slow code by optimised code only when a call begins: calls stay short (about 10 ms).
const GROUPS_PER_CALL = 2 ** 14

const NONCE_LOCAL = 0
const GROUPS_LOCAL = 1
const FIRST_FREE_LOCAL = 2
const TARGET_ADDRESS = 0
const FIRST_FREE_ADDRESS = 16

const SWAP_BYTES = [
  ...op.v128Const([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]),
  ...op.i8x16Swizzle,
]
const LANE_INDEXES = op.v128Const([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])

/**
 * Scans groups of four nonces from the first one on, until a top word is at most the target's. Returns how many
 * groups were left then, with the one that has this word; 0 if there is none.
 */
type Scan = (firstNonce: number, groups: number) => number

/** A kernel for this machine. Generating it takes some milliseconds: keep it. */
export function createKernel(): Kernel {
  const circuit = new Circuit(19)
  const lanes = compileLanes(circuit, topDigestWord(circuit), FIRST_FREE_LOCAL, FIRST_FREE_ADDRESS)
  const instance = instantiate<Scan>(encodeScan(lanes))
  if (instance === null) return { kind: 'scalar', search: searchSlowly }
  const memory = new Uint32Array(instance.memory.buffer)
  return {
    kind: 'simd',
    search(search) {
      assertNonceSearch(search)
      prepareMemory(memory, lanes, circuit, search)
      return findNonce(instance.run, search)
    },
  }
}

/** Digest word 7 of SHA-256d of a header (its 19 words before the nonce are the circuit's inputs), for four nonces. */
function topDigestWord(circuit: Circuit): LaneWord {
  const nonces = [
    ...op.localGet(NONCE_LOCAL),
    ...op.i32x4Splat,
    ...LANE_INDEXES,
    ...op.i32x4Add,
    ...SWAP_BYTES,
  ]
  const header = [...circuit.inputs(), circuit.laneInput(nonces)]
  const midstate = compress(circuit, INITIAL_HASH, header.slice(0, 16))
  const firstDigest = compress(circuit, midstate, padded(header.slice(16), 640))
  const secondDigest = compress(circuit, INITIAL_HASH, padded(firstDigest, 256))
  const top = secondDigest[7]!
  if (top.stage !== 'lanes') throw new Error('the digest does not depend on the nonce')
  return top
}

/** The last block of a message of that many bits (FIPS 180-4, section 5.1.1). */
function padded(words: readonly Word[], messageBits: number): Word[] {
  const zeros = Array.from({ length: 14 - words.length }, () => fixed(0))
  return [...words, fixed(0x80000000), ...zeros, fixed(messageBits)]
}

/** The module of the scan: a loop around the code for the top digest word. */
function encodeScan(lanes: LaneCode): Uint8Array<ArrayBuffer> {
  const isCandidate = [
    ...SWAP_BYTES,
    ...op.v128LoadAt(TARGET_ADDRESS),
    ...op.i32x4LessOrEqualUnsigned,
    ...op.v128AnyTrue,
  ]
  const body = [
    ...op.loop,
    ...lanes.code,
    ...isCandidate,
    ...[...op.if, ...op.localGet(GROUPS_LOCAL), ...op.return, ...op.end],
    ...[...op.localGet(NONCE_LOCAL), ...op.i32Const(LANES), ...op.i32Add, ...op.localSet(NONCE_LOCAL)],
    ...[...op.localGet(GROUPS_LOCAL), ...op.i32Const(1), ...op.i32Sub, ...op.localTee(GROUPS_LOCAL)],
    ...op.branchIf(0),
    ...op.end,
    ...op.i32Const(0),
  ]
  return encodeModule({
    parameters: [type.i32, type.i32],
    results: [type.i32],
    vectorLocals: lanes.localCount,
    body,
    pages: 1,
  })
}

/** Writes what the scan reads: the target's top word, the fixed words and the words of this header. */
function prepareMemory(memory: Uint32Array, lanes: LaneCode, circuit: Circuit, search: NonceSearch): void {
  const header = new DataView(search.header.buffer, search.header.byteOffset)
  const words = circuit.runJob(Array.from({ length: 19 }, (_, index) => header.getUint32(4 * index)))
  const splat = (address: number, value: number) => memory.fill(value, address / 4, address / 4 + LANES)
  splat(TARGET_ADDRESS, Number(search.target >> 224n))
  for (const [key, address] of lanes.addresses) {
    splat(address, typeof key === 'number' ? key : words[key.slot]!)
  }
}

/** Scans the range and checks each nonce of a group where the scan stops. */
function findNonce(scan: Scan, { header, target, firstNonce, count }: NonceSearch): number | null {
  const scratch = Uint8Array.from(header)
  const end = firstNonce + count
  for (let nonce = firstNonce; nonce < end; ) {
    const groups = Math.min(GROUPS_PER_CALL, Math.ceil((end - nonce) / LANES))
    const left = scan(nonce, groups)
    nonce += LANES * (groups - left)
    if (left === 0) continue
    // Lanes past the end of the range are computed (modulo 2^32) but never reported.
    const groupEnd = Math.min(nonce + LANES, end)
    for (; nonce < groupEnd; nonce++) if (nonceMeetsTarget(scratch, nonce, target)) return nonce
  }
  return null
}
