// PBFT's messages in a few words, for traces and logs: the kind first, then the sequence number and the view, then the
// member that sends it.

import type { PbftMessage } from './messages.ts'

/** A message in a few words. */
export function describeMessage(message: PbftMessage): string {
  switch (message.type) {
    case 'pre-prepare':
      return `pre-prepare ${message.sequence}/${message.view} ${message.value}`
    case 'prepare':
    case 'commit':
      return `${message.type} ${message.sequence}/${message.view} ${message.value} by ${message.from}`
    case 'checkpoint':
      return `checkpoint ${message.sequence} ${message.value} by ${message.from}`
    case 'view-change':
      return `view-change ${message.view} by ${message.from} with ${message.prepared.length}`
    case 'new-view':
      return `new-view ${message.view} with ${message.proposals.length}`
    case 'status':
      return `status ${message.decided}/${message.view} by ${message.from}`
    case 'proof': {
      const { phase, sequence, view, value } = message.certificate
      return `proof ${phase} ${sequence}/${view} ${value}`
    }
    case 'complaint':
      return `complaint ${message.view} by ${message.from}`
    case 'query':
      return `query by ${message.from}`
    case 'answer':
      return `answer to ${message.to} by ${message.from} with ${message.votes.length}`
  }
}
