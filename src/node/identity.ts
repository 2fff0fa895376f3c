// The node's identity among its peers: an Ed25519 key, made at the first start and kept in the data directory. It signs
// no transaction; a thief of the key can only impersonate the node to its peers.

import { chmod } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { readFileOrNull } from '../files/read-file.ts'
import { writeFileAtomically } from '../files/write-file.ts'

/** The file holds no key, or can't be read or written. */
export class IdentityUnusable extends Error {
  override name = 'IdentityUnusable'
}

const FILE_BYTES_MAX = 1_000

/**
 * The key in this file: libp2p's protobuf form in base64. Makes one when there is no file. Throws
 * `IdentityUnusable`.
 */
export async function loadIdentity(path: string): Promise<PrivateKey> {
  try {
    const text = await readFileOrNull(path, FILE_BYTES_MAX)
    if (text === null) return await createIdentity(path)
    await chmod(path, 0o600)
    return privateKeyFromProtobuf(Buffer.from(text, 'base64'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const remedy = 'remove the file, and the node makes a new identity'
    throw new IdentityUnusable(`can't use the identity in ${path} (${reason}): ${remedy}`, { cause })
  }
}

async function createIdentity(path: string): Promise<PrivateKey> {
  const key = await generateKeyPair('Ed25519')
  const text = Buffer.from(privateKeyToProtobuf(key)).toString('base64')
  await writeFileAtomically(path, `${text}\n`)
  return key
}
