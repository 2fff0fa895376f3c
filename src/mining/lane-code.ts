/**
 * From lane words to WebAssembly code. Only words that the result needs become code, in the order in which they were
 * recorded. A word used once is computed where it is used, on WebAssembly's stack; a word used again waits in a
 * local. Words known earlier are read from memory, where they stand in four equal copies: V8 builds a v128.const out
 * of scalar moves, which takes twice as long as a load.
 */
import type { Circuit, FixedWord, JobWord, LaneWord, Word } from './staged-words.ts'
import { type Code, op } from './wasm-assembler.ts'

/** Code that leaves one v128 on the stack, and what it expects to find. */
export interface LaneCode {
  readonly code: Code
  /** How many v128 locals it uses, from the given first one on. */
  readonly localCount: number
  /** Where in memory (byte address) it reads which fixed value or job word, as four equal uint32. */
  readonly addresses: ReadonlyMap<number | JobWord, number>
}

const VECTOR_BYTES = 16

/** Code for the result, given its circuit and the first local and address that are free. */
export function compileLanes(
  circuit: Circuit,
  result: LaneWord,
  firstLocal: number,
  firstAddress: number,
): LaneCode {
  const uses = countUses(result)
  const locals = new Map<LaneWord, number>()
  const addresses = new Map<number | JobWord, number>()
  const code: number[] = []

  const push = (word: Word): void => {
    if (word.stage !== 'lanes') code.push(...op.v128LoadAt(addressOf(word)))
    else if (locals.has(word)) code.push(...op.localGet(locals.get(word)!))
    else compute(word)
  }
  const compute = (word: LaneWord): void => {
    for (const operand of word.operands) push(operand)
    code.push(...word.operation.code)
  }
  const addressOf = (word: FixedWord | JobWord): number => {
    const key = word.stage === 'fixed' ? word.value : word
    const address = addresses.get(key) ?? firstAddress + VECTOR_BYTES * addresses.size
    addresses.set(key, address)
    return address
  }

  for (const word of circuit.laneWords()) {
    if ((uses.get(word) ?? 0) < 2) continue
    compute(word)
    const local = firstLocal + locals.size
    locals.set(word, local)
    code.push(...op.localSet(local))
  }
  push(result)
  return { code, localCount: locals.size, addresses }
}

/** How often each lane word that the result needs is an operand. */
function countUses(result: LaneWord): Map<LaneWord, number> {
  const uses = new Map<LaneWord, number>()
  const visit = (word: Word): void => {
    if (word.stage !== 'lanes') return
    const count = uses.get(word) ?? 0
    uses.set(word, count + 1)
    if (count === 0) for (const operand of word.operands) visit(operand)
  }
  visit(result)
  return uses
}
