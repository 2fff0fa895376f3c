// The records of a replica, by key: its view and how that began, the last stable checkpoint, and for each sequence number
// above that the proposal that it accepted and the certificate by which that is prepared. The outbox puts them before all
// messages of a step, so that a vote is durable before it leaves.

import type { NewView, PbftRecord } from './messages.ts'
import type { Replica } from './replica.ts'
import type { Slot } from './slot.ts'
import type { Certificate } from './votes.ts'

const VIEW_KEY = 'view'
const NEW_VIEW_KEY = 'new-view'
const STABLE_KEY = 'stable'
const slotKey = (sequence: number): string => `slot/${sequence.toString().padStart(15, '0')}`

/** The view, and whether it has begun. */
export function persistView({ outbox, view, isActive, reproposed }: Replica): void {
  outbox.write(VIEW_KEY, { type: 'view', view, isActive, reproposed })
}

/** What began the view; null removes it. */
export function persistNewView({ outbox }: Replica, message: NewView | null): void {
  outbox.write(NEW_VIEW_KEY, message === null ? null : { type: 'new-view', message })
}

/** The proof of the last stable checkpoint. */
export function persistStable({ outbox }: Replica, certificate: Certificate): void {
  outbox.write(STABLE_KEY, { type: 'stable', certificate })
}

/** What was accepted for a sequence number, and whether it is prepared. */
export function persistSlot({ outbox }: Replica, { sequence, accepted, prepared }: Slot): void {
  outbox.write(slotKey(sequence), { type: 'slot', sequence, ...accepted!, prepared })
}

/** All of it: of what a replica learned before it might vote, its owner may have kept nothing. */
export function persistAll(replica: Replica): void {
  const { newView, stable } = replica
  persistView(replica)
  if (newView !== null) persistNewView(replica, newView)
  if (stable !== null) persistStable(replica, stable)
  for (const slot of replica.inOrder()) if (slot.accepted !== null) persistSlot(replica, slot)
}

/** Removes the slots up to a sequence number, here and on disk. */
export function forgetSlots({ log, outbox }: Replica, upTo: number): void {
  for (const old of [...log.keys()].filter(sequence => sequence <= upTo)) {
    log.delete(old)
    outbox.write(slotKey(old), null)
  }
}

/** Takes what a record says into the state of a replica that starts. */
export function restore(replica: Replica, record: PbftRecord): void {
  switch (record.type) {
    case 'view':
      replica.view = record.view
      replica.isActive = record.isActive
      replica.reproposed = record.reproposed
      return
    case 'new-view':
      replica.newView = record.message
      return
    case 'stable':
      replica.stable = record.certificate
      return
    case 'slot': {
      const { sequence, view, value, proposal, prepared } = record
      const slot = replica.slot(sequence)
      slot.accepted = { view, value, proposal }
      slot.prepared = prepared
    }
  }
}
