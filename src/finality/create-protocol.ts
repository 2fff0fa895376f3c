// How a log protocol (consensus/log.ts), which knows nothing of blocks and keys, is made for the committee of one node:
// its place and its key, what it may ask of the chain, and its random numbers.

import { sha256 } from '../chain/hash.ts'
import type { LogKit } from '../consensus/kit.ts'
import type { Application, Decision } from '../consensus/log.ts'
import type { MemberIndex } from '../consensus/process.ts'
import type { CommitteeContext } from './committee-context.ts'
import { createSigning } from './signing.ts'

/** A protocol of some kit, as a committee uses it. */
export type CommitteeProtocol = ReturnType<LogKit['create']>

/** The protocol of one node; `self` is null for one that does not vote. */
export function createProtocol(
  { options, domain }: CommitteeContext,
  self: MemberIndex | null,
  proposals: Pick<Application<Decision>, 'validate'>,
  decisions: Pick<Application<Decision>, 'decision'>,
): CommitteeProtocol {
  const { validators, kit, timeoutMs, identity } = options
  const keys = { ...identity, ...domain, validators, secretKey: self === null ? null : identity.secretKey }
  let draws = 0
  return kit.create({
    n: validators.size,
    self,
    signing: kit.signed === null ? null : createSigning(kit.signed, keys),
    application: {
      validate: (sequence, value, origin) => proposals.validate(sequence, value, origin),
      decision: sequence => decisions.decision(sequence),
    },
    timeoutMs,
    retransmitMs: Math.ceil(timeoutMs / 2),
    pipeline: 1,
    random: () => draw(`${identity.life} ${self} ${draws++}`),
  })
}

/** A number from 0 to below 1 that no other member draws, nor this one again in the same life. */
function draw(seed: string): number {
  const bytes = sha256(new TextEncoder().encode(seed))
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
}
