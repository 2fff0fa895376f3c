// Multi-Paxos as an entry of the catalogue: trusted members of which a minority may stop, and a stable leader. Nothing is
// signed, so a decision has no proof: a follower has to trust the member that tells it.

import type { LogKit } from '../kit.ts'
import { PAXOS_ANATOMY, type PaxosTypes } from './anatomy.ts'
import { crashesTolerated, majorityOf } from './ballot.ts'
import type { PaxosMessage } from './messages.ts'
import { MultiPaxos } from './multi-paxos.ts'
import {
  decodePaxosMessage,
  decodePaxosRecord,
  encodePaxosDecision,
  encodePaxosMessage,
  encodePaxosRecord,
  readPaxosDecision,
} from './wire.ts'

/** Multi-Paxos. */
export const MULTI_PAXOS: LogKit<PaxosTypes> = {
  name: 'multi-paxos',
  paper:
    'L. Lamport, "Paxos Made Simple" (2001); R. van Renesse, D. Altinbuken, "Paxos Made Moderately Complex" (2015)',
  model: {
    faults: 'crash',
    network: 'partially synchronous',
    tolerated: crashesTolerated,
    quorum: majorityOf,
  },
  // ACCEPT, ACCEPTED, CHOSEN: n − 1 each.
  theory: { formula: '3(n − 1)', messages: n => 3 * (n - 1), delays: 3 },
  codec: {
    encodeMessage: encodePaxosMessage,
    decodeMessage: decodePaxosMessage,
    encodeRecord: encodePaxosRecord,
    decodeRecord: decodePaxosRecord,
    encodeDecision: encodePaxosDecision,
    readDecision: readPaxosDecision,
  },
  anatomy: PAXOS_ANATOMY,
  signed: null,
  describe: describeMessage,
  describeDecision: ({ value, ballot }) => `${value} in ballot ${ballot}`,
  create: ({ n, self, application, timeoutMs, retransmitMs, pipeline }) =>
    new MultiPaxos({ n, self, application, timeoutMs, retransmitMs, pipeline }),
}

function describeMessage(message: PaxosMessage): string {
  switch (message.type) {
    case 'prepare':
    case 'heartbeat':
      return `${message.type} ${message.ballot} after ${message.decided} by ${message.from}`
    case 'promise':
      return `promise ${message.ballot} by ${message.from} with ${message.accepted.length}`
    case 'accept':
    case 'accepted':
      return `${message.type} ${message.sequence}/${message.ballot} ${message.value} by ${message.from}`
    case 'chosen': {
      const { sequence, ballot, value } = message.decision
      return `chosen ${sequence}/${ballot} ${value}`
    }
    case 'reject':
      return `reject for ${message.ballot} by ${message.from}`
    case 'status':
      return `status ${message.decided}/${message.ballot} by ${message.from}`
  }
}
