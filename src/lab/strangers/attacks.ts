// What strangers do, for every kind of message: what they send unasked, and what they answer to a question. A new kind of
// message needs a line here.

import type { MessageType } from '../../replica/messages.ts'
import type { Random } from '../virtual/random.ts'
import { BLOCK_ANSWERS, BLOCK_ATTACKS, BLOCK_QUESTIONS, BLOCKS_ATTACKS } from './block-attacks.ts'
import { FINALITY_ATTACKS } from './finality-attacks.ts'
import { HEADER_ANSWERS, HEADER_ATTACKS, HEADER_QUESTIONS } from './header-attacks.ts'
import { type Answer, type Attack, flipBit } from './scene.ts'
import { STATUS_ATTACKS } from './status-attacks.ts'
import {
  ANNOUNCE_ATTACKS,
  TRANSACTION_ANSWERS,
  TRANSACTION_ATTACKS,
  TRANSACTION_QUESTIONS,
} from './transaction-attacks.ts'

/** What strangers send unasked. */
export const ATTACKS: { readonly [type in MessageType]: readonly Attack[] } = {
  status: STATUS_ATTACKS,
  'get-headers': HEADER_QUESTIONS,
  headers: HEADER_ATTACKS,
  'get-blocks': BLOCK_QUESTIONS,
  blocks: BLOCKS_ATTACKS,
  block: BLOCK_ATTACKS,
  announce: ANNOUNCE_ATTACKS,
  'get-transactions': TRANSACTION_QUESTIONS,
  transactions: TRANSACTION_ATTACKS,
  finality: FINALITY_ATTACKS,
}

/** What strangers answer to each kind of message that is a question. */
export const ANSWERS: { readonly [type in MessageType]: readonly Answer[] } = {
  'get-headers': HEADER_ANSWERS,
  'get-blocks': BLOCK_ANSWERS,
  'get-transactions': TRANSACTION_ANSWERS,
  announce: [],
  status: [],
  headers: [],
  blocks: [],
  block: [],
  transactions: [],
  finality: [],
}

/** Bytes of which some are not as they were sent. */
export function spoil(bytes: Uint8Array, random: Random): Uint8Array {
  switch (random.integer(0, 2)) {
    case 0:
      return bytes.slice(0, random.integer(0, bytes.length - 1))
    case 1:
      return Uint8Array.of(...bytes, random.integer(0, 255))
    default:
      return flipBit(random)(bytes)
  }
}
