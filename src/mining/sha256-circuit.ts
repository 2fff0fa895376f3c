/**
 * The SHA-256 compression function over staged words, written as FIPS 180-4 (August 2015), section 6.2.2, has it.
 * Constants are those of sections 4.2.2 and 5.3.3. Which parts of it run when is none of this file's business:
 * see staged-words.ts.
 *
 * One liberty: Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), because b ^ c is the a ^ b of the round before.
 */
import { type Circuit, fixed, type Word } from './staged-words.ts'

// biome-ignore format: eight constants a line, as in FIPS 180-4, section 4.2.2
const K = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
].map(fixed)

/** The hash value before the first block, H(0): eight fixed words (FIPS 180-4, section 5.3.3). */
export const INITIAL_HASH: readonly Word[] = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
].map(fixed)

/** The eight words of the hash value after one more block of sixteen words (section 6.2.2). */
export function compress(circuit: Circuit, hash: readonly Word[], block: readonly Word[]): Word[] {
  const schedule = [...block]
  let [a, b, c, d, e, f, g, h] = hash as [Word, Word, Word, Word, Word, Word, Word, Word]
  let bXorC = circuit.xor(b, c)
  for (let t = 0; t < 64; t++) {
    if (t >= 16) schedule.push(expand(circuit, schedule, t))
    const choice = circuit.select(e, f, g)
    const t1 = circuit.add(h, bigSigma1(circuit, e), choice, K[t]!, schedule[t]!)
    const aXorB = circuit.xor(a, b)
    const majority = circuit.xor(b, circuit.and(aXorB, bXorC))
    const t2 = circuit.add(bigSigma0(circuit, a), majority)
    bXorC = aXorB
    h = g
    g = f
    f = e
    e = circuit.add(d, t1)
    d = c
    c = b
    b = a
    a = circuit.add(t1, t2)
  }
  return [a, b, c, d, e, f, g, h].map((word, index) => circuit.add(hash[index]!, word))
}

/** Word t of the message schedule, from the words before it (section 6.2.2, step 1). */
function expand(circuit: Circuit, schedule: readonly Word[], t: number): Word {
  const sigma1 = smallSigma1(circuit, schedule[t - 2]!)
  const sigma0 = smallSigma0(circuit, schedule[t - 15]!)
  return circuit.add(sigma1, schedule[t - 7]!, sigma0, schedule[t - 16]!)
}

// Section 4.1.2, functions 4.4 to 4.7.

function bigSigma0(circuit: Circuit, x: Word): Word {
  return xor3(circuit, circuit.rotateRight(x, 2), circuit.rotateRight(x, 13), circuit.rotateRight(x, 22))
}

function bigSigma1(circuit: Circuit, x: Word): Word {
  return xor3(circuit, circuit.rotateRight(x, 6), circuit.rotateRight(x, 11), circuit.rotateRight(x, 25))
}

function smallSigma0(circuit: Circuit, x: Word): Word {
  return xor3(circuit, circuit.rotateRight(x, 7), circuit.rotateRight(x, 18), circuit.shiftRight(x, 3))
}

function smallSigma1(circuit: Circuit, x: Word): Word {
  return xor3(circuit, circuit.rotateRight(x, 17), circuit.rotateRight(x, 19), circuit.shiftRight(x, 10))
}

function xor3(circuit: Circuit, x: Word, y: Word, z: Word): Word {
  return circuit.xor(circuit.xor(x, y), z)
}
