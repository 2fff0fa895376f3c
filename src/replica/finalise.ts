// Finalising: the database writes when a block becomes the last final one.
//
// They all belong to one atomic batch: accounts, index, base and the removal of what is no longer open are written
// together or not at all, so a crash leaves either the old base or the new one.

import type { Address } from '../chain/address.ts'
import { type Account, encodeAccount } from '../execution/state.ts'
import type { TreeBlock } from './block-tree.ts'
import type { ReplicaOutbox } from './effects.ts'
import {
  encodeCertificatePlace,
  encodeChainedHeader,
  encodeFinal,
  encodeHeight,
  encodePosition,
  encodeSenders,
  KEYS,
} from './records.ts'
import { EARLIER_STATES, encodeUndo } from './undo.ts'

/** Writes that the blocks of `final` (oldest first, never empty) are final, and that the `dropped` branches are gone. */
export function writeFinalised(
  outbox: ReplicaOutbox,
  final: readonly TreeBlock[],
  dropped: readonly TreeBlock[],
): void {
  const accounts = new Map<Address, Account>()
  const { height: base } = final.at(-1)!.chained
  for (const entry of final) {
    for (const [address, account] of entry.execution.changes) accounts.set(address, account)
    outbox.write(KEYS.final(entry.chained.height), encodeFinal(entry.chained))
    outbox.write(KEYS.openBlock(entry.arrival), null)
    for (const [index, tx] of entry.block.transactions.entries()) {
      outbox.write(KEYS.transaction(tx.id), encodePosition({ height: entry.chained.height, index }))
    }
    writeOfBlock(outbox, entry, base)
  }
  for (const [address, account] of accounts) {
    const exists = account.nonce !== 0n || account.balance !== 0n
    outbox.write(KEYS.account(address), exists ? encodeAccount(account) : null)
  }
  writeDropped(outbox, dropped)
  outbox.write(KEYS.base, encodeChainedHeader(final.at(-1)!.chained))
}

/** Keeps with a final block what would be expensive to recompute: its senders, and the accounts before it. */
function writeOfBlock(outbox: ReplicaOutbox, { chained, execution }: TreeBlock, base: number): void {
  const { height } = chained
  if (execution.senders.length > 0) outbox.write(KEYS.senders(height), encodeSenders(execution.senders))
  if (height > base - EARLIER_STATES) outbox.write(KEYS.undo(height), encodeUndo(execution))
  if (height > EARLIER_STATES) outbox.write(KEYS.undo(height - EARLIER_STATES), null)
}

/** Removes blocks that left the tree without becoming final. */
export function writeDropped(outbox: ReplicaOutbox, dropped: readonly TreeBlock[]): void {
  for (const entry of dropped) {
    outbox.write(KEYS.openBlock(entry.arrival), null)
    outbox.write(KEYS.block(entry.chained.id), null)
  }
}

/** Stores the certificate with the last of these final blocks, and for each other one the height where it stands. */
export function writeCertificate(
  outbox: ReplicaOutbox,
  final: readonly TreeBlock[],
  { sequence, bytes }: { readonly sequence: number; readonly bytes: Uint8Array },
): void {
  const { height } = final.at(-1)!.chained
  for (const { chained } of final) {
    const place =
      chained.height === height ? { type: 'here' as const, bytes } : { type: 'above' as const, height }
    outbox.write(KEYS.certificate(chained.height), encodeCertificatePlace(place))
  }
  outbox.write(KEYS.decision(sequence), encodeHeight(height))
}
