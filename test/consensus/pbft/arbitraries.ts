// Certificates, messages and records as fast-check makes them up: every form that has bytes, none that has not.

import fc from 'fast-check'
import { NO_VALUE, type Value } from '../../../src/consensus/log.ts'
import type { PbftMessage, PbftRecord } from '../../../src/consensus/pbft/messages.ts'
import type { Certificate } from '../../../src/consensus/pbft/votes.ts'
import { toHex } from '../../../src/encoding/bytes.ts'

/** Objects as literals make them: with a prototype. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(fields, { noNullPrototype: true })

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })

const number = fc.oneof(
  fc.nat(9),
  fc.maxSafeNat().map(value => value % 2 ** 48),
  fc.constant(2 ** 48),
)
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(NO_VALUE),
  bytes(32)
    .filter(id => id.some(byte => byte !== 0))
    .map(toHex),
)
const member = fc.nat(99)
const signature = bytes(65)
const slot = { sequence: number, view: number, value }

const signatures = fc
  .uniqueArray(member, { maxLength: 5 })
  .chain(members =>
    fc.tuple(fc.constant(members.sort((a, b) => a - b)), fc.array(signature, { minLength: 5 })),
  )
  .map(([members, made]) => members.map((place, index) => ({ member: place, signature: made[index]! })))

const votePhase = fc.constantFrom('prepare', 'commit', 'checkpoint')

export const certificate: fc.Arbitrary<Certificate> = plain({
  phase: votePhase,
  ...slot,
  signatures,
})

const stable = fc.option(certificate)
const viewChange = plain({
  type: fc.constant('view-change'),
  view: number,
  from: member,
  stable,
  prepared: fc.array(certificate, { maxLength: 3 }),
  suspects: fc.array(plain({ member, until: number }), { maxLength: 3 }),
  signature,
} as const)
const proposal = plain({ sequence: number, value, signature })

export const message: fc.Arbitrary<PbftMessage> = fc.oneof(
  plain({ type: fc.constant('pre-prepare'), ...slot, from: member, signature } as const),
  plain({
    type: fc.constant('prepare'),
    ...slot,
    from: member,
    signature,
    proposer: member,
    proposal: signature,
  } as const),
  plain({ type: fc.constant('commit'), ...slot, from: member, signature } as const),
  plain({ type: fc.constant('checkpoint'), sequence: number, value, from: member, signature } as const),
  viewChange,
  plain({
    type: fc.constant('new-view'),
    view: number,
    viewChanges: fc.array(viewChange, { maxLength: 3 }),
    proposals: fc.array(proposal, { maxLength: 3 }),
    signature,
  } as const),
  plain({
    type: fc.constant('status'),
    from: fc.option(member),
    view: number,
    isActive: fc.boolean(),
    votes: fc.boolean(),
    decided: number,
    value,
    timeoutMs: number,
  } as const),
  plain({ type: fc.constant('proof'), certificate } as const),
  plain({ type: fc.constant('complaint'), view: number, from: member, signature } as const),
  plain({ type: fc.constant('query'), from: member, challenge: number } as const),
  plain({
    type: fc.constant('answer'),
    from: member,
    to: member,
    challenge: number,
    decided: number,
    votes: fc.array(plain({ phase: votePhase, ...slot, signature }), { maxLength: 3 }),
    viewChange: fc.option(viewChange),
    signature,
  } as const),
)

export const record: fc.Arbitrary<PbftRecord> = fc.oneof(
  plain({ type: fc.constant('view'), view: number, isActive: fc.boolean(), reproposed: number } as const),
  plain({
    type: fc.constant('slot'),
    ...slot,
    proposal: signature,
    prepared: fc.option(certificate),
  } as const),
  plain({ type: fc.constant('stable'), certificate } as const),
)
