// The cookie: a secret in a file that only its owner can read. A client that sends it may control the node, as with
// Bitcoin Core's .cookie file.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { writeFileAtomically } from '../files/write-file.ts'

/** The file in a data directory. */
const COOKIE_FILE = 'rpc.cookie'

/** A new secret: 64 hex digits. */
export function newToken(): string {
  return randomBytes(32).toString('hex')
}

/**
 * Writes the secret, readable for its owner only, in place of an older one; returns where. Throws what Node
 * throws.
 */
export async function writeCookie(dataDirectory: string, token: string): Promise<string> {
  const path = join(dataDirectory, COOKIE_FILE)
  await writeFileAtomically(path, token)
  return path
}

/** Whether an Authorization header shows the secret: `Bearer <token>`. */
export function showsToken(authorization: string | undefined, token: string): boolean {
  const [, shown] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  return shown !== undefined && timingSafeEqual(digest(shown), digest(token))
}

/** Compares digests of equal length, so that the time taken does not depend on what was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
