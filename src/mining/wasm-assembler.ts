/**
 * The smallest assembler that the mining kernel needs: opcodes as byte strings, and a WebAssembly module of
 * one exported function and one exported memory. Nothing is compiled elsewhere and no binary is committed.
 *
 * Source: WebAssembly Core Specification 2.0, section 5 (binary format); vector opcodes in section 5.4.8
 * (formerly the fixed-width SIMD proposal, "SIMD128").
 */

/** Bytes of WebAssembly code or of a part of a module. */
export type Code = readonly number[]

/** Value and block types in their binary form: i32, v128 (four 32-bit lanes here) and "no result". */
export const type = { i32: 0x7f, v128: 0x7b, none: 0x40 } as const

/** The instructions used here; each takes its immediates and gives its bytes. */
export const op = {
  loop: [0x03, type.none],
  if: [0x04, type.none],
  end: [0x0b],
  branchIf: (depth: number): Code => [0x0d, ...leb128(depth)],
  return: [0x0f],
  localGet: (index: number): Code => [0x20, ...leb128(index)],
  localSet: (index: number): Code => [0x21, ...leb128(index)],
  localTee: (index: number): Code => [0x22, ...leb128(index)],
  i32Const: (value: number): Code => [0x41, ...signedLeb128(value)],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  /** Loads 16 bytes from a fixed address (bytes, a multiple of 16). */
  v128LoadAt: (address: number): Code => [0x41, 0, ...vector(0), 4, ...leb128(address)],
  v128Const: (bytes: Code): Code => [...vector(12), ...bytes],
  i8x16Swizzle: vector(14),
  i32x4Splat: vector(17),
  i32x4LessOrEqualUnsigned: vector(62),
  v128And: vector(78),
  v128Or: vector(80),
  v128Xor: vector(81),
  /** (x, y, mask): the bits of x where the mask has ones, the bits of y elsewhere. */
  v128BitSelect: vector(82),
  v128AnyTrue: vector(83),
  i32x4ShiftLeft: vector(171),
  i32x4ShiftRightUnsigned: vector(173),
  i32x4Add: vector(174),
} as const

/** What `encodeModule` encodes: a function `run` (its body without the last `end`) and `memory` of so many pages (64 KiB). */
export interface ModuleSource {
  readonly parameters: Code
  readonly results: Code
  /** How many v128 locals follow the parameters. */
  readonly vectorLocals: number
  readonly body: Code
  readonly pages: number
}

// The two parts of the JavaScript API that are needed; TypeScript declares them only together with the browser's.
declare const WebAssembly: {
  validate(binary: Uint8Array<ArrayBuffer>): boolean
  Module: new (binary: Uint8Array<ArrayBuffer>) => object
  Instance: new (module: object) => { readonly exports: unknown }
}

/** What a module made by `encodeModule` exports; `Run` is the type of its function. */
export interface ModuleExports<Run> {
  readonly run: Run
  readonly memory: { readonly buffer: ArrayBuffer }
}

/** An instance of the module, or null where this machine lacks an instruction that it uses. */
export function instantiate<Run>(binary: Uint8Array<ArrayBuffer>): ModuleExports<Run> | null {
  if (!WebAssembly.validate(binary)) return null
  return new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as ModuleExports<Run>
}

/** A WebAssembly module (binary) that exports the function `run` and the memory `memory`. */
export function encodeModule(source: ModuleSource): Uint8Array<ArrayBuffer> {
  const functionType = [0x60, ...list(source.parameters), ...list(source.results)]
  const code = [1, ...leb128(source.vectorLocals), type.v128, ...source.body, ...op.end]
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  return Uint8Array.from([
    ...magicAndVersion,
    ...section(1, [1, ...functionType]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb128(source.pages)]),
    ...section(7, [2, ...name('run'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...list(code)]),
  ])
}

function section(id: number, content: Code): Code {
  return [id, ...list(content)]
}

function name(text: string): Code {
  return list([...new TextEncoder().encode(text)])
}

function list(bytes: Code): Code {
  return [...leb128(bytes.length), ...bytes]
}

function vector(opcode: number): Code {
  return [0xfd, ...leb128(opcode)]
}

function leb128(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)]
}

function signedLeb128(value: number): Code {
  const isLast = value >= -0x40 && value < 0x40
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signedLeb128(value >> 7)]
}
