// What a node reads from its disk before it starts: the data folder, the chain's database, the vote mark of its validator and
// the key of its identity. They are opened in this order; if one fails, those opened before it are closed again.

import { join, resolve, sep } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { addressOfSecretKey } from '../chain/signature.ts'
import { STARTING_PREFIXES } from '../replica/records.ts'
import { openDataFolder } from './data-folder.ts'
import { Database } from './database.ts'
import { loadIdentity } from './identity.ts'
import { MarkedStore } from './marked-store.ts'
import type { NodeOptions } from './node-options.ts'
import { VoteMarkFile } from './vote-mark-file.ts'

/** The open files of a node. */
export interface NodeFiles {
  readonly database: Database
  /** The database and the vote mark as one store: closing it closes both. */
  readonly store: MarkedStore
  readonly privateKey: PrivateKey
}

/**
 * Opens the files of a node, and preloads the records that its replica starts from. Throws the errors of `openDataFolder`,
 * `Database.open`, `VoteMarkFile.open` and `loadIdentity`.
 */
export async function openNodeFiles(options: NodeOptions): Promise<NodeFiles> {
  const { dataDirectory } = options
  await openDataFolder(dataDirectory)
  const database = await Database.open(join(dataDirectory, 'chain'))
  let store = new MarkedStore(database, null)
  try {
    store = new MarkedStore(database, await openMark(options))
    const privateKey = await loadIdentity(join(dataDirectory, 'identity.key'))
    await database.preload(STARTING_PREFIXES)
    return { database, store, privateKey }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The vote mark beside the validator's key; null for a node without a validator. */
async function openMark({
  validator,
  dataDirectory,
  genesis,
  log,
}: NodeOptions): Promise<VoteMarkFile | null> {
  if (validator === undefined) return null
  const { id } = genesis.block
  const address = addressOfSecretKey(validator.secretKey)
  const name = `${address.slice(2, 10)}-${id.slice(-8)}.votes`
  const inside = join(dataDirectory, name)
  const { keyPath } = validator
  const paths = keyPath === undefined ? [inside] : [`${keyPath}.${name}`, inside]
  const file = await VoteMarkFile.open(paths, { address, genesisId: id })
  if (file.path !== paths[0])
    log.warn(`nothing can be written beside ${keyPath}: how far this key voted is kept in ${file.path}`)
  if (resolve(file.path).startsWith(resolve(dataDirectory) + sep))
    log.warn(
      `how far this key voted is kept in the data folder, and is lost with it: do not empty ${dataDirectory}`,
    )
  return file
}
