// Multi-Paxos as the network of test/consensus takes it: how it is made, and what must be on disk for each message.

import type { PaxosTypes } from '../../../src/consensus/multi-paxos/anatomy.ts'
import { MULTI_PAXOS } from '../../../src/consensus/multi-paxos/kit.ts'
import type { PaxosMessage, PaxosRecord } from '../../../src/consensus/multi-paxos/messages.ts'
import type { Maker } from '../network.ts'

/** Slots above what is stable in which a member votes, with a pipeline of at most eight. */
const WINDOW = 16

/** Multi-Paxos. */
export const MULTI_PAXOS_MAKER: Maker<PaxosTypes> = {
  kit: MULTI_PAXOS,
  create: ({ timeoutMs, ...options }) =>
    MULTI_PAXOS.create({ ...options, timeoutMs, retransmitMs: timeoutMs / 2 }),
  opinion: {
    isDurable,
    convicts: () => false,
    window: WINDOW,
    // Votes, decisions above a hole, values to be fetched; then a leader's promises with their votes, and its proposals.
    sizeMax: n => 4 * WINDOW + n * (1 + WINDOW) + 2 * WINDOW * (1 + n),
  },
}

/** The naive reading of section 2.5: it shares nothing with the protocol but the shape of records. */
function isDurable(records: ReadonlyMap<string, PaxosRecord>, message: PaxosMessage): boolean {
  const all = [...records.values()]
  const promise = all.find(record => record.type === 'promise')
  const isAccepted = (slot: number, ballot: number, value: string): boolean =>
    slot <= (promise?.stable ?? 0) ||
    all.some(
      record =>
        record.type === 'accepted' &&
        record.sequence === slot &&
        record.ballot === ballot &&
        record.value === value,
    )
  const isPromised = (ballot: number): boolean => promise !== undefined && promise.ballot >= ballot
  switch (message.type) {
    case 'prepare':
    case 'accept':
    case 'heartbeat':
    case 'reject':
      return isPromised(message.ballot)
    case 'promise':
      return (
        isPromised(message.ballot) &&
        message.accepted.every(({ sequence, ballot, value }) => isAccepted(sequence, ballot, value))
      )
    case 'accepted':
      return isPromised(message.ballot) && isAccepted(message.sequence, message.ballot, message.value)
    case 'chosen':
    case 'status':
      return true
  }
}
