// The first 255 Bitcoin blocks after genesis, and as much of Bitcoin's transactions as it takes to find where the
// next begins. The file belongs to others and is not always there; then the tests that need it are skipped.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type BlockHeader, readHeader } from '../../src/chain/header.ts'
import { ByteReader } from '../../src/encoding/bytes.ts'
import { vectorPath } from '../vectors.ts'

export interface BitcoinBlock {
  readonly header: BlockHeader
  readonly transactions: readonly Uint8Array[]
}

const PATH = vectorPath('bitcoin-blocks-1-256.bz2')
const PYTHON = 'import bz2, sys; sys.stdout.buffer.write(bz2.open(sys.argv[1]).read())'
const MAGIC = 0xd9b4bef9

/** Why the blocks can't be read here, or false: what `skip` of node:test wants. */
export const bitcoinBlocksMissing: string | false = whyMissing()

/** The blocks from 1 on, in order. */
export function readBitcoinBlocks(): BitcoinBlock[] {
  const reader = new ByteReader(decompress()!)
  const blocks: BitcoinBlock[] = []
  while (reader.remaining > 0) {
    if (reader.u32() !== MAGIC) throw new Error(`no block begins at byte ${reader.offset - 4} of ${PATH}`)
    blocks.push(readBitcoinBlock(reader.bytes(reader.u32())))
  }
  return blocks
}

function whyMissing(): string | false {
  if (!existsSync(PATH)) return `${PATH} is not here`
  return decompress() === null ? 'neither bunzip2 nor python3 is here' : false
}

function decompress(): Uint8Array | null {
  for (const [command, ...args] of [
    ['bunzip2', '-c', PATH],
    ['python3', '-c', PYTHON, PATH],
  ] as const) {
    const { status, stdout } = spawnSync(command, args, { maxBuffer: 2 ** 24 })
    if (status === 0) return stdout
  }
  return null
}

function readBitcoinBlock(raw: Uint8Array): BitcoinBlock {
  const reader = new ByteReader(raw)
  const header = readHeader(reader)
  const count = reader.compactSize(reader.remaining)
  const transactions = Array.from({ length: count }, () => {
    const start = reader.offset
    passTransaction(reader)
    return raw.subarray(start, reader.offset)
  })
  reader.end()
  return { header, transactions }
}

function passTransaction(reader: ByteReader): void {
  reader.bytes(4)
  for (let inputs = reader.compactSize(reader.remaining); inputs > 0; inputs--) {
    reader.bytes(36)
    reader.sizedBytes(reader.remaining)
    reader.bytes(4)
  }
  for (let outputs = reader.compactSize(reader.remaining); outputs > 0; outputs--) {
    reader.bytes(8)
    reader.sizedBytes(reader.remaining)
  }
  reader.bytes(4)
}
