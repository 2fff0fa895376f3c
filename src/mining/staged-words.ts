/**
 * 32-bit words known at three different times, and the partial evaluation that sorts them: a word is *fixed* when
 * the kernel is generated (padding, constants), *job* when a header arrives (one value for all nonces), or *lanes*
 * when it differs from nonce to nonce. An operation on words happens as early as its latest operand allows:
 * at once, on the host once a job, or in WebAssembly for four nonces at a time.
 *
 * So SHA-256 is written once, plainly, and midstate, folded rounds and folded message words need no code of their
 * own: they are what remains. Idea: Futamura 1971, "Partial evaluation of computation process".
 */
import { type Code, op } from './wasm-assembler.ts'

/** A word, tagged with the stage at which its value is known. */
export type Word = FixedWord | JobWord | LaneWord

/** A word whose value (uint32) is known while the kernel is generated. */
export interface FixedWord {
  readonly stage: 'fixed'
  readonly value: number
}

/** A word whose value is known on the host when a job begins; `slot` is its index in `Circuit.runJob`'s answer. */
export interface JobWord {
  readonly stage: 'job'
  readonly slot: number
}

/** A word of four lanes, one per nonce: what an operation yields when some operand is of lanes. */
export interface LaneWord {
  readonly stage: 'lanes'
  readonly operation: Operation
  readonly operands: readonly Word[]
}

/** An operation on at most three words in both its forms: on a number, and as code on v128 operands. */
export interface Operation {
  readonly evaluate: (x: number, y: number, z: number) => number
  readonly code: Code
}

interface JobStep {
  readonly operation: Operation
  readonly operands: readonly [number, number, number]
  readonly slot: number
}

const ADD: Operation = { evaluate: (x, y) => x + y, code: op.i32x4Add }
const XOR: Operation = { evaluate: (x, y) => x ^ y, code: op.v128Xor }
const OR: Operation = { evaluate: (x, y) => x | y, code: op.v128Or }
const AND: Operation = { evaluate: (x, y) => x & y, code: op.v128And }
const SELECT: Operation = { evaluate: (x, y, mask) => (x & mask) | (y & ~mask), code: op.v128BitSelect }
const SHIFT_RIGHT = Array.from({ length: 32 }, (_, bits): Operation => {
  return { evaluate: x => x >>> bits, code: [...op.i32Const(bits), ...op.i32x4ShiftRightUnsigned] }
})
const SHIFT_LEFT = Array.from({ length: 32 }, (_, bits): Operation => {
  return { evaluate: x => x << bits, code: [...op.i32Const(bits), ...op.i32x4ShiftLeft] }
})

/** A fixed word of this value (only the low 32 bits count). */
export function fixed(value: number): FixedWord {
  return { stage: 'fixed', value: value >>> 0 }
}

/** Records a computation on staged words: what the host does once a job, and what the lanes do for every nonce. */
export class Circuit {
  readonly #laneWords: LaneWord[] = []
  readonly #steps: JobStep[] = []
  readonly #fixedSlots = new Map<number, number>()
  readonly #inputCount: number
  #slotCount: number

  /** A circuit with `inputCount` words given by each job. */
  constructor(inputCount: number) {
    this.#inputCount = inputCount
    this.#slotCount = inputCount
  }

  /** The words a job gives, in order. */
  inputs(): JobWord[] {
    return Array.from({ length: this.#inputCount }, (_, slot) => ({ stage: 'job', slot }))
  }

  /** A word that code without operands puts on WebAssembly's stack, as the nonces are. */
  laneInput(code: Code): LaneWord {
    return this.#lanes({ evaluate: () => 0, code }, [])
  }

  /** All lane words in the order of their making, which puts operands before their users. */
  laneWords(): readonly LaneWord[] {
    return this.#laneWords
  }

  /** Sum modulo 2^32. What is known earlier is added earlier: fixed words, then job words, then lanes. */
  add(...terms: Word[]): Word {
    const fixedSum = terms.reduce((sum, term) => sum + (term.stage === 'fixed' ? term.value : 0), 0) >>> 0
    const others = [
      ...terms.filter(term => term.stage === 'job'),
      ...(fixedSum === 0 ? [] : [fixed(fixedSum)]),
      ...terms.filter(term => term.stage === 'lanes'),
    ]
    return others.length === 0 ? fixed(0) : others.reduce((sum, term) => this.#apply(ADD, sum, term))
  }

  /** x ^ y. */
  xor(x: Word, y: Word): Word {
    return this.#apply(XOR, x, y)
  }

  /** x & y. */
  and(x: Word, y: Word): Word {
    return this.#apply(AND, x, y)
  }

  /** The bits of x where the mask has ones, the bits of y elsewhere. */
  select(mask: Word, x: Word, y: Word): Word {
    return this.#apply(SELECT, x, y, mask)
  }

  /** SHR (FIPS 180-4, section 3.2) by 0 to 31 bits. */
  shiftRight(x: Word, bits: number): Word {
    return this.#apply(SHIFT_RIGHT[bits]!, x)
  }

  /** ROTR (FIPS 180-4, section 3.2) by 1 to 31 bits; SIMD128 has no rotate. */
  rotateRight(x: Word, bits: number): Word {
    return this.#apply(OR, this.shiftRight(x, bits), this.#apply(SHIFT_LEFT[32 - bits]!, x))
  }

  /** The values (uint32) of all job words, by slot, for these inputs (uint32, as many as `inputs` gives). */
  runJob(inputs: readonly number[]): Uint32Array {
    const slots = new Uint32Array(this.#slotCount)
    slots.set(inputs)
    for (const [value, slot] of this.#fixedSlots) slots[slot] = value
    for (const { operation, operands, slot } of this.#steps) {
      const [x, y, z] = operands
      slots[slot] = operation.evaluate(slots[x]!, slots[y]!, slots[z]!)
    }
    return slots
  }

  #apply(operation: Operation, ...operands: Word[]): Word {
    if (operands.some(word => word.stage === 'lanes')) return this.#lanes(operation, operands)
    if (operands.some(word => word.stage === 'job')) return this.#job(operation, operands)
    const [x, y, z] = operands.map(word => (word.stage === 'fixed' ? word.value : 0))
    return fixed(operation.evaluate(x!, y ?? 0, z ?? 0))
  }

  #lanes(operation: Operation, operands: readonly Word[]): LaneWord {
    const word: LaneWord = { stage: 'lanes', operation, operands }
    this.#laneWords.push(word)
    return word
  }

  #job(operation: Operation, operands: readonly Word[]): JobWord {
    const [x, y, z] = operands.map(word => this.#slotOf(word))
    const slot = this.#slotCount++
    this.#steps.push({ operation, operands: [x!, y ?? x!, z ?? x!], slot })
    return { stage: 'job', slot }
  }

  #slotOf(word: Word): number {
    if (word.stage === 'lanes') throw new Error('a word of lanes is not known on the host')
    if (word.stage === 'job') return word.slot
    const known = this.#fixedSlots.get(word.value)
    if (known !== undefined) return known
    const slot = this.#slotCount++
    this.#fixedSlots.set(word.value, slot)
    return slot
  }
}
