// The cookie: a secret that the node writes where only its owner can read it. Who shows it may control the
// node.

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

/** Equal lengths, so that comparing takes the same time whatever was shown. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
