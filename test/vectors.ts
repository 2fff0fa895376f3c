// Published test data that belongs to others and is not copied into this repository: a folder beside the clone, or the
// one that QUORATE_VECTORS names. Tests that need a file of it are skipped without it, and a run of all tests
// says so in one line at its end.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = process.env.QUORATE_VECTORS ?? join(import.meta.dirname, '../../shared/vectors')

/** What each file is for. */
const FILES = {
  'bitcoin-blocks-1-256.bz2': "headers and Merkle trees against Bitcoin's first 255 blocks",
  'execution-apis.openrpc.json': "JSON-RPC results against Ethereum's published schemas",
} as const

/** Where a file is, if it is there. */
export function vectorPath(name: keyof typeof FILES): string {
  return join(FOLDER, name)
}

/** What could not be checked, in one line; null where nothing is missing. */
export function missingVectors(): string | null {
  const missing = Object.entries(FILES).filter(([name]) => !existsSync(join(FOLDER, name)))
  if (missing.length === 0) return null
  const checks = missing.map(([name, check]) => `${check} (${name})`).join(', ')
  return `not checked, for lack of published vectors in ${FOLDER}: ${checks}`
}
