// Certificates: n − f signatures of distinct members over one and the same vote. Signatures of two views never make
// one certificate, however equal their values: mixed, they would prove what was never agreed on.

import { quorumOf } from '../quorum.ts'
import type { Signing } from '../signed.ts'
import type { Statement } from './messages.ts'
import type { Certificate, Vote } from './votes.ts'

/** The vote that all signatures of a certificate are over. */
export function voteOf({ phase, sequence, view, value }: Certificate): Vote {
  return { phase, sequence, view, value }
}

/** Whether a certificate proves its vote: signatures of n − f distinct members, in order. */
export function isCertificate(certificate: Certificate, n: number, signing: Signing<Statement>): boolean {
  const { signatures } = certificate
  if (signatures.length < quorumOf(n)) return false
  const areDistinct = signatures.every(
    ({ member }, index) => index === 0 || member > signatures[index - 1]!.member,
  )
  if (!areDistinct || signatures.some(({ member }) => !isMember(member, n))) return false
  const vote = voteOf(certificate)
  return signatures.every(({ member, signature }) => signing.isSigned(vote, member, signature))
}

/** Whether a number is a member's place. */
export function isMember(member: number, n: number): boolean {
  return Number.isSafeInteger(member) && member >= 0 && member < n
}
