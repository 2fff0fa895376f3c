// What a user is told when the database is damaged: the damage, its file, and what to do. Nothing is repaired: the
// misread record may be a vote, and everything else can be fetched from peers.

import { CommandError, EXIT } from './exit-codes.ts'

/** The errors that mean it, by the names of their classes. */
const DAMAGE: ReadonlySet<string> = new Set(['CorruptStore', 'DamagedVotes', 'DatabaseCorrupt'])

const REMEDY =
  'Move that folder away, and the node will fetch the chain again from its peers. A validator does so without ' +
  '--validator: the record of its votes is lost with it, and it might contradict them.'

/** The error that ends a command which has this folder's database open: the same, but for damage, also as a cause. */
export function explainDamage(error: unknown, chainDirectory: string): unknown {
  const errors = error instanceof Error ? [error, error.cause] : []
  const damage = errors.find(one => one instanceof Error && DAMAGE.has(one.name))
  if (!(damage instanceof Error)) return error
  const cause = `the database in ${chainDirectory} is damaged: ${damage.message}`
  return new CommandError(EXIT.file, cause, REMEDY)
}
