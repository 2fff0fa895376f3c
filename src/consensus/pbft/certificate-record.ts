// A certificate in bytes, as it is sent and stored. It has one form only, so that two certificates are the same when
// their bytes are; whether its signatures are good is not asked here.
//
//   phase 1 | sequence 8 | view 8 | value 32 | count | (member 1, signature 65) of each, the members increasing

import { type ByteReader, ByteWriter, MalformedBytes } from '../../encoding/bytes.ts'
import type { MemberSignature } from '../signed.ts'
import {
  MEMBERS_MAX,
  readList,
  readMember,
  readSignature,
  writeList,
  writeMember,
  writeSignature,
} from '../wire-fields.ts'
import { PHASE_BYTES, readVote, readVotePhase, writeVote } from './vote-fields.ts'
import type { Certificate } from './votes.ts'

/** The bytes of a certificate. Throws a RangeError when it has no form in bytes. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  const { phase, signatures } = certificate
  if (!isInOrder(signatures)) throw new RangeError('the signatures are not in the order of the members')
  const writer = new ByteWriter().u8(PHASE_BYTES[phase])
  writeVote(writer, certificate)
  writeList(writer, MEMBERS_MAX, signatures, ({ member, signature }) => {
    writeMember(writer, member)
    writeSignature(writer, signature)
  })
  return writer.finish()
}

/** The certificate in the next bytes. Throws `MalformedBytes`. */
export function readCertificate(reader: ByteReader): Certificate {
  const phase = readVotePhase(reader)
  const vote = readVote(reader)
  const signatures = readList(reader, MEMBERS_MAX, () => {
    const member = readMember(reader)
    return { member, signature: readSignature(reader) }
  })
  if (!isInOrder(signatures)) throw new MalformedBytes('members out of order')
  return { phase, ...vote, signatures }
}

/** Whether the members increase: each is there at most once. */
function isInOrder(signatures: readonly MemberSignature[]): boolean {
  return signatures.every(({ member }, index) => index === 0 || member > signatures[index - 1]!.member)
}
