// Messages, records and decisions of Multi-Paxos as fast-check makes them up: every form that has bytes.

import fc from 'fast-check'
import { NO_VALUE, type Value } from '../../../src/consensus/log.ts'
import type { PaxosDecision, PaxosMessage, PaxosRecord } from '../../../src/consensus/multi-paxos/messages.ts'
import { toHex } from '../../../src/encoding/bytes.ts'

/** Objects as literals make them: with a prototype. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(fields, { noNullPrototype: true })
const is = <T extends string>(type: T) => fc.constant(type)

const number = fc.oneof(
  fc.nat(9),
  fc.maxSafeNat().map(value => value % 2 ** 48),
  fc.constant(2 ** 48),
)
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(NO_VALUE),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .filter(id => id.some(byte => byte !== 0))
    .map(toHex),
)
const from = fc.nat(99)
const vote = { sequence: number, ballot: number, value }
const accepted = fc.array(plain(vote), { maxLength: 4 })

export const decision: fc.Arbitrary<PaxosDecision> = plain(vote)

export const message: fc.Arbitrary<PaxosMessage> = fc.oneof(
  plain({ type: is('prepare'), from, ballot: number, decided: number }),
  plain({ type: is('promise'), from, ballot: number, decided: number, accepted }),
  plain({ type: is('accept'), from, ...vote, isReproposed: fc.boolean() }),
  plain({ type: is('accepted'), from, ...vote }),
  plain({ type: is('chosen'), decision }),
  plain({ type: is('heartbeat'), from, ballot: number, decided: number }),
  plain({ type: is('reject'), from, ballot: number }),
  plain({
    ...{ type: is('status'), from: fc.option(from), ballot: number, isActive: fc.boolean() },
    ...{ votes: fc.boolean(), decided: number, timeoutMs: number },
  }),
)

export const record: fc.Arbitrary<PaxosRecord> = fc.oneof(
  plain({ type: is('promise'), ballot: number, stable: number }),
  plain({ type: is('accepted'), ...vote }),
)
